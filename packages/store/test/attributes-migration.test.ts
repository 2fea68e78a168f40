import { emptyNamespace, openNamespace } from '@wegwijs/test-support/namespace'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import type { Store } from '../src/database.ts'
import { applyDefinition, latestBundle } from '../src/definitions.ts'
import { up } from '../src/migrations/0010-attributes.ts'

let store: Store
beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'attributes')
})
afterAll(() => store.close())
beforeEach(() => emptyNamespace(store))

test('a definition that had the fields of people among its policies is read as before', async () => {
  const bundle = smallHospital([campaign({ id: 'home' })])
  await applyDefinition(store, bundle, 'test')
  await sql`update definition set bundle = jsonb_set(bundle - 'attributes', '{policies,person}',
    bundle #> '{attributes,person}')`.execute(store.db)
  await expect(latestBundle(store.db)).rejects.toThrow()
  await up(store.db as never)
  expect((await latestBundle(store.db))?.bundle).toEqual(bundle)
  await up(store.db as never)
  expect((await latestBundle(store.db))?.bundle).toEqual(bundle)
})
