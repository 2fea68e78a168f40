import type { Channel } from '@wegwijs/channels/port'
import type { MemoryQueue } from '@wegwijs/queue/memory'
import { sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { answered, arrives, clinic, discharged, monday } from './src/clinic.ts'
import { brisk, expectLedgerHolds, type Flow, openFlow, openGround, until } from './src/flow.ts'

const people = Array.from({ length: 150 }, (_, index) => `p${index}`)
const events = people.flatMap((name) => [arrives(name), discharged(name), answered(name)])

/** Channels that write down what they were given, and let nothing go before the gate is opened. */
function gated() {
  const sent: string[] = []
  const gate = Promise.withResolvers<void>()
  const channels = (usual: readonly Channel[]) =>
    usual.map((channel) => ({
      ...channel,
      send: async (...[message]: Parameters<Channel['send']>) => {
        sent.push(`${message.intentId}${message.duplicate ? ' again' : ''}`)
        await gate.promise
        return { kind: 'accepted' as const }
      },
    }))
  return { sent, channels, open: gate.resolve }
}

async function statesOf({ store }: Flow): Promise<Record<string, number>> {
  const { rows } = await sql<{ state: string; count: number }>`
    select state, count(*)::int as count from intent group by state`.execute(store.db)
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]))
}

const allSent = (flow: Flow) =>
  until(async () => expect(await statesOf(flow)).toEqual({ sent: 2 * people.length }))

function expectEachOnce(sent: readonly string[]): void {
  expect(sent.toSorted()).toEqual([...new Set(sent)].toSorted())
  expect(sent).toHaveLength(2 * people.length)
}

test('the queue is wiped, twice, with work in it: all is sent once (P1, P2)', async () => {
  const ground = await openGround(clinic, monday)
  onTestFinished(ground.store.close)
  const { sent, channels, open } = gated()
  const flow = await openFlow({ store: ground.store, channels, settings: brisk })
  await flow.publish(...events)
  // Those that are being sent, and the rest of their jobs that wait behind them.
  await until(async () => expect((await statesOf(flow)).sending).toBeGreaterThan(5))
  await until(async () => expect((await statesOf(flow)).queued).toBeGreaterThan(100))
  flow.queue.wipe()
  await until(async () => expect(await heldIntents(flow.queue)).toBeGreaterThan(100))
  flow.queue.wipe()
  open()
  await allSent(flow)
  expectEachOnce(sent)
  // A job that was added anew ends when a worker has found nothing left in it.
  await until(() => expectLedgerHolds(flow))
  await flow.close()
})

async function heldIntents({ queue }: MemoryQueue): Promise<number> {
  let count = 0
  for (const lane of ['transactional', 'standard']) {
    for await (const job of queue.heldJobs(`deliver.email.${lane}`)) count += job.intents.length
  }
  return count
}

test('every second addition to the queue is lost: all is sent once (P1, P2)', async () => {
  const ground = await openGround(clinic, monday)
  onTestFinished(ground.store.close)
  const { sent, channels, open } = gated()
  open()
  let calls = 0
  const flow = await openFlow({
    store: ground.store,
    channels,
    settings: brisk,
    queueAs: ({ queue, workers }) => ({
      workers,
      queue: {
        ...queue,
        add: async (name, jobs) => {
          calls += 1
          if (calls % 2 === 0) await queue.add(name, jobs)
        },
      },
    }),
  })
  await flow.publish(...events)
  await allSent(flow)
  expectEachOnce(sent)
  expect(calls).toBeGreaterThan(2)
  await until(() => expectLedgerHolds(flow))
  await flow.close()
})

test('two of every service on one ground decide and send each thing once (P1, P2, P6)', async () => {
  const ground = await openGround(clinic, monday)
  onTestFinished(ground.store.close)
  const { sent, channels, open } = gated()
  open()
  const options = { store: ground.store, channels, settings: brisk }
  const flow = await openFlow(options)
  const second = await openFlow({ ...options, broker: flow.broker, queue: flow.queue })
  const half = Math.floor(events.length / 2)
  await flow.publish(...events.slice(0, half))
  // One of the two leaves in the middle of it.
  const leaves = second.close()
  await flow.publish(...events.slice(half), ...events)
  await leaves
  await allSent(flow)
  expectEachOnce(sent)
  await until(() => expectLedgerHolds(flow))
  await flow.close()
})

test('PostgreSQL loses every connection again and again: all is sent once, or held (P1, P2)', async () => {
  const ground = await openGround(clinic, monday)
  onTestFinished(ground.store.close)
  const { sent, channels, open } = gated()
  open()
  const flow = await openFlow({ store: ground.store, channels, settings: brisk })
  const cut = () =>
    sql`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name like ${`${ground.store.namespace}%`} and pid <> pg_backend_pid()`
      .execute(ground.store.db)
      .catch(() => undefined)
  const part = Math.ceil(events.length / 5)
  for (let from = 0; from < events.length; from += part) {
    const publishing = flow.publish(...events.slice(from, from + part)).catch(() => undefined)
    await cut()
    await publishing
  }
  await flow.read()
  await allSent(flow)
  expectEachOnce(sent)
  await until(() => expectLedgerHolds(flow))
  await flow.close()
})
