import { openNamespace } from '@wegwijs/test-support/namespace'
import { sql } from 'kysely'
import { expect, inject, onTestFinished, test } from 'vitest'
import { openStore } from '../src/database.ts'
import { inTransaction, isUndone, query } from '../src/transaction.ts'

/** A store on one connection, which leads to what only reads, as the primary of before does after a failover. */
async function onStandby() {
  const { databaseUrl } = inject('servers')
  const ground = await openNamespace(databaseUrl, 'standby')
  onTestFinished(() => ground.close())
  const { namespace } = ground
  const store = openStore({ databaseUrl, namespace, applicationName: 'standby', maxConnections: 1 })
  onTestFinished(() => store.close())
  await sql`create table note (id integer)`.execute(store.db)
  await sql`set session characteristics as transaction read only`.execute(store.db)
  return store
}
const insert = sql`insert into note values (1)`

test('what a standby refuses is as if PostgreSQL was away, and is asked of whoever answers next', async () => {
  const { db } = await onStandby()
  const refused = query(() => insert.execute(db))
  await expect(refused).rejects.toMatchObject({
    code: 'WEGWIJS_DATABASE_UNAVAILABLE',
    retryable: true,
  })
  expect(await refused.catch(isUndone)).toBe(true)
  expect((await insert.execute(db)).numAffectedRows).toBe(1n)
})

test('so is a transaction, which is rolled back first', async () => {
  const { db } = await onStandby()
  const write = () => inTransaction(db, (tx) => insert.execute(tx))
  await expect(write()).rejects.toMatchObject({
    code: 'WEGWIJS_DATABASE_UNAVAILABLE',
    retryable: true,
  })
  expect((await write()).numAffectedRows).toBe(1n)
})
