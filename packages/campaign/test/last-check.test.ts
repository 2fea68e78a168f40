import type { Budget } from '@wegwijs/campaign/definition/policies'
import { lastCheck } from '@wegwijs/campaign/last-check'
import { type Consent, consentKey, type Intent, type PersonState } from '@wegwijs/campaign/state'
import { campaign, message } from '@wegwijs/test-support/small-hospital'
import { expect, test } from 'vitest'
import { definitionOf, person } from './given.ts'

const now = '2026-03-02T09:00:00.000Z'

/** Somebody with one message that is due, and what a test changes of both. */
function planned(change: (state: PersonState, intent: Intent) => PersonState = (state) => state) {
  const somebody = person(definitionOf([campaign({ id: 'care', steps: [message('hello')] })]), now)
  somebody.happens('person.upserted.v1', { data: { contacts: { email: 'p1@example.org' } } })
  somebody.happens('care.discharge.completed.v1')
  const [intent] = somebody.intents()
  if (!intent) throw new RangeError('nothing was planned')
  const state = change(somebody.state, intent)
  return { state, intent: state.intents.get(intent.intentId) ?? intent }
}

function check(
  { state, intent }: ReturnType<typeof planned>,
  more: Partial<Parameters<typeof lastCheck>[1]> = {},
) {
  const usual = {
    needsConsent: false,
    quietHours: undefined,
    timeZone: 'Europe/Amsterdam',
    budgets: [],
    counted: [],
  }
  return lastCheck(state, { intent, channel: 'email', ...usual, now, ...more })
}

function consent(over: Partial<Consent>): Consent {
  return {
    purpose: 'care',
    channel: null,
    state: 'granted',
    origin: 'person',
    at: now,
    proof: null,
    ...over,
  }
}

const withConsents =
  (...consents: Consent[]) =>
  (state: PersonState): PersonState => ({
    ...state,
    consents: new Map(consents.map((each) => [consentKey(each), each])),
  })

test('what is in order may be sent', () => {
  expect(check(planned())).toEqual({ effect: 'claim', reason: null })
})

test.each<[string, Consent[], boolean, string, string | null]>([
  [
    'withdrawn for all channels',
    [consent({ state: 'withdrawn' })],
    false,
    'skip',
    'consent_withdrawn',
  ],
  [
    'withdrawn for everything',
    [consent({ purpose: 'all', state: 'withdrawn' })],
    false,
    'skip',
    'consent_withdrawn',
  ],
  [
    'withdrawn for another class',
    [consent({ purpose: 'research', state: 'withdrawn' })],
    false,
    'claim',
    null,
  ],
  [
    'withdrawn for this channel',
    [consent({ channel: 'email', state: 'withdrawn' })],
    false,
    'next',
    'consent_withdrawn',
  ],
  [
    'withdrawn for another channel',
    [consent({ channel: 'sms', state: 'withdrawn' })],
    false,
    'claim',
    null,
  ],
  ['needed and not there', [], true, 'skip', 'consent_missing'],
  [
    'needed and given for another channel of the message',
    [consent({ channel: 'sms' })],
    true,
    'next',
    'consent_missing',
  ],
  ['needed and given', [consent({})], true, 'claim', null],
])('a consent that is %s', (_, consents, needsConsent, effect, reason) => {
  const given = planned(withConsents(...consents))
  const intent: Intent = { ...given.intent, channels: ['email', 'sms'] }
  expect(check({ ...given, intent }, { needsConsent })).toEqual({ effect, reason })
})

test('nothing goes to whoever has died, whatever else is wrong', () => {
  const died = planned((state) => ({
    ...withConsents(consent({ state: 'withdrawn' }))(state),
    person: { ...state.person, deceasedAt: now },
  }))
  expect(check(died)).toEqual({ effect: 'skip', reason: 'person_deceased' })
})

test('a run that was ended ends its message for the same reason', () => {
  const ended = planned((state, { enrolmentId }) => {
    const enrolment = state.enrolments.get(enrolmentId)
    if (!enrolment) throw new RangeError('no run')
    const exited = { ...enrolment, state: 'exited' as const, reason: 'merged_duplicate' }
    return { ...state, enrolments: new Map([[enrolmentId, exited]]) }
  })
  expect(check(ended)).toEqual({ effect: 'cancel', reason: 'merged_duplicate' })
})

test.each([
  ['active', 'entity_superseded'],
  ['withdrawn', 'entity_withdrawn'],
] as const)('an older version of what is %s now is not told of', (state, reason) => {
  const given = planned((before) => ({
    ...before,
    entities: new Map([
      [
        'appointment/A',
        {
          ...{ type: 'appointment', id: 'A', version: 2, state, data: {}, changedAt: now },
          saidIn: { fields: {}, touchpoints: {} },
        },
      ],
    ]),
  }))
  const of = (version: number): Intent => ({
    ...given.intent,
    entity: { type: 'appointment', id: 'A', version },
  })
  expect(check({ ...given, intent: of(1) })).toEqual({ effect: 'cancel', reason })
  expect(check({ ...given, intent: of(2) })).toEqual({ effect: 'claim', reason: null })
})

test('what is no longer worth sending expires; what may have been sent is held', () => {
  const late = planned()
  const { expiresAt } = late.intent
  expect(check(late, { now: expiresAt })).toEqual({ effect: 'expire', reason: 'expired' })
  const intent = { ...late.intent, duplicate: true }
  expect(check({ ...late, intent }, { now: expiresAt })).toEqual({
    effect: 'hold',
    reason: 'outcome_unknown',
  })
})

test('a channel without an address, or with one at which nothing arrives, gives way', () => {
  expect(check(planned(), { channel: 'sms' })).toEqual({
    effect: 'next',
    reason: 'contact_missing',
  })
  const refused = planned((state) => ({
    ...state,
    person: {
      ...state.person,
      contacts: { email: { address: 'p1@example.org', refusedAt: now } },
    },
  }))
  expect(check(refused)).toEqual({ effect: 'next', reason: 'contact_refused' })
})

test('quiet hours put it off until they end in the time zone of the person, and never past its expiry (P3)', () => {
  const quietHours = { from: '21:00', until: '08:00' }
  const night = '2026-03-02T21:30:00.000Z'
  const inAmsterdam = planned((state, intent) => ({
    ...state,
    intents: new Map([[intent.intentId, { ...intent, expiresAt: '2026-03-04T09:00:00.000Z' }]]),
  }))
  expect(check(inAmsterdam, { quietHours, now: night })).toEqual({
    effect: 'wait',
    reason: 'quiet_hours',
    dueAt: '2026-03-03T07:00:00.000Z',
  })
  const inCuracao = planned((state) => ({
    ...state,
    person: { ...state.person, timeZone: 'America/Curacao' },
  }))
  expect(check(inCuracao, { quietHours, now: night }).effect).toBe('claim')
  const short = planned((state, intent) => ({
    ...state,
    intents: new Map([[intent.intentId, { ...intent, expiresAt: '2026-03-02T22:00:00.000Z' }]]),
  }))
  expect(check(short, { quietHours, now: night })).toMatchObject({
    dueAt: '2026-03-02T22:00:00.000Z',
  })
})

test('a contact budget puts off what nothing else stands in the way of, and never past its expiry (P3)', () => {
  const offer = planned((state, intent) => ({
    ...state,
    intents: new Map([[intent.intentId, { ...intent, class: 'marketing' }]]),
  }))
  const budgets: Budget[] = [{ id: 'a-day', most: 1, per: 'P1D', classes: ['marketing'] }]
  const counted = [{ intentId: 'before', class: 'marketing', at: now } as const]
  const at = '2026-03-03T08:00:00.000Z'
  expect(check(offer, { budgets, counted, now: at })).toEqual({
    effect: 'wait',
    reason: 'budget_used',
    dueAt: '2026-03-03T09:00:00.000Z',
  })
  expect(check(offer, { budgets, counted, now: '2026-03-03T09:00:00.000Z' }).effect).toBe('claim')
  expect(check(planned(), { budgets, counted, now: at }).effect).toBe('claim')
  const short = { ...offer, intent: { ...offer.intent, expiresAt: '2026-03-03T08:30:00.000Z' } }
  expect(check(short, { budgets, counted, now: at })).toMatchObject({
    dueAt: '2026-03-03T08:30:00.000Z',
  })
  expect(check(offer, { budgets, counted, now: at, channel: 'sms' })).toEqual({
    effect: 'next',
    reason: 'contact_missing',
  })
})
