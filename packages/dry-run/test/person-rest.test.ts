import { newPerson } from '@wegwijs/campaign/new-person'
import type { PersonState } from '@wegwijs/campaign/state'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Rest } from '../src/person-rest.ts'

/** A state with this in the place of everything that publishers tell. */
function stateWith(data: unknown): PersonState {
  const state = newPerson('p1')
  return { ...state, entities: new Map([['visit/1', { data }]]) as never }
}

const data = (state: PersonState) => (state.entities.get('visit/1') as { data: unknown }).data

test('whatever is known of people comes back as it was', () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom(null, true, 0, 'ë', '', 'a\nb', 3.5),
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'a\nb', '20515', '__proto__', 'length'), tie('any'), {
        noNullPrototype: true,
      }),
      fc.array(tie('any'), { maxLength: 3 }).map((items) => new Set(items)),
      fc.array(fc.tuple(fc.string(), tie('any')), { maxLength: 3 }).map((each) => new Map(each)),
    ),
  })).any
  const rest = new Rest()
  fc.assert(
    fc.property(value, (own) => {
      const state = stateWith(own)
      expect(rest.unpack(rest.pack(state))).toStrictEqual(state)
    }),
  )
})

test('what is not there does not come back as null', () => {
  const rest = new Rest()
  expect(data(rest.unpack(rest.pack(stateWith({ a: 1, b: undefined }))))).toStrictEqual({ a: 1 })
})

test('of ever new names everything comes back, and no more room is taken by them', () => {
  const rest = new Rest()
  for (let day = 0; day < 1_500; day += 1) {
    const state = stateWith({ [`d${day}`]: 1 })
    expect(rest.unpack(rest.pack(state))).toStrictEqual(state)
  }
})
