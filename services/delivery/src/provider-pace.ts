import type { Outcome } from '@wegwijs/channels/port'
import type { Clock } from '@wegwijs/runtime/clock'
import type { Logger } from '@wegwijs/runtime/log'

/** A provider that asks for more is asked again after this; its own message waits as long as told. */
export const LONGEST_PAUSE_MS = 15 * 60_000
/** So many calls in a row without an answer mean that the provider is away. */
const FAILURES_TO_PAUSE = 5
const FIRST_PAUSE_MS = 1_000
/** For a provider that is away: how long it may be back before it is noticed. */
const LONGEST_ABSENCE_MS = 60_000
/** What waits longer goes back to PostgreSQL, where it may expire or take its next channel. */
const LONGEST_IN_LINE_MS = 30_000
/** When so many run at once again without a fault, there is nothing left to be careful about. */
const FULL_PACE = 64

export type PaceDependencies = {
  clock: Clock
  log: Logger
  /** Ends the waiting: the service closes. */
  signal: AbortSignal
  /** A number from 0 up to 1. */
  chance?: () => number
}

/**
 * How many calls to one provider may be under way, for all lanes of its channel in this process.
 *
 *   open      as many as there are slots
 *   paused    none, after an answer with Retry-After (for as long as it says, at most a quarter of an
 *             hour), or after five calls in a row without an answer (a second, then twice as long each
 *             time, at most a minute). Both a little longer by chance: many processes do not come
 *             back at once
 *   careful   after a pause one; with each answer one more, until the pace is full. If the first
 *             one fails the next pause begins
 *
 * While a pause is short, nothing is claimed and messages wait in line; through a long one they are
 * claimed and put off without a call, so that each may expire or take its next channel in time.
 * A refusal is an answer, unless it was our own check that refused. That, and what says something
 * about one message only (a full mailbox), counts for nothing here.
 */
export class ProviderPace {
  readonly #provider: string
  readonly #deps: PaceDependencies
  #underWay = 0
  #limit = Number.POSITIVE_INFINITY
  #pausedUntilMs = 0
  /** Calls without an answer, in a row. */
  #failures = 0
  /** Pauses since the last answer; each doubles the next. */
  #pauses = 0
  #sleeping = false
  #changed = Promise.withResolvers<void>()

  constructor(provider: string, deps: PaceDependencies) {
    this.#provider = provider
    this.#deps = deps
  }

  /** How long nothing may be called; 0 when it may. */
  pauseMs(): number {
    if (this.#pausedUntilMs === 0) return 0
    return Math.max(0, this.#pausedUntilMs - this.#deps.clock.monotonicMs())
  }

  /** Whether what waits now is better put off than kept in line. */
  putsOff(): boolean {
    return this.pauseMs() > LONGEST_IN_LINE_MS
  }

  /** Takes places for at most `wanted` messages and returns how many; each is left again. */
  take(wanted: number): number {
    const places = this.#places(wanted)
    this.#underWay += places
    return places
  }

  leave(places: number): void {
    this.#underWay -= places
    if (this.#limit !== Number.POSITIVE_INFINITY) this.#tell()
  }

  /** Resolves when `take` may give more than it did. */
  change(): Promise<void> {
    return this.#changed.promise
  }

  /** What the provider said to one call. */
  hear(outcome: Outcome): void {
    if (outcome.kind === 'accepted') this.#answered()
    else if (outcome.kind === 'refused') {
      // Else five bad numbers between failures would keep a provider that is away under full fire.
      if (!outcome.unasked) this.#answered()
    } else if (outcome.kind === 'unknown') this.#failed(outcome.reason)
    else if (outcome.about === 'message') return
    else if (outcome.retryAfterMs === undefined) this.#failed(outcome.reason)
    else this.#askedToWait(outcome.retryAfterMs, outcome.reason)
  }

  #places(wanted: number): number {
    const pauseMs = this.pauseMs()
    if (pauseMs > LONGEST_IN_LINE_MS) return wanted
    if (pauseMs > 0) return 0
    return Math.max(0, Math.min(wanted, this.#limit - this.#underWay))
  }

  #answered(): void {
    this.#failures = 0
    // One that was called before the pause says nothing about its end.
    if (this.#limit === Number.POSITIVE_INFINITY || this.pauseMs() > 0) return
    if (this.#pauses > 0) this.#deps.log.info('is called again', { provider: this.#provider })
    this.#pauses = 0
    this.#limit += 1
    if (this.#limit > FULL_PACE) this.#limit = Number.POSITIVE_INFINITY
    this.#tell()
  }

  #failed(reason: string): void {
    this.#failures += 1
    const enough = this.#pauses > 0 ? 1 : FAILURES_TO_PAUSE
    // Those that were under way when the pause began are part of what it is for.
    if (this.#failures < enough || this.pauseMs() > 0) return
    const wholeMs = Math.min(LONGEST_ABSENCE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#pauses, 10))
    this.#pause(wholeMs * (1 + this.#chance() / 2), reason)
  }

  #askedToWait(retryAfterMs: number, reason: string): void {
    // A comparison and not Math.min: what a provider sent as a number may be none.
    const askedMs = retryAfterMs < LONGEST_PAUSE_MS ? Math.max(0, retryAfterMs) : LONGEST_PAUSE_MS
    this.#pause(askedMs + this.#chance() * Math.max(FIRST_PAUSE_MS, askedMs / 5), reason)
  }

  #pause(pauseMs: number, reason: string): void {
    const untilMs = this.#deps.clock.monotonicMs() + pauseMs
    if (this.pauseMs() === 0) {
      this.#pauses += 1
      const told = { provider: this.#provider, reason, durationMs: Math.round(pauseMs) }
      this.#deps.log.warn('is not called for a while', told)
    }
    this.#failures = 0
    this.#limit = 1
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, untilMs)
    this.#tell()
    if (!this.#sleeping) void this.#sleep()
  }

  /** Wakes who waits when the pause is over, and before: through a long one nobody waits in line. */
  async #sleep(): Promise<void> {
    const { clock, signal } = this.#deps
    this.#sleeping = true
    try {
      while (this.pauseMs() > 0) await clock.sleep(this.pauseMs(), signal)
    } catch {
      // Who closes has put back what waited.
    }
    this.#sleeping = false
    this.#tell()
  }

  #tell(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers<void>()
  }

  #chance(): number {
    return (this.#deps.chance ?? Math.random)()
  }
}
