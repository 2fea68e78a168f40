import type { Clock } from '@wegwijs/runtime/clock'
import { createGroupCommit } from '@wegwijs/runtime/group-commit'
import { readBusinessTime } from '@wegwijs/store/business-clock'
import type { Store } from '@wegwijs/store/database'
import { query } from '@wegwijs/store/transaction'
import { withinDeadline } from './deadline.ts'
import type { Limits } from './limits.ts'

export type BusinessTime = {
  /**
   * Business time as an ISO instant. Behind when it was stepped a moment ago: before something is
   * refused for its time, `fresh` decides.
   */
  now(): Promise<string>
  /** Business time as PostgreSQL has it at this moment. */
  fresh(): Promise<string>
  /** The same, and whether it stands still there until a conductor steps it. */
  standing(): Promise<{ now: string; stands: boolean }>
}

type Reading = { instant: string; stands: boolean; atMs: number }

const LIFETIME_MS = 1_000

/**
 * Business time without a query for each request: what was read goes on with the machine's clock,
 * or stands still in a rehearsal. While PostgreSQL does not answer, the last reading goes on.
 */
export function createBusinessTime(options: {
  store: Store
  clock: Clock
  limits: Limits
}): BusinessTime {
  const { store, clock, limits } = options
  let last: Reading | undefined

  // Whoever asks while a reading is under way gets the next one: that one may be too old for them.
  const reading = createGroupCommit(
    async (asked: undefined[]) => {
      const answer = query(() => readBusinessTime(store.db))
      const read = await withinDeadline(answer, limits.databaseDeadlineMs, clock)
      const taken: Reading = { ...read, atMs: clock.monotonicMs() }
      last = taken
      return asked.map(() => taken)
    },
    { maxItems: 1_000 },
  )

  const current = ({ instant, stands, atMs }: Reading) =>
    stands ? instant : new Date(Date.parse(instant) + clock.monotonicMs() - atMs).toISOString()

  return {
    now: async () => {
      if (!last) return current(await reading.add(undefined))
      if (clock.monotonicMs() - last.atMs >= LIFETIME_MS) reading.add(undefined).catch(() => {})
      return current(last)
    },
    fresh: async () => current(await reading.add(undefined)),
    standing: async () => {
      const read = await reading.add(undefined)
      return { now: current(read), stands: read.stands }
    },
  }
}
