import { openNamespace } from '@wegwijs/test-support/namespace'
import { sql } from 'kysely'
import pg from 'pg'
import { expect, inject, onTestFinished, test } from 'vitest'
import { openStore } from '../src/database.ts'
import { readDurability } from '../src/durability.ts'

test('what may be lost after it was committed is told by the settings and the standbys', async () => {
  const { databaseUrl } = inject('servers')
  const ground = await openNamespace(databaseUrl, 'durability')
  onTestFinished(() => ground.close())
  const { namespace } = ground
  const one = openStore({ databaseUrl, namespace, applicationName: 'one', maxConnections: 1 })
  onTestFinished(() => one.close())
  for (const setting of ['off', 'local', 'remote_write']) {
    await sql`select set_config('synchronous_commit', ${setting}, false)`.execute(one.db)
    const { lax } = await readDurability(one.db)
    expect(lax).toContain(`synchronous_commit = ${setting}`)
  }
  await sql`set synchronous_commit = on`.execute(one.db)
  const { lax, standbys, synchronous } = await readDurability(one.db)
  expect(lax.some((each) => each.startsWith('synchronous_commit'))).toBe(false)
  expect(synchronous).toBe(false)
  // As a standby connects.
  const connection = { connectionString: databaseUrl, replication: 'true' }
  const standby = new pg.Client(connection)
  await standby.connect()
  onTestFinished(() => standby.end())
  expect((await readDurability(one.db)).standbys).toBe(standbys + 1)
})
