import type { Clock } from './clock.ts'

/**
 * How long something may still be done, counted from when this is made. By two clocks: the monotonic one stands still
 * while the machine is suspended, the other one can be set. Who asks it finds out what a timer would tell too late:
 * a process that was frozen has what came over the network meanwhile before its timers.
 */
export class TimeLimit {
  readonly #clock: Pick<Clock, 'monotonicMs' | 'epochMs'>
  readonly #ms: number
  readonly #begun: { readonly monotonicMs: number; readonly epochMs: number }

  constructor(clock: Pick<Clock, 'monotonicMs' | 'epochMs'>, ms: number) {
    this.#clock = clock
    this.#ms = ms
    this.#begun = {
      monotonicMs: clock.monotonicMs(),
      epochMs: clock.epochMs(),
    }
  }

  /** How long it still runs by the clock by which it is shorter, in milliseconds; less than 0 when it is over. */
  leftMs(): number {
    const byMonotonic = this.#clock.monotonicMs() - this.#begun.monotonicMs
    const byWallClock = this.#clock.epochMs() - this.#begun.epochMs
    return this.#ms - Math.max(byMonotonic, byWallClock)
  }
}
