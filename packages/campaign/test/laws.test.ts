import { mergePeople } from '@wegwijs/campaign/merge'
import { keepConsent } from '@wegwijs/campaign/people'
import { type Consent, consentKey, isPending, type JourneyEvent } from '@wegwijs/campaign/state'
import { campaign, message } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { definitionOf, nobody, person } from './given.ts'

const anyDay = 'any-day' as const
const definition = definitionOf([
  campaign({
    id: 'aftercare',
    entry: 'every-time',
    exit: [{ touchpoint: 'care.admission.started.v1' }],
    steps: [message('hello'), { wait: { for: 'PT3H', on: anyDay } }, message('later')],
  }),
  campaign({
    id: 'reminder',
    journey: 'operation',
    entry: 'once-per-entity',
    trigger: { touchpoint: 'care.appointment.booked.v1' },
    steps: [
      message('hello', {
        send: { until: 'entity.startsAt', offset: '-PT4H', on: anyDay },
        until: 'entity.startsAt',
      }),
      { wait: { until: 'entity.startsAt', on: anyDay } },
      message('later'),
    ],
  }),
])

type Happening = { type: string; hour: number; version: number; startsAt: number }
const happening: fc.Arbitrary<Happening> = fc.record({
  type: fc.constantFrom(
    'care.discharge.completed.v1',
    'care.admission.started.v1',
    'care.appointment.booked.v1',
    'care.appointment.moved.v1',
    'care.appointment.cancelled.v1',
    'person.deceased.v1',
    'timers',
  ),
  hour: fc.nat(6),
  version: fc.integer({ min: 1, max: 5 }),
  startsAt: fc.integer({ min: 1, max: 48 }),
})

const at = (hours: number) => new Date(Date.UTC(2026, 2, 2, 9) + hours * 3_600_000).toISOString()

/** Lets all of it happen, hour after hour; gives the person at the end. */
function live(happenings: readonly Happening[]) {
  const patient = person(definition)
  let hour = 0
  for (const each of happenings) {
    hour += each.hour
    patient.comes(at(hour))
    if (each.type === 'timers') continue
    const over: Partial<JourneyEvent> = each.type.includes('appointment')
      ? {
          entity: { type: 'appointment', id: 'A-1', version: each.version },
          data: { startsAt: at(hour + each.startsAt) },
        }
      : {}
    patient.happens(each.type, over)
  }
  return patient
}

test('deciding twice gives the same, to the last id', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 12 }), (happenings) => {
      expect(live(happenings).state).toEqual(live(happenings).state)
    }),
  )
})

test('nothing pending hangs on an older version of its entity (P3)', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 12 }), (happenings) => {
      const { state } = live(happenings)
      for (const intent of state.intents.values()) {
        if (!intent.entity || !isPending(intent)) continue
        const entity = state.entities.get(`${intent.entity.type}/${intent.entity.id}`)
        expect(intent.entity.version).toBe(entity?.version)
        expect(entity?.state).toBe('active')
      }
    }),
  )
})

test('a running enrolment waits with one timer, an ended one with none, and the dead with nothing', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 12 }), (happenings) => {
      const { state } = live(happenings)
      for (const enrolment of state.enrolments.values()) {
        const timers = [...state.timers.values()].filter(
          (timer) => timer.enrolmentId === enrolment.enrolmentId,
        )
        expect(timers).toHaveLength(enrolment.state === 'running' ? 1 : 0)
      }
      if (state.person.deceasedAt) expect([...state.intents.values()].filter(isPending)).toEqual([])
    }),
  )
})

test('a message is planned once per step and version, and never for a moment behind its end', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 12 }), (happenings) => {
      const intents = [...live(happenings).state.intents.values()]
      const places = intents.map(
        (intent) => `${intent.enrolmentId} ${intent.step} ${intent.entity?.version ?? 0}`,
      )
      expect(new Set(places).size).toBe(places.length)
      for (const intent of intents) expect(intent.dueAt < intent.expiresAt).toBe(true)
    }),
  )
})

const consent: fc.Arbitrary<Consent> = fc.record({
  purpose: fc.constant('marketing' as const),
  channel: fc.constant(null),
  state: fc.constantFrom('granted' as const, 'withdrawn' as const),
  origin: fc.constantFrom('person' as const, 'import' as const),
  at: fc.nat(5).map(at),
  proof: fc.constant(null),
})

test('what the person said last by their own words holds, in whatever order it arrives (P3)', () => {
  fc.assert(
    fc.property(fc.array(consent, { minLength: 1, maxLength: 8 }), (consents) => {
      const said = consents.filter((each) => each.origin === 'person')
      const latest = said
        .map((each) => each.at)
        .sort()
        .at(-1)
      const withdrew = said.some((each) => each.at === latest && each.state === 'withdrawn')
      const known = new Map<string, Consent>()
      for (const each of consents) keepConsent(known, each)
      // Whatever an import says beside it, and however new that is.
      if (withdrew) expect(known.get('marketing/')?.state).toBe('withdrawn')
    }),
  )
})

test('an import never lifts a withdrawal of the person (P3)', () => {
  fc.assert(
    fc.property(fc.nat(5), fc.array(consent, { maxLength: 8 }), (hour, imports) => {
      const known = new Map<string, Consent>()
      keepConsent(known, {
        purpose: 'marketing',
        channel: null,
        state: 'withdrawn',
        origin: 'person',
        at: at(hour),
        proof: null,
      })
      for (const each of imports) keepConsent(known, { ...each, origin: 'import' })
      expect(known.get('marketing/')?.state).toBe('withdrawn')
    }),
  )
})

test('merging keeps every withdrawal, every death, and one run of a campaign', () => {
  fc.assert(
    fc.property(
      fc.array(happening, { maxLength: 8 }),
      fc.array(happening, { maxLength: 8 }),
      (mine, theirs) => {
        const [into, from] = [live(mine), live(theirs)]
        const rename = { ...from.state, person: { ...from.state.person, personId: 'person-2' } }
        const { state } = mergePeople(into.state, rename, into.context())
        expect(state.person.deceasedAt !== null).toBe(
          into.state.person.deceasedAt !== null || from.state.person.deceasedAt !== null,
        )
        const pendingBoth = [...state.intents.values()]
          .filter(isPending)
          .map(
            (intent) =>
              `${intent.campaignId} ${state.enrolments.get(intent.enrolmentId)?.entryKey} ${intent.step}`,
          )
        expect(new Set(pendingBoth).size).toBe(pendingBoth.length)
      },
    ),
  )
})

test('merging unites withdrawals: the person’s if either was, as of the later (P3)', () => {
  fc.assert(
    fc.property(consent, consent, (mine, theirs) => {
      const context = person(definition).context()
      const withConsent = (id: string, each: Consent) => ({
        ...nobody(id),
        consents: new Map([[consentKey(each), each]]),
      })
      const { state } = mergePeople(withConsent('a', mine), withConsent('b', theirs), context)
      const kept = state.consents.get('marketing/')
      const withdrawn = [mine, theirs].filter((each) => each.state === 'withdrawn')
      if (withdrawn.length === 0) return
      expect(kept?.state).toBe('withdrawn')
      expect(kept?.origin === 'person').toBe(withdrawn.some((each) => each.origin === 'person'))
      expect(kept?.at).toBe(
        withdrawn
          .map((each) => each.at)
          .sort()
          .at(-1),
      )
    }),
  )
})

test('an address that was refused for one of two records is refused for both', () => {
  const context = person(definition).context()
  const withAddress = (id: string, refusedAt: string | null) => ({
    ...nobody(id),
    person: { ...nobody(id).person, contacts: { email: { address: 'a@example.org', refusedAt } } },
  })
  const { state } = mergePeople(withAddress('a', null), withAddress('b', at(1)), context)
  expect(state.person.contacts.email?.refusedAt).toBe(at(1))
})

test('a person with nobody’s data is left as they are by a merge with nobody', () => {
  const context = person(definition).context()
  expect(mergePeople(nobody('a'), nobody('b'), context).state.person).toMatchObject({
    personId: 'a',
    deceasedAt: null,
  })
})
