import { Temporal } from 'temporal-polyfill'
import type { Budget } from './definition/policies.ts'
import type { CampaignClass } from './definition/words.ts'
import { type Instant, instantOf, laterOf, millisecondsBetween } from './instant.ts'

/**
 * A message that counts: it was handed over at that moment, or may have been. `intentId` is the same for one
 * over all channels: to whoever gets it that is one.
 */
export type CountedMessage = {
  readonly intentId: string
  readonly class: CampaignClass
  readonly at: Instant
}

/** A message that is about to be sent, and the persona of whom it is for. */
export type MessageToCount = {
  readonly intentId: string
  readonly class: CampaignClass
  readonly persona: string | null
}

/**
 * When every budget has room for this message; null when that is now. `counted` is what the person was
 * sent before, in any order. A message counts once, however often it was tried, from when it was tried
 * last; and not against itself, so that one of which nobody knows can be sent once more (P2). Twin of
 * what the last check reads in PostgreSQL (`packages/store/src/contact-budgets.ts`).
 */
export function placeFreeAt(
  budgets: readonly Budget[],
  message: MessageToCount,
  counted: readonly CountedMessage[],
  now: Instant,
): Instant | null {
  const moments = budgets
    .filter((budget) => isUnder(budget, message))
    .flatMap((budget) => {
      const within = latestOfOthers(budget, message, counted, now)
      // When this one leaves the window, one fewer than the most are left in it.
      const oldest = within[budget.most - 1]
      return oldest === undefined ? [] : [moved(oldest, windowMs(budget))]
    })
  return moments.length === 0 ? null : moments.reduce(laterOf)
}

/** Classes of which messages count for any budget. */
export function countedClasses(budgets: readonly Budget[]): ReadonlySet<CampaignClass> {
  return new Set(budgets.flatMap((budget) => budget.classes))
}

/** Length of the window in whole milliseconds. */
export function windowMs({ per }: Pick<Budget, 'per'>): number {
  return Math.ceil(Temporal.Duration.from(per).total({ unit: 'milliseconds', relativeTo: anyDay }))
}

/** What is older counts for none of them, in milliseconds; 0 when there are none. */
export function longestWindowMs(budgets: readonly Budget[]): number {
  return Math.max(0, ...budgets.map(windowMs))
}

/** Weeks need a day to be counted from; in UTC all are of one length. */
const anyDay = '1970-01-01T00:00:00Z[UTC]'

function isUnder({ classes, personas }: Budget, message: MessageToCount): boolean {
  if (!includes(classes, message.class)) return false
  return personas === undefined || (message.persona !== null && includes(personas, message.persona))
}

/** When each other message that counts was tried last, the newest first. */
function latestOfOthers(
  budget: Budget,
  { intentId }: MessageToCount,
  counted: readonly CountedMessage[],
  now: Instant,
): Instant[] {
  const length = windowMs(budget)
  const latest = new Map<string, Instant>()
  for (const each of counted) {
    if (each.intentId === intentId || !includes(budget.classes, each.class)) continue
    if (millisecondsBetween(each.at, now) >= length) continue
    const known = latest.get(each.intentId)
    if (known === undefined || each.at > known) latest.set(each.intentId, each.at)
  }
  return [...latest.values()].sort((a, b) => (a > b ? -1 : 1))
}

function includes(names: readonly string[], name: string): boolean {
  return names.includes(name)
}

function moved(instant: Instant, milliseconds: number): Instant {
  return instantOf(Temporal.Instant.from(instant).add({ milliseconds }))
}
