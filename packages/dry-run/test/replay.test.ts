import { type CompiledDefinition, compileDefinition } from '@wegwijs/campaign/compile'
import { newPerson } from '@wegwijs/campaign/new-person'
import type { JourneyEvent, PersonState } from '@wegwijs/campaign/state'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { expect, test } from 'vitest'
import { type PersonRecord, replay, stepKey } from '../src/replay.ts'

type Campaign = Parameters<typeof smallHospital>[0][number]

function definitionOf(...campaigns: Campaign[]): CompiledDefinition {
  const bundle = smallHospital(campaigns)
  const versions = bundle.campaigns.map((file) => ({
    id: file.id,
    version: 1,
    live: true,
    file,
    templates: { hello: 'hello-1', later: 'later-1' },
  }))
  return compileDefinition(1, bundle, versions)
}

const day = (number: number) => `2026-03-0${number}T09:00:00.000Z`
const discharge = 'care.discharge.completed.v1'

function happened(id: string, type: string, at: string): PersonRecord['events'][number] {
  const event: JourneyEvent = {
    source: 'urn:test:ehr',
    id,
    subject: 'p1',
    type,
    time: at,
    data: {},
    entity: null,
    traceparent: null,
  }
  return { event, at }
}

function record(over: Partial<PersonRecord>): PersonRecord {
  const before: PersonState = { ...newPerson('person-1') }
  return {
    before,
    events: [happened('e1', discharge, day(2))],
    timers: [],
    messages: [],
    others: new Map(),
    named: new Map(),
    until: day(9),
    ...over,
  }
}

const told = (moments: ReturnType<typeof replay>) =>
  moments.flatMap(({ at, decided }) =>
    (decided?.decisions ?? []).map(({ reason }) => `${at.slice(8, 16)} ${reason}`),
  )

const waiting = campaign({
  id: 'home',
  steps: [message('hello'), { wait: { for: 'P2D' } }, message('later')],
})

test('moments that were waited for come by themselves, when they really came', () => {
  const definition = definitionOf(waiting)
  const alone = replay(record({}), () => definition)
  expect(told(alone)).toEqual([
    '02T09:00 enrolled',
    '02T09:00 message_planned',
    '02T09:00 waiting',
    '04T09:00 message_planned',
    '04T09:00 completed',
  ])
  const [enrolmentId] = [alone[1]?.enrolmentId ?? '']
  // The service was down until the day after.
  const late = record({ timers: [{ enrolmentId, campaignId: 'home', at: day(5) }] })
  expect(told(replay(late, () => definition))).toContain('05T09:00 message_planned')
  expect(told(replay(record({ until: day(3) }), () => definition))).toHaveLength(3)
})

test('a condition on a message sees what had become of it by then', () => {
  const when = { field: 'enrolment.hello.status', op: 'eq', value: 'sent' } as const
  const definition = definitionOf(
    campaign({
      id: 'home',
      steps: [
        message('hello'),
        { wait: { for: 'P2D' } },
        { branch: [{ when, steps: [message('later')] }] },
      ],
    }),
  )
  const seen = (fate: Partial<PersonRecord['messages'][number]>) => {
    const [first] = replay(record({}), () => definition)
    const intentId = first?.decided?.decisions.find(({ intentId: id }) => id)?.intentId ?? ''
    const messages = [
      { intentId, state: 'sent' as const, reason: null, settledAt: null, attempts: [], ...fate },
    ]
    const moment = replay(record({ messages }), () => definition).at(-1)
    return moment?.steps.get(stepKey(moment.enrolmentId ?? '', '2'))?.[0]?.trace
  }
  const sentOn = (number: number) =>
    seen({ attempts: [{ at: day(number), outcome: 'accepted', channel: 'email' }] })
  expect(sentOn(2)).toMatchObject({ holds: true, leaf: { actual: 'sent' } })
  expect(sentOn(6)).toMatchObject({ holds: false, leaf: { actual: 'planned' } })
  expect(seen({ state: 'skipped', settledAt: day(3) })).toMatchObject({
    leaf: { actual: 'skipped' },
  })
})

test('each moment is decided by the definition of then, and by none before the first', () => {
  const events = [happened('e1', discharge, day(2)), happened('e2', discharge, day(4))]
  const definition = definitionOf(campaign({ id: 'home' }))
  const moments = replay(record({ events }), (instant) => (instant < day(3) ? null : definition))
  expect(moments.map(({ decided }) => decided === null)).toEqual([true, false])
  expect(told(moments)[0]).toBe('04T09:00 enrolled')
})

test('every live campaign is traced, also one that no index leads to', () => {
  const definition = definitionOf(
    campaign({ id: 'home' }),
    campaign({ id: 'other', trigger: { touchpoint: 'care.survey.answered.v1' } }),
    campaign({ id: 'seniors', audience: { personas: ['senior'] } }),
  )
  const [moment] = replay(record({}), () => definition)
  expect(moment?.starts.map(({ campaignId, verdict }) => [campaignId, verdict]).sort()).toEqual([
    ['home', 'enrolled'],
    ['other', 'trigger_other_touchpoint'],
    ['seniors', 'persona_not_in_audience'],
  ])
})

test('a touchpoint that might have ended a run says why it did not', () => {
  const where = { field: 'event.ward', op: 'eq', value: 'B3' } as const
  const definition = definitionOf({
    ...waiting,
    exit: [{ touchpoint: discharge, where }],
    entry: 'once',
  })
  const events = [happened('e1', discharge, day(2)), happened('e2', discharge, day(3))]
  const [, second] = replay(record({ events }), () => definition)
  expect(second?.touchpoints).toMatchObject([
    { role: 'exit', holds: false, trace: { leaf: { field: 'event.ward', actual: null } } },
  ])
})

test('what nothing can decide any more leaves the rest as it is', () => {
  const definition = definitionOf(waiting)
  const gone = definitionOf(campaign({ id: 'other', trigger: { manual: true } }))
  const moments = replay(record({}), (instant) => (instant < day(3) ? definition : gone))
  expect(moments.map(({ decided }) => decided === null)).toEqual([false, true])
})

test('what was said of a task counts from when it was said, also where a no was read first', () => {
  const says = { nl: 'x', en: 'x' }
  const call = {
    task: {
      ...{ id: 'call', team: 'nurses', title: says, within: 'P5D' },
      outcomes: [{ outcome: 'reached', says, steps: [message('hello')] }],
      otherwise: [message('later')],
    },
  }
  const definition = definitionOf(campaign({ id: 'home', steps: [call] }))
  const withNo = (saidAt: string) => {
    const [made] = replay(record({ until: day(2) }), () => definition)
    const { detail } = made?.decided?.decisions.find(({ reason }) => reason === 'task_made') ?? {}
    const said = happened('e3', 'task.done.v1', saidAt)
    const no = happened('e2', 'consent.withdrawn.v1', day(4))
    const events = [
      happened('e1', discharge, day(2)),
      { ...no, event: { ...no.event, data: { purpose: 'all' } } },
      { at: day(5), event: { ...said.event, data: { ...detail, outcome: 'reached' } } },
    ]
    return told(replay(record({ events }), () => definition)).slice(3)
  }
  expect(withNo(day(3))).toEqual([
    '04T09:00 task_done',
    '04T09:00 message_planned',
    '04T09:00 completed',
  ])
  expect(withNo(day(5))).toEqual([
    '04T09:00 consent_withdrawn',
    '04T09:00 message_planned',
    '04T09:00 completed',
    '05T09:00 task_closed',
  ])
})
