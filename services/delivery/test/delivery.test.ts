import type { Outcome } from '@wegwijs/channels/port'
import { createSilentChannel } from '@wegwijs/channels/silent'
import { type Clock, manualClock, systemClock } from '@wegwijs/runtime/clock'
import { businessNow, stepBusinessTime } from '@wegwijs/store/business-clock'
import type { Store } from '@wegwijs/store/database'
import { applyDefinition } from '@wegwijs/store/definitions'
import { countStatements } from '@wegwijs/test-support/count-statements'
import { cutConnections } from '@wegwijs/test-support/cut-connections'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { later, type MessageSeed, seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import {
  createHarness,
  type Harness,
  intentOf,
  scriptedChannel,
  slots,
  until,
} from './delivery-harness.ts'

let store: Store
let harness: Harness

beforeEach(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'delivery')
  await applyDefinition(store, smallHospital([campaign({ id: 'seeded' })]), 'test')
  harness = createHarness(store)
})

afterEach(async () => {
  await harness.close()
  await store.close()
})

async function seedOne(seed: MessageSeed = {}): Promise<string> {
  const [ids] = await seedMessages(store, 1, seed)
  if (!ids) throw new Error('no message')
  return ids.intentId
}

describe('a message that is due', () => {
  it('is rendered in the language of the person and handed over once', async () => {
    const email = scriptedChannel('email')
    await harness.start([email])
    const intentId = await seedOne({
      person: { locale: 'en' },
      intent: { traceparent: '00-1-2-01' },
    })
    await harness.settleAll()
    const { expires_at: expiresAt, person_id: personId } = await intentOf(store, intentId)
    expect(email.messages).toEqual([
      {
        intentId,
        idempotencyKey: `${intentId}-email`,
        attempt: 1,
        fence: 1,
        duplicate: false,
        channel: 'email',
        to: `${personId}@example.org`,
        personId,
        locale: 'en',
        content: {
          kind: 'email',
          from: 'Test Hospital <post@hospital.example.org>',
          subject: 'Subject',
          html: '<p>hello</p>',
          text: expect.stringMatching(/^hello\s*$/),
        },
        messageId: `<${intentId}@hospital.example.org>`,
        expiresAt,
        traceparent: '00-1-2-01',
      },
    ])
    expect(await intentOf(store, intentId)).toMatchObject({
      state: 'sent',
      provider: 'smtp',
      reference: 'r',
    })
  })

  it('takes its next channel when the provider refuses, under another key', async () => {
    const email = scriptedChannel('email', () => ({ kind: 'refused', reason: 'mailbox_unknown' }))
    const sms = scriptedChannel('sms')
    await harness.start([email, sms])
    const intentId = await seedOne()
    await harness.settleAll()
    expect(email.messages).toHaveLength(1)
    expect(sms.messages).toMatchObject([
      {
        idempotencyKey: `${intentId}-sms`,
        to: '+31970000000',
        content: { kind: 'sms', from: 'Hospital', text: expect.stringMatching(/^hello\s*$/) },
      },
    ])
    expect(await intentOf(store, intentId)).toMatchObject({ state: 'sent', provider: 'sms' })
  })

  it('takes its next channel when its text cannot be made, and fails with the last one', async () => {
    const email = scriptedChannel('email')
    await harness.start([email])
    const failing = await seedOne({ intent: { channels: ['email'], template_hash: 'no-such' } })
    const moving = await seedOne({ intent: { template_hash: 'no-such' } })
    await harness.settleAll()
    expect(email.messages).toEqual([])
    expect(await intentOf(store, failing)).toMatchObject({
      state: 'failed',
      reason: 'template_error',
      detail: { channels: { email: 'template_unknown' } },
    })
    expect(await intentOf(store, moving)).toMatchObject({ channel_index: 1 })
  })

  it('is not sent by a text that cannot be read, which applying the definition mends', async () => {
    const email = scriptedChannel('email')
    await harness.start([email])
    const intent = { channels: ['email'] }
    const damaged = await seedOne({ intent })
    const { channels } = await store.db
      .selectFrom('template_version')
      .select('channels')
      .executeTakeFirstOrThrow()
    const { email: whole } = channels as { email: object }
    const stored = JSON.stringify({ email: { ...whole, sensitivity: undefined } })
    await store.db.updateTable('template_version').set({ channels: stored }).execute()
    await harness.settleAll()
    expect(email.messages).toEqual([])
    expect(await intentOf(store, damaged)).toMatchObject({
      state: 'failed',
      reason: 'template_error',
      detail: { channels: { email: 'template_unreadable' } },
    })
    await applyDefinition(store, smallHospital([campaign({ id: 'seeded' })]), 'test')
    await seedOne({ intent })
    await harness.settleAll()
    expect(email.messages).toHaveLength(1)
  })

  it('is resent once, marked and under the same key, when at-least-once and unknown', async () => {
    const outcomes: Outcome[] = [{ kind: 'unknown', reason: 'no_answer' }, { kind: 'accepted' }]
    const email = scriptedChannel('email', () => outcomes.shift() ?? { kind: 'accepted' })
    await harness.start([email])
    const intentId = await seedOne({ intent: { unknown_outcome: 'at-least-once' } })
    await harness.settleAll()
    const { due_at } = await intentOf(store, intentId)
    await stepBusinessTime(store.db, due_at)
    await harness.settleAll()
    const key = `${intentId}-email`
    expect(email.messages).toMatchObject([
      { idempotencyKey: key, attempt: 1, duplicate: false },
      { idempotencyKey: key, attempt: 2, duplicate: true },
    ])
    expect(email.messages[1]?.messageId).toBe(email.messages[0]?.messageId)
    expect(await intentOf(store, intentId)).toMatchObject({ state: 'sent', duplicate: true })
  })

  it('is held when at-most-once and unknown', async () => {
    const email = scriptedChannel('email', () => Promise.reject(new Error('a broken channel')))
    await harness.start([email])
    const intentId = await seedOne()
    await harness.settleAll()
    expect(await intentOf(store, intentId)).toMatchObject({
      state: 'held',
      detail: { channels: { email: 'channel_failed' } },
    })
  })

  it('is tried again when the provider defers, until its expiry and not past it', async () => {
    await stepBusinessTime(store.db, '2026-03-02T09:00:00.000Z')
    const email = scriptedChannel('email', () => ({ kind: 'deferred', reason: 'busy' }))
    await harness.start([email])
    const intentId = await seedOne({
      intent: { channels: ['email'], expires_at: '2026-03-02T12:00:00Z' },
    })
    for (;;) {
      await harness.settleAll()
      const { state, due_at } = await intentOf(store, intentId)
      if (state !== 'planned') break
      expect(due_at < '2026-03-02T12:00:00.000Z').toBe(true)
      await stepBusinessTime(store.db, due_at)
    }
    expect(email.messages.length).toBeGreaterThan(5)
    expect(email.messages.map((each) => each.attempt)).toEqual(email.messages.map((_, i) => i + 1))
    expect(await intentOf(store, intentId)).toMatchObject({
      state: 'expired',
      reason: 'provider_unavailable',
    })
  })
})

describe('the work', () => {
  it('claims only what can start, and sends no more at once than it may', async () => {
    let atOnce = 0
    let most = 0
    let answered = 0
    let mostWaiting = 0
    const email = scriptedChannel('email', async () => {
      atOnce += 1
      most = Math.max(most, atOnce)
      const { sending = 0, sent = 0 } = await harness.countStates()
      mostWaiting = Math.max(mostWaiting, sending + sent - answered)
      atOnce -= 1
      answered += 1
      return { kind: 'accepted' }
    })
    await harness.start([email], slots({ transactional: 10 }))
    await seedMessages(store, 120)
    await harness.settleAll()
    expect(await harness.countStates()).toEqual({ sent: 120 })
    expect(email.messages).toHaveLength(120)
    expect(most).toBeLessThanOrEqual(10)
    // A slot is free when the provider has answered, however long the settling then takes.
    expect(mostWaiting).toBeLessThanOrEqual(10)
  })

  describe('of a lane in which more waits than can start', () => {
    const claimsUnderWay = async () => {
      const sending = store.db.selectFrom('intent').where('state', '=', 'sending')
      return sending.select('claim_id').distinct().execute()
    }

    /** Five slots, of which those that started first come free one by one. */
    const startFive = async (sleep: Clock['sleep']) => {
      const ends: (() => void)[] = []
      const email = scriptedChannel('email', async () => {
        await new Promise<void>((end) => ends.push(end))
        return { kind: 'accepted' }
      })
      await harness.start([email], slots({ transactional: 5 }), { ...systemClock, sleep })
      await seedMessages(store, 20)
      await harness.release()
      await until(() => expect(email.messages).toHaveLength(5))
      return {
        email,
        end: () => ends.shift()?.(),
        endAll: () => ends.splice(0).map((end) => end()),
      }
    }

    it('slots wait for each other and are claimed together', async () => {
      const { email, end, endAll } = await startFive(() => new Promise(() => {}))
      for (const sent of [1, 2, 3]) {
        end()
        await until(async () => expect(await harness.countStates()).toMatchObject({ sent }))
      }
      await until(() => expect(email.messages).toHaveLength(8))
      expect(await claimsUnderWay()).toHaveLength(2)
      while (email.messages.length < 20) await until(() => expect(endAll()).not.toHaveLength(0))
      endAll()
      await until(async () => expect(await harness.countStates()).toEqual({ sent: 20 }))
    })

    it('a slot does not wait long: others may be with a provider that hangs', async () => {
      const { email, end, endAll } = await startFive(systemClock.sleep)
      end()
      await until(() => expect(email.messages).toHaveLength(6))
      while (email.messages.length < 20) await until(() => expect(endAll()).not.toHaveLength(0))
      endAll()
      await until(async () => expect(await harness.countStates()).toEqual({ sent: 20 }))
    })
  })

  it('sends what is transactional while the lane of bulk is full', async () => {
    const gate = Promise.withResolvers<void>()
    const email = scriptedChannel('email', async ({ personId }) => {
      if (slow.has(personId)) await gate.promise
      return { kind: 'accepted' }
    })
    const seeded = await seedMessages(store, 60, { intent: { lane: 'bulk' } })
    const slow = new Set(seeded.map((each) => each.personId))
    await harness.start([email], slots({ transactional: 2, bulk: 5 }))
    await harness.release()
    await until(() => expect(email.messages).toHaveLength(5))
    const urgent = await seedOne()
    await harness.release()
    await until(async () => expect(await intentOf(store, urgent)).toMatchObject({ state: 'sent' }))
    expect(email.messages).toHaveLength(6)
    gate.resolve()
    await harness.settleAll()
    expect(await harness.countStates()).toEqual({ sent: 61 })
  })

  it('leaves room to others between two claims of bulk', async () => {
    const email = scriptedChannel('email')
    const rest = Promise.withResolvers<void>()
    const sleep: Clock['sleep'] = async (ms, signal) => {
      await rest.promise
      await systemClock.sleep(ms, signal)
    }
    await harness.start([email], slots({ transactional: 5, bulk: 5 }), { ...systemClock, sleep })
    await seedMessages(store, 10, { intent: { lane: 'bulk' } })
    await harness.release()
    await until(async () => expect(await harness.countStates()).toEqual({ sent: 5, queued: 5 }))
    await seedMessages(store, 20)
    await harness.release()
    await until(async () => expect(await harness.countStates()).toEqual({ sent: 25, queued: 5 }))
    rest.resolve()
    await until(async () => expect(await harness.countStates()).toEqual({ sent: 30 }))
  })

  it('sends once what a job that runs twice in one process asks for twice', async () => {
    const gate = Promise.withResolvers<void>()
    const email = scriptedChannel('email', async () => {
      await gate.promise
      return { kind: 'accepted' }
    })
    await harness.start([email], slots({ transactional: 3 }))
    await seedMessages(store, 30)
    await harness.release()
    await until(() => expect(email.messages).toHaveLength(3))
    const { job_id: jobId } = await store.db
      .selectFrom('intent')
      .select('job_id')
      .where('state', '=', 'queued')
      .executeTakeFirstOrThrow()
    harness.queue.stall('deliver.email.transactional', jobId ?? '')
    gate.resolve()
    await harness.settleAll()
    expect(await harness.countStates()).toEqual({ sent: 30 })
    expect(new Set(email.messages.map((each) => each.intentId)).size).toBe(30)
    expect(email.messages).toHaveLength(30)
  })

  it('sends once what several processes are given twice', async () => {
    const channels = [scriptedChannel('email'), scriptedChannel('email'), scriptedChannel('email')]
    for (const channel of channels) await harness.start([channel])
    await seedMessages(store, 200)
    await harness.release()
    const jobs = await store.db
      .selectFrom('intent')
      .select(['job_id', 'intent_id'])
      .where('state', '=', 'queued')
      .execute()
    harness.queue.wipe()
    for (const [jobId, rows] of Map.groupBy(jobs, (row) => row.job_id)) {
      const intents = rows.map((row) => row.intent_id)
      const job = { jobId: jobId ?? '', intents }
      await harness.queue.queue.add('deliver.email.transactional', [job])
      await harness.queue.queue.add('deliver.email.transactional', [
        { ...job, jobId: `${jobId}-again` },
      ])
    }
    await harness.settleAll()
    expect(await harness.countStates()).toEqual({ sent: 200 })
    expect(channels.flatMap((channel) => channel.messages)).toHaveLength(200)
  })

  it('costs the same number of statements for a job of one and of fifty (P8)', async () => {
    const counting = countStatements(store)
    const counted = createHarness(counting)
    await counted.start([createSilentChannel('email')], slots({ transactional: 50 }))
    const counts: number[] = []
    for (const size of [1, 1, 50]) {
      await seedMessages(store, size)
      await counted.release()
      counting.forget()
      await counted.queue.idle()
      counts.push(counting.statements())
    }
    await counted.close()
    // The first one also loads the template.
    expect(counts[2]).toBeLessThanOrEqual((counts[1] ?? 0) + 2)
  })

  it('goes by a new definition as soon as it is applied', async () => {
    const email = scriptedChannel('email')
    await harness.start([email])
    await seedOne()
    await harness.settleAll()
    const changed = smallHospital([campaign({ id: 'seeded' })])
    changed.channels.email = {
      provider: 'smtp',
      sensitivity: 'personal',
      from: 'New <new@hospital.example.org>',
    }
    changed.policies.classes.care.consent = 'required'
    await applyDefinition(store, changed, 'test')
    const intentId = await seedOne()
    await harness.settleAll()
    expect(email.messages).toHaveLength(1)
    expect(await intentOf(store, intentId)).toMatchObject({
      state: 'skipped',
      reason: 'consent_missing',
    })
  })

  it('stops at a definition that it cannot read, and all that was queued goes back', async () => {
    const email = scriptedChannel('email')
    const scope = await harness.start([email], slots({ transactional: 4 }))
    await seedMessages(store, 10)
    await applyDefinition(store, smallHospital([]), 'test')
    await store.db.updateTable('definition').set({ bundle: '{}' }).execute()
    await harness.release()
    await scope.closed
    expect(scope.failures).toMatchObject([{ code: 'WEGWIJS_STORED_DEFINITION_UNREADABLE' }])
    expect(email.messages).toEqual([])
    expect(await harness.countStates()).toEqual({ planned: 10 })
    // As an author who mends it would.
    await applyDefinition(store, smallHospital([campaign({ id: 'seeded' })]), 'test')
    await harness.start([email])
    await harness.settleAll()
    expect(await harness.countStates()).toEqual({ sent: 10 })
  })

  it('sends each message once while PostgreSQL drops every connection again and again', async () => {
    const email = scriptedChannel('email', async () => {
      await new Promise((resolve) => setImmediate(resolve))
      return { kind: 'accepted' }
    })
    await harness.start([email], slots({ transactional: 7 }))
    await seedMessages(store, 300)
    const away = () => 0
    for (let round = 0; round < 12; round += 1) {
      await harness.release().catch(away)
      await until(() => cutConnections(store))
    }
    // A job that was released and not added because of the cut: the recovery of the scheduler.
    await store.db
      .updateTable('intent')
      .set({ state: 'planned' })
      .where('state', '=', 'queued')
      .execute()
    await harness.settleAll()
    await until(async () => expect(await harness.countStates()).toEqual({ sent: 300 }))
    const handedOver = email.messages.map((each) => each.intentId)
    expect(handedOver).toHaveLength(300)
    expect(new Set(handedOver).size).toBe(300)
  })
})

describe('a provider that asks for time', () => {
  const waitFor = (seconds: number): Outcome => ({
    kind: 'deferred',
    reason: 'sms_429',
    retryAfterMs: seconds * 1_000,
  })

  it('is not called by any lane meanwhile; nothing is held, other providers go on', async () => {
    const clock = manualClock()
    const answers: Outcome[] = [waitFor(20)]
    const email = scriptedChannel('email', () => answers.shift() ?? { kind: 'accepted' })
    const sms = scriptedChannel('sms')
    await harness.start([email, sms], slots({}), clock)
    await seedOne()
    await harness.settleAll()
    expect(email.messages).toHaveLength(1)
    for (const lane of ['transactional', 'standard', 'bulk'] as const) {
      await seedMessages(store, 4, { intent: { lane } })
    }
    await seedMessages(store, 5, { intent: { channels: ['sms'] } })
    await harness.release()
    await until(() => expect(sms.messages).toHaveLength(5))
    await until(async () => expect((await harness.countStates()).sent).toBe(5))
    await clock.advance(19_999)
    expect(email.messages).toHaveLength(1)
    expect(await harness.countStates()).toEqual({ sent: 5, planned: 1, queued: 12 })
    // Chance adds at most a fifth.
    await clock.advance(4_001)
    await harness.queue.idle()
    expect(email.messages).toHaveLength(13)
    expect(await harness.countStates()).toEqual({ sent: 17, planned: 1 })
  })

  it('for long is passed over: what would expire takes its next channel, nothing is called', async () => {
    const clock = manualClock()
    const email = scriptedChannel('email', () => waitFor(600))
    const sms = scriptedChannel('sms')
    await harness.start([email, sms], undefined, clock)
    await seedOne()
    await harness.settleAll()
    const soon = later(await businessNow(store.db), 300)
    const urgent = await seedOne({ intent: { expires_at: soon } })
    const patient = await seedOne()
    await harness.settleAll()
    expect(email.messages).toHaveLength(1)
    expect(sms.messages.map((each) => each.intentId)).toEqual([urgent])
    expect(await intentOf(store, patient)).toMatchObject({
      state: 'planned',
      reason: 'provider_deferred',
      detail: { channels: { email: 'provider_paused' } },
    })
    const { due_at } = await intentOf(store, patient)
    expect(due_at > later(await businessNow(store.db), 590)).toBe(true)
  })

  it('lets go of those who wait in line when the service closes', async () => {
    const answers: Outcome[] = [waitFor(20)]
    const email = scriptedChannel('email', () => answers.shift() ?? { kind: 'accepted' })
    const scope = await harness.start([email])
    await seedOne()
    await harness.settleAll()
    await seedMessages(store, 12)
    await harness.release()
    await scope.close()
    expect(scope.failures).toEqual([])
    expect(email.messages).toHaveLength(1)
    expect(await harness.countStates()).toEqual({ planned: 13 })
  })

  it('in a rehearsal holds up its own message alone: business time stands still', async () => {
    await stepBusinessTime(store.db, '2026-03-02T09:00:00.000Z')
    const answers: Outcome[] = [waitFor(20)]
    const email = scriptedChannel('email', () => answers.shift() ?? { kind: 'accepted' })
    await harness.start([email])
    await seedOne()
    await harness.settleAll()
    await seedMessages(store, 3)
    await harness.settleAll()
    expect(await harness.countStates()).toEqual({ sent: 3, planned: 1 })
  })
})

describe('a provider that does not answer', () => {
  it('is left alone after a few, so that few are held', async () => {
    const clock = manualClock()
    let isBack = false
    const email = scriptedChannel('email', () =>
      isBack ? { kind: 'accepted' } : { kind: 'unknown', reason: 'smtp_timed_out' },
    )
    await harness.start([email], slots({ transactional: 5 }), clock)
    await seedMessages(store, 40)
    await harness.release()
    await until(async () => expect(await harness.countStates()).toEqual({ held: 5, queued: 35 }))
    isBack = true
    await clock.advance(1_500)
    await harness.settleAll()
    expect(await harness.countStates()).toEqual({ held: 5, sent: 35 })
    expect(email.messages).toHaveLength(40)
  })
})

describe('a rehearsal', () => {
  const settings = { sandboxPatienceMs: 0 }
  const refusal = { code: 'WEGWIJS_REHEARSAL_ON_REAL_CHANNEL' }

  it('does not start on a channel that is no sandbox', async () => {
    await stepBusinessTime(store.db, '2026-03-02T09:00:00.000Z')
    const channels = [
      scriptedChannel('email', undefined, { sandbox: false }),
      scriptedChannel('sms'),
    ]
    await expect(harness.start(channels, settings)).rejects.toMatchObject({
      ...refusal,
      detail: { channels: ['email'] },
    })
  })

  it('sends through sandboxes, at business time', async () => {
    await stepBusinessTime(store.db, '2026-03-02T09:00:00.000Z')
    const email = scriptedChannel('email')
    await harness.start([email], settings)
    const intentId = await seedOne()
    await harness.settleAll()
    expect(await intentOf(store, intentId)).toMatchObject({
      state: 'sent',
      settled_at: '2026-03-02T09:00:00.000Z',
    })
  })

  it('that begins later stops a service whose channel is no sandbox, and nothing is sent', async () => {
    const email = scriptedChannel('email', undefined, { sandbox: false })
    const scope = await harness.start([email], settings)
    await stepBusinessTime(store.db, '2026-03-02T09:00:00.000Z')
    const intentId = await seedOne()
    await harness.release()
    await scope.closed
    expect(scope.failures).toMatchObject([refusal])
    expect(email.messages).toEqual([])
    expect(await intentOf(store, intentId)).toMatchObject({ state: 'planned', fence: 0 })
  })

  it('that begins later goes on where the channel is one', async () => {
    const email = scriptedChannel('email')
    await harness.start([email], settings)
    await stepBusinessTime(store.db, '2026-03-02T09:00:00.000Z')
    await seedOne()
    await harness.settleAll()
    expect(await harness.countStates()).toEqual({ sent: 1 })
  })
})

describe('closing', () => {
  it('lets what is sending end, and puts the rest back for others', async () => {
    const gate = Promise.withResolvers<void>()
    const email = scriptedChannel('email', async () => {
      await gate.promise
      return { kind: 'accepted' }
    })
    const scope = await harness.start([email], slots({ transactional: 4 }))
    await seedMessages(store, 30)
    await harness.release()
    await until(() => expect(email.messages).toHaveLength(4))
    const closing = scope.close()
    await until(async () => expect((await harness.countStates()).planned).toBe(26))
    gate.resolve()
    await closing
    expect(scope.failures).toEqual([])
    expect(await harness.countStates()).toEqual({ sent: 4, planned: 26 })
    await harness.start([email])
    await harness.settleAll()
    expect(await harness.countStates()).toEqual({ sent: 30 })
    expect(email.messages).toHaveLength(30)
  })

  it('aborts at the deadline what has not ended, and writes down how that ended', async () => {
    const email = scriptedChannel(
      'email',
      (_, signal) =>
        new Promise((resolve) => {
          const abort = () => resolve({ kind: 'unknown', reason: 'aborted' })
          signal.addEventListener('abort', abort, { once: true })
        }),
    )
    const scope = await harness.start([email], { drainMs: 20 })
    const intentId = await seedOne()
    await harness.release()
    await until(() => expect(email.messages).toHaveLength(1))
    await scope.close()
    expect(await intentOf(store, intentId)).toMatchObject({
      state: 'held',
      detail: { channels: { email: 'aborted' } },
    })
  })
})
