import { newUuid } from '@wegwijs/runtime/derived-id'
import { openStore, type Store } from '@wegwijs/store/database'
import { applyDefinition } from '@wegwijs/store/definitions'
import { type ClaimResult, claim } from '@wegwijs/store/last-check'
import { releaseDue } from '@wegwijs/store/release'
import { abandonClaim, settle } from '@wegwijs/store/settle'
import { isTransient, query } from '@wegwijs/store/transaction'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { type FaultProxy, startProxy } from './src/proxy.ts'

/** PostgreSQL over a link that can go silent, and the same one over a link that is always good. */
let ground: Store
let proxy: FaultProxy
let store: Store

const unavailable = { code: 'WEGWIJS_DATABASE_UNAVAILABLE', retryable: true }

beforeEach(async () => {
  const { databaseUrl } = inject('servers')
  ground = await openNamespace(databaseUrl, 'silent')
  await applyDefinition(ground, smallHospital([campaign({ id: 'seeded' })]), 'test')
  const url = new URL(databaseUrl)
  proxy = await startProxy({ target: { host: url.hostname, port: Number(url.port || 5432) } })
  url.host = proxy.address
  store = openStore({
    databaseUrl: url.href,
    namespace: ground.namespace,
    applicationName: 'behind a link',
    steadyPlans: true,
    maxConnections: 2,
    silenceMs: 2_000,
  })
})

afterEach(async () => {
  await store.close()
  await proxy.close()
  await ground.close()
})

function ask(): Promise<unknown> {
  return query(() => sql`select 1`.execute(store.db))
}

/** Resolves when the commit of what is done next was sent, and does not go on. */
function holdCommit() {
  return proxy.holdWhen((direction, bytes) => direction === 'toServer' && bytes.includes('commit'))
}

describe('a link on which PostgreSQL says nothing any more', () => {
  test('is given up, and asked anew as soon as it is whole', async () => {
    await ask()
    proxy.halfOpen()
    await expect(ask()).rejects.toMatchObject(unavailable)
    proxy.pass()
    await ask()
  })

  test('gives every connection back: as many wait as there are, and none for ever', async () => {
    await Promise.all([ask(), ask()])
    proxy.halfOpen()
    const asked = await Promise.allSettled([ask(), ask(), ask(), ask()])
    expect(asked.map(({ status }) => status)).toEqual(Array(4).fill('rejected'))
    proxy.pass()
    await Promise.all([ask(), ask(), ask(), ask()])
  })

  test('and a slow answer that comes is not silence', async () => {
    await ask()
    proxy.slow(400)
    await ask()
  })

  test('leaves a session that somebody keeps and asks nothing, for a lock that it holds', async () => {
    const backend = sql<{ pid: number }>`select pg_backend_pid() as pid`
    await store.db.connection().execute(async (session) => {
      const { rows: before } = await backend.execute(session)
      // Another one asks, later, and is given up: by then the first has been silent for longer.
      void proxy.holdWhen((_, bytes) => bytes.includes('select 42'))
      const asked = query(() => sql`select 42`.execute(store.db))
      await expect(asked).rejects.toMatchObject(unavailable)
      expect((await backend.execute(session)).rows).toEqual(before)
    })
  })

  test('is noticed by who begins to listen for wake-ups', async () => {
    const held = proxy.holdWhen((_, bytes) => bytes.includes('listen '))
    const failed = await store
      .listen(
        'wake',
        () => {},
        () => {},
      )
      .catch((error) => error)
    expect(isTransient(failed)).toBe(true)
    expect((await held).direction).toBe('toServer')
  })
})

describe('a commit that gets no answer', () => {
  /** A message that is being sent, claimed over the good link. */
  async function claimed(): Promise<{ intentId: string; fence: number }> {
    await seedMessages(ground, 1)
    const { claimed } = await claimOver(ground, newUuid())
    const [message] = claimed
    if (!message) throw new Error('not claimed')
    return message
  }

  async function claimOver(over: Store, claimId: string): Promise<ClaimResult> {
    const [job] = await releaseDue(ground, { perQueue: 10, batch: 10 })
    if (!job) throw new Error('nothing is due')
    return claim(over, {
      items: job.intents.map((intentId) => ({ intentId, jobId: job.jobId })),
      claimId,
      channel: 'email',
      provider: 'smtp',
      idempotent: false,
      leaseMs: 60_000,
      revision: 1,
      classesNeedingConsent: [],
      quietHours: [],
      timeZone: 'UTC',
      budgets: [],
      ages: [],
      rehearsalVerified: false,
    })
  }

  const stateOf = async (intentId: string) =>
    (
      await ground.db
        .selectFrom('intent')
        .select('state')
        .where('intent_id', '=', intentId)
        .executeTakeFirstOrThrow()
    ).state

  test('and has happened changes nothing when it is done again (P2)', async () => {
    const { intentId, fence } = await claimed()
    const outcome = { kind: 'accepted', reference: 'r' } as const
    const held = holdCommit()
    const first = settle(store, [{ intentId, fence, outcome }])
    const commit = await held
    proxy.dropReplies()
    commit.release()
    await expect(first).rejects.toMatchObject(unavailable)
    proxy.pass()
    expect(await stateOf(intentId)).toBe('sent')
    expect(await settle(store, [{ intentId, fence, outcome }])).toEqual([{ kind: 'repeated' }])
  })

  test('and never arrived is done the second time, and not a third by the first (P2)', async () => {
    const { intentId, fence } = await claimed()
    const outcome = { kind: 'accepted', reference: 'r' } as const
    const held = holdCommit()
    await expect(settle(store, [{ intentId, fence, outcome }])).rejects.toMatchObject(unavailable)
    expect(String((await held).bytes)).toContain('commit')
    expect(await stateOf(intentId)).toBe('sending')
    const again = await settle(store, [{ intentId, fence, outcome }])
    expect(again).toEqual([{ kind: 'settled', state: 'sent' }])
  })

  test('of a claim takes nothing with it that is not given back (P1, P2)', async () => {
    const [seeded] = await seedMessages(ground, 1)
    const intentId = seeded?.intentId ?? ''
    const claimId = newUuid()
    const held = holdCommit()
    const first = claimOver(store, claimId)
    const commit = await held
    proxy.dropReplies()
    commit.release()
    await expect(first).rejects.toMatchObject(unavailable)
    proxy.pass()
    expect(await stateOf(intentId)).toBe('sending')
    expect(await abandonClaim(store, claimId, [intentId])).toBe(1)
    expect(await stateOf(intentId)).toBe('planned')
  })
})
