import { createMemoryBroker, type MemoryBroker } from '@wegwijs/kafka/memory'
import { createMemoryQueue, type MemoryQueue } from '@wegwijs/queue/memory'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { type SeededMessage, seedMessages } from '@wegwijs/test-support/seed-messages'
import { topicConfigs, topicsOf } from '@wegwijs/wire/topics'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import type { Store } from '../src/database.ts'
import { checkLedger, type LedgerRule } from '../src/ledger.ts'
import { settle } from '../src/settle.ts'
import { claimDue, releaseAll } from './delivery-steps.ts'

let store: Store
let broker: MemoryBroker
let memory: MemoryQueue
let message: SeededMessage

beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'ledger')
})
afterAll(() => store.close())

beforeEach(async () => {
  await run(`truncate definition, person, enrolment, timer, intent, attempt, event, inbox, decision,
    dead_letter, outbox, consumer_position, rehearsal_clock restart identity`)
  broker = createMemoryBroker()
  await broker.admin.ensureTopics(topicConfigs(store.namespace))
  memory = createMemoryQueue()
  message = await liveThrough()
})

/** An event that was applied, an enrolment that waits, a message that was sent: nothing is wrong. */
async function liveThrough(): Promise<SeededMessage> {
  await sql`insert into definition (bundle, hash, applied_by) values ('{}', 'h', 'test')`.execute(
    store.db,
  )
  const [seeded] = await seedMessages(store, 1)
  if (!seeded) throw new Error('nothing was seeded')
  const { claimed } = await claimDue(store)
  const [claim] = claimed
  if (!claim) throw new Error('nothing was claimed')
  await settle(store, [
    { intentId: seeded.intentId, fence: claim.fence, outcome: { kind: 'accepted' } },
  ])
  await run(`insert into timer (person_id, timer_id, enrolment_id, step, due_at)
    values ('${seeded.personId}', '${newUuid()}', '${seeded.enrolmentId}', '1', now() + interval '1 day')`)
  await run(`insert into consumer_position (topic, partition, next_offset, records, applied, dead_lettered)
    values ('${topicsOf(store.namespace).touchpoints}', 0, 2, 2, 1, 1)`)
  await run(`insert into inbox (person_id, source, event_id, subject)
    values ('${seeded.personId}', 'urn:test', 'e1', 'A')`)
  await run(eventRow(seeded.personId, 'e1'))
  await run(`insert into dead_letter (dead_letter_id, topic, partition, record_offset, headers, error_class, reason)
    values ('${newUuid()}', '${topicsOf(store.namespace).touchpoints}', 0, 1, '{}', 'not_json', 'x')`)
  await run('update outbox set published_at = clock_timestamp()')
  return seeded
}

function eventRow(personId: string, id: string): string {
  return `insert into event (person_id, source, event_id, subject, type, time, business_at, data,
      outcome, topic, partition, record_offset)
    values ('${personId}', 'urn:test', '${id}', 'A', 'care.x.v1', now(), now(), '{}', 'applied',
      '${topicsOf(store.namespace).touchpoints}', 0, 0)`
}

function run(statement: string): Promise<unknown> {
  return sql.raw(statement).execute(store.db)
}

async function check(): Promise<LedgerRule[]> {
  const servers = {
    endOffsets: broker.admin.endOffsets,
    queue: memory.queue,
    sleep: async () => {},
  }
  return checkLedger(store, servers, { sweepSeconds: 60 })
}

async function broken(): Promise<string[]> {
  return (await check()).filter((rule) => rule.broken > 0).map((rule) => rule.name)
}

test('a ledger in which nothing is wrong says so, with counts', async () => {
  const rules = await check()
  expect(rules.filter((rule) => rule.broken > 0)).toEqual([])
  expect(new Set(rules.map((rule) => rule.name)).size).toBe(rules.length)
  expect(Object.fromEntries(rules.map((rule) => [rule.name, rule.checked]))).toMatchObject({
    'events-accounted': 2,
    'events-once': 1,
    'messages-explained': 1,
    'messages-once': 1,
    'enrolments-go-on': 1,
  })
})

describe('each rule catches what breaks it', () => {
  const long = `clock_timestamp() - interval '10 minutes'`
  const plants: [rule: string, plant: () => Promise<unknown>][] = [
    ['events-accounted', () => run('update consumer_position set records = records + 1')],
    ['events-kept', () => run('update consumer_position set records = 3, applied = 2')],
    ['events-kept', () => run('delete from dead_letter')],
    ['events-once', () => run(eventRow(message.personId, 'e1'))],
    ['events-remembered', () => run('delete from event')],
    ['enrolments-go-on', () => run('delete from timer')],
    ['messages-explained', () => run('delete from attempt')],
    [
      'messages-explained',
      () => run(`update intent set state = 'planned', due_at = now() + interval '1 h'`),
    ],
    [
      'messages-explained',
      () => run(`update intent set state = 'held', reason = 'outcome_unknown'`),
    ],
    [
      'messages-explained',
      () => run(`update intent set state = 'failed', reason = 'provider_refused'`),
    ],
    [
      'messages-explained',
      () => run(`update intent set state = 'skipped', reason = 'consent_missing'`),
    ],
    [
      'messages-once',
      () =>
        run(`insert into attempt (person_id, intent_id, fence, business_at, channel, provider, outcome, duplicate)
          select person_id, intent_id, 9, now(), channel, provider, outcome, duplicate from attempt`),
    ],
    [
      'messages-reasoned',
      () => run(`delete from attempt; update intent set state = 'skipped', reason = 'because'`),
    ],
    ['timers-fired', () => run(`update timer set due_at = ${long}`)],
    [
      'messages-released',
      async () => {
        await seedMessages(store, 1, { intent: { state: 'planned' } })
        await run(
          `update intent set due_at = ${long}, touched_at = ${long} where state = 'planned'`,
        )
        await run(`update enrolment set state = 'completed'`)
      },
    ],
    [
      'claims-ended',
      () => run(`delete from attempt; update intent set state = 'sending', lease_until = ${long}`),
    ],
    ['outbox-published', () => run(`update outbox set published_at = null, created_at = ${long}`)],
    [
      'events-read',
      async () => {
        const topic = topicsOf(store.namespace).urgent
        const record = { topic, key: 'A', value: null, headers: {} }
        await broker.publisher.publish([record], { deadlineMs: 1_000 })
      },
    ],
    [
      'queued-in-redis',
      async () => {
        await seedMessages(store, 1, { enrolment: { state: 'completed' } })
        await releaseAll(store)
        await run(`update intent set touched_at = ${long} where state = 'queued'`)
      },
    ],
    [
      'redis-holds-live-jobs',
      () =>
        memory.queue.add('deliver.email.bulk', [{ jobId: 'job-x', intents: [message.intentId] }]),
    ],
  ]
  test.each(plants)('%s', async (rule, plant) => {
    await plant()
    expect(await broken()).toContain(rule)
  })

  test('and every rule is planted against', async () => {
    const names = (await check()).map((rule) => rule.name)
    expect(names.filter((name) => !plants.some(([rule]) => rule === name))).toEqual([])
  })
})

describe('what only looks broken is not', () => {
  test('a job that waits for its messages', async () => {
    await seedMessages(store, 1, { enrolment: { state: 'completed' } })
    for (const { queue, ...job } of await releaseAll(store)) await memory.queue.add(queue, [job])
    await run(`update intent set touched_at = now() - interval '10 min' where state = 'queued'`)
    expect(await broken()).toEqual([])
  })

  test('a message that was resent and marked', async () => {
    await run(`insert into attempt (person_id, intent_id, fence, business_at, channel, provider, outcome, duplicate)
      select person_id, intent_id, 9, now(), channel, provider, outcome, true from attempt`)
    expect(await broken()).toEqual([])
  })

  test('due times of a rehearsal that has just been stepped', async () => {
    await run(`update timer set due_at = '2020-01-01'`)
    await run(`insert into rehearsal_clock (instant) values ('2020-01-01')`)
    expect(await broken()).toEqual([])
  })

  test('a delivery that was reported while its claim stands', async () => {
    await run(`delete from attempt`)
    await run(`update intent set state = 'delivered', lease_until = now() + interval '1 min'`)
    expect(await broken()).toEqual([])
  })
})
