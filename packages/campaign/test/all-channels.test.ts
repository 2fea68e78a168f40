import { compileDefinition } from '@wegwijs/campaign/compile'
import { draftOf } from '@wegwijs/campaign/draft'
import { countsAs, lastCheck } from '@wegwijs/campaign/last-check'
import { mergePeople } from '@wegwijs/campaign/merge'
import { moveRuns, stepMapOf } from '@wegwijs/campaign/move'
import {
  type Intent,
  type IntentState,
  type JourneyEvent,
  type OtherPerson,
  type Relation,
  relationKey,
} from '@wegwijs/campaign/state'
import { latestOfMessage } from '@wegwijs/campaign/steps/message-status'
import { stepsSchema } from '@wegwijs/campaign/steps/registry'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { describe, expect, test } from 'vitest'
import { definitionOf, person } from './given.ts'

const booked = 'care.appointment.booked.v1'
const moved = 'care.appointment.moved.v1'
const cancelled = 'care.appointment.cancelled.v1'
const now = '2026-03-02T09:00:00.000Z'

const appointment = (version: number, startsAt = '2026-03-20T09:00:00.000Z') =>
  ({
    entity: { type: 'appointment', id: 'A-1', version },
    data: { startsAt },
  }) satisfies Partial<JourneyEvent>

type Over = Parameters<typeof message>[1]
type Steps = NonNullable<Parameters<typeof campaign>[0]['steps']>

const both: Over = { channels: { all: ['app', 'sms'] } }
const ahead: Over = {
  ...both,
  send: { until: 'entity.startsAt', offset: '-PT4H', on: 'any-day' },
}
const reminder = (steps: Steps) =>
  campaign({
    id: 'tell',
    class: 'service',
    entry: 'once-per-entity',
    trigger: { touchpoint: booked },
    exit: [{ touchpoint: cancelled, entity: 'same' }],
    steps,
  })

/** Somebody whose appointment was booked, with a campaign of these steps. */
function told(
  steps: Steps,
  {
    subject = 'p1',
    relations = [],
    otherOf,
  }: { subject?: string; relations?: Relation[]; otherOf?: (id: string) => OtherPerson } = {},
) {
  const patient = person(definitionOf([reminder(steps)]), now, subject, otherOf)
  patient.state = {
    ...patient.state,
    relations: new Map(relations.map((each) => [relationKey(each), each])),
  }
  patient.happens(booked, appointment(1))
  return patient
}

type Patient = ReturnType<typeof told>

/** Such as `2 app planned`: the version of the appointment, the channel, the state. */
const statesOf = (patient: Patient) =>
  patient
    .intents()
    .map(({ entity, channels, state }) => `${entity?.version} ${channels} ${state}`)
    .toSorted()

function over(patient: Patient, channel: string): Intent {
  const found = patient.intents().findLast(({ channels }) => String(channels) === channel)
  if (!found) throw new RangeError(`nothing over ${channel}`)
  return found
}

function becomes(patient: Patient, channel: string, state: IntentState): void {
  patient.message(over(patient, channel).intentId, {
    state,
    channel: channel as NonNullable<Intent['channel']>,
  })
}

function statusOf(patient: Patient): IntentState | undefined {
  const [enrolment] = patient.enrolments()
  return enrolment && latestOfMessage(draftOf(patient.state), enrolment, 'hello')[0]?.state
}

describe('a message over all channels', () => {
  test('is one over each of them, at the same moment, and one to a contact budget', () => {
    const patient = told([message('hello', both)])
    expect(statesOf(patient)).toEqual(['1 app planned', '1 sms planned'])
    const [one, other] = patient.intents()
    if (!one || !other) throw new RangeError('two messages were expected')
    expect(one.dueAt).toBe(other.dueAt)
    expect(countsAs(one)).toBe(countsAs(other))
    expect(one.intentId).not.toBe(other.intentId)
    expect(patient.enrolments()).toMatchObject([{ state: 'completed' }])
  })

  test('has arrived when it has over one of them, and bounced when it has over all', () => {
    const patient = told([message('hello', both)])
    becomes(patient, 'app', 'bounced')
    expect(statusOf(patient)).toBe('planned')
    becomes(patient, 'sms', 'bounced')
    expect(statusOf(patient)).toBe('bounced')
    becomes(patient, 'app', 'delivered')
    expect(statusOf(patient)).toBe('delivered')
  })

  test('an exit takes back what waits of it, over every channel', () => {
    const patient = told([message('hello', ahead)])
    patient.happens(cancelled, { ...appointment(2), data: {} })
    expect(statesOf(patient)).toEqual(['1 app cancelled', '1 sms cancelled'])
  })

  test('takes no second place of a budget, and its first place counts for others', () => {
    const patient = told([message('hello', both)])
    patient.happens('person.upserted.v1', {
      data: { contacts: { phone: '+447700900123', app: 'device' } },
    })
    const [one, other] = patient.intents()
    if (!one || !other) throw new RangeError('two messages were expected')
    const counted = [{ intentId: countsAs(one), class: 'service' as const, at: now }]
    const budgets = [{ id: 'a-day', most: 1, per: 'P1D', classes: ['service' as const] }]
    const check = (intent: Intent) =>
      lastCheck(patient.state, {
        intent,
        channel: intent.channels[0] ?? 'sms',
        needsConsent: false,
        quietHours: undefined,
        timeZone: 'Europe/Amsterdam',
        budgets,
        counted,
        now,
      }).effect
    expect(check(other)).toBe('claim')
    expect(check({ ...other, intentId: 'another', partOf: 'another-all' })).toBe('wait')
  })

  test('what comes in its place stands down when it arrived over any of them (P2)', () => {
    const patient = told([
      message('hello', both),
      {
        waitFor: {
          message: 'hello',
          status: ['delivered'],
          within: 'PT30M',
          otherwise: [message('later', { channels: ['email'] })],
        },
      },
    ])
    becomes(patient, 'sms', 'sent')
    patient.message(over(patient, 'app').intentId, { state: 'failed', channel: 'app' })
    patient.comes('2026-03-02T09:30:00.000Z')
    const check = () =>
      lastCheck(patient.state, {
        intent: over(patient, 'email'),
        channel: 'email',
        needsConsent: false,
        quietHours: undefined,
        timeZone: 'Europe/Amsterdam',
        budgets: [],
        counted: [],
        now: '2026-03-02T09:30:00.000Z',
      })
    expect(check().reason).toBe('contact_missing')
    becomes(patient, 'sms', 'delivered')
    expect(check()).toEqual({ effect: 'cancel', reason: 'awaited_after_all' })
  })

  test.each([
    [{ all: ['sms'] }],
    [{ all: ['sms', 'sms'] }],
    [{ all: ['sms', 'fax'] }],
    [{ all: ['sms', 'email'], after: 'PT30M' }],
    [{ all: ['sms', 'email'], cascade: ['sms', 'email'], after: 'PT30M' }],
  ])('is not read when it says %j', (channels) => {
    const steps = [{ message: { id: 'hello', template: 'hello', channels } }]
    expect(stepsSchema.safeParse(steps).success).toBe(false)
  })
})

describe('a message over all channels whose appointment moves', () => {
  test('moves over each of them', () => {
    const patient = told([message('hello', ahead)])
    patient.happens(moved, appointment(2, '2026-03-21T09:00:00.000Z'))
    expect(statesOf(patient)).toEqual([
      '1 app cancelled',
      '1 sms cancelled',
      '2 app planned',
      '2 sms planned',
    ])
    const alive = patient.intents().filter(({ state }) => state === 'planned')
    expect(alive.map(({ dueAt }) => dueAt)).toEqual(Array(2).fill('2026-03-21T05:00:00.000Z'))
    expect(new Set(alive.map(({ partOf }) => partOf)).size).toBe(1)
  })

  test('is planned again over those over which it has not gone out, when its moment is not ahead', () => {
    const patient = told([message('hello', both)])
    becomes(patient, 'app', 'sent')
    patient.happens(moved, appointment(2))
    expect(statesOf(patient)).toEqual(['1 app sent', '1 sms cancelled', '2 sms planned'])
  })

  test('waits over each for the one over the same channel that a worker has', () => {
    const patient = told([message('hello', both)])
    const [app, sms] = [over(patient, 'app'), over(patient, 'sms')]
    for (const channel of ['app', 'sms']) becomes(patient, channel, 'sending')
    patient.happens(moved, appointment(2))
    expect(over(patient, 'app').insteadOf).toBe(app.intentId)
    expect(over(patient, 'sms').insteadOf).toBe(sms.intentId)
  })
})

describe('a message over all channels to several', () => {
  const anna: Relation = {
    otherId: 'anna',
    kind: 'caregiver',
    state: 'granted',
    scope: ['appointments'],
    expiresAt: null,
    at: now,
  }
  const otherOf = (personId: string): OtherPerson => ({
    personId,
    timeZone: null,
    persona: null,
    preferredChannel: null,
    deceasedAt: null,
  })

  test('is one over each channel for each of them, also when the appointment moves', () => {
    const steps = [message('hello', { ...ahead, to: ['person', 'caregiver'] })]
    const patient = told(steps, { relations: [anna], otherOf })
    expect(patient.intents()).toHaveLength(4)
    expect(new Set(patient.intents().map(({ partOf }) => partOf)).size).toBe(2)
    patient.happens(moved, appointment(2, '2026-03-21T09:00:00.000Z'))
    const alive = patient.intents().filter(({ state }) => state === 'planned')
    expect(
      alive.map(({ recipient, channels }) => `${recipient?.personId ?? 'person'} ${channels}`),
    ).toEqual(['person app', 'person sms', 'anna app', 'anna sms'])
  })
})

test('two records that become one have it over each channel once', () => {
  const [one, other] = [
    told([message('hello', ahead)]),
    told([message('hello', ahead)], { subject: 'p2' }),
  ]
  one.state = mergePeople(one.state, other.state, one.context()).state
  expect(statesOf(one)).toEqual([
    '1 app cancelled',
    '1 app planned',
    '1 sms cancelled',
    '1 sms planned',
  ])
})

describe('somebody who is moved to a version', () => {
  /** Told over `before` and waiting; the second version tells over `after` where they come to. */
  function movedTo(before: Over, after: Over) {
    const wait = { wait: { for: 'P1D', on: 'any-day' as const, id: 'pause' } }
    const files = [
      reminder([message('hello', before), wait]),
      { ...reminder([wait, message('hello', after)]), move: { from: 1 } },
    ]
    const bundle = smallHospital(files)
    const stored = bundle.campaigns.map((file, index) => ({
      id: file.id,
      version: index + 1,
      live: index === 1,
      file,
      templates: { hello: 'hello-1', later: 'later-1' },
    }))
    const last = { ...bundle, campaigns: bundle.campaigns.slice(1) }
    const definition = compileDefinition(2, last, stored)
    const [from, to] = [definition.campaigns.get('tell@1'), definition.campaigns.get('tell@2')]
    if (!from || !to) throw new RangeError('a version is missing')
    const patient = told([message('hello', before), wait])
    for (const { intentId } of patient.intents()) patient.message(intentId, { state: 'sent' })
    const { steps } = stepMapOf(from.file, to.file)
    patient.use(definition)
    patient.state = moveRuns(patient.state, { from, to, steps }, patient.context()).state
    patient.comes('2026-03-04T09:00:00.000Z')
    return statesOf(patient)
  }

  test('is not told again over any channel over which they were told', () => {
    expect(movedTo(both, both)).toEqual(['1 app sent', '1 sms sent'])
    expect(movedTo(both, { channels: ['sms'] })).toEqual(['1 app sent', '1 sms sent'])
    expect(movedTo({ channels: ['sms'] }, both)).toEqual(['1 sms sent'])
  })

  test('is told over a channel that only the new version has', () => {
    expect(movedTo(both, { channels: { all: ['app', 'email'] } })).toEqual([
      '1 app sent',
      '1 email planned',
      '1 sms sent',
    ])
  })
})
