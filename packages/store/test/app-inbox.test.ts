import { claimedAppMessage } from '@wegwijs/test-support/claimed-app-message'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { sql } from 'kysely'
import {
  afterAll,
  beforeAll,
  beforeEach,
  describe,
  expect,
  inject,
  it,
  onTestFinished,
  vi,
} from 'vitest'
import { createAppInbox, listAppMessages } from '../src/app-inbox.ts'
import { openStore, type Store } from '../src/database.ts'
import { findOrCreatePeople } from '../src/identities.ts'
import { rekeyPerson } from '../src/merges.ts'
import { inTransaction } from '../src/transaction.ts'
import { untilSomebodyWaits } from './delivery-steps.ts'

const untroubled = new AbortController().signal

let store: Store
let personId: string

beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'app_inbox')
  const [id] = await inTransaction(store.db, (tx) =>
    findOrCreatePeople(tx, [{ idSpace: 'ehr', externalId: 'p1' }]),
  )
  personId = id ?? ''
})
beforeEach(async () => {
  await sql`truncate app_message`.execute(store.db)
})
afterAll(() => store.close())

const message = () => claimedAppMessage(store, personId)

const written = async () =>
  (await store.db.selectFrom('app_message').select('intent_id').execute()).map(
    (row) => row.intent_id,
  )

/** Lets a message wait for a lock, and does this to the session that puts it. */
async function putUnder(
  interrupt: 'pg_cancel_backend' | 'pg_terminate_backend',
): Promise<PromiseSettledResult<unknown>> {
  return inTransaction(store.db, async (tx) => {
    const one = await message()
    await sql`lock table app_message in exclusive mode`.execute(tx)
    const putting = Promise.allSettled([createAppInbox(store.db).put(one, untroubled)])
    await vi.waitFor(async () => {
      const { rows } = await sql`select ${sql.raw(interrupt)}(pid) from pg_stat_activity
        where application_name = ${store.namespace} and wait_event_type = 'Lock'`.execute(store.db)
      expect(rows).toHaveLength(1)
    }, 15_000)
    const [put] = await putting
    return put
  })
}

describe('the app inbox', () => {
  it('does not put what was given up before its turn came (P3)', async () => {
    const inbox = createAppInbox(store.db)
    const [first, second] = [await message(), await message()]
    const over = new AbortController()
    const puts = await inTransaction(store.db, async (tx) => {
      await sql`lock table app_message in exclusive mode`.execute(tx)
      const before = inbox.put(first, untroubled)
      await vi.waitFor(async () => {
        const { rows } = await sql`select from pg_stat_activity
          where application_name = ${store.namespace} and wait_event_type = 'Lock'`.execute(
          store.db,
        )
        expect(rows).toHaveLength(1)
      }, 15_000)
      const behind = inbox.put(second, over.signal)
      over.abort()
      return [before, behind]
    })
    expect(await Promise.all(puts)).toEqual(['put', 'unavailable'])
    expect(await written()).toEqual([first.intentId])
  })

  it.each([
    ['has lost its lease', { lease_until: '2026-01-01T00:00:00.000Z' }],
    ['was claimed anew', { fence: 2 }],
    ['was held', { state: 'held', lease_until: null }],
  ] as const)('does not put what %s while it waited (P2, P3)', async (_, meanwhile) => {
    const inbox = createAppInbox(store.db)
    const [late, other] = [await message(), await message()]
    const puts = await inTransaction(store.db, async (tx) => {
      await sql`lock table app_message in exclusive mode`.execute(tx)
      const put = [inbox.put(late, untroubled)]
      await untilSomebodyWaits(store)
      await tx.updateTable('intent').set(meanwhile).where('intent_id', '=', late.intentId).execute()
      return [...put, inbox.put(other, untroubled)]
    })
    expect(await Promise.all(puts)).toEqual(['unavailable', 'put'])
    expect(await written()).toEqual([other.intentId])
  })

  it('has a message once, however often it is put (P2)', async () => {
    const inbox = createAppInbox(store.db)
    const one = await message()
    expect([await inbox.put(one, untroubled), await inbox.put(one, untroubled)]).toEqual([
      'put',
      'put',
    ])
    expect(await written()).toEqual([one.intentId])
  })

  it('has a message once, also when its person became another record while it was put (P2)', async () => {
    const inbox = createAppInbox(store.db)
    const [into] = await inTransaction(store.db, (tx) =>
      findOrCreatePeople(tx, [{ idSpace: 'ehr', externalId: 'p2' }]),
    )
    await inTransaction(store.db, (tx) =>
      rekeyPerson(tx, store.namespace, { from: personId, into: into ?? '' }),
    )
    onTestFinished(async () => {
      await sql`update person set merged_into = null`.execute(store.db)
    })
    // Claimed for the record of before, and its answer was lost; then claimed anew.
    const one = await message()
    await inbox.put(one, untroubled)
    expect(await inbox.put({ ...one, personId: into ?? '' }, untroubled)).toBe('put')
    const identity = { idSpace: 'ehr', externalId: 'p2' }
    expect(await listAppMessages(store.db, identity, { limit: 10 })).toHaveLength(1)
  })

  it('says so when PostgreSQL has refused to write', async () => {
    expect(await putUnder('pg_cancel_backend')).toMatchObject({ value: 'unavailable' })
    expect(await written()).toEqual([])
  })

  it('says so when PostgreSQL is not there', async () => {
    const nobody = new URL(inject('servers').databaseUrl)
    nobody.port = '1'
    const { namespace } = store
    const away = openStore({ databaseUrl: nobody.href, namespace, applicationName: namespace })
    expect(await createAppInbox(away.db).put(await message(), untroubled)).toBe('unavailable')
    await away.close()
  })

  it('does not know when its session ends before the answer (P2)', async () => {
    expect(await putUnder('pg_terminate_backend')).toMatchObject({
      reason: { code: 'WEGWIJS_DATABASE_UNAVAILABLE' },
    })
  })
})
