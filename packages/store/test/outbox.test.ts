import { openNamespace } from '@wegwijs/test-support/namespace'
import { rowsRead, stopStatistics } from '@wegwijs/test-support/rows-read'
import { decodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import type { Store } from '../src/database.ts'
import {
  appendOutbox,
  type OutboxRecord,
  outboxBacklog,
  purgeOutbox,
  relayOutbox,
} from '../src/outbox.ts'
import { isTold, type MessageOutcome, outcomeRecords } from '../src/outcome-events.ts'
import { inTransaction } from '../src/transaction.ts'

let store: Store

beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'outbox')
})

beforeEach(async () => {
  await sql`truncate outbox`.execute(store.db)
})

afterAll(() => store.close())

const record = (key: string): OutboxRecord => ({
  topic: 'x.messages',
  key,
  headers: { ce_id: key },
  value: Buffer.from(`{"key":"${key}","word":"patiënt"}`),
})

const append = (...keys: string[]) => appendOutbox(store.db, keys.map(record))

/** Publishes everything, and shows what it was given. */
const intoList = (published: OutboxRecord[]) => async (records: readonly OutboxRecord[]) => {
  published.push(...records)
  return records
}
const publishAll = intoList([])

describe('the relay', () => {
  it('publishes records as they were written, in their order, and each once', async () => {
    await append('a', 'b')
    await append('c')
    await appendOutbox(store.db, [{ ...record('d'), value: null }])
    const published: OutboxRecord[] = []
    const relay = () => relayOutbox(store, intoList(published), { perTopic: 3 })
    expect(await relay()).toEqual({ published: 3, more: true, busy: false })
    expect(await relay()).toEqual({ published: 1, more: false, busy: false })
    expect(await relay()).toEqual({ published: 0, more: false, busy: false })
    expect(published).toEqual([...['a', 'b', 'c'].map(record), { ...record('d'), value: null }])
  })

  it('marks nothing that Kafka has not acknowledged', async () => {
    await append('a')
    const away = () => Promise.reject(new Error('away'))
    await expect(relayOutbox(store, away, { perTopic: 10 })).rejects.toThrow('away')
    expect(await outboxBacklog(store.db)).toMatchObject({ count: 1 })
    expect(await relayOutbox(store, publishAll, { perTopic: 10 })).toMatchObject({ published: 1 })
    expect(await outboxBacklog(store.db)).toEqual({ count: 0, seconds: 0 })
  })

  it('marks what Kafka has acknowledged, and gives the rest once more', async () => {
    await append('a', 'b', 'c')
    const firstOnly = async (records: readonly OutboxRecord[]) => records.slice(0, 1)
    expect(await relayOutbox(store, firstOnly, { perTopic: 3 })).toEqual({
      published: 1,
      more: false,
      busy: false,
    })
    const published: OutboxRecord[] = []
    await relayOutbox(store, intoList(published), { perTopic: 3 })
    expect(published.map(({ key }) => key)).toEqual(['b', 'c'])
  })

  it('takes as much of each topic, in the order in which it was written', async () => {
    const other = (key: string) => ({ ...record(key), topic: 'x.emitted' })
    await appendOutbox(store.db, [record('a'), record('b'), other('c'), record('d'), other('e')])
    const published: OutboxRecord[] = []
    const relay = (without: string[]) =>
      relayOutbox(store, intoList(published), { perTopic: 2, without })
    expect(await relay([])).toMatchObject({ published: 4, more: true })
    expect(published.map(({ key }) => key)).toEqual(['a', 'b', 'c', 'e'])
    await appendOutbox(store.db, [other('f')])
    expect(await relay(['x.messages'])).toMatchObject({ published: 1, more: false })
    expect(await relay([])).toMatchObject({ published: 1 })
    expect(published.slice(4).map(({ key }) => key)).toEqual(['f', 'd'])
  })

  it('reads nothing of what waits for a topic that it goes without (P8)', async () => {
    await stopStatistics(store)
    const waiting = Array.from({ length: 5_000 }, (_, index) => ({
      ...record(String(index)),
      topic: 'x.emitted',
    }))
    await appendOutbox(store.db, [...waiting, record('a')])
    const relay = () => relayOutbox(store, publishAll, { perTopic: 500, without: ['x.emitted'] })
    const read = await rowsRead(store, async () =>
      expect(await relay()).toMatchObject({ published: 1, more: false }),
    )
    expect(read.outbox, JSON.stringify(read)).toBeLessThan(20)
  })

  it('is one at a time in a namespace, and the next one comes when it has ended', async () => {
    await append('a')
    let inside: unknown
    await relayOutbox(
      store,
      async (records) => {
        inside = await relayOutbox(store, publishAll, { perTopic: 10 })
        return records
      },
      { perTopic: 10 },
    )
    expect(inside).toEqual({ published: 0, more: false, busy: true })
    await append('b')
    expect(await relayOutbox(store, publishAll, { perTopic: 10 })).toMatchObject({ published: 1 })
  })

  it('takes a record whose transaction ended after that of a later one', async () => {
    const published: OutboxRecord[] = []
    await inTransaction(store.db, async (tx) => {
      await appendOutbox(tx, [record('early')])
      await append('late')
      await relayOutbox(store, intoList(published), { perTopic: 10 })
    })
    await relayOutbox(store, intoList(published), { perTopic: 10 })
    expect(published.map(({ key }) => key)).toEqual(['late', 'early'])
  })
})

describe('the purge', () => {
  it('deletes what was published long enough ago, in batches', async () => {
    await append('a', 'b', 'c')
    await relayOutbox(store, publishAll, { perTopic: 2 })
    expect(await purgeOutbox(store, 60_000, 10)).toBe(0)
    expect(await purgeOutbox(store, 0, 1)).toBe(1)
    expect(await purgeOutbox(store, 0, 10)).toBe(1)
    expect(await purgeOutbox(store, 0, 10)).toBe(0)
    expect(await outboxBacklog(store.db)).toMatchObject({ count: 1 })
  })
})

describe('the record of an outcome', () => {
  const outcome: MessageOutcome = {
    intentId: '0190c0de-0000-8000-8000-000000000001',
    personId: '0190c0de-0000-8000-8000-000000000002',
    campaignId: 'aftercare',
    version: 3,
    messageId: 'welcome',
    channel: 'email',
    provider: 'smtp',
    state: 'sent',
    reason: 'provider_accepted',
    fence: 1,
    at: '2026-03-02T09:00:00.000Z',
  }

  it('is a CloudEvent about the person, with ids and codes only (P7)', () => {
    const [made] = outcomeRecords('x', [outcome])
    if (!made) throw new Error('no record')
    expect([made.topic, made.key]).toEqual(['x.messages', outcome.personId])
    const { event } = decodeRecord({ headers: made.headers, value: made.value })
    expect(event).toMatchObject({
      source: 'urn:wegwijs',
      type: 'message.sent.v1',
      subject: outcome.personId,
      time: outcome.at,
      data: {
        intentId: outcome.intentId,
        campaignId: 'aftercare',
        version: 3,
        messageId: 'welcome',
        channel: 'email',
        provider: 'smtp',
        state: 'sent',
        reason: 'provider_accepted',
      },
    })
  })

  it('has an id that the same outcome has again, and no other', () => {
    const idOf = (over: Partial<MessageOutcome>) =>
      outcomeRecords('x', [{ ...outcome, ...over }])[0]?.headers.ce_id
    expect(idOf({})).toBe(idOf({ at: '2027-01-01T00:00:00.000Z' }))
    expect(new Set([idOf({}), idOf({ state: 'delivered' }), idOf({ fence: 2 })]).size).toBe(3)
  })

  it('is made of what a message came to, and not of its way there', () => {
    expect((['planned', 'queued', 'sending'] as const).some(isTold)).toBe(false)
    expect((['sent', 'skipped', 'held'] as const).every(isTold)).toBe(true)
  })
})
