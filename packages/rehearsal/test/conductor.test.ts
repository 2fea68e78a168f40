import { createMemoryBroker, type MemoryBroker } from '@wegwijs/kafka/memory'
import { derivedUuid } from '@wegwijs/runtime/derived-id'
import type { Store } from '@wegwijs/store/database'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { decodeRecord, encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { topicConfigs, topicsOf } from '@wegwijs/wire/topics'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { type Progress, type Rehearsal, rehearse } from '../src/conductor.ts'

/**
 * The conductor against a pipeline of a few lines that stands in for the services: it writes down
 * in which order, at which business time, it was given what.
 */
let store: Store
let broker: MemoryBroker
let seen: string[]
let stopPipeline: () => Promise<void>

beforeEach(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'conductor')
  broker = createMemoryBroker()
  await broker.admin.ensureTopics(topicConfigs(store.namespace))
  seen = []
  stopPipeline = await startPipeline()
})
afterEach(async () => {
  await stopPipeline()
  await store.close()
})

function event(id: string, time: string, more: Partial<TouchpointEvent> = {}): TouchpointEvent {
  return {
    id,
    time,
    source: 'urn:test',
    type: 'care.visit.v1',
    subject: 'A',
    data: {},
    ...more,
  }
}

function play(events: readonly TouchpointEvent[], more: Partial<Rehearsal> = {}) {
  return rehearse({
    events,
    step: 'PT15M',
    store,
    publisher: broker.publisher,
    admin: broker.admin,
    sandboxStatus: async () => ({ pending: 0 }),
    signal: new AbortController().signal,
    ...more,
  })
}

/** `plan:<instant>` as an event's id plans a message for that moment. */
async function startPipeline(): Promise<() => Promise<void>> {
  const topics = topicsOf(store.namespace)
  const consume = (topic: string) =>
    broker.source.consume({
      topic,
      group: `${topic}.test`,
      positionOf: async () => null,
      onBatch: async (batch, isCurrent) => {
        while (isCurrent() && (await eventsAreHeld())) await new Promise(setImmediate)
        for (const record of batch.records) {
          const { event: decoded } = decodeRecord(record)
          if (!decoded) throw new Error('not an event')
          seen.push(`${decoded.id} at ${await now()}`)
          if (decoded.id.startsWith('plan:')) await plan(decoded.id, decoded.id.slice(5))
        }
        await sql`insert into person (person_id) values (${derivedUuid('p')})
          on conflict do nothing`.execute(store.db)
        await sql`insert into consumer_position (topic, partition, next_offset)
          values (${batch.topic}, ${batch.partition}, ${String(batch.nextOffset)})
          on conflict (topic, partition) do update set next_offset = excluded.next_offset`.execute(
          store.db,
        )
        return { kind: 'done' }
      },
    })
  const consumers = [await consume(topics.urgent), await consume(topics.touchpoints)]
  const controller = new AbortController()
  const sender = sendDue(controller.signal)
  return async () => {
    controller.abort()
    await sender
    for (const consumer of consumers) await consumer.close()
  }
}

/** What it did is seen before it is committed: the conductor may be at its end an instant later. */
async function sendDue(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await store.db.transaction().execute(async (tx) => {
      const { rows } = await sql<{ message_id: string; at: string }>`
        update intent set state = 'sent', settled_at = business_now()
        where state = 'planned' and due_at <= due_now() returning message_id, settled_at as at
      `.execute(tx)
      for (const row of rows) {
        seen.push(`${row.message_id} sent at ${row.at.slice(11, 23)}`)
        // As whatever becomes of a message is told.
        await sql`insert into outbox (topic, record_key, headers, published_at)
          values ('messages', 'p', '{}', now())`.execute(tx)
      }
    })
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function plan(name: string, dueAt: string): Promise<void> {
  await sql`
    insert into intent (person_id, intent_id, enrolment_id, campaign_id, version, message_id, step,
      class, lane, unknown_outcome, template_id, template_hash, channels, state, planned_at,
      planned_for, due_at, expires_at)
    values (${derivedUuid('p')}, ${derivedUuid(name)}, ${derivedUuid('e')}, 'c', 1, ${name}, '0',
      'care', 'standard', 'at-most-once', 't', 'h', '{email}', 'planned', business_now(),
      ${dueAt}, ${dueAt}, ${dueAt}::timestamptz + interval '1 day')
  `.execute(store.db)
}

async function eventsAreHeld(): Promise<boolean> {
  const { rows } = await sql<{ held: boolean }>`
    select events_held as held from rehearsal_clock`.execute(store.db)
  return rows[0]?.held ?? false
}

async function now(): Promise<string> {
  const { rows } = await sql<{ now: string }>`select business_now() as now`.execute(store.db)
  return rows[0]?.now.slice(11, 23) ?? ''
}

test('time stops at the grid, and events arrive in their order', async () => {
  const progress = await play([
    event('one', '2026-03-01T10:01:00.000Z'),
    event('two', '2026-03-01T10:02:00.000Z'),
    event('three', '2026-03-01T11:00:00.000Z'),
  ])
  expect(seen).toEqual(['one at 10:15:00.000', 'two at 10:15:00.000', 'three at 11:00:00.000'])
  expect(progress).toMatchObject({ events: 3, steps: 2, instant: '2026-03-01T11:00:00.000Z' })
})

test('a step of nothing stops at every moment', async () => {
  await play([event('one', '2026-03-01T10:01:00.000Z'), event('two', '2026-03-01T10:02:00.123Z')], {
    step: 'PT0S',
  })
  expect(seen).toEqual(['one at 10:01:00.000', 'two at 10:02:00.123'])
})

test('what was due comes before the events of its step, what they make due after all of them', async () => {
  await play([
    event('plan:2026-03-01T11:05:00.000Z', '2026-03-01T10:01:00.000Z'),
    event('plan:2026-03-01T10:00:00.000Z', '2026-03-01T11:01:00.000Z'),
    event('last', '2026-03-01T11:10:00.000Z'),
  ])
  expect(seen).toEqual([
    'plan:2026-03-01T11:05:00.000Z at 10:15:00.000',
    'plan:2026-03-01T11:05:00.000Z sent at 11:15:00.000',
    'plan:2026-03-01T10:00:00.000Z at 11:15:00.000',
    'last at 11:15:00.000',
    'plan:2026-03-01T10:00:00.000Z sent at 11:15:00.000',
  ])
})

test('it goes on until nothing is due any more', async () => {
  const progress = await play([event('plan:2026-04-01T09:00:00.000Z', '2026-03-01T10:01:00.000Z')])
  expect(progress.instant).toBe('2026-04-01T09:00:00.000Z')
  expect(seen.at(-1)).toBe('plan:2026-04-01T09:00:00.000Z sent at 09:00:00.000')
})

test('a stop keeps its place among the events of its step', async () => {
  await play([
    event('one', '2026-03-01T10:01:00.000Z'),
    event('stop', '2026-03-01T10:02:00.000Z', { type: 'consent.withdrawn.v1' }),
    event('two', '2026-03-01T10:03:00.000Z', { source: 'urn:other', subject: 'B' }),
    event('three', '2026-03-01T10:04:00.000Z'),
  ])
  expect(seen.map((line) => line.split(' ')[0])).toEqual(['one', 'stop', 'two', 'three'])
})

test('it waits for the receipts of the sandbox, and for where Kafka ends then', async () => {
  let asked = 0
  const late = event('receipt', '2026-03-01T10:01:00.000Z')
  await play([event('plan:2026-03-01T10:00:00.000Z', '2026-03-01T10:01:00.000Z')], {
    sandboxStatus: async () => {
      asked += 1
      if (asked === 2) {
        const topic = topicsOf(store.namespace).touchpoints
        await broker.publisher.publish([{ topic, ...encodeRecord(late) }], { deadlineMs: 1_000 })
      }
      return { pending: asked === 1 ? 1 : 0 }
    },
  })
  expect(asked).toBeGreaterThanOrEqual(2)
  expect(seen.at(-1)).toBe('receipt at 10:15:00.000')
})

test('nothing is heard of what went out before all of its moment is out', async () => {
  let told = false
  const due = '2026-03-01T10:15:00.000Z'
  await play(
    [
      event(`plan:${due}`, '2026-03-01T10:01:00.000Z'),
      event(`plan:${due.replace('Z', '+00:00')}`, '2026-03-01T10:02:00.000Z'),
    ],
    {
      sandboxStatus: async () => {
        if (told) return { pending: 0 }
        told = true
        const topic = topicsOf(store.namespace).touchpoints
        // It leads to a third one at the same moment, which goes out after that.
        const receipt = event(`plan:${due.slice(0, -1)}00Z`, due)
        await broker.publisher.publish([{ topic, ...encodeRecord(receipt) }], { deadlineMs: 1_000 })
        return { pending: 0 }
      },
    },
  )
  const kinds = seen.map((line) => (line.includes(' sent ') ? 'sent' : 'decided'))
  expect(kinds).toEqual(['decided', 'decided', 'sent', 'sent', 'decided', 'sent'])
})

test('a namespace that lives in real time is left alone', async () => {
  await sql`insert into person (person_id) values (${derivedUuid('p')})`.execute(store.db)
  await expect(play([event('one', '2026-03-01T10:01:00.000Z')])).rejects.toMatchObject({
    code: 'WEGWIJS_REHEARSAL_REFUSED',
  })
  expect(seen).toEqual([])
})

test('a rehearsal that has gone past another input is not gone back to', async () => {
  await play([event('one', '2026-03-01T10:01:00.000Z')])
  const earlier = play([event('zero', '2026-02-01T10:01:00.000Z')])
  await expect(earlier).rejects.toThrow('business time stands at 2026-03-01T10:15:00.000Z')
})

test('what is cut off goes on where it stood', async () => {
  const events = [
    event('one', '2026-03-01T10:01:00.000Z'),
    event('two', '2026-03-01T12:00:00.000Z'),
  ]
  const controller = new AbortController()
  const cut = play(events, {
    signal: controller.signal,
    onProgress: () => controller.abort(new Error('cut off')),
  })
  await expect(cut).rejects.toThrow('cut off')
  await sql`insert into person_identity (person_id, id_space, external_id)
    values (${derivedUuid('p')}, 'ehr', 'A')`.execute(store.db)
  await sql`insert into inbox (person_id, source, event_id, subject)
    values (${derivedUuid('p')}, 'urn:test', 'one', 'A')`.execute(store.db)
  const progress = await play(events)
  expect(progress).toMatchObject({ events: 2, instant: '2026-03-01T12:00:00.000Z' })
  expect(seen.at(-1)).toBe('two at 12:00:00.000')
})

test('when nothing moves it says what it waits for, and gives up', async () => {
  const told: Progress[] = []
  const stuck = play([event('plan:2026-03-01T10:00:00.000Z', '2026-03-01T10:01:00.000Z')], {
    sandboxStatus: async () => ({ pending: 3 }),
    onProgress: (progress) => told.push(progress),
    stallMs: 50,
  })
  await expect(stuck).rejects.toMatchObject({
    code: 'WEGWIJS_REHEARSAL_STALLED',
    detail: { waitingFor: ['3 receipts of the sandbox'] },
  })
})
