import { newUuid } from '@wegwijs/runtime/derived-id'
import { countStatements } from '@wegwijs/test-support/count-statements'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { businessNow } from '../src/business-clock.ts'
import { countsOf, versionsOf } from '../src/campaign-counts.ts'
import type { Store } from '../src/database.ts'
import { applyDefinition } from '../src/definitions.ts'
import { insertRows } from '../src/rows.ts'

const { databaseUrl } = inject('servers')
let store: Store
beforeAll(async () => {
  store = await openNamespace(databaseUrl, 'counts')
})
afterAll(() => store.close())

test('people are counted by step, arm, state of their message and where they wait, in one statement', async () => {
  const sent = await seedMessages(store, 3, {
    enrolment: { state: 'completed', step: null },
    intent: { step: '0', state: 'delivered' },
  })
  const waiting = await seedMessages(store, 2, {
    enrolment: { state: 'running', step: '1.0.0' },
    intent: { step: '0', state: 'skipped' },
  })
  await seedMessages(store, 4, { enrolment: { version: 2 }, intent: { version: 2 } })
  await seedMessages(store, 4, {
    enrolment: { campaign_id: 'other' },
    intent: { campaign_id: 'other' },
  })
  const now = await businessNow(store.db)
  const noted = (ids: (typeof sent)[number], detail: object, reason: string) => ({
    person_id: ids.personId,
    decision_id: newUuid(),
    ordinal: 0,
    business_at: now,
    campaign_id: 'seeded',
    version: 1,
    enrolment_id: ids.enrolmentId,
    reason,
    detail,
  })
  const rows = [
    ...sent.map((ids) => noted(ids, { step: '1', arm: null }, 'branch_taken')),
    ...waiting.map((ids) => noted(ids, { step: '1', arm: 0 }, 'branch_taken')),
    // Who was moved from an older version is told of by the name of a step, and has not done it.
    ...waiting.map((ids) => noted(ids, { from: 1, to: 2, step: '2' }, 'moved_to_version')),
    // Somebody whose appointment moves waits at the same step twice, and is one.
    ...[...waiting, ...waiting].map((ids) => noted(ids, { step: '1.0.0', until: now }, 'waiting')),
    ...sent.map((ids) => noted(ids, { step: '3', question: 'coming' }, 'not_answered')),
    // Who could not be asked any more goes the same way.
    ...sent.map((ids) => noted(ids, { step: '6', question: 'kept' }, 'moment_passed')),
    ...waiting.map((ids) => noted(ids, { step: '6', question: 'kept' }, 'recipient_by_age')),
    ...waiting.map((ids) => noted(ids, { step: '3', question: 'coming', arm: 0 }, 'answered')),
    ...sent.map((ids) => noted(ids, { step: '4', task: 'call' }, 'consent_missing')),
    ...waiting.map((ids) => noted(ids, { step: '4', task: 'call' }, 'task_not_done')),
    // Whose campaign ended while the task was open took no way of it.
    ...sent.map((ids) => noted(ids, { step: '5', task: 'call' }, 'goal_reached')),
  ]
  const columns = Object.keys(rows[0] ?? {}) as never[]
  await insertRows(store.db, 'decision', columns, rows as never)

  const counting = countStatements(store)
  expect(await countsOf(counting, 'seeded', [1])).toEqual([
    { kind: 'arm', step: '1', what: '0', people: 2 },
    { kind: 'arm', step: '3', what: '*', people: 3 },
    { kind: 'arm', step: '3', what: '0', people: 2 },
    { kind: 'arm', step: '4', what: '*', people: 5 },
    { kind: 'arm', step: '6', what: '*', people: 5 },
    { kind: 'came', step: '0', what: null, people: 5 },
    { kind: 'came', step: '1', what: null, people: 5 },
    { kind: 'came', step: '1.0.0', what: null, people: 2 },
    { kind: 'came', step: '3', what: null, people: 5 },
    { kind: 'came', step: '4', what: null, people: 5 },
    { kind: 'came', step: '5', what: null, people: 3 },
    { kind: 'came', step: '6', what: null, people: 5 },
    { kind: 'entered', step: null, what: 'completed', people: 3 },
    { kind: 'entered', step: null, what: 'running', people: 2 },
    { kind: 'message', step: '0', what: 'delivered', people: 3 },
    { kind: 'message', step: '0', what: 'skipped', people: 2 },
    { kind: 'waits', step: '1.0.0', what: null, people: 2 },
  ])
  expect(counting.statements()).toBe(1)
  expect(await versionsOf(store, 'seeded')).toEqual([])
})

test('of a version that cannot be read nobody knows the steps', async () => {
  await applyDefinition(store, smallHospital([campaign({ id: 'drawn' })]), 'test')
  expect(await versionsOf(store, 'drawn')).toMatchObject([{ version: 1, file: { id: 'drawn' } }])
  await store.db
    .updateTable('campaign_version')
    .set({ content: '{"steps": [{"whisper": {}}]}' })
    .execute()
  expect(await versionsOf(store, 'drawn')).toEqual([{ version: 1, file: null }])
})
