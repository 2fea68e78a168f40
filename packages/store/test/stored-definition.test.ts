import { openNamespace } from '@wegwijs/test-support/namespace'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import type { Store } from '../src/database.ts'
import { definitionsAt } from '../src/definition-history.ts'
import { applyDefinition, latestBundle, loadDefinition } from '../src/definitions.ts'

/** What was applied by an older Wegwijs, or by a newer one. */
let store: Store
beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'stored_definition')
  const files = [campaign({ id: 'first', steps: [message('hello')] }), campaign({ id: 'second' })]
  await applyDefinition(store, smallHospital(files), 'test')
})
afterAll(() => store.close())

const stores = (change: ReturnType<typeof sql>) =>
  sql`update campaign_version set content = ${change} where campaign_id = 'first'`.execute(store.db)

it('is read as this version knows it, where it lacks keys that came later', async () => {
  await stores(sql`(content - 'exit') #- '{trigger,maxAge}'`)
  const loaded = await loadDefinition(store)
  expect(loaded?.campaigns.get('first@1')?.file).toMatchObject({
    exit: [],
    trigger: { maxAge: 'P1D' },
  })
})

it('is refused by the name of its campaign, where it is of another form', async () => {
  await stores(sql`jsonb_set(content, '{steps,0}', '{"whisper": {}}')`)
  const unreadable = {
    code: 'WEGWIJS_STORED_DEFINITION_UNREADABLE',
    message: expect.stringContaining('version 1 of campaign first is stored in a form'),
  }
  await expect(loadDefinition(store)).rejects.toMatchObject(unreadable)
  await expect(definitionsAt(store.db, [new Date().toISOString()])).rejects.toMatchObject(
    unreadable,
  )
  await sql`update definition set bundle = jsonb_set(bundle, '{campaigns,1,class}', '"gossip"')`.execute(
    store.db,
  )
  await expect(latestBundle(store.db)).rejects.toMatchObject({
    message: expect.stringMatching(/^revision 1, campaign second is stored .* campaigns\.1\.class/),
  })
})
