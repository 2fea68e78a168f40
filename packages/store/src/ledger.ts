import { queueNames } from '@wegwijs/wire/delivery-job'
import { topicsOf } from '@wegwijs/wire/topics'
import { sql } from 'kysely'
import type { Querying, Store } from './database.ts'
import { type DatabaseRule, databaseRules } from './ledger-rules.ts'
import { queuedJobs } from './release.ts'
import { query } from './transaction.ts'

/**
 * The ledger check: whether P1 and P2 hold on a live database, one rule at a time.
 *
 * The rules of PostgreSQL are read in one snapshot, so that what moves meanwhile cannot look broken.
 * Kafka and Redis are asked before it, and what they seem to say against us is asked again after.
 */
export type LedgerRule = {
  name: string
  /** The promise that it proves. */
  promise: 'P1' | 'P2' | 'P4'
  says: string
  /** How many things were held against the rule. */
  checked: number
  /** How many break it; 0 is what everybody hopes for. */
  broken: number
  /** Ids of some that do, enough to begin to look. */
  examples: readonly string[]
}

/** The parts of the ports to Kafka and Redis that are needed. */
export type LedgerServers = {
  endOffsets(topic: string): Promise<readonly { partition: number; low: bigint; high: bigint }[]>
  queue: {
    heldJobs(queue: string): AsyncIterable<{ jobId: string; intents: readonly string[] }>
    unknownJobs(queue: string, jobIds: readonly string[]): Promise<string[]>
  }
  sleep(ms: number): Promise<void>
}

export type LedgerOptions = {
  /** How long something that is due may be left alone, in real time: longer than every sweep. */
  sweepSeconds: number
}

const MOST_EXAMPLES = 5
const JOBS_AT_ONCE = 200
/** A job whose messages are all final is removed within this time of the last of them. */
const ENDING_MS = 1_000

/** @throws WEGWIJS_DATABASE_UNAVAILABLE, WEGWIJS_BROKER_UNAVAILABLE, WEGWIJS_QUEUE_UNAVAILABLE */
export async function checkLedger(
  store: Store,
  servers: LedgerServers,
  options: LedgerOptions,
): Promise<LedgerRule[]> {
  const ends = await readEnds(store, servers)
  const fromDatabase = await query(() =>
    store.db
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute(async (tx) => {
        const rules: LedgerRule[] = [await checkReading(tx, ends, options)]
        for (const rule of databaseRules(options)) rules.push(await runRule(tx, rule))
        return rules
      }),
  )
  return [
    ...fromDatabase,
    await checkQueued(store, servers, options),
    await checkJobs(store, servers),
  ]
}

type End = { topic: string; partition: number; low: bigint; high: bigint }

async function readEnds(store: Store, servers: LedgerServers): Promise<End[]> {
  const { touchpoints, urgent } = topicsOf(store.namespace)
  const ends: End[] = []
  for (const topic of [urgent, touchpoints]) {
    for (const range of await servers.endOffsets(topic)) ends.push({ topic, ...range })
  }
  return ends
}

/** Each accepted event is decided or dead-lettered, and soon (P1). */
async function checkReading(
  tx: Querying,
  ends: readonly End[],
  { sweepSeconds }: LedgerOptions,
): Promise<LedgerRule> {
  const { rows } = await sql<{ topic: string; partition: number; next: string; stands: boolean }>`
    select topic, partition, next_offset as next,
      updated_at < clock_timestamp() - make_interval(secs => ${sweepSeconds}) as stands
    from consumer_position`.execute(tx)
  const behind = ends.filter(({ topic, partition, low, high }) => {
    const position = rows.find((row) => row.topic === topic && row.partition === partition)
    if (position === undefined) return high > low
    return BigInt(position.next) < high && position.stands
  })
  return {
    name: 'events-read',
    promise: 'P1',
    says: `no event waits in Kafka while nothing of its partition was read for ${sweepSeconds} s`,
    checked: ends.reduce((sum, { low, high }) => sum + Number(high - low), 0),
    broken: behind.length,
    examples: behind.map(({ topic, partition }) => `${topic}/${partition}`).slice(0, MOST_EXAMPLES),
  }
}

async function runRule(tx: Querying, rule: DatabaseRule): Promise<LedgerRule> {
  const { rows } = await sql<Pick<LedgerRule, 'checked' | 'broken' | 'examples'>>`
    with broken as materialized (${rule.broken})
    select (${rule.checked})::int as checked, (select count(*) from broken)::int as broken,
      coalesce((select array_agg(example) from (
        select example::text from broken limit ${MOST_EXAMPLES}) as few), '{}') as examples
  `.execute(tx)
  const { name, promise, says } = rule
  return { name, promise, says, ...(rows[0] ?? { checked: 0, broken: 0, examples: [] }) }
}

/** What PostgreSQL calls queued is in the queue, or soon again (P1). */
async function checkQueued(
  store: Store,
  { queue }: LedgerServers,
  { sweepSeconds }: LedgerOptions,
): Promise<LedgerRule> {
  const page = { limit: JOBS_AT_ONCE, minAgeMs: sweepSeconds * 1_000 }
  let checked = 0
  const lost: string[] = []
  let after: Awaited<ReturnType<typeof queuedJobs>>['next'] = null
  do {
    const { jobs, next } = await queuedJobs(store.db, { ...page, after })
    checked += jobs.length
    for (const [name, of] of Map.groupBy(jobs, (job) => job.queue)) {
      lost.push(
        ...(await queue.unknownJobs(
          name,
          of.map((job) => job.jobId),
        )),
      )
    }
    after = next
  } while (after !== null)
  return {
    name: 'queued-in-redis',
    promise: 'P1',
    says: `no message is queued for more than ${sweepSeconds} s in a job that Redis does not know`,
    checked,
    broken: lost.length,
    examples: lost.slice(0, MOST_EXAMPLES),
  }
}

/** Redis holds nothing that is over (P8 rests on it, P1 proves it). */
async function checkJobs(store: Store, servers: LedgerServers): Promise<LedgerRule> {
  let checked = 0
  const over: string[] = []
  for (const name of queueNames()) {
    const suspects: string[] = []
    let chunk: { jobId: string; intents: readonly string[] }[] = []
    const look = async () => {
      suspects.push(...(await jobsThatAreOver(store.db, chunk)))
      checked += chunk.length
      chunk = []
    }
    for await (const job of servers.queue.heldJobs(name)) {
      chunk.push(job)
      if (chunk.length === JOBS_AT_ONCE) await look()
    }
    await look()
    over.push(...(await stillHeld(servers, name, suspects)))
  }
  return {
    name: 'redis-holds-live-jobs',
    promise: 'P1',
    says: 'Redis holds no job whose messages are all final',
    checked,
    broken: over.length,
    examples: over.slice(0, MOST_EXAMPLES),
  }
}

async function jobsThatAreOver(
  db: Querying,
  jobs: readonly { jobId: string; intents: readonly string[] }[],
): Promise<string[]> {
  if (jobs.length === 0) return []
  const { rows } = await query(() =>
    sql<{ intent_id: string }>`select intent_id from intent
      where intent_id = any(${jobs.flatMap((job) => job.intents)}::uuid[])
        and state in ('planned', 'queued', 'sending')`.execute(db),
  )
  const open = new Set(rows.map((row) => row.intent_id))
  return jobs.filter((job) => !job.intents.some((id) => open.has(id))).map((job) => job.jobId)
}

/** A job ends a moment after the last of its messages. */
async function stillHeld(
  { queue, sleep }: LedgerServers,
  name: string,
  jobIds: readonly string[],
): Promise<string[]> {
  if (jobIds.length === 0) return []
  await sleep(ENDING_MS)
  const gone = new Set(await queue.unknownJobs(name, jobIds))
  return jobIds.filter((id) => !gone.has(id))
}
