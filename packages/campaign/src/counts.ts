import type { Condition, Predicate } from './condition.ts'
import { daysIn, type Happened } from './happened.ts'
import { dayNumberOf, type Instant } from './instant.ts'
import { inKeyOrder, type JsonObject } from './json.ts'

/**
 * How often what happened to a person, by what is counted and by day: `{ "k3v9…": { "20515": 2 } }`. A
 * day is a number, 0 for 1970-01-01, on the calendar of the organisation: people who become one then
 * have the same days. Only what some condition asks for is counted, and for no longer than it looks back.
 */
export type PersonCounts = Readonly<Record<string, Readonly<Record<string, number>>>>

/** Something that conditions ask how often it happened. */
export type Count = {
  /** The same for everything that counts the same events by the same calendar. */
  key: string
  touchpoint: string
  where: Condition | null
  /** How many days before today are kept: as many as the condition that looks back furthest asks for. */
  days: number
}

/** A count that is ready to be kept. */
export type CompiledCount = Pick<Count, 'key' | 'days'> & { holds: Predicate | null }

/** What is counted, indexed so that an event meets only what it counts for (P8). */
export type CompiledCounts = {
  /** What the record counts, as one text; an event is counted by no other than that (see the store). */
  mark: string
  /** Why some of it cannot be read; nothing that can be asks for that. */
  unread: readonly Error[]
  keys: ReadonlySet<string>
  byTouchpoint: ReadonlyMap<string, readonly CompiledCount[]>
}

/** What these conditions ask for, each count once. */
export function countsOf(asked: readonly Happened[], timeZone: string): Count[] {
  const counts = new Map<string, Count>()
  for (const happened of asked) {
    const { key, days } = windowOf(happened, timeZone)
    const { touchpoint, where = null } = happened
    counts.set(key, { key, touchpoint, where, days: Math.max(days, counts.get(key)?.days ?? 0) })
  }
  return [...counts.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
}

/** Under which keys it is counted what these ask for. */
export function keysOf(asked: readonly Happened[], timeZone: string): string[] {
  return asked.map((happened) => windowOf(happened, timeZone).key)
}

/** Which count a condition asks, and how many days back. Worked out once for each condition. */
function windowOf(happened: Happened, timeZone: string): { key: string; days: number } {
  const known = windows.get(happened)
  if (known?.timeZone === timeZone) return known
  const { touchpoint, where, within } = happened
  // Days of another zone are other days: a zone that changes begins every count anew.
  const key = hashOf(JSON.stringify(inKeyOrder([timeZone, touchpoint, where ?? null])))
  const window = { timeZone, key, days: daysIn(within) ?? 0 }
  windows.set(happened, window)
  return window
}

const windows = new WeakMap<Happened, { timeZone: string; key: string; days: number }>()

/** FNV-1a of 64 bits: of a thousand counts two are taken for one in one of 10^13 organisations. */
function hashOf(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (const character of text) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(character.codePointAt(0) ?? 0)) * 0x100000001b3n)
  }
  return hash.toString(36)
}

export type CountedEvent = { time: Instant; data: JsonObject }

/**
 * What is counted once this event has been, too; the same object when it counts for nothing. What no
 * longer matters is forgotten on the way. `today` and the days are those of `timeZone`, the
 * organisation's.
 */
export function withEvent(
  counts: PersonCounts,
  event: CountedEvent,
  counting: readonly CompiledCount[],
  { now, timeZone }: { now: Instant; timeZone: string },
): PersonCounts {
  let after = counts
  for (const { key, days, holds } of counting) {
    const oldest = dayNumberOf(now, timeZone) - days
    const day = dayNumberOf(event.time, timeZone)
    if (day < oldest || !(holds?.(factsOfEvent(event, timeZone)) ?? true)) continue
    const kept = Object.entries(after[key] ?? {}).filter(([each]) => Number(each) >= oldest)
    const byDay = Object.fromEntries(kept)
    after = { ...after, [key]: { ...byDay, [day]: (byDay[day] ?? 0) + 1 } }
  }
  return after
}

/** Nothing but the data: what else is known of the person changes, and the past is not asked again. */
function factsOfEvent({ time, data }: CountedEvent, timeZone: string): Parameters<Predicate>[0] {
  const read = (field: string) => {
    const name = field.slice('event.'.length)
    return field.startsWith('event.') && Object.hasOwn(data, name) ? data[name] : undefined
  }
  return { read, now: time, timeZone, timesOf: () => 0 }
}

/** Without what is not counted any more; the same object when there is none. */
export function withoutForgotten(counts: PersonCounts, known: ReadonlySet<string>): PersonCounts {
  const kept = Object.entries(counts).filter(([key]) => known.has(key))
  return kept.length === Object.keys(counts).length ? counts : Object.fromEntries(kept)
}

/** How often it happened within the window that ends today. */
export function timesIn(
  counts: PersonCounts,
  happened: Happened,
  { now, timeZone }: { now: Instant; timeZone: string },
): number {
  const { key, days } = windowOf(happened, timeZone)
  const byDay = counts[key]
  if (!byDay) return 0
  const oldest = dayNumberOf(now, timeZone) - days
  let times = 0
  for (const [day, count] of Object.entries(byDay)) if (Number(day) >= oldest) times += count
  return times
}

/** The days, as numbers, from which on something that was counted is no longer within the window. */
export function daysThatLeave(
  counts: PersonCounts,
  happened: Happened,
  timeZone: string,
): number[] {
  const { key, days } = windowOf(happened, timeZone)
  return Object.keys(counts[key] ?? {}).map((day) => Number(day) + days + 1)
}

/** Of two people who are one: what happened to either happened to them. */
export function addCounts(one: PersonCounts, other: PersonCounts): PersonCounts {
  if (Object.keys(other).length === 0) return one
  const sum: Record<string, Record<string, number>> = {}
  for (const counts of [one, other]) {
    for (const [key, byDay] of Object.entries(counts)) {
      const own = { ...sum[key] }
      for (const [day, count] of Object.entries(byDay)) own[day] = (own[day] ?? 0) + count
      sum[key] = own
    }
  }
  return sum
}
