import { openNamespace } from '@wegwijs/test-support/namespace'
import { later, seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { stepBusinessTime } from '../src/business-clock.ts'
import type { Store } from '../src/database.ts'
import { applyDefinition } from '../src/definitions.ts'
import {
  type JobPlace,
  oldestDue,
  queuedJobs,
  type ReleasedJob,
  recallHeldBack,
  recallPutOff,
  releaseDue,
  unqueue,
} from '../src/release.ts'
import { liftOperation, stopOperation } from '../src/stops.ts'
import { claimDue, claimItems, intentOf, itemsOf, releaseAll } from './delivery-steps.ts'

let store: Store

beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'release')
  await applyDefinition(store, smallHospital([campaign({ id: 'seeded' })]), 'test')
})

beforeEach(async () => {
  await sql`truncate person, enrolment, intent, attempt, outbox, rehearsal_clock,
    operational_stop, stop_lift`.execute(store.db)
})

afterAll(() => store.close())

const perQueue = 20_000
const soon = () => later(new Date().toISOString(), 60)
const sizesOf = (jobs: readonly ReleasedJob[]) =>
  jobs.map(({ queue, intents }) => [queue, intents.length])

/** Whether each change of a message waited for the disk, in the order of the changes. */
async function watchCommits(): Promise<() => Promise<string[]>> {
  await sql`create table commits (waits text not null)`.execute(store.db)
  await sql`create function note_commit() returns trigger language plpgsql as $$
    begin insert into commits values (current_setting('synchronous_commit')); return null; end $$`.execute(
    store.db,
  )
  await sql`create trigger noted after update on intent execute function note_commit()`.execute(
    store.db,
  )
  return async () => {
    const { rows } = await sql<{ waits: string }>`select waits from commits`.execute(store.db)
    await sql`drop trigger noted on intent`.execute(store.db)
    await sql`drop function note_commit`.execute(store.db)
    await sql`drop table commits`.execute(store.db)
    return rows.map(({ waits }) => waits)
  }
}

async function countQueued(): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int from intent where state = 'queued'`.execute(store.db)
  return rows[0]?.count ?? 0
}

describe('release', () => {
  it('waits for no disk, and nothing after it is spared that', async () => {
    await seedMessages(store, 1)
    const noted = await watchCommits()
    const jobs = await releaseDue(store, { perQueue, batch: 10 })
    expect((await claimItems(store, itemsOf(jobs))).claimed).toHaveLength(1)
    expect(await noted()).toEqual(['off', 'on'])
  })

  it('makes jobs of one queue and at most fifty, the transactional lane first', async () => {
    await seedMessages(store, 30, { intent: { lane: 'bulk' } })
    await seedMessages(store, 120)
    await seedMessages(store, 5, { intent: { channel_index: 1 } })
    const jobs = await releaseDue(store, { perQueue, batch: 1_000 })
    const sizes = sizesOf(jobs)
    expect(sizes.at(-1)).toEqual(['deliver.email.bulk', 30])
    expect(sizes.slice(0, -1).toSorted()).toEqual([
      ['deliver.email.transactional', 20],
      ['deliver.email.transactional', 50],
      ['deliver.email.transactional', 50],
      ['deliver.sms.transactional', 5],
    ])
    expect(new Set(jobs.map((job) => job.jobId)).size).toBe(5)
    for (const { jobId, intents } of jobs) {
      expect(jobId).toMatch(/^job-[0-9a-z-]+$/)
      const rows = await store.db
        .selectFrom('intent')
        .select(['state', 'job_id'])
        .where('intent_id', 'in', intents)
        .execute()
      for (const row of rows) expect(row).toEqual({ state: 'queued', job_id: jobId })
    }
  })

  it('takes what is due, and what has waited longest first', async () => {
    await seedMessages(store, 3, { intent: { due_at: soon() } })
    const [late] = await seedMessages(store, 1, { intent: { due_at: '2026-01-02T00:00:00Z' } })
    const [latest] = await seedMessages(store, 1, { intent: { due_at: '2026-01-01T00:00:00Z' } })
    const [job, ...others] = await releaseDue(store, { perQueue, batch: 1_000 })
    expect(others).toEqual([])
    expect(job?.intents).toEqual([latest?.intentId, late?.intentId])
    expect(await releaseDue(store, { perQueue, batch: 1_000 })).toEqual([])
  })

  it('goes by business time, and by nothing while a step is being decided', async () => {
    await stepBusinessTime(store.db, '2026-03-02T09:00:00.000Z')
    await seedMessages(store, 1, { intent: { due_at: '2026-03-03T09:00:00Z' } })
    expect(await releaseAll(store)).toEqual([])
    await stepBusinessTime(store.db, '2026-03-03T09:00:00.000Z', { dueHeld: true })
    expect(await releaseAll(store)).toEqual([])
    await stepBusinessTime(store.db, '2026-03-03T09:00:00.000Z')
    expect(await releaseAll(store)).toHaveLength(1)
  })

  it('fills a queue to its bound and not beyond (P8)', async () => {
    await seedMessages(store, 100)
    await seedMessages(store, 10, { intent: { lane: 'standard' } })
    const bound = { perQueue: 60, batch: 40 }
    expect(sizesOf(await releaseDue(store, bound))).toEqual([
      ['deliver.email.transactional', 40],
      ['deliver.email.standard', 10],
    ])
    expect(sizesOf(await releaseDue(store, bound))).toEqual([['deliver.email.transactional', 20]])
    expect(await releaseDue(store, bound)).toEqual([])
    expect(await countQueued()).toBe(70)
  })

  it('gives each message to one of several schedulers', async () => {
    await seedMessages(store, 400)
    const released = await Promise.all(
      Array.from({ length: 4 }, () => releaseDue(store, { perQueue, batch: 400 })),
    )
    const intents = released.flat().flatMap((job) => job.intents)
    expect(new Set(intents).size).toBe(intents.length)
    const rest = await releaseAll(store)
    expect(intents.length + rest.flatMap((job) => job.intents).length).toBe(400)
  })

  it('leaves what somebody else has locked for the next time', async () => {
    const [ids] = await seedMessages(store, 1)
    await store.db.transaction().execute(async (tx) => {
      await sql`select from intent where intent_id = ${ids?.intentId} for update`.execute(tx)
      expect(await releaseDue(store, { perQueue, batch: 10 })).toEqual([])
    })
    expect(await releaseAll(store)).toHaveLength(1)
  })
})

describe('the walk over queued jobs', () => {
  it('finds every job once, page by page, with what is still queued', async () => {
    await seedMessages(store, 230)
    await seedMessages(store, 60, { intent: { lane: 'bulk', channel_index: 1 } })
    const released = await releaseAll(store)
    const [first] = released
    await sql`update intent set state = 'cancelled' where intent_id = ${first?.intents[0]}`.execute(
      store.db,
    )
    const found: ReleasedJob[] = []
    let after: JobPlace = null
    do {
      const page = await queuedJobs(store.db, { after, limit: 3, minAgeMs: 0 })
      found.push(...page.jobs)
      after = page.next
    } while (after !== null)
    const expected = released.map((job) =>
      job === first ? { ...job, intents: job.intents.slice(1) } : job,
    )
    const byId = (a: ReleasedJob, b: ReleasedJob) => (a.jobId < b.jobId ? -1 : 1)
    expect(found.toSorted(byId)).toEqual(expected.toSorted(byId))
  })

  it('passes over what was released a moment ago', async () => {
    await seedMessages(store, 1)
    await releaseAll(store)
    expect(await queuedJobs(store.db, { after: null, limit: 10, minAgeMs: 60_000 })).toEqual({
      jobs: [],
      next: null,
    })
  })
})

describe('a worker that shuts down', () => {
  it('puts back what it will not start, and nothing else', async () => {
    await seedMessages(store, 3)
    const [job] = await releaseAll(store)
    if (!job) throw new Error('no job')
    await sql`update intent set state = 'sending' where intent_id = ${job.intents[0]}`.execute(
      store.db,
    )
    await sql`update intent set job_id = 'job-other' where intent_id = ${job.intents[1]}`.execute(
      store.db,
    )
    expect(await unqueue(store, job.jobId, job.intents)).toBe(1)
    const rows = await Promise.all(job.intents.map((id) => intentOf(store, id)))
    expect(rows.map((row) => row.state)).toEqual(['sending', 'queued', 'planned'])
  })
})

describe('what an operational stop holds back', () => {
  it('is due again at once when the stop is lifted', async () => {
    const seeded = await seedMessages(store, 5)
    const campaignStop = { scope: 'campaign', target: 'seeded' } as const
    const words = { reason: 'test', source: 'test' }
    await stopOperation(store.db, campaignStop, words)
    expect((await claimDue(store)).claimed).toEqual([])
    expect(await releaseAll(store)).toEqual([])
    await liftOperation(store.db, campaignStop, words)
    expect(await recallHeldBack(store, 3)).toBe(3)
    expect(await recallHeldBack(store, 3)).toBe(2)
    expect(await recallHeldBack(store, 3)).toBe(0)
    expect((await claimDue(store)).claimed).toHaveLength(seeded.length)
  })
})

describe('what a definition put off', () => {
  const putOff = (reason: string, touchedAt: string) => ({
    intent: { reason, touched_at: touchedAt, due_at: soon() },
  })
  const appliedAt = (instant: string) =>
    sql`update definition set applied_at = ${instant}`.execute(store.db)

  it('is looked at again when another one was applied since, and once', async () => {
    const minuteAgo = later(new Date().toISOString(), -60)
    await seedMessages(store, 2, putOff('budget_used', minuteAgo))
    await seedMessages(store, 1, putOff('quiet_hours', minuteAgo))
    await seedMessages(store, 1, putOff('provider_deferred', minuteAgo))
    await appliedAt(later(minuteAgo, -600))
    expect(await recallPutOff(store, 10)).toBe(0)
    await appliedAt(new Date().toISOString())
    expect(await recallPutOff(store, 2)).toBe(2)
    expect(await recallPutOff(store, 2)).toBe(1)
    expect(await recallPutOff(store, 2)).toBe(0)
    expect((await releaseAll(store)).flatMap(({ intents }) => intents)).toHaveLength(3)
  })

  it('is found too where a worker put it off by the one before, just after', async () => {
    const applied = later(new Date().toISOString(), -60)
    await appliedAt(applied)
    await seedMessages(store, 1, putOff('budget_used', later(applied, 5)))
    await seedMessages(store, 1, putOff('budget_used', later(applied, 20)))
    expect(await recallPutOff(store, 10)).toBe(1)
    expect(await recallPutOff(store, 10)).toBe(0)
  })
})

describe('the age of the oldest that is due', () => {
  it('counts per lane, what waits in a queue too, and nothing that is not due', async () => {
    const minuteAgo = later(new Date().toISOString(), -60)
    await seedMessages(store, 1, { intent: { due_at: minuteAgo } })
    await releaseAll(store)
    await seedMessages(store, 1, { intent: { lane: 'standard', due_at: minuteAgo } })
    await seedMessages(store, 1, { intent: { lane: 'bulk', due_at: soon() } })
    const ages = await oldestDue(store.db)
    expect(ages.transactional).toBeGreaterThanOrEqual(60)
    expect(ages.standard).toBeGreaterThanOrEqual(60)
    expect(ages.bulk).toBe(0)
  })
})
