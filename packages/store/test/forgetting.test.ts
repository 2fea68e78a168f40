import { openNamespace } from '@wegwijs/test-support/namespace'
import { rowsRead, stopStatistics } from '@wegwijs/test-support/rows-read'
import { sql } from 'kysely'
import { expect, inject, onTestFinished, test } from 'vitest'
import { openStore } from '../src/database.ts'
import { forgetOldEvents } from '../src/inbox.ts'
import { forgetOldReplies } from '../src/replies.ts'

const filling = {
  inbox: sql`insert into inbox (person_id, source, event_id, subject, recorded_at)
    select gen_random_uuid(), 's', n::text, 'p', now() - make_interval(days => case when n % 4000 = 0 then 100 else 1 end)
    from generate_series(1, 20000) as n`,
  reply: sql`insert into reply (provider, reply_id, meant, recorded_at)
    select 's', n::text, '{"status": "kept", "events": []}', now() - make_interval(days => case when n % 4000 = 0 then 100 else 1 end)
    from generate_series(1, 20000) as n`,
}

test.each([
  ['inbox', forgetOldEvents],
  ['reply', forgetOldReplies],
] as const)('of the %s nothing is read that is not forgotten (P8)', async (table, forget) => {
  const { databaseUrl } = inject('servers')
  const ground = await openNamespace(databaseUrl, 'forgetting')
  onTestFinished(() => ground.close())
  const { namespace } = ground
  const one = openStore({ databaseUrl, namespace, applicationName: 'one', maxConnections: 1 })
  onTestFinished(() => one.close())
  await stopStatistics(one)
  await filling[table].execute(one.db)
  const read = await rowsRead(one, async () => expect(await forget(one.db, 1_000)).toBe(5))
  expect(read[table]).toBeLessThan(20)
})
