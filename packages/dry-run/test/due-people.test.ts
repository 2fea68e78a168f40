import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DuePeople } from '../src/due-people.ts'

test('whoever is due first comes first, by their last word', () => {
  const word = fc.tuple(
    fc.integer({ min: 0, max: 5 }),
    fc.option(fc.integer({ min: 0, max: 20 }), { freq: 5 }),
  )
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 40 }),
      fc.integer({ min: 0, max: 20 }),
      (words, until) => {
        const due = new DuePeople()
        const known = new Map<number, number>()
        for (const [person, atMs] of words) {
          due.set(person, atMs)
          if (atMs === null) known.delete(person)
          else known.set(person, atMs)
        }
        const expected = [...known.values()].filter((atMs) => atMs <= until).sort((a, b) => a - b)
        const taken: number[] = []
        for (let next = due.nextMs(); next !== undefined && next <= until; next = due.nextMs()) {
          const person = due.take(until)
          expect(known.get(person ?? -1)).toBe(next)
          taken.push(next)
        }
        expect(taken).toEqual(expected)
        expect(due.take(until)).toBeUndefined()
      },
    ),
  )
})
