import type { DecisionFact, EventFact, MessageFact, PersonFacts } from '@wegwijs/store/explain'
import { describe, expect, test } from 'vitest'
import { formatStory, reasonText, tellStory } from '../src/story.ts'

const at = (time: string) => `2026-03-01T${time}:00.000Z`

function event(id: string, type: string, over: Partial<EventFact> = {}): EventFact {
  return {
    source: 'urn:test:ehr',
    id,
    subject: 'A',
    type,
    time: at('10:00'),
    businessAt: at('10:15'),
    entity: null,
    version: null,
    persona: 'senior',
    outcome: 'applied',
    ...over,
  }
}

function decision(eventId: string | null, reason: string, over: Partial<DecisionFact> = {}) {
  return {
    businessAt: at('10:15'),
    source: eventId === null ? null : 'urn:test:ehr',
    eventId,
    campaignId: 'home',
    version: 1,
    enrolmentId: 'n1',
    intentId: null,
    reason,
    detail: null,
    ...over,
  }
}

function message(over: Partial<MessageFact> = {}): MessageFact {
  return {
    intentId: 'i1',
    enrolmentId: 'n1',
    campaignId: 'home',
    version: 1,
    messageId: 'hello',
    templateId: 'hello',
    state: 'delivered',
    reason: null,
    detail: null,
    recipient: null,
    channels: ['email'],
    channel: 'email',
    provider: 'smtp',
    plannedAt: at('10:15'),
    dueAt: at('10:15'),
    expiresAt: at('20:00'),
    settledAt: at('10:16'),
    attempts: [
      {
        businessAt: at('10:15'),
        channel: 'email',
        provider: 'smtp',
        outcome: 'accepted',
        reason: null,
        duplicate: false,
      },
    ],
    ...over,
  }
}

function facts(over: Partial<PersonFacts>): PersonFacts {
  return {
    personId: 'p',
    identities: [],
    persona: null,
    deceasedAt: null,
    test: true,
    businessNow: at('20:00'),
    events: [],
    enrolments: [],
    decisions: [],
    messages: [],
    stops: [],
    ...over,
  }
}

function told(over: Partial<PersonFacts>): string[] {
  return formatStory(tellStory(facts(over), { timeZone: 'UTC' }), 'UTC')
}

test('event, decisions with reason, message with channel and time', () => {
  const lines = told({
    events: [event('e1', 'care.discharge.completed.v1')],
    decisions: [
      decision('e1', 'enrolled'),
      decision('e1', 'message_planned', { intentId: 'i1' }),
      decision('e1', 'waiting', { detail: { until: at('18:00') } }),
    ],
    messages: [message()],
  })
  expect(lines).toEqual([
    '2026-03-01 10:15  care.discharge.completed.v1 from ehr',
    '                    → home: the person entered the campaign',
    '                    → home: a message was planned (hello)',
    '                    → home: the campaign waits for the next step until 2026-03-01 18:00',
    '2026-03-01 10:15  message home/hello sent by email over smtp, delivered',
  ])
})

test('a receipt is told of where it led to something, and only there', () => {
  const receipt = (id: string) => ({
    ...event(id, 'message.delivered.v1'),
    source: 'urn:wegwijs:receipts:smtp',
  })
  const lines = told({
    events: [receipt('r1'), receipt('r2')],
    decisions: [decision('r2', 'awaited_came', { source: 'urn:wegwijs:receipts:smtp' })],
  })
  expect(lines).toEqual([
    '2026-03-01 10:15  message.delivered.v1 from smtp',
    '                    → home: what the campaign waited for came',
  ])
})

test('what is received in the moment of sending is told after it', () => {
  const source = 'urn:wegwijs:receipts:smtp'
  const lines = told({
    events: [{ ...event('r1', 'message.delivered.v1'), source }, event('e1', 'care.x.v1')],
    decisions: [decision('r1', 'awaited_came', { source }), decision('e1', 'enrolled')],
    messages: [message({ settledAt: at('10:15') })],
  })
  expect(lines.filter((line) => !line.includes('→'))).toEqual([
    '2026-03-01 10:15  care.x.v1 from ehr',
    '2026-03-01 10:15  message home/hello sent by email over smtp, delivered',
    '2026-03-01 10:15  message.delivered.v1 from smtp',
  ])
})

test('what staff closed, and what a receipt says of it later, are both told', () => {
  const [attempt] = message().attempts
  const lines = told({
    decisions: [
      decision(null, 'closed_by_staff', {
        businessAt: at('11:00'),
        intentId: 'i1',
        detail: { by: 'cli:jan', words: 'not found there', end: 'close' },
      }),
    ],
    messages: [
      message({
        reason: 'delivered',
        settledAt: at('12:00'),
        attempts: attempt ? [{ ...attempt, outcome: 'unknown', reason: 'lease_expired' }] : [],
      }),
    ],
  })
  expect(lines).toEqual([
    '2026-03-01 10:15  message home/hello handed over, without an answer by email over smtp (the worker that had it never came back), delivered',
    '2026-03-01 11:00  message home/hello: a member of staff closed it, having asked the provider ("not found there", cli:jan)',
    '2026-03-01 12:00  message home/hello delivered: the provider reports delivery',
  ])
})

test('times are those of the organisation, and so are names', () => {
  const timeZone = 'Europe/Amsterdam'
  const lines = formatStory(
    tellStory(facts({ events: [event('e1', 'care.x.v1', { time: at('02:00') })] }), {
      timeZone,
      nameOfType: () => 'A visit',
    }),
    timeZone,
  )
  expect(lines).toEqual(['2026-03-01 11:15  A visit from ehr (happened 2026-03-01 03:00)'])
})

test('a timer has its own chapter, receipts have none', () => {
  const lines = told({
    events: [event('r1', 'message.delivered.v1')],
    decisions: [
      decision('e0', 'waiting', { detail: { step: '0', until: at('18:00') } }),
      decision(null, 'completed', { businessAt: at('18:00') }),
    ],
  })
  expect(lines).toEqual([
    '2026-03-01 18:00  the time of home had come',
    '                    → home: all steps were gone through',
  ])
})

describe('what was decided without an event', () => {
  const waiting = decision('e1', 'waiting', { detail: { step: '0', until: at('18:00') } })
  const headOf = (...decisions: DecisionFact[]) =>
    told({ events: [event('e1', 'care.x.v1')], decisions: [waiting, ...decisions] }).at(2)
  const early = { businessAt: at('12:00') }

  test('is told of its time when that had come', () => {
    expect(headOf(decision(null, 'awaited_not_in_time', { businessAt: at('18:01') }))).toBe(
      '2026-03-01 18:01  the time of home had come',
    )
  })

  test('is told of the date that lets a campaign begin, or not', () => {
    const begun = { ...early, enrolmentId: 'n2' }
    expect(headOf(decision(null, 'enrolled', begun))).toBe(
      '2026-03-01 12:00  the time of home had come',
    )
    const refused = { ...early, enrolmentId: null }
    expect(headOf(decision(null, 'persona_not_in_audience', refused))).toBe(
      '2026-03-01 12:00  the time of home had come',
    )
  })

  test('is told of the message that ended before the time for it', () => {
    for (const reason of ['awaited_not_in_time', 'awaited_came', 'message_next_channel'])
      expect(headOf(decision(null, reason, early))).toBe(
        '2026-03-01 12:00  the message that home waited for had come to its end',
      )
  })

  test('is told of the version that moves a run', () => {
    const moved = decision(null, 'moved_to_version', { ...early, version: 2 })
    expect(headOf(moved, decision(null, 'waiting', { ...early, version: 2 }))).toBe(
      '2026-03-01 12:00  a new version of home took over',
    )
  })

  test('is not told of a time that had not come, or of which nothing is known', () => {
    const lookedAt = '2026-03-01 12:00  home was looked at again'
    expect(headOf(decision(null, 'date_moved', early))).toBe(lookedAt)
    expect(told({ decisions: [decision(null, 'waiting', early)] }).at(0)).toBe(lookedAt)
    expect(headOf(decision(null, 'waiting', { ...early, enrolmentId: 'n2' }))).toBe(lookedAt)
  })
})

describe('a message that was not sent', () => {
  test('says why, channel by channel', () => {
    const [line] = told({
      messages: [
        message({
          state: 'skipped',
          reason: 'no_usable_channel',
          attempts: [],
          detail: { channels: { email: 'contact_missing', sms: 'consent_withdrawn' } },
        }),
      ],
    })
    expect(line).toBe(
      `2026-03-01 10:16  message home/hello skipped: ${reasonText('no_usable_channel')} (email: ${reasonText('contact_missing')}; sms: ${reasonText('consent_withdrawn')})`,
    )
  })

  test('tells each attempt, and that one was sent again', () => {
    const attempt = { channel: 'email', provider: 'smtp' }
    const lines = told({
      messages: [
        message({
          state: 'sent',
          attempts: [
            {
              ...attempt,
              businessAt: at('10:15'),
              outcome: 'unknown',
              reason: 'timeout',
              duplicate: false,
            },
            {
              ...attempt,
              businessAt: at('10:20'),
              outcome: 'accepted',
              reason: null,
              duplicate: true,
            },
          ],
        }),
      ],
    })
    expect(lines).toEqual([
      '2026-03-01 10:15  message home/hello handed over, without an answer by email over smtp (timeout)',
      '2026-03-01 10:20  message home/hello sent by email over smtp, marked as sent again',
    ])
  })
})

test('an event that was not applied says why, one that came late says when it happened', () => {
  const lines = told({
    events: [
      event('e1', 'care.appointment.moved.v1', {
        entity: 'appointment/A-1',
        version: 2,
        outcome: 'entity_not_newer',
        time: at('02:00'),
      }),
    ],
  })
  expect(lines).toEqual([
    `2026-03-01 10:15  care.appointment.moved.v1 appointment/A-1 v2 from ehr (happened 2026-03-01 02:00): ${reasonText('entity_not_newer')}`,
  ])
})
