import { quietUntil } from '@wegwijs/campaign/quiet-hours'
import { windowOpens } from '@wegwijs/campaign/sending-window'
import { openNamespace } from '@wegwijs/test-support/namespace'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Store } from '../src/database.ts'

/**
 * When quiet hours end and when a window opens is said twice, by the core and by PostgreSQL: of every zone in the
 * nights in which its clocks change they say the same.
 */
let store: Store

beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'quiet_twin')
})

afterAll(() => store.close())

/** Moments at which clocks change: by an hour or half of one, back and forth, at midnight, and by a day. */
const changes: readonly (readonly [zone: string, at: string])[] = [
  ['Europe/Amsterdam', '2026-03-29T01:00:00Z'],
  ['Europe/Amsterdam', '2026-10-25T01:00:00Z'],
  ['Europe/Dublin', '2025-10-26T01:00:00Z'],
  ['Europe/Dublin', '2025-03-30T01:00:00Z'],
  ['America/New_York', '2025-11-02T06:00:00Z'],
  ['America/Havana', '2024-11-03T05:00:00Z'],
  ['America/Santiago', '2023-09-03T04:00:00Z'],
  ['Australia/Lord_Howe', '2025-04-05T15:00:00Z'],
  ['Australia/Lord_Howe', '2025-10-04T15:30:00Z'],
  ['Africa/Casablanca', '2024-03-10T02:00:00Z'],
  ['Asia/Beirut', '2022-10-29T21:00:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00:00Z'],
]

const hour = 3_600_000
const timeOfDay = fc
  .nat(24 * 12 - 1)
  .map((five) => new Date(five * 5 * 60_000).toISOString().slice(11, 16))
/** To the minute as often as to the millisecond: what ends, ends at a whole one. */
const beside = fc.oneof(
  fc.integer({ min: -30 * 12, max: 30 * 12 }).map((five) => five * 5 * 60_000),
  fc.integer({ min: -30 * hour, max: 30 * hour }),
)
const nightOf = fc.record({ change: fc.constantFrom(...changes), beside }).map((night) => ({
  zone: night.change[0],
  at: new Date(Date.parse(night.change[1]) + night.beside).toISOString(),
}))

const quietNights = fc.record({ night: nightOf, from: timeOfDay, until: timeOfDay })
const windowNights = fc.record({
  night: nightOf,
  window: fc.record({
    days: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
    closed: fc.constant([]),
    opens: timeOfDay,
    closes: fc.option(timeOfDay),
    before: fc.constant(null),
  }),
})
const many = { minLength: 100, maxLength: 200 }

async function askedOf(
  calls: readonly { args: object }[],
  call: string,
): Promise<(string | null)[]> {
  const { rows } = await sql<{ at: string | null }>`
    select ${sql.raw(call)} as at
    from jsonb_array_elements(${JSON.stringify(calls.map(({ args }) => args))}::jsonb)
      with ordinality as c (args, place) order by place`.execute(store.db)
  return rows.map(({ at }) => at)
}

test('quiet hours end in PostgreSQL when they do in the core', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(quietNights, many), async (nights) => {
      const cases = nights.filter(({ from, until }) => from !== until)
      const args = cases.map(({ night, from, until }) => ({ args: { ...night, from, until } }))
      const asked = await askedOf(
        args,
        `quiet_until((args ->> 'at')::timestamptz, (args ->> 'from')::time, (args ->> 'until')::time,
          args ->> 'zone', 'UTC')`,
      )
      const told = cases.map(({ night: { at, zone }, ...hours }) => quietUntil(at, hours, zone))
      expect(cases.map((each, index) => [each, asked[index]])).toEqual(
        cases.map((each, index) => [each, told[index]]),
      )
    }),
    { numRuns: 30 },
  )
})

test('a window opens in PostgreSQL when it does in the core', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(windowNights, many), async (cases) => {
      const args = cases.map(({ night, window }) => ({ args: { ...night, window } }))
      const asked = await askedOf(
        args,
        `sending_window_opens((args ->> 'at')::timestamptz, args -> 'window', args ->> 'zone', 'UTC')`,
      )
      const told = cases.map(({ night: { at, zone }, window }) => windowOpens(at, window, zone))
      expect(cases.map((each, index) => [each, asked[index]])).toEqual(
        cases.map((each, index) => [each, told[index]]),
      )
    }),
    { numRuns: 30 },
  )
})
