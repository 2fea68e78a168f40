import { DraftMap } from '@wegwijs/campaign/draft-map'
import { expect, test } from 'vitest'

const loaded: ReadonlyMap<string, number> = new Map([['a', 1]])

test('what nothing is written to stays the map that was loaded', () => {
  const map = new DraftMap(loaded)
  expect(map.delete('b')).toBe(false)
  expect(map.kept()).toBe(loaded)
})

test('what is written is read, and what was loaded stays as it was', () => {
  const map = new DraftMap(loaded)
  map.set('b', 2)
  map.delete('a')
  expect([...map]).toEqual([['b', 2]])
  expect(map.has('a')).toBe(false)
  expect(map.get('b')).toBe(2)
  expect(map.size).toBe(1)
  expect(map.kept()).toEqual(new Map([['b', 2]]))
  expect(loaded).toEqual(new Map([['a', 1]]))
})

test('what has been handed out stays as it was when it is written to again', () => {
  const map = new DraftMap(loaded)
  map.set('b', 2)
  const first = map.kept()
  map.set('c', 3)
  expect([...first.keys()]).toEqual(['a', 'b'])
  expect([...map.kept().keys()]).toEqual(['a', 'b', 'c'])
})
