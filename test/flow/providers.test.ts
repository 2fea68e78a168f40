import type { Fault } from '@wegwijs/sandbox/faults'
import { businessNow } from '@wegwijs/store/business-clock'
import { liftOperation, stopOperation, stopPerson } from '@wegwijs/store/stops'
import { receiptSignatureHeader } from '@wegwijs/wire/receipt'
import { signBody } from '@wegwijs/wire/signature'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { answered, arrives, booked, clinic, discharged, happen, monday } from './src/clinic.ts'
import { expectLedgerHolds, type Flow, openFlow, openGround, secret, until } from './src/flow.ts'

/**
 * What a message comes to when its provider misbehaves, by its class: `care` is sent at most once,
 * `service` at least once. E-mail does not fold repeats, the SMS provider does. Each test lives on a
 * day of its own, on which business time goes on as far as retries need.
 */
let flow: Flow
let close: () => Promise<void>
let day = Date.parse(monday)

beforeAll(async () => {
  const { store } = await openGround(clinic, monday)
  flow = await openFlow({
    store,
    // The sandbox's SMS provider folds repeats; whether one does is for its owner to say.
    channels: (usual) =>
      usual.map((channel) => (channel.name === 'sms' ? { ...channel, idempotent: true } : channel)),
    settings: { delivery: { sendMs: 3_000, leaseMs: 30_000 } },
  })
  close = async () => {
    await flow.close()
    await store.close()
  }
})
afterAll(() => close())
afterEach(() => flow.pipe.sandbox.faults.clear())

type Says = (subject: string) => TouchpointEvent

/** Plays one person's day, on which the providers have these faults. */
async function live(
  subject: string,
  says: Says,
  { faults = [], contacts = {} }: { faults?: readonly Fault[]; contacts?: object } = {},
): Promise<void> {
  for (const fault of faults) flow.pipe.sandbox.faults.set(fault)
  const time = tomorrow()
  await flow.play([arrives(subject, contacts, { time }), { ...says(subject), time }])
}

function tomorrow(): string {
  day += 4 * 24 * 3_600_000
  return new Date(day).toISOString()
}

/** Attempts of a person's messages in their order, and what each message came to. */
async function told(subject: string): Promise<string[]> {
  const { rows } = await sql<{ line: string }>`
    select line from (
      select a.recorded_at as at, concat_ws(' ', a.channel, a.outcome, a.reason,
        case when a.duplicate then 'again' end) as line
      from attempt a join person_identity k using (person_id) where k.external_id = ${subject}
      union all
      select 'infinity', concat_ws(' ', 'is', i.state, i.reason)
      from intent i join person_identity k using (person_id) where k.external_id = ${subject}
    ) as lines order by at, line`.execute(flow.store.db)
  return rows.map(({ line }) => line)
}

/** What the provider holds for this person: once, or once more and marked. */
async function received(subject: string): Promise<string[]> {
  const { rows } = await sql<{ intent_id: string }>`
    select intent_id from intent join person_identity k using (person_id)
    where k.external_id = ${subject}`.execute(flow.store.db)
  const ids = new Set(rows.map((row) => row.intent_id))
  const line = ({ channel, duplicate }: { channel: string; duplicate: boolean }) =>
    duplicate ? `${channel} again` : channel
  const all = [...(await flow.emails()), ...(await flow.sms())]
  return all.filter(({ intentId }) => ids.has(intentId ?? '')).map(line)
}

const email = (mode: Fault['mode'], times?: number): Fault => ({
  channel: 'email',
  mode,
  rate: 1,
  ...(times && { times }),
})
const sms = (mode: Fault['mode'], times?: number): Fault => ({
  ...email(mode, times),
  channel: 'sms',
})
const phoneOnly = { email: null }

type Case = {
  name: string
  says: Says
  faults: Fault[]
  contacts?: object
  told: string[]
  received: string[]
}

const cases: Case[] = [
  {
    name: 'e-mail refused for good (554): the next channel',
    says: discharged,
    faults: [email('refuse5xx')],
    told: ['email refused smtp_554', 'sms accepted', 'is delivered delivered'],
    received: ['sms'],
  },
  {
    name: 'e-mail turned away for now (451): tried again',
    says: discharged,
    faults: [email('refuse4xx', 2)],
    told: [
      'email deferred smtp_451',
      'email deferred smtp_451',
      'email accepted',
      'is delivered delivered',
    ],
    received: ['email'],
  },
  {
    name: 'e-mail too many at once (450): tried again',
    says: answered,
    faults: [email('rateLimit', 1)],
    told: ['email deferred smtp_450', 'email accepted', 'is delivered delivered'],
    received: ['email'],
  },
  {
    name: 'e-mail reset after it was accepted, at most once: never sent again, the receipt tells',
    says: discharged,
    faults: [email('resetAfterAccept', 1)],
    told: ['email unknown smtp_connection_lost', 'is delivered delivered'],
    received: ['email'],
  },
  {
    name: 'e-mail reset before it was accepted, at most once: held for a person',
    says: discharged,
    faults: [email('resetBeforeAccept', 1)],
    told: ['email unknown smtp_connection_lost', 'is held outcome_unknown'],
    received: [],
  },
  {
    name: 'e-mail reset after it was accepted, at least once: not sent again, the receipt was quicker',
    says: answered,
    faults: [email('resetAfterAccept', 1)],
    told: ['email unknown smtp_connection_lost', 'is delivered delivered'],
    received: ['email'],
  },
  {
    name: 'e-mail reset before it was accepted, at least once: sent once more, marked',
    says: answered,
    faults: [email('resetBeforeAccept', 1)],
    told: ['email unknown smtp_connection_lost', 'email accepted again', 'is delivered delivered'],
    received: ['email again'],
  },
  {
    name: 'e-mail that is reset every time, at least once: sent once more and no more',
    says: answered,
    faults: [email('resetBeforeAccept')],
    told: [
      'email unknown smtp_connection_lost',
      'email unknown smtp_connection_lost again',
      'is held outcome_unknown',
    ],
    received: [],
  },
  {
    name: 'e-mail that hangs, at most once: held',
    says: discharged,
    faults: [email('hang', 1)],
    told: ['email unknown smtp_aborted', 'is held outcome_unknown'],
    received: [],
  },
  {
    name: 'SMS refused for good (422), the last channel: failed',
    says: discharged,
    faults: [sms('refuse4xx')],
    contacts: phoneOnly,
    told: ['sms refused sms_422', 'is failed provider_refused'],
    received: [],
  },
  {
    name: 'SMS answered 500: tried again under the same key',
    says: discharged,
    faults: [sms('refuse5xx', 1)],
    contacts: phoneOnly,
    told: ['sms unknown sms_500', 'sms accepted again', 'is delivered delivered'],
    received: ['sms again'],
  },
  {
    name: 'SMS answered 429 with Retry-After: tried again then',
    says: discharged,
    faults: [{ ...sms('rateLimit', 1), retryAfterSeconds: 600 }],
    contacts: phoneOnly,
    told: ['sms deferred sms_429', 'sms accepted', 'is delivered delivered'],
    received: ['sms'],
  },
  {
    name: 'SMS reset after it was accepted: the receipt is quicker than the repeat',
    says: discharged,
    faults: [sms('resetAfterAccept', 1)],
    contacts: phoneOnly,
    told: ['sms unknown sms_connection_lost', 'is delivered delivered'],
    received: ['sms'],
  },
  {
    name: 'SMS that hangs: tried again under the same key',
    says: answered,
    faults: [sms('hang', 1)],
    contacts: phoneOnly,
    told: ['sms unknown sms_aborted', 'sms accepted again', 'is delivered delivered'],
    received: ['sms again'],
  },
]

describe('a provider that misbehaves', () => {
  test.each(cases)('$name', async (each) => {
    const subject = `case-${cases.indexOf(each)}`
    await live(subject, each.says, each)
    expect(await told(subject)).toEqual(each.told)
    expect(await received(subject)).toEqual(each.received)
  })

  test('429: not before the provider asked for it', async () => {
    await live('patient', discharged, {
      faults: [{ ...sms('rateLimit', 1), retryAfterSeconds: 600 }],
      contacts: phoneOnly,
    })
    const attempts = await flow.store.db
      .selectFrom('attempt')
      .innerJoin('person_identity', 'person_identity.person_id', 'attempt.person_id')
      .select('business_at')
      .where('external_id', '=', 'patient')
      .orderBy('attempt.recorded_at')
      .execute()
    const [first = 0, second = 0] = attempts.map(({ business_at }) => Date.parse(business_at))
    expect(second - first).toBeGreaterThanOrEqual(600_000)
  })

  test('that is away until it is no longer worth sending: expired, and never past its expiry', async () => {
    await live('night', discharged, { faults: [email('refuse4xx'), sms('rateLimit')] })
    const lines = await told('night')
    expect(lines.at(-1)).toBe('is expired provider_unavailable')
    expect(lines.length).toBeGreaterThan(3)
    expect(await received('night')).toEqual([])
    const { rows } = await sql<{ late: boolean }>`
      select a.business_at >= i.expires_at as late from attempt a join intent i using (intent_id)
      join person_identity k on k.person_id = i.person_id where external_id = 'night'`.execute(
      flow.store.db,
    )
    expect(rows.some(({ late }) => late)).toBe(false)
  })
})

describe('what the provider tells later', () => {
  const receipt = async (subject: string, status: string) => {
    const { rows } = await sql<{ intent_id: string; now: string }>`
      select intent_id, business_now() as now from intent join person_identity using (person_id)
      where external_id = ${subject} order by planned_at desc limit 1`.execute(flow.store.db)
    const [row] = rows
    const receipts = [
      { receiptId: `${subject}-${status}`, reference: row?.intent_id, status, at: row?.now },
    ]
    const body = JSON.stringify({ receipts })
    const answer = await flow.call('/v1/receipts/smtp', {
      headers: {
        'content-type': 'application/json',
        [receiptSignatureHeader]: signBody(body, secret),
      },
      body,
    })
    expect(answer.status).toBe(202)
    await flow.read()
  }

  test('nothing arrives at this address: the next message takes the next channel', async () => {
    await live('bounced', discharged)
    await receipt('bounced', 'bounced')
    await flow.play([discharged('bounced', { time: tomorrow() })])
    expect(await told('bounced')).toEqual([
      'email accepted',
      'sms accepted',
      'is bounced bounced',
      'is delivered delivered',
    ])
  })

  test('nothing arrives at the address before: the next message goes to the one told since (P1)', async () => {
    await live('moved', discharged)
    const moves = { email: 'moved.since@example.org' }
    await flow.play([arrives('moved', moves, { time: tomorrow() })])
    await receipt('moved', 'bounced')
    await flow.play([discharged('moved', { time: tomorrow() })])
    expect(await told('moved')).toEqual([
      'email accepted',
      'email accepted',
      'is bounced bounced',
      'is delivered delivered',
    ])
  })

  describe('over a channel that it had left', () => {
    /** The provider does not say whether it has it, says no to the repeat, and the SMS goes: after these were told. */
    async function leavesEmail(subject: string, moves: { email?: string; phone?: string }) {
      const time = tomorrow()
      for (const fault of [email('resetBeforeAccept', 1), email('refuse5xx', 1)])
        flow.pipe.sandbox.faults.set(fault)
      const soon = new Date(Date.parse(time) + 500).toISOString()
      await flow.play([
        arrives(subject, {}, { time }),
        answered(subject, { time }),
        arrives(subject, moves, { time: soon }),
      ])
      flow.pipe.sandbox.faults.clear()
      await receipt(subject, 'bounced')
      await flow.play([answered(subject, { time: tomorrow() })])
    }
    const before = [
      'email unknown smtp_connection_lost',
      'email refused smtp_554 again',
      'sms accepted again',
    ]
    // What bounced there says nothing of the SMS.
    const bothArrived = ['is delivered delivered', 'is delivered delivered']

    test('nothing arrives at the address before: the next message goes to the one told since', async () => {
      const moves = { email: 'left.since@example.org', phone: '+447700900124' }
      await leavesEmail('left', moves)
      expect(await told('left')).toEqual([...before, 'email accepted', ...bothArrived])
    })

    test('nothing arrives at the address that there still is: the next message takes the next channel', async () => {
      await leavesEmail('stays', { phone: '+447700900124' })
      expect(await told('stays')).toEqual([...before, 'sms accepted', ...bothArrived])
    })
  })

  test('a complaint ends marketing over that channel', async () => {
    const yes = { purpose: 'marketing', origin: 'person' }
    const time = tomorrow()
    const offer = () => happen('care.admission.started.v1', 'complains', { time })
    const consent = happen('consent.granted.v1', 'complains', { data: yes, time })
    await flow.play([arrives('complains', phoneless, { time }), consent, offer()])
    await receipt('complains', 'complained')
    await flow.play([{ ...offer(), time: tomorrow() }])
    expect((await told('complains')).toSorted()).toEqual([
      'email accepted',
      'is delivered delivered',
      'is skipped no_usable_channel',
    ])
  })
  const phoneless = { phone: null }
})

describe('stops hold at the moment of sending (P3)', () => {
  const words = { reason: 'a test', source: 'test' }

  test('a campaign that is stopped waits, and goes when it is resumed', async () => {
    const stop = { scope: 'campaign', target: 'care' } as const
    await stopOperation(flow.store.db, stop, words)
    const time = await businessNow(flow.store.db)
    await flow.publish(arrives('waits', {}, { time }), discharged('waits', { time }))
    await until(async () => expect(await told('waits')).toEqual(['is planned campaign_stopped']))
    await liftOperation(flow.store.db, stop, words)
    await until(async () =>
      expect(await told('waits')).toEqual(['email accepted', 'is delivered delivered']),
    )
  })

  test('everything is stopped for longer than a message is worth: expired, saying what it waited for', async () => {
    const stop = { scope: 'all', target: '' } as const
    await stopOperation(flow.store.db, stop, words)
    await live('too-long', discharged)
    await liftOperation(flow.store.db, stop, words)
    expect(await told('too-long')).toEqual(['is expired expired'])
  })

  test('staff stop one person, between the plan and the sending', async () => {
    const time = tomorrow()
    const startsAt = new Date(Date.parse(time) + 2 * 24 * 3_600_000).toISOString()
    const appointment = { ...booked('stopped', 1, startsAt), time }
    await flow.play([arrives('stopped', {}, { time })])
    await flow.publish(appointment)
    await stopPerson(flow.store.db, { idSpace: 'ehr', externalId: 'stopped' }, words)
    await flow.play([arrives('stopped', {}, { time: tomorrow() })])
    expect(await told('stopped')).toEqual(['is skipped person_stopped'])
  })
})

test('at the end the ledger holds (P1, P2, P4)', async () => {
  await expectLedgerHolds(flow)
})
