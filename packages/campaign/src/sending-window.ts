import { Temporal } from 'temporal-polyfill'
import type { QuietHours } from './definition/policies.ts'
import { addDuration, earlierOf, type Instant, instantOf } from './instant.ts'
import { atTime } from './local-time.ts'
import { type Moment, type MomentFacts, weekdays } from './moment.ts'
import { isQuiet, quietUntil } from './quiet-hours.ts'
import type { WorkingDays } from './working-days.ts'

/**
 * The days and hours at which one message may go out, as its `send` says: kept with the message, so that
 * whatever puts it off is held to them as its first moment was (P3). Local times are those of whoever gets
 * it, when it is asked.
 */
export type SendingWindow = {
  /** Days of the week; 1 is Monday. */
  readonly days: readonly number[]
  /** Days that are left out (YYYY-MM-DD), as far as it is worth having: holidays, closed days. */
  readonly closed: readonly string[]
  /** Local time at which it goes out on a later day (HH:MM). */
  readonly opens: string
  /** On any such day it goes out from `opens` until then; with null at any hour of it. */
  readonly closes: string | null
  /** What is told before this moment waits for no day that comes at or after it; null when it is told after. */
  readonly before: Instant | null
}

/**
 * When this window opens in which a moment does not lie, or null when it lies in it, or nothing is held
 * back. Twin of `sending_window_opens` in PostgreSQL, which the last check asks.
 */
export function windowOpens(
  instant: Instant,
  { days, closed, opens, closes, before }: SendingWindow,
  timeZone: string,
): Instant | null {
  const local = Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone)
  const time = local.toPlainTime().toString({ smallestUnit: 'minute' })
  const today = local.toPlainDate()
  const fits = (day: Temporal.PlainDate) =>
    days.includes(day.dayOfWeek) && !closed.includes(day.toString())
  if (fits(today) && (closes === null || (time >= opens && time < closes))) return null
  let day = fits(today) && time < opens ? today : today.add({ days: 1 })
  while (!fits(day)) day = day.add({ days: 1 })
  const next = instantOf(atTime(day, opens, timeZone))
  return before !== null && next >= before ? null : next
}

/**
 * The window beside these quiet hours: a day on which any hour will do, and whose own hour is quiet, opens
 * when they end. Else each of the two would put off to where the other holds it back, for ever.
 */
export function openedBeside(
  window: SendingWindow,
  quietHours: QuietHours | undefined,
): SendingWindow {
  if (!quietHours || window.closes !== null || !isQuiet(window.opens, quietHours)) return window
  return { ...window, opens: quietHours.until }
}

/**
 * The window of a message that is due at `due`; null for one that may go out at any time. What lies longer
 * than `expires` behind `earliest` it need not know.
 */
export function windowOf(
  send: Moment,
  due: Instant,
  { earliest, expires }: { earliest: Instant; expires: string },
  facts: MomentFacts,
): SendingWindow | null {
  const between = 'between' in send ? send.between : undefined
  if (send.on === 'any-day' && between === undefined) return null
  const names = send.on === 'any-day' || send.on === 'working-day' ? weekdays : send.on
  const days = names.map((name) => weekdays.indexOf(name) + 1)
  const { timeZone, isWorkingDay } = facts
  return {
    days: send.on === 'working-day' ? days.slice(0, 5) : days,
    closed: send.on === 'working-day' ? closedDays(isWorkingDay, earliest, expires) : [],
    opens: between?.[0] ?? send.at ?? timeOf(due, timeZone),
    closes: between?.[1] ?? null,
    before: anchorBehind(send, due, facts),
  }
}

/**
 * When a message can be sent that is due at `earliest`; null when never, since its part of the day is all
 * quiet: a definition with such a one is refused.
 */
export function sendableAt(
  earliest: Instant,
  window: SendingWindow | null,
  quietHours: QuietHours | undefined,
  timeZone: string,
): Instant | null {
  let dueAt = earliest
  const beside = window && openedBeside(window, quietHours)
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const opens = (beside && windowOpens(dueAt, beside, timeZone)) ?? dueAt
    const quiet = quietHours && quietUntil(opens, quietHours, timeZone)
    if (!quiet && opens === dueAt) return dueAt
    dueAt = quiet ?? opens
  }
  return null
}

/** A day on which one leaves time for the other is found with the first or the second; another comes to the same. */
const MOST_ROUNDS = 4

function anchorBehind(send: Moment, due: Instant, facts: MomentFacts): Instant | null {
  if (!('until' in send)) return null
  const anchor = facts.read(send.until)
  return typeof anchor === 'string' && due < anchor ? anchor : null
}

function timeOf(instant: Instant, timeZone: string): string {
  const local = Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone)
  return local.toPlainTime().toString({ smallestUnit: 'minute' })
}

/**
 * Weekdays on which nobody works, of as long as a message lives that other things put off at first, and of no more
 * than ten years: it keeps them all.
 */
function closedDays(isWorkingDay: WorkingDays, earliest: Instant, expires: string): string[] {
  const from = addDuration(earliest, '-P1D', 'UTC').slice(0, 10)
  const last = earlierOf(
    addDuration(earliest, expires, 'UTC'),
    addDuration(earliest, 'P10Y', 'UTC'),
  )
  const until = addDuration(last, 'P15D', 'UTC').slice(0, 10)
  const closed: string[] = []
  for (let year = Number(from.slice(0, 4)); year <= Number(until.slice(0, 4)); year += 1)
    closed.push(...closedIn(isWorkingDay, year).filter((day) => from <= day && day <= until))
  return closed
}

const known = new WeakMap<WorkingDays, Map<number, readonly string[]>>()

function closedIn(isWorkingDay: WorkingDays, year: number): readonly string[] {
  const years = known.get(isWorkingDay) ?? new Map<number, readonly string[]>()
  known.set(isWorkingDay, years)
  const found = years.get(year) ?? findClosed(isWorkingDay, year)
  years.set(year, found)
  return found
}

function findClosed(isWorkingDay: WorkingDays, year: number): string[] {
  const closed: string[] = []
  let day = new Temporal.PlainDate(year, 1, 1)
  for (; day.year === year; day = day.add({ days: 1 }))
    if (day.dayOfWeek <= 5 && !isWorkingDay(day)) closed.push(day.toString())
  return closed
}
