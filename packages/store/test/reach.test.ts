import type { Reach } from '@wegwijs/campaign/definition/reach'
import { periodLength, reachPeriod } from '@wegwijs/campaign/reach'
import { crashBefore, loseAnswer } from '@wegwijs/test-support/crash'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { rowsRead, stopStatistics } from '@wegwijs/test-support/rows-read'
import { later, type MessageSeed, seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { stepBusinessTime } from '../src/business-clock.ts'
import { openStore, type Store } from '../src/database.ts'
import { applyDefinition } from '../src/definitions.ts'
import { allowReach, listAllowances, loadReachRules, reachNow, readReach } from '../src/reach.ts'
import {
  type AskedCampaign,
  type ReleasedJob,
  recallPutOff,
  releaseDue,
  unqueue,
} from '../src/release.ts'
import { claimItems, intentOf, itemsOf, untilSomebodyWaits } from './delivery-steps.ts'

let store: Store

const monday = '2026-03-02T09:00:00.000Z'
const tomorrow = '2026-03-02T23:00:00.000Z'
const daily: Reach = { most: 3, per: 'P1D' }

beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'reach')
})

beforeEach(async () => {
  await sql`truncate person, enrolment, intent, attempt, outbox, rehearsal_clock, reach,
    reach_allowance, definition, campaign, campaign_version, template_version`.execute(store.db)
  await stepBusinessTime(store.db, monday)
})

afterAll(() => store.close())

const apply = (reach: Reach | undefined) =>
  applyDefinition(
    store,
    smallHospital([campaign({ id: 'seeded', ...(reach && { reach }) }), campaign({ id: 'other' })]),
    'test',
  )

const seed = (count: number, over: MessageSeed['intent'] = {}) =>
  seedMessages(store, count, { intent: { expires_at: later(monday, 30 * 86_400), ...over } })

/** What a scheduler does until nothing more is due; gives the messages, and who was asked. */
async function release(at: Store = store, batch = 2) {
  const jobs: ReleasedJob[] = []
  const asked: AskedCampaign[] = []
  const reach = await loadReachRules(store.db)
  for (;;) {
    const more = await releaseDue(at, { perQueue: 20_000, batch, reach }, (one) => asked.push(one))
    if (more.length === 0) return { jobs, asked, ids: jobs.flatMap(({ intents }) => intents) }
    jobs.push(...more)
  }
}

async function states(): Promise<Record<string, number>> {
  const { rows } = await sql<{ state: string; count: number }>`
    select case when state = 'planned' and reason = 'reach_used' then 'waits' else state end as state, count(*)::integer
    from intent group by 1`.execute(store.db)
  return Object.fromEntries(rows.map((row) => [row.state, row.count]))
}

const standing = async () => (await readReach(store.db))[0]

describe('a campaign that says how far it reaches', () => {
  it.each([
    [
      'its band',
      sql`update campaign_version set content = jsonb_set(content, '{reach,per}', '"daily"')
      where campaign_id = 'seeded'`,
      /^reach of version 1 of campaign seeded is stored/,
    ],
    [
      'a band beyond all that is counted',
      sql`update campaign_version set content = jsonb_set(content, '{reach,most}', '3000000000')
      where campaign_id = 'seeded'`,
      /^reach of version 1 of campaign seeded is stored/,
    ],
    [
      'a period that never ends',
      sql`update campaign_version set content = jsonb_set(content, '{reach,per}', '"PT99999999999H"')
      where campaign_id = 'seeded'`,
      /^reach of version 1 of campaign seeded is stored/,
    ],
    [
      'where a day begins',
      sql`update definition
      set bundle = jsonb_set(bundle, '{policies,timeZone}', '"Atlantis"')`,
      /^policies.timeZone of rev/,
    ],
  ])(
    'sends nothing while nobody can read %s, and keeps nobody else from going out (P5)',
    async (_, damage, place) => {
      await apply(daily)
      await damage.execute(store.db)
      await seed(2)
      const others = await seed(2, { campaign_id: 'other' })
      expect((await release()).ids.sort()).toEqual(others.map(({ intentId }) => intentId).sort())
      expect(await states()).toEqual({ queued: 2, waits: 2 })
      const [why] = (await loadReachRules(store.db)).unread
      expect(why?.message).toMatch(place)
    },
  )

  it('sends so many in a period; the rest waits for the next one, and somebody is asked once (P5)', async () => {
    await apply(daily)
    const all = await seed(5)
    const { ids, asked } = await release()
    expect(ids).toHaveLength(3)
    expect(asked).toMatchObject([{ campaignId: 'seeded', most: 3 }])
    const waiting = all.filter(({ intentId }) => !ids.includes(intentId))
    for (const { intentId } of waiting)
      expect(await intentOf(store, intentId)).toMatchObject({
        state: 'planned',
        reason: 'reach_used',
        due_at: tomorrow,
      })
    expect(await standing()).toMatchObject({ taken: 3, most: 3, waiting: 2, askedAt: monday })
    await seed(1)
    expect((await release()).asked).toEqual([])
    await stepBusinessTime(store.db, tomorrow)
    expect((await release()).ids).toHaveLength(3)
    expect(await states()).toEqual({ queued: 6 })
  })

  it('goes no further once it has ended, without a word either (P5)', async () => {
    await apply(daily)
    await seed(5)
    await release()
    const ended = smallHospital([campaign({ id: 'other' })])
    await applyDefinition(store, ended, 'test')
    await sql`update definition set applied_at = applied_at - interval '1 minute'`.execute(store.db)
    await sql`update intent set touched_at = touched_at - interval '1 hour'`.execute(store.db)
    expect(await recallPutOff(store, 10)).toBe(2)
    // Whoever is under way in it still goes on.
    await seed(1)
    expect((await release()).ids).toEqual([])
    expect(await standing()).toMatchObject({ taken: 3, most: 3, waiting: 3, below: false })
    await allowReach(store, 'seeded', 3, { reason: 'they are asked', source: 'test' })
    expect((await release()).ids).toHaveLength(3)
    // Nobody expects anything of it any more.
    expect(await readReach(store.db)).toEqual([])
  })

  it('keeps nobody else from going out, however many of it are due before', async () => {
    await apply(daily)
    await seed(30, { due_at: later(monday, -60) })
    const others = await seed(2, { campaign_id: 'other', due_at: later(monday, -1) })
    const { ids } = await release()
    expect(ids).toHaveLength(5)
    expect(ids).toEqual(expect.arrayContaining(others.map(({ intentId }) => intentId)))
  })

  describe('whose band is full, and of which much is due', () => {
    const batch = 10
    const many = 2_000
    /** As a scheduler does it, so often until all of these have gone; how often, and what had been put off by then. */
    async function callsUntil(
      gone: readonly { intentId: string }[],
      more?: () => Promise<unknown>,
    ) {
      const reach = await loadReachRules(store.db)
      const waiting = new Set(gone.map(({ intentId }) => intentId))
      for (let calls = 1; ; calls += 1) {
        await more?.()
        const jobs = await releaseDue(store, { perQueue: 20_000, batch, reach })
        for (const id of jobs.flatMap(({ intents }) => intents)) waiting.delete(id)
        if (waiting.size === 0) return { calls, putOff: ((await states()).waits ?? 0) - 1 }
      }
    }
    const before = { due_at: later(monday, -60) }

    beforeEach(async () => {
      await apply(daily)
      await seed(4, before)
      await release()
      await seed(many, before)
    })

    it('lets what is behind it go in the same round (P8)', async () => {
      const others = await seed(5, { campaign_id: 'other' })
      const { calls, putOff } = await callsUntil(others)
      expect(calls).toBe(1)
      expect(putOff).toBeLessThanOrEqual(batch)
    })

    it('lets it go while other queues have more to do, too', async () => {
      const others = await seed(25, { campaign_id: 'other' })
      const again = () => seed(1, { campaign_id: 'other', channels: ['sms'], ...before })
      const { calls, putOff } = await callsUntil(others, again)
      expect(calls).toBe(3)
      expect(putOff).toBeLessThanOrEqual(calls * batch)
    })

    it('lets go what of itself has had its place before', async () => {
      const again = await seed(5, { reached: true, due_at: later(monday, -1) })
      expect((await callsUntil(again)).calls).toBe(1)
    })

    it('reads no more of it than it puts off (P8)', async () => {
      const others = await seed(5, { campaign_id: 'other' })
      await stopStatistics(store)
      const reach = await loadReachRules(store.db)
      const ids = new Set<string>()
      const read = await rowsRead(store, async () => {
        const jobs = await releaseDue(store, { perQueue: 20_000, batch, reach })
        for (const id of jobs.flatMap(({ intents }) => intents)) ids.add(id)
      })
      expect(ids).toEqual(new Set(others.map(({ intentId }) => intentId)))
      expect(read.intent, JSON.stringify(read)).toBeLessThan(batch * 50)
    })

    it('is put off to the last one', async () => {
      const { jobs, asked } = await release(store, 1_000)
      expect([jobs, asked]).toEqual([[], []])
      expect(await states()).toEqual({ queued: 3, waits: many + 1 })
    })
  })

  it('gives the places of a rehearsal to what was planned for the earliest, however few go at once', async () => {
    await apply(daily)
    const plannedFor = (seconds: number) => ({ planned_for: later(monday, seconds) })
    // What was put off is due later than what was planned after it.
    const late = await seed(3, { ...plannedFor(-900), due_at: monday })
    await seed(3, { ...plannedFor(-300), due_at: later(monday, -300) })
    const { ids } = await release(store, 1)
    expect(ids.toSorted()).toEqual(late.map(({ intentId }) => intentId).toSorted())
  })

  it('puts nothing off in a period that begins while it looks', async () => {
    await apply(daily)
    await seed(2)
    const rules = await loadReachRules(store.db)
    const { released } = await store.db.transaction().execute(async (tx) => {
      // Whoever releases waits for this row of the period of now.
      await sql`insert into reach (campaign_id, begins, ends)
        select campaign_id, begins, ends from (${reachNow(rules)}) as band`.execute(tx)
      const released = releaseDue(store, { perQueue: 20_000, batch: 100, reach: rules })
      await untilSomebodyWaits(store)
      await stepBusinessTime(store.db, tomorrow)
      return { released }
    })
    expect(await released).toEqual([])
    expect(await states()).toEqual({ planned: 2 })
    expect((await release()).ids).toHaveLength(2)
  })

  it('counts a message once, however often it comes back', async () => {
    await apply(daily)
    await seed(2)
    const first = await release()
    for (const { jobId, intents } of first.jobs) await unqueue(store, jobId, intents)
    expect(await standing()).toMatchObject({ taken: 2 })
    await release()
    expect(await standing()).toMatchObject({ taken: 2 })
  })

  it('holds nothing that is over: it expires with its reason (P4)', async () => {
    await apply(daily)
    const expires_at = later(monday, 60)
    await seed(4, { expires_at })
    const { ids } = await release()
    await stepBusinessTime(store.db, expires_at)
    const late = await release()
    expect([ids.length, late.ids.length]).toEqual([3, 1])
    await claimItems(store, itemsOf(late.jobs), {
      rehearsalVerified: true,
      revision: (await loadReachRules(store.db)).revision ?? 0,
    })
    expect(await intentOf(store, late.ids[0] ?? '')).toMatchObject({
      state: 'expired',
      detail: { waitedFor: 'reach_used' },
    })
    expect(await standing()).toMatchObject({ taken: 3 })
  })

  it('goes on by a person’s word, as far as that says, and the words are kept', async () => {
    await apply(daily)
    await seed(7)
    await release()
    const words = { reason: 'a busy day', source: 'cli:noor' }
    expect(await allowReach(store, 'seeded', 2, words)).toEqual({ released: 2, ends: tomorrow })
    expect((await release()).ids).toHaveLength(2)
    expect(await standing()).toMatchObject({ taken: 5, most: 5, allowed: 2, waiting: 2 })
    expect(await listAllowances(store.db, 5)).toMatchObject([
      { campaignId: 'seeded', more: 2, ...words, at: monday },
    ])
    // Beyond that word it asks again.
    await seed(1)
    expect((await release()).asked).toMatchObject([{ campaignId: 'seeded' }])
    await expect(allowReach(store, 'other', 2, words)).rejects.toMatchObject({
      code: 'WEGWIJS_REACH_UNKNOWN',
    })
  })

  it('goes on when a definition lets it reach further, and no sooner', async () => {
    await apply(daily)
    await seed(5)
    await release()
    await sql`update intent set touched_at = now() - interval '1 hour'`.execute(store.db)
    const before = await loadReachRules(store.db)
    await apply({ most: 4, per: 'P1D' })
    await recallPutOff(store, 100)
    // A scheduler that has not heard of it yet releases nothing by the old band.
    expect(await releaseDue(store, { perQueue: 100, batch: 100, reach: before })).toEqual([])
    expect((await release()).ids).toHaveLength(1)
    expect(await states()).toEqual({ queued: 4, waits: 1 })
  })

  it('is odd when fewer go out than were expected, once the period is over', async () => {
    await apply({ expected: [2, 3], per: 'P1D' })
    await seed(1)
    await release()
    expect(await standing()).toMatchObject({ below: false })
    await stepBusinessTime(store.db, tomorrow)
    await sql`update campaign_version set published_at = ${later(monday, -86_400)}`.execute(
      store.db,
    )
    expect(await standing()).toMatchObject({ below: true, before: 1, least: 2, taken: 0 })
  })
})

describe('the count is exact (P5)', () => {
  it('with several schedulers at once', async () => {
    await apply({ most: 50, per: 'P1D' })
    await seed(120)
    const others = Array.from({ length: 3 }, () =>
      openStore({
        databaseUrl: inject('servers').databaseUrl,
        namespace: store.namespace,
        applicationName: store.namespace,
      }),
    )
    const released = await Promise.all([store, ...others].map((each) => release(each, 7)))
    for (const other of others) await other.close()
    // Who found a row locked by another one looks again.
    released.push(await release())
    expect(released.flatMap(({ ids }) => ids)).toHaveLength(50)
    expect(new Set(released.flatMap(({ ids }) => ids)).size).toBe(50)
    expect(released.flatMap(({ asked }) => asked)).toHaveLength(1)
    expect(await states()).toEqual({ queued: 50, waits: 70 })
    expect(await standing()).toMatchObject({ taken: 50, waiting: 70 })
  })

  it('when a scheduler is killed before any of its statements, or just after it has committed', async () => {
    await apply(daily)
    for (let at = 1; at <= 8; at += 1) {
      for (const dying of [crashBefore(store, at), loseAnswer(store, at)]) {
        await sql`truncate person, enrolment, intent, reach`.execute(store.db)
        await seed(5)
        await release(dying).catch(() => undefined)
        const { rows } = await sql<{ taken: number; reached: number; queued: number }>`
          select coalesce((select taken from reach), 0) as taken,
            count(*) filter (where reached)::integer as reached,
            count(*) filter (where state = 'queued')::integer as queued
          from intent`.execute(store.db)
        expect(rows[0]?.reached).toBe(rows[0]?.taken)
        expect(rows[0]?.queued).toBe(rows[0]?.taken)
        await release()
        expect(await states()).toEqual({ queued: 3, waits: 2 })
      }
    }
  })
})

const per = fc.oneof(
  fc.constantFrom('P1D', 'P7D', 'P1W', 'P3D', 'PT6H', 'PT1H30M', 'P2W'),
  fc.integer({ min: 1, max: 60 }).map((days) => `P${days}D`),
)

it('a period begins and ends in PostgreSQL when it does in the core', async () => {
  await fc.assert(
    fc.asyncProperty(
      per,
      fc.date({ min: new Date('1960-01-01'), max: new Date('2060-01-01'), noInvalidDate: true }),
      fc.constantFrom('Europe/Amsterdam', 'America/New_York', 'Asia/Kolkata', 'Africa/Cairo'),
      async (length, moment, timeZone) => {
        const now = moment.toISOString()
        const { days, seconds } = periodLength({ per: length })
        const { rows } = await sql`
          select * from reach_period(${now}::timestamptz, ${days}::integer, ${seconds}::float8, ${timeZone})`.execute(
          store.db,
        )
        expect(rows).toEqual([reachPeriod(now, { per: length }, timeZone)])
      },
    ),
    { numRuns: 150 },
  )
})
