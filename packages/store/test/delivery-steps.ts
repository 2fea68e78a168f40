import { newUuid } from '@wegwijs/runtime/derived-id'
import { sql } from 'kysely'
import type { Querying, Store } from '../src/database.ts'
import { type ClaimItem, type ClaimRequest, type ClaimResult, claim } from '../src/last-check.ts'
import { type ReleasedJob, releaseDue } from '../src/release.ts'

/** Steps that the tests of delivery share: what scheduler and worker do, one at a time. */
export async function releaseAll(store: Store): Promise<ReleasedJob[]> {
  const released: ReleasedJob[] = []
  for (;;) {
    const jobs = await releaseDue(store, { perQueue: 20_000, batch: 1_000 })
    if (jobs.length === 0) return released
    released.push(...jobs)
  }
}

export function itemsOf(jobs: readonly ReleasedJob[]): ClaimItem[] {
  return jobs.flatMap(({ jobId, intents }) => intents.map((intentId) => ({ intentId, jobId })))
}

export async function claimItems(
  store: Store,
  items: readonly ClaimItem[],
  over: Partial<ClaimRequest> = {},
): Promise<ClaimResult> {
  return claim(store, {
    items,
    channel: 'email',
    provider: 'smtp',
    idempotent: false,
    claimId: newUuid(),
    leaseMs: 60_000,
    revision: 1,
    classesNeedingConsent: ['marketing', 'research'],
    quietHours: [],
    timeZone: 'Europe/Amsterdam',
    budgets: [],
    ages: [],
    rehearsalVerified: false,
    ...over,
  })
}

/** Releases what is due and claims it for e-mail. */
export async function claimDue(store: Store, over: Partial<ClaimRequest> = {}) {
  return claimItems(store, itemsOf(await releaseAll(store)), over)
}

export async function intentOf(store: { db: Querying }, intentId: string) {
  return store.db
    .selectFrom('intent')
    .selectAll()
    .where('intent_id', '=', intentId)
    .executeTakeFirstOrThrow()
}

export async function attemptsOf(store: { db: Querying }, intentId: string) {
  return store.db
    .selectFrom('attempt')
    .select(['fence', 'channel', 'provider', 'outcome', 'reason', 'duplicate'])
    .where('intent_id', '=', intentId)
    .orderBy('recorded_at')
    .orderBy('fence')
    .execute()
}

/** The outcomes that were told to others, in their order. */
export async function toldOf(store: { db: Querying }, intentId: string) {
  const rows = await store.db.selectFrom('outbox').select('value').orderBy('outbox_id').execute()
  return rows
    .map(({ value }) => JSON.parse(value?.toString('utf8') ?? '{}'))
    .filter((data) => data.intentId === intentId)
    .map((data) => [data.state, data.reason, data.channel])
}

/** Resolves when so many backends of this namespace wait for a lock. */
export async function untilSomebodyWaits(store: Store, atLeast = 1): Promise<void> {
  for (;;) {
    const { rows } = await sql`select from pg_stat_activity
      where application_name = ${store.namespace} and wait_event_type = 'Lock'`.execute(store.db)
    if (rows.length >= atLeast) return
  }
}
