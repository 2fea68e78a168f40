import type { RelationKind, RelationScope } from '@wegwijs/campaign/definition/words'
import { draftOf } from '@wegwijs/campaign/draft'
import { factsFrom } from '@wegwijs/campaign/facts'
import { mergePeople } from '@wegwijs/campaign/merge'
import { decideRelation, relatedPeople } from '@wegwijs/campaign/relations'
import type { JourneyEvent, OtherPerson, PersonState } from '@wegwijs/campaign/state'
import { campaign } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { definitionOf, nobody, person } from './given.ts'

const definition = definitionOf([campaign({ id: 'aftercare' })])
const now = '2026-03-02T09:00:00.000Z'
/** When all that is said in these tests has been said. */
const later = '2026-03-03T09:00:00.000Z'

type Said = {
  type: 'granted' | 'ended'
  other?: string
  kind?: RelationKind
  scope?: RelationScope[]
  expires?: string
  time?: string
  /** When Kafka had it, if that was before its own time. */
  appended?: string
  /** When it came. */
  heard?: string
}

function eventOf(said: Said): JourneyEvent {
  const { type, kind = 'caregiver', scope = ['appointments'], expires, time = now, appended } = said
  return {
    source: 'urn:test:ehr',
    id: 'r1',
    subject: 'p1',
    type: `relation.${type}.v1`,
    time,
    data: {
      idSpace: 'crm',
      externalId: 'x',
      kind,
      ...(type === 'granted' && { scope, ...(expires !== undefined && { expires }) }),
    },
    entity: null,
    traceparent: null,
    ...(appended !== undefined && { appendedAt: appended }),
  }
}

function after(...said: Said[]): PersonState {
  return said.reduce(
    (state, each) =>
      decideRelation(state, eventOf(each), {
        otherId: each.other ?? 'anna',
        now: each.heard ?? later,
      }).state,
    nobody(),
  )
}

const living = (personId: string): OtherPerson => ({
  personId,
  timeZone: null,
  persona: null,
  preferredChannel: null,
  deceasedAt: null,
})

const related = (state: PersonState, otherOf: (id: string) => OtherPerson | null = living) =>
  relatedPeople(state, { otherOf }, now).map(
    ({ kind, other, scope }) => `${kind} ${other.personId}: ${scope.join(', ')}`,
  )

describe('what is said of a relation', () => {
  test('holds from when it is granted until it is ended', () => {
    expect(related(after({ type: 'granted' }))).toEqual(['caregiver anna: appointments'])
    const ended = after({ type: 'granted' }, { type: 'ended', time: '2026-03-02T09:00:01.000Z' })
    expect(related(ended)).toEqual([])
    expect(related(nobody())).toEqual([])
  })

  test('holds until it expires, and no longer', () => {
    const expires = (at: string) => related(after({ type: 'granted', expires: at }))
    expect(expires('2026-03-02T09:00:00.001Z')).toHaveLength(1)
    expect(expires(now)).toEqual([])
  })

  test('is of one kind: ending the one ends no other', () => {
    const state = after({ type: 'granted' }, { type: 'granted', kind: 'parent' }, { type: 'ended' })
    expect(related(state)).toEqual(['parent anna: appointments'])
  })

  test('says when something newer is known', () => {
    const state = after({ type: 'ended' })
    const late = eventOf({ type: 'granted', time: '2026-03-01T09:00:00.000Z' })
    expect(decideRelation(state, late, { otherId: 'anna', now }).outcome).toBe('relation_not_newer')
  })

  test('ends also when a clock that is ahead has granted it (P3)', () => {
    const granted: Said = { type: 'granted', time: '2026-03-02T09:04:00.000Z', heard: now }
    const ended: Said = { type: 'ended', time: '2026-03-02T09:02:00.000Z' }
    expect(related(after(granted, ended))).toEqual([])
  })

  test('ends also when it is read late that a clock that is ahead had granted it (P3)', () => {
    const granted: Said = {
      type: 'granted',
      time: '2026-03-02T09:30:00.000Z',
      appended: '2026-03-02T09:00:00.000Z',
    }
    const ended: Said = { type: 'ended', time: '2026-03-02T09:10:00.000Z' }
    expect([related(after(granted, ended)), related(after(ended, granted))]).toEqual([[], []])
  })

  test('of two grants of which nobody knows which came last gives what both give (P3)', () => {
    const wide: Said = { type: 'granted', scope: ['appointments', 'care'] }
    const narrow: Said = {
      type: 'granted',
      time: '2026-03-02T09:10:00.000Z',
      appended: '2026-03-02T08:10:00.000Z',
    }
    expect(related(after(wide, narrow))).toEqual(['caregiver anna: appointments'])
    const older: Said = { ...narrow, time: '2026-03-02T08:50:00.000Z' }
    expect(related(after(wide, older))).toEqual(['caregiver anna: appointments, care'])
  })

  test('comes to the same in any order, whatever of it is said twice', () => {
    const scope = fc.subarray<RelationScope>(['appointments', 'care', 'news'], { minLength: 1 })
    const said = fc.record({
      type: fc.constantFrom('granted' as const, 'ended' as const),
      scope,
      expires: fc.constantFrom('2026-03-03T00:00:00.000Z', '2027-01-01T00:00:00.000Z'),
      time: fc.constantFrom(
        '2026-03-01T00:00:00.000Z',
        '2026-03-01T12:00:00.000Z',
        '2026-03-02T00:00:00.000Z',
      ),
    })
    fc.assert(
      fc.property(fc.array(said, { minLength: 1, maxLength: 6 }), fc.nat(), (all, seed) => {
        const turned = all.map((_, index) => all[(index + seed) % all.length] ?? all[0])
        const other = after(...[...turned, all[0]].filter((each) => each !== undefined))
        expect([...other.relations]).toEqual([...after(...all).relations])
      }),
    )
  })
})

describe('who is related', () => {
  test('is nobody who died, of whom nothing is known, or who is the person', () => {
    const state = after({ type: 'granted' })
    expect(related(state, (id) => ({ ...living(id), deceasedAt: now }))).toEqual([])
    expect(related(state, () => null)).toEqual([])
    expect(related(state, () => living('person-1'))).toEqual([])
    expect(relatedPeople(state, {}, now)).toEqual([])
  })

  test('is one when two records have become one: what was said last of either holds', () => {
    const both = after(
      { type: 'granted', other: 'anna', time: '2026-03-01T09:00:00.000Z' },
      { type: 'ended', other: 'anne', time: '2026-03-02T08:00:00.000Z' },
    )
    expect(related(both)).toEqual(['caregiver anna: appointments'])
    expect(related(both, () => living('anna'))).toEqual([])
  })

  test('is whoever either record of the person had; what was said last holds', () => {
    const [into, from] = [person(definition), person(definition, undefined, 'p2')]
    into.state = after(
      { type: 'ended', other: 'anna', time: '2026-03-01T09:00:00.000Z' },
      { type: 'granted', other: 'bob', time: '2026-03-01T09:00:00.000Z' },
    )
    const other = after(
      { type: 'granted', other: 'anna', scope: ['care'], time: '2026-03-02T08:00:00.000Z' },
      { type: 'ended', other: 'bob', time: '2026-03-01T09:00:00.000Z' },
    )
    from.state = { ...from.state, relations: other.relations }
    const merged = mergePeople(into.state, from.state, into.context())
    expect(related(merged.state)).toEqual(['caregiver anna: care'])
  })
})

describe('a condition', () => {
  const read = (state: PersonState, field: string) =>
    factsFrom(
      draftOf(state),
      { definition, now, deriveId: (...parts) => parts.join('|'), otherOf: living },
      { trigger: null, entityData: null, enrolment: null },
    ).read(field)

  test('can ask whether there is a caregiver, and one who may hear of something', () => {
    const state = after({ type: 'granted' })
    expect(read(state, 'relation.caregiver')).toBe(true)
    expect(read(state, 'relation.caregiver.appointments')).toBe(true)
    expect(read(state, 'relation.caregiver.care')).toBeUndefined()
    expect(read(state, 'relation.parent')).toBeUndefined()
  })

  test('can ask what somebody said they want: what is withdrawn beats what is granted', () => {
    const patient = person(definition)
    const says = (type: 'granted' | 'withdrawn', data: { purpose: string; channel?: string }) =>
      patient.happens(`consent.${type}.v1`, { data })
    const consent = (field: string) => read(patient.state, `consent.${field}`)
    expect(consent('marketing')).toBeUndefined()
    says('granted', { purpose: 'marketing', channel: 'email' })
    expect(consent('marketing')).toBeUndefined()
    expect(consent('marketing.email')).toBe('granted')
    expect(consent('marketing.sms')).toBeUndefined()
    says('withdrawn', { purpose: 'all', channel: 'sms' })
    expect(consent('marketing.sms')).toBe('withdrawn')
    expect(consent('marketing.email')).toBe('granted')
    says('withdrawn', { purpose: 'marketing' })
    expect(consent('marketing.email')).toBe('withdrawn')
    expect(consent('care')).toBeUndefined()
  })
})
