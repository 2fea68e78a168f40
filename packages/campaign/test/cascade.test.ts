import { lastCheck } from '@wegwijs/campaign/last-check'
import type { Intent, IntentState, JourneyEvent } from '@wegwijs/campaign/state'
import { stepsSchema } from '@wegwijs/campaign/steps/registry'
import { campaign, message } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { definitionOf, person } from './given.ts'

const booked = 'care.appointment.booked.v1'
const moved = 'care.appointment.moved.v1'
const cancelled = 'care.appointment.cancelled.v1'

const minute = (count: number) =>
  new Date(Date.parse('2026-03-02T09:00:00.000Z') + count * 60_000).toISOString()

const appointment = (version: number): Partial<JourneyEvent> => ({
  entity: { type: 'appointment', id: 'A-1', version },
  data: { startsAt: '2026-03-20T09:00:00.000Z' },
})

/** Somebody told over the app, then by SMS, then by e-mail, half an hour each; then `later`. */
function told(over: Parameters<typeof message>[1] = {}) {
  const patient = person(
    definitionOf([
      campaign({
        id: 'tell',
        entry: 'once-per-entity',
        trigger: { touchpoint: booked },
        exit: [{ touchpoint: cancelled, entity: 'same' }],
        steps: [
          message('hello', {
            channels: { cascade: ['app', 'sms', 'email'], after: 'PT30M' },
            ...over,
          }),
          message('later'),
        ],
      }),
    ]),
  )
  patient.happens(booked, appointment(1))
  return patient
}

type Patient = ReturnType<typeof told>

const ofCascade = (patient: Patient) =>
  patient.intents().filter(({ messageId }) => messageId === 'hello')
const statesOf = (patient: Patient) =>
  ofCascade(patient).map(({ channels, state, reason }) => [channels.length, state, reason])
const hasGoneOn = (patient: Patient) =>
  patient.intents().some(({ messageId }) => messageId === 'later')

function at(patient: Patient, left: number): Intent {
  const found = ofCascade(patient).find(({ channels }) => channels.length === left)
  if (!found) throw new RangeError(`nothing with ${left} channels left`)
  return found
}

function becomes(patient: Patient, left: number, state: IntentState): void {
  const { intentId, channels } = at(patient, left)
  const [channel = 'app'] = channels
  patient.message(intentId, { state, channel })
}

const receipt = (patient: Patient, left: number, type: 'delivered' | 'bounced') =>
  patient.happens(`message.${type}.v1`, {
    data: { intentId: at(patient, left).intentId, channel: at(patient, left).channel ?? 'app' },
  })

describe('a message over one channel after the other', () => {
  test('goes on at once when the first is delivered', () => {
    const patient = told({ channels: { cascade: ['sms', 'email'], after: 'PT30M' } })
    becomes(patient, 2, 'sent')
    expect(hasGoneOn(patient)).toBe(false)
    receipt(patient, 2, 'delivered')
    expect(statesOf(patient)).toEqual([[2, 'delivered', 'delivered']])
    expect(hasGoneOn(patient)).toBe(true)
  })

  test('takes back what has not gone out when its time is over, and plans the next in its place', () => {
    const patient = told()
    patient.comes(minute(29))
    expect(statesOf(patient)).toEqual([[3, 'planned', null]])
    patient.comes(minute(30))
    expect(statesOf(patient)).toEqual([
      [3, 'cancelled', 'awaited_not_in_time'],
      [2, 'planned', null],
    ])
    expect(at(patient, 2)).toMatchObject({ channels: ['sms', 'email'], dueAt: minute(30) })
    expect(at(patient, 2).expiresAt).toBe(at(patient, 3).expiresAt)
  })

  test('plans the next at once when it bounces', () => {
    const patient = told({ channels: { cascade: ['sms', 'email'], after: 'PT30M' } })
    becomes(patient, 2, 'sent')
    patient.comes(minute(3))
    receipt(patient, 2, 'bounced')
    expect(at(patient, 1)).toMatchObject({ channels: ['email'], dueAt: minute(3) })
    expect(hasGoneOn(patient)).toBe(false)
  })

  test('what is put into the app is delivered', () => {
    const patient = told()
    becomes(patient, 3, 'sent')
    patient.comes(minute(30))
    expect(statesOf(patient)).toEqual([[3, 'sent', null]])
    expect(hasGoneOn(patient)).toBe(true)
  })

  test.each(['sending', 'held'] as const)('the next comes in place of one that is %s', (state) => {
    const patient = told()
    becomes(patient, 3, state)
    patient.comes(minute(30))
    expect(at(patient, 2).insteadOf).toBe(at(patient, 3).intentId)
    expect(at(patient, 3).state).toBe(state)
  })

  test('a late delivery takes back what came in its place, and the campaign goes on', () => {
    const patient = told({ channels: { cascade: ['sms', 'email'], after: 'PT30M' } })
    becomes(patient, 2, 'sent')
    patient.comes(minute(30))
    receipt(patient, 2, 'delivered')
    expect(statesOf(patient)).toEqual([
      [2, 'delivered', 'delivered'],
      [1, 'cancelled', 'awaited_after_all'],
    ])
    expect(hasGoneOn(patient)).toBe(true)
  })

  test('a late delivery takes back the last one, also when the campaign has gone on', () => {
    const patient = told({ channels: { cascade: ['sms', 'email'], after: 'PT30M' } })
    becomes(patient, 2, 'sent')
    patient.comes(minute(30))
    patient.comes(minute(60))
    expect(hasGoneOn(patient)).toBe(true)
    receipt(patient, 2, 'delivered')
    expect(at(patient, 1)).toMatchObject({ state: 'cancelled', reason: 'awaited_after_all' })
  })

  test('goes on when the time of the last one is over', () => {
    const patient = told({ channels: { cascade: ['sms', 'email'], after: 'PT30M' } })
    becomes(patient, 2, 'sent')
    patient.comes(minute(30))
    becomes(patient, 1, 'sent')
    patient.comes(minute(59))
    expect(hasGoneOn(patient)).toBe(false)
    patient.comes(minute(60))
    expect(hasGoneOn(patient)).toBe(true)
    expect(ofCascade(patient)).toHaveLength(2)
  })

  test('an exit takes back what waits, and plans no next', () => {
    const patient = told()
    patient.happens(cancelled, appointment(2))
    patient.comes(minute(90))
    expect(ofCascade(patient).map(({ state }) => state)).toEqual(['cancelled'])
  })

  test('begins anew over the first channel when its appointment moves', () => {
    const patient = told({ channels: { cascade: ['sms', 'email'], after: 'PT30M' } })
    becomes(patient, 2, 'sent')
    patient.comes(minute(30))
    patient.happens(moved, appointment(2))
    const alive = ofCascade(patient).filter(({ state }) => state === 'planned')
    expect(alive).toMatchObject([{ channels: ['sms', 'email'], entity: { version: 2 } }])
  })

  test.each([
    [{ cascade: ['sms'], after: 'PT30M' }],
    [{ cascade: ['sms', 'sms'], after: 'PT30M' }],
    [{ cascade: ['sms', 'fax'], after: 'PT30M' }],
    [{ cascade: ['sms', 'email'] }],
  ])('is not read when it says %j', (channels) => {
    const steps = [{ message: { id: 'hello', template: 'hello', channels } }]
    expect(stepsSchema.safeParse(steps).success).toBe(false)
  })
})

/**
 * What the last check of the store knows beside: whoever comes in place of one that a worker has, or nobody
 * knows of, waits; and that one, when it is given back, is not sent beside what came in its place.
 */
function isRefusedByTables(patient: Patient, { intentId, insteadOf }: Intent): boolean {
  const first = patient.intents().find((each) => each.intentId === insteadOf)
  const second = patient.intents().find((each) => each.insteadOf === intentId)
  return (
    ['sending', 'held'].includes(first?.state ?? '') ||
    ['planned', 'sending', 'sent', 'delivered', 'held'].includes(second?.state ?? '')
  )
}

test('whatever comes in whatever order, nothing is sent once one is known as delivered (P2)', () => {
  const move = fc.oneof(
    { arbitrary: fc.record({ pass: fc.constantFrom(5, 30, 31) }), weight: 3 },
    { arbitrary: fc.record({ claim: fc.constant(true) }), weight: 3 },
    {
      arbitrary: fc.record({
        nth: fc.nat(2),
        ends: fc.constantFrom<IntentState[]>('sent', 'planned', 'held'),
      }),
      weight: 3,
    },
    {
      arbitrary: fc.record({
        nth: fc.nat(2),
        says: fc.constantFrom<('delivered' | 'bounced')[]>('delivered', 'bounced'),
      }),
      weight: 2,
    },
  )
  let late = 0
  fc.assert(
    fc.property(fc.array(move, { maxLength: 30, size: 'max' }), (moves) => {
      const patient = told({ channels: { cascade: ['sms', 'email', 'app'], after: 'PT30M' } })
      patient.happens('person.upserted.v1', {
        data: { contacts: { email: 'a@example.org', phone: '+447700900123', app: 'device' } },
      })
      const handed = new Set<string>()
      let passed = 0
      for (const each of moves) {
        if ('pass' in each) {
          passed += each.pass
          patient.comes(minute(passed))
        } else if ('claim' in each) {
          for (const intent of ofCascade(patient)) {
            if (intent.state !== 'planned' || intent.dueAt > minute(passed)) continue
            const isKnown = ofCascade(patient).some(({ state }) => state === 'delivered')
            const [channel = 'sms'] = intent.channels
            const { effect } = lastCheck(patient.state, {
              intent,
              channel,
              needsConsent: false,
              quietHours: undefined,
              timeZone: 'Europe/Amsterdam',
              budgets: [],
              counted: [],
              now: minute(passed),
            })
            if (effect !== 'claim' || isRefusedByTables(patient, intent)) continue
            if (isKnown) expect(effect, JSON.stringify(ofCascade(patient))).not.toBe('claim')
            handed.add(intent.intentId)
            patient.message(intent.intentId, { state: 'sending', channel })
          }
        } else {
          const intent = ofCascade(patient)[each.nth]
          if (!intent) continue
          if ('ends' in each) {
            // A worker that was killed gives back what it had, or leaves it in doubt.
            if (intent.state === 'sending') patient.message(intent.intentId, { state: each.ends })
          } else if (handed.has(intent.intentId) && intent.state === 'sent') {
            const { intentId, channel = 'sms' } = intent
            const isLate = ofCascade(patient).length > 1
            patient.happens(`message.${each.says}.v1`, { data: { intentId, channel } })
            if (isLate && each.says === 'delivered') late += 1
          }
        }
      }
    }),
    { numRuns: 500 },
  )
  expect(late).toBeGreaterThan(0)
})
