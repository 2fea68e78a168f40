import { systemClock } from '@wegwijs/runtime/clock'
import { emptyNamespace, openNamespace } from '@wegwijs/test-support/namespace'
import { later, seedMessages } from '@wegwijs/test-support/seed-messages'
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import type { Store } from '../src/database.ts'
import { readStanding } from '../src/standing.ts'

let store: Store
beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'standing')
})
beforeEach(() => emptyNamespace(store))
afterAll(() => store.close())

const leaseOf = (seconds: number) => later(systemClock.instant(), seconds)

test('where nothing is, nothing waits', async () => {
  expect(await readStanding(store.db)).toEqual({
    rehearsalInstant: null,
    positions: {},
    nextTimer: null,
    nextMessage: null,
    queued: false,
    sending: false,
    unpublished: false,
    published: '1',
    rollingOut: false,
  })
})

test('the next message that is due is the earliest planned message of any lane and channel', async () => {
  const due = '2026-03-02T08:00:00.000Z'
  await seedMessages(store, 2, { intent: { due_at: '2026-03-02T09:00:00.000Z' } })
  await seedMessages(store, 1, { intent: { due_at: due, lane: 'bulk', channels: ['app'] } })
  await seedMessages(store, 1, { intent: { due_at: '2026-03-01T08:00:00.000Z', state: 'sent' } })
  expect((await readStanding(store.db)).nextMessage).toBe(due)
})

test('what is queued or sending is told', async () => {
  await seedMessages(store, 1, { intent: { state: 'queued', job_id: 'job-1' } })
  await seedMessages(store, 1, { intent: { state: 'sending', lease_until: leaseOf(-5) } })
  expect(await readStanding(store.db)).toMatchObject({ queued: true, sending: true })
})

// The attempt is written at the business time of its settlement: a conductor that stepped on would
// move it to another day.
test('a message that a receipt has overtaken is sending until its claim is settled', async () => {
  await seedMessages(store, 1, { intent: { state: 'delivered', lease_until: leaseOf(60) } })
  expect((await readStanding(store.db)).sending).toBe(true)
  await emptyNamespace(store)
  await seedMessages(store, 1, { intent: { state: 'delivered', lease_until: leaseOf(-1) } })
  await seedMessages(store, 1, { intent: { state: 'delivered', lease_until: null } })
  expect((await readStanding(store.db)).sending).toBe(false)
})
