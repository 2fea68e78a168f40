import { inboxRetentionDays } from '@wegwijs/wire/event-time'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { endOfTime } from './steps.ts'

/** An event and when it reaches us: not before what stands above it in the list has. */
export type Arriving = { readonly event: TouchpointEvent; readonly at: string }

/** So many events below one are asked whether its time can be. */
const witnesses = 100
const retentionMs = inboxRetentionDays * 86_400_000

/**
 * When each event of a list in order of arrival reached us, where nobody has written that down: when it
 * happened, and not before what stands above it did; one that is late keeps its own time.
 *
 * Time does not follow an event whose own cannot be: after it all others would be older than the inbox keeps.
 * It arrives with those above it, where it is told as one from the future. That is an event which lies further
 * ahead of all above it than identities of events are kept, and
 *
 * 1. most of the next hundred below it lie so far before it, or
 * 2. it lies beyond the time for which a simulation goes on after those above it, near the end of the list, and no more
 *    stand with it there than above it.
 *
 * What comes out is a matter of the list alone, not of the clock by which it is read. A hundred events are
 * kept at most, and only while such a one is weighed.
 */
export class Arrivals {
  /** The first of them is to be placed next. */
  readonly #waiting: TouchpointEvent[] = []
  /** From the future of a list of which nothing has arrived yet. */
  #early: TouchpointEvent[] = []
  #latest: string | null = null
  #followed = 0

  /** Those that are known to have arrived by now, in their order. */
  add(event: TouchpointEvent): Arriving[] {
    this.#waiting.push(event)
    return this.#place(witnesses)
  }

  /** The rest of them: no other follows. */
  end(): Arriving[] {
    return this.#place(0)
  }

  #place(below: number): Arriving[] {
    const placed: Arriving[] = []
    for (;;) {
      const [event] = this.#waiting
      if (!event || (this.#leapsAhead(event) && this.#waiting.length <= below)) return placed
      placed.push(...this.#placeFirst(event))
      this.#waiting.shift()
    }
  }

  #placeFirst(event: TouchpointEvent): Arriving[] {
    if (this.#leapsAhead(event) && this.#cannotBe(event)) {
      if (this.#latest !== null) return [{ event, at: this.#latest }]
      this.#early.push(event)
      return []
    }
    if (this.#latest === null || event.time > this.#latest) this.#latest = event.time
    this.#followed += 1
    const at = this.#latest
    const early = this.#early.map((each) => ({ event: each, at }))
    this.#early = []
    return [{ event, at }, ...early]
  }

  #leapsAhead(event: TouchpointEvent): boolean {
    return this.#latest === null || isFarAhead(event.time, this.#latest)
  }

  #cannotBe(event: TouchpointEvent): boolean {
    const below = this.#waiting.slice(1, witnesses + 1)
    const before = below.filter(({ time }) => isFarAhead(event.time, time)).length
    const beside = below.length - before
    if (before > beside) return true
    if (this.#latest === null || below.length === witnesses) return false
    return event.time > endOfTime(this.#latest) && beside < this.#followed
  }
}

function isFarAhead(time: string, of: string): boolean {
  return Date.parse(time) - Date.parse(of) > retentionMs
}

/** All of a list that is there whole. */
export function withArrival(events: readonly TouchpointEvent[]): Arriving[] {
  const arrivals = new Arrivals()
  return [...events.flatMap((event) => arrivals.add(event)), ...arrivals.end()]
}
