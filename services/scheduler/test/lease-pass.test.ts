import { manualClock } from '@wegwijs/runtime/clock'
import { silentLogger } from '@wegwijs/runtime/log'
import { createMetrics } from '@wegwijs/runtime/metrics'
import { openStore } from '@wegwijs/store/database'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { seedMessages } from '@wegwijs/test-support/seed-messages'
import { expect, inject, onTestFinished, test } from 'vitest'
import { createLeasePass } from '../src/lease-pass.ts'

/** Shorter than PostgreSQL of the tests has been there. */
const graceMs = 1_000

test('workers come before the sweep when PostgreSQL was away and was not started anew', async () => {
  const { databaseUrl } = inject('servers')
  const store = await openNamespace(databaseUrl, 'lease_pass')
  onTestFinished(() => store.close())
  const nobody = new URL(databaseUrl)
  nobody.port = '1'
  const { namespace } = store
  const away = openStore({ databaseUrl: nobody.href, namespace, applicationName: namespace })
  onTestFinished(() => away.close())
  await seedMessages(store, 1, {
    intent: { state: 'sending', fence: 1, attempts: 1, lease_until: '2026-01-01T00:00:00Z' },
  })
  const statesAfter = async (pass: () => Promise<boolean>) => {
    await pass()
    const rows = await store.db.selectFrom('intent').select('state').execute()
    return rows.map(({ state }) => state)
  }
  let isThere = false
  const clock = manualClock()
  const pass = createLeasePass(
    {
      store: Object.defineProperty({ ...store }, 'db', {
        get: () => (isThere ? store.db : away.db),
      }),
      log: silentLogger,
      clock,
      metrics: createMetrics('scheduler').component('leases'),
    },
    graceMs,
  )
  await expect(pass()).rejects.toMatchObject({ code: 'WEGWIJS_DATABASE_UNAVAILABLE' })
  await clock.advance(graceMs)
  isThere = true
  expect(await statesAfter(pass)).toEqual(['sending'])
  await clock.advance(graceMs - 1)
  expect(await statesAfter(pass)).toEqual(['sending'])
  await clock.advance(1)
  expect(await statesAfter(pass)).toEqual(['held'])
})
