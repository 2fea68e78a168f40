import { createMemoryQueue } from '@wegwijs/queue/memory'
import { manualClock } from '@wegwijs/runtime/clock'
import { createLogger } from '@wegwijs/runtime/log'
import { createMetrics } from '@wegwijs/runtime/metrics'
import { stepBusinessTime } from '@wegwijs/store/business-clock'
import type { Store } from '@wegwijs/store/database'
import { applyDefinition } from '@wegwijs/store/definitions'
import { readReach } from '@wegwijs/store/reach'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { later, seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { lanes } from '@wegwijs/wire/delivery-job'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { createReleasePass } from '../src/release-pass.ts'

const now = '2026-03-02T09:00:00.000Z'
const bundle = smallHospital([
  campaign({ id: 'seeded', reach: { most: 3, per: 'P1D' } }),
  campaign({ id: 'other' }),
])

let store: Store
beforeEach(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'release_pass')
  await stepBusinessTime(store.db, now)
  await applyDefinition(store, bundle, 'test')
})
afterEach(() => store.close())

/** A scheduler that began just now; `pass` goes on until nothing is left to do, and returns what is queued by then. */
function begin() {
  const clock = manualClock()
  const told: { level: string; message: string; error?: { message: string } }[] = []
  const metrics = createMetrics('scheduler').component('release')
  const log = createLogger('test', 'warn', { write: (line) => void told.push(JSON.parse(line)) })
  const once = createReleasePass(
    { store, queue: createMemoryQueue().queue, clock, metrics, log },
    { perQueue: 20_000, batch: 2, lanes },
  )
  const pass = async (): Promise<number> => {
    while (await once());
    const queued = await store.db
      .selectFrom('intent')
      .select('intent_id')
      .where('state', '=', 'queued')
      .execute()
    return queued.length
  }
  const faults = () =>
    told.filter(({ message }) => message.startsWith('how far a campaign reaches'))
  const asked = () => told.filter(({ message }) => message.startsWith('a campaign has reached'))
  return { clock, pass, faults, asked }
}

const seed = (count: number) =>
  seedMessages(store, count, { intent: { expires_at: later(now, 30 * 86_400) } })

/** What the live version of the campaign says of its band, as it is stored. */
async function bandPer(per: string) {
  const content = JSON.stringify({ ...bundle.campaigns[0], reach: { most: 3, per } })
  await store.db
    .updateTable('campaign_version')
    .set({ content })
    .where('campaign_id', '=', 'seeded')
    .execute()
}

const applied = async () => void (await applyDefinition(store, bundle, 'test'))

test.each<[string, () => Promise<void>, number]>([
  ['soon after its row is mended', () => bandPer('P1D'), 5_000],
  ['as soon as the same definition is applied', applied, 0],
])(
  'what was put off by a band that nobody could read goes out %s (P5)',
  async (_, mend, afterMs) => {
    await bandPer('daily')
    const { clock, pass, faults, asked } = begin()
    await seed(5)
    expect(await pass()).toBe(0)
    await clock.advance(60_000)
    expect(await pass()).toBe(0)
    await mend()
    if (afterMs > 0) expect(await pass()).toBe(0)
    await clock.advance(afterMs)
    expect(await pass()).toBe(3)
    expect(await readReach(store.db)).toMatchObject([
      { taken: 3, most: 3, waiting: 2, askedAt: now },
    ])
    // Once of each: that it cannot be read, that it held back everything, and that it is used up.
    expect(faults()).toHaveLength(1)
    expect(asked()).toHaveLength(2)
  },
)

test('of what cannot be read still only what is new is told', async () => {
  const { clock, pass, faults } = begin()
  const after = async (damage: () => Promise<unknown>) => {
    await damage()
    await clock.advance(5_000)
    await pass()
    return faults().map(({ error }) => error?.message.split(' of ')[0])
  }
  expect(await after(() => bandPer('daily'))).toEqual(['reach'])
  expect(await after(async () => undefined)).toEqual(['reach'])
  const { timeZone: _, ...policies } = bundle.policies
  const stored = JSON.stringify({ ...bundle, policies })
  const lose = () => store.db.updateTable('definition').set({ bundle: stored }).execute()
  expect(await after(lose)).toEqual(['reach', 'policies.timeZone'])
})

test('what was put off by a band that nobody could read goes out when a scheduler begins that can', async () => {
  await bandPer('daily')
  await seed(2)
  expect(await begin().pass()).toBe(0)
  await bandPer('P1D')
  expect(await begin().pass()).toBe(2)
})

test('a band that can be read is read once', async () => {
  const { clock, pass } = begin()
  await seed(1)
  expect(await pass()).toBe(1)
  await bandPer('daily')
  await clock.advance(60_000)
  await seed(1)
  expect(await pass()).toBe(2)
})
