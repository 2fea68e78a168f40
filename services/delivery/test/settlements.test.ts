import { systemClock } from '@wegwijs/runtime/clock'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { createReadiness } from '@wegwijs/runtime/health'
import { silentLogger } from '@wegwijs/runtime/log'
import { createMetrics } from '@wegwijs/runtime/metrics'
import { openStore, type Store } from '@wegwijs/store/database'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { seedMessages } from '@wegwijs/test-support/seed-messages'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { createSettlements } from '../src/settlements.ts'
import { createTemplateShelf } from '../src/template-shelf.ts'
import { intentOf } from './delivery-harness.ts'

let store: Store

beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'settlements')
})

afterAll(() => store.close())

const deps = {
  clock: systemClock,
  log: silentLogger,
  readiness: createReadiness(),
  signal: new AbortController().signal,
  secret: 'a secret of the tests, long enough to be one',
  gather: { outcomesMs: 1, wakesMs: 1 },
  metrics: createMetrics('test').component('settle'),
}

it('one outcome that cannot be written down does not keep the others from it', async () => {
  const claimed = { state: 'sending', fence: 1, attempts: 1, provider: 'smtp' }
  const seeded = await seedMessages(store, 5, { intent: claimed })
  const settlements = createSettlements(store, deps)
  const ids = seeded.map((each) => each.intentId)
  ids.splice(2, 0, 'not the id of anything')
  const settled = await Promise.all(
    ids.map((intentId) => settlements.add({ intentId, fence: 1, outcome: { kind: 'accepted' } })),
  )
  const sent = { kind: 'settled', state: 'sent' }
  expect(settled).toEqual([sent, sent, { kind: 'unwritten' }, sent, sent, sent])
  for (const { intentId } of seeded) {
    expect(await intentOf(store, intentId)).toMatchObject({ state: 'sent' })
  }
})

it('goes on while PostgreSQL is away, and gives up only when it is told to', async () => {
  const nowhere = openStore({
    databaseUrl: 'postgres://nobody@127.0.0.1:1/nothing',
    namespace: 'nothing',
    applicationName: 'test',
  })
  const giveUp = new AbortController()
  const settlements = createSettlements(nowhere, { ...deps, signal: giveUp.signal })
  const adding = settlements.add({ intentId: newUuid(), fence: 1, outcome: { kind: 'accepted' } })
  giveUp.abort()
  expect(await adding).toEqual({ kind: 'unwritten' })
  await nowhere.close()
})

it('templates are loaded once, all that are missing in one statement', async () => {
  await store.db
    .insertInto('template_version')
    .values(['a', 'b'].map((id) => ({ template_id: id, hash: '1', channels: '{}' })))
    .execute()
  const shelf = createTemplateShelf(store, silentLogger)
  const [a, b, none] = ['a', 'b', 'c'].map((templateId) => ({ templateId, hash: '1' }))
  if (!a || !b || !none) throw new Error('no references')
  const taken = await shelf.take([a, b, none, a])
  expect(taken).toEqual([
    { id: 'a', channels: {} },
    { id: 'b', channels: {} },
    null,
    { id: 'a', channels: {} },
  ])
  await store.db.deleteFrom('template_version').execute()
  expect(await shelf.take([b, a])).toEqual([taken[1], taken[0]])
})
