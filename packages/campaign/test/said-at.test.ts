import type { JsonObject } from '@wegwijs/campaign/json'
import { campaign } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { definitionOf, person } from './given.ts'

const definition = definitionOf([campaign({ id: 'aftercare' })])

test('a yes from a clock that is ahead does not lift the no that comes after it (P3)', () => {
  const patient = person(definition)
  patient.happens('consent.granted.v1', {
    time: '2026-03-02T09:04:00.000Z',
    data: { purpose: 'marketing', origin: 'person' },
  })
  patient.comes('2026-03-02T09:02:00.000Z')
  patient.happens('consent.withdrawn.v1', { data: { purpose: 'marketing', origin: 'person' } })
  expect([...patient.state.consents.values()]).toMatchObject([{ state: 'withdrawn' }])
})

test('of a clock that is ahead, too, what was said last holds', () => {
  const patient = person(definition)
  patient.happens('consent.withdrawn.v1', {
    time: '2026-03-02T09:04:00.000Z',
    data: { purpose: 'marketing', origin: 'person' },
  })
  patient.comes('2026-03-02T09:01:00.000Z')
  patient.happens('consent.granted.v1', {
    time: '2026-03-02T09:05:00.000Z',
    data: { purpose: 'marketing', origin: 'person' },
  })
  expect([...patient.state.consents.values()]).toMatchObject([{ state: 'granted' }])
})

test('an address from a clock that is ahead gives way to the one that comes after it', () => {
  const patient = person(definition)
  patient.happens('person.upserted.v1', {
    time: '2026-03-02T09:04:00.000Z',
    data: { contacts: { email: 'old@example.org' } },
  })
  patient.comes('2026-03-02T09:02:00.000Z')
  patient.happens('person.upserted.v1', { data: { contacts: { email: 'new@example.org' } } })
  expect(patient.state.person.contacts.email?.address).toBe('new@example.org')
})

describe('what is read late', () => {
  const day = (time: string) => `2026-03-02T${time}:00.000Z`
  type Said = { type: string; says: string; appended: string; data: JsonObject }
  const consent = (state: 'granted' | 'withdrawn', over: Omit<Said, 'type' | 'data'>): Said => ({
    type: `consent.${state}.v1`,
    data: { purpose: 'marketing', origin: 'person' },
    ...over,
  })
  const profile = (contacts: JsonObject, over: Omit<Said, 'type' | 'data'>): Said => ({
    type: 'person.upserted.v1',
    data: { contacts },
    ...over,
  })

  /** All of it is read at noon, in this order; what was appended before its own time says so. */
  function readAtNoon(...all: readonly Said[]) {
    const patient = person(definition, day('12:00'))
    for (const { type, says, appended, data } of all) {
      const late = appended < says && { appendedAt: appended }
      patient.happens(type, { time: says, data, ...late })
    }
    return patient.state
  }
  const stateOf = (...all: readonly Said[]) => [...readAtNoon(...all).consents.values()][0]?.state
  const addressOf = (...all: readonly Said[]) => readAtNoon(...all).person.contacts.email?.address

  test('a yes of a clock that is ahead does not lift the no that was said before it was read (P3)', () => {
    const yes = consent('granted', { says: day('10:30'), appended: day('10:00') })
    const no = consent('withdrawn', { says: day('10:10'), appended: day('10:10') })
    expect([stateOf(yes, no), stateOf(no, yes)]).toEqual(['withdrawn', 'withdrawn'])
  })

  test('a no is never older for the clock of a broker that is behind (P3)', () => {
    const yes = consent('granted', { says: day('10:00'), appended: day('10:00') })
    const no = consent('withdrawn', { says: day('10:10'), appended: '1970-01-01T00:00:00.000Z' })
    expect([stateOf(yes, no), stateOf(no, yes)]).toEqual(['withdrawn', 'withdrawn'])
  })

  test('an address of a clock that is ahead gives way to the one that came after it', () => {
    const old = profile(
      { email: 'old@example.org' },
      { says: day('10:30'), appended: day('10:00') },
    )
    const next = profile(
      { email: 'new@example.org' },
      { says: day('10:10'), appended: day('10:10') },
    )
    expect([addressOf(old, next), addressOf(next, old)]).toEqual([
      'new@example.org',
      'new@example.org',
    ])
  })

  test('an address that is taken away is gone, also when the clock of a broker is behind (P3)', () => {
    const given = profile(
      { email: 'a@example.org' },
      { says: day('10:00'), appended: day('10:00') },
    )
    const gone = profile({ email: null }, { says: day('10:10'), appended: day('09:10') })
    expect(addressOf(given, gone)).toBeUndefined()
  })

  test('in whatever order, and however far clocks are ahead: whoever said no last has said no (P3)', () => {
    const minute = fc.integer({ min: 1, max: 500 })
    const said = fc.record({
      granted: fc.boolean(),
      minute,
      aheadMinutes: fc.integer({ min: 0, max: 90 }),
    })
    const instant = (minutes: number) =>
      new Date(Date.parse(day('00:00')) + minutes * 60_000).toISOString()
    fc.assert(
      fc.property(
        fc.uniqueArray(said, { minLength: 1, maxLength: 7, selector: (each) => each.minute }),
        fc.infiniteStream(fc.nat()),
        (all, turns) => {
          const last = Math.max(...all.map((each) => each.minute))
          const told = all.map(({ granted, minute: at, aheadMinutes }) =>
            consent(at < last && granted ? 'granted' : 'withdrawn', {
              says: instant(at + (at < last ? aheadMinutes : 0)),
              appended: instant(at),
            }),
          )
          const order = told
            .map((each) => ({ each, turn: turns.next().value }))
            .sort((a, b) => a.turn - b.turn)
          expect(stateOf(...order.map(({ each }) => each))).toBe('withdrawn')
        },
      ),
    )
  })
})
