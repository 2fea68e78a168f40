import type { Clock } from '@wegwijs/runtime/clock'

/** How often deadlines are looked at: a send may run longer than told by this much. */
const TICK_MS = 1_000
/** Beyond its deadline a send gets this long to say how it ended. */
const LAST_WORDS_MS = 2_000

type Running = {
  abortAtMs: number
  abort: AbortController
  caller: AbortSignal
  giveUp: () => void
}

/**
 * Bounds sends in time, all of them with one timer: one for each of thousands of messages a second,
 * most of them ended within milliseconds, would cost more than the sends.
 */
export class SendDeadlines {
  readonly sendMs: number
  readonly #clock: Clock
  /** In the order of their deadlines: all have the same time. */
  readonly #running = new Set<Running>()
  readonly #callers = new WeakSet<AbortSignal>()
  #ticking = false

  constructor(clock: Clock, sendMs: number) {
    this.#clock = clock
    this.sendMs = sendMs
  }

  /** The longest after its begin that a send is waited for. */
  get longestMs(): number {
    return this.sendMs + LAST_WORDS_MS + 2 * TICK_MS
  }

  /**
   * Runs `send` with a signal that is aborted at the deadline, or with `signal`. Resolves with
   * `otherwise` when it has not ended even then.
   */
  async run<Outcome>(
    send: (signal: AbortSignal) => Promise<Outcome>,
    { signal, otherwise }: { signal: AbortSignal; otherwise: Outcome },
  ): Promise<Outcome> {
    const abort = new AbortController()
    const { promise: late, resolve } = Promise.withResolvers<Outcome>()
    const running: Running = {
      abortAtMs: this.#clock.monotonicMs() + this.sendMs,
      abort,
      caller: signal,
      giveUp: () => resolve(otherwise),
    }
    this.#running.add(running)
    this.#heed(signal)
    if (!this.#ticking) void this.#tick()
    try {
      return await Promise.race([send(abort.signal), late])
    } finally {
      this.#running.delete(running)
    }
  }

  /** Listens to each caller once: thousands of sends a second share one signal. */
  #heed(caller: AbortSignal): void {
    if (this.#callers.has(caller) && !caller.aborted) return
    this.#callers.add(caller)
    const abortAll = () => {
      for (const running of this.#running) {
        if (running.caller === caller) running.abort.abort(caller.reason)
      }
    }
    if (caller.aborted) abortAll()
    else caller.addEventListener('abort', abortAll, { once: true })
  }

  async #tick(): Promise<void> {
    this.#ticking = true
    while (this.#running.size > 0) {
      await this.#clock.sleep(TICK_MS)
      const nowMs = this.#clock.monotonicMs()
      for (const { abortAtMs, abort, giveUp } of this.#running) {
        if (nowMs < abortAtMs) break
        abort.abort()
        if (nowMs >= abortAtMs + LAST_WORDS_MS) giveUp()
      }
    }
    this.#ticking = false
  }
}
