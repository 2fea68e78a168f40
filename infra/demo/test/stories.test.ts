import type { TellableKind } from '@wegwijs/store/tellable-people'
import { expect, test } from 'vitest'
import { type Chosen, chooseStories, withoutRepeats } from '../src/stories.ts'

const person = (kind: TellableKind, personId: string): Chosen => ({ kind, personId })

test('one story of each kind, the first of each', () => {
  const candidates = [
    person('appointment-changed', 'a'),
    person('appointment-changed', 'b'),
    person('ended', 'c'),
    person('several-channels', 'd'),
  ]
  expect(chooseStories(candidates).map((chosen) => chosen.personId)).toEqual(['a', 'c', 'd'])
})

test('nobody is told of twice', () => {
  const candidates = [
    person('appointment-changed', 'a'),
    person('ended', 'a'),
    person('ended', 'b'),
    person('several-channels', 'a'),
    person('several-channels', 'b'),
    person('several-channels', 'c'),
  ]
  expect(chooseStories(candidates).map((chosen) => chosen.personId)).toEqual(['a', 'b', 'c'])
})

test('what one kind lacks another one fills', () => {
  const candidates = [
    person('several-channels', 'a'),
    person('several-channels', 'b'),
    person('several-channels', 'c'),
    person('several-channels', 'd'),
  ]
  expect(chooseStories(candidates).map((chosen) => chosen.personId)).toEqual(['a', 'b', 'c'])
})

test('where nobody got anything there is nothing to tell', () => {
  expect(chooseStories([])).toEqual([])
})

test('what came together and led to nothing is one line', () => {
  const at = '2026-03-02T08:00:00.000Z'
  const lines = [
    { at, depth: 0 as const, text: 'result' },
    { at, depth: 0 as const, text: 'result' },
    { at, depth: 1 as const, text: 'entered' },
    { at, depth: 0 as const, text: 'result' },
    { at: '2026-03-02T08:15:00.000Z', depth: 0 as const, text: 'result' },
  ]
  expect(withoutRepeats(lines).map(({ text }) => text)).toEqual([
    'result (2 times)',
    'entered',
    'result',
    'result',
  ])
})
