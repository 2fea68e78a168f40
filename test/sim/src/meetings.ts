import type { Life, Operation } from './gate.ts'
import type { Meeting, Place } from './story.ts'

/** Steps of the world after which nobody is waited for any longer. */
const mostSteps = 600
/** How often time may pass, when nobody else can go on, before nobody is waited for any longer. */
const mostLooks = 16

type Waiting = {
  readonly meeting: Meeting
  /** How many of those that it comes after have been done. */
  opened: number
  /** Who stands still, and since which step; null as long as nobody has come. */
  operation: Operation | null
  since: number
  /** How many of the places have been done. */
  done: number
  looks: number
}

/** Holds operations back until what they are to meet has happened. */
export class Meetings {
  readonly #note: (text: string) => void
  #waiting: Waiting[]

  constructor(meetings: readonly Meeting[], note: (text: string) => void) {
    this.#note = note
    this.#waiting = meetings.map(waitingFor)
  }

  /** True while somebody stands still. */
  get isHolding(): boolean {
    return this.#waiting.some(({ operation }) => operation !== null)
  }

  /**
   * Looks at what stands at the gate: who comes to a meeting stands still from now on, who has met
   * goes on. Returns whose whole worker stands still from now on.
   */
  look(standing: readonly Operation[], steps: number): readonly Life[] {
    const paused: Life[] = []
    for (const waiting of [...this.#waiting]) {
      const { operation, since } = waiting
      if (operation === null) {
        const comer = standing.find((each) => this.#comesTo(waiting, each))
        if (!comer) continue
        Object.assign(waiting, { operation: comer, since: steps })
        this.#note(`${comer.life.slot} stands still before this: ${comer.label}`)
        if (waiting.meeting.paused) paused.push(comer.life)
      } else if (!standing.includes(operation) || steps > since + mostSteps) this.#end(waiting)
      this.#meet(waiting, standing)
    }
    return paused
  }

  /** What has been done counts, for whoever waits for it. */
  hear({ life, label }: Operation): void {
    for (const waiting of [...this.#waiting]) {
      const before = waiting.meeting.after?.[waiting.opened]
      if (before && isAt(before, life.slot, label)) waiting.opened += 1
      const place = waiting.meeting.until[waiting.done]
      const counts = waiting.operation !== null || !waiting.meeting.afresh
      if (!counts || !place || place.isStanding || !isAt(place, life.slot, label)) continue
      waiting.done += 1
      if (waiting.done === waiting.meeting.until.length) this.#end(waiting)
    }
  }

  holds(operation: Operation): boolean {
    return this.#waiting.some(
      ({ operation: held, meeting }) =>
        held === operation || (meeting.paused && held?.life === operation.life),
    )
  }

  /** True when whoever waits still may, though only the passing of time can bring the others. */
  mayWait(): boolean {
    let may = false
    for (const waiting of this.#waiting) {
      if (waiting.operation === null) continue
      waiting.looks += 1
      may ||= waiting.looks <= mostLooks
    }
    return may
  }

  /** Everybody who stands still goes on. */
  giveUp(): void {
    for (const waiting of [...this.#waiting]) if (waiting.operation) this.#end(waiting)
  }

  /** Nobody stands still any more, nor will. */
  end(): void {
    this.#waiting = []
  }

  #comesTo({ meeting, opened }: Waiting, operation: Operation): boolean {
    const { who, what, behind = '', after = [] } = meeting
    const isThere = isAt({ who, what }, operation.life.slot, operation.label)
    const isOpen = opened === after.length
    return isOpen && isThere && operation.behind.includes(behind) && !this.holds(operation)
  }

  /** Whether the place that comes next is one at which somebody else stands. */
  #meet(waiting: Waiting, standing: readonly Operation[]): void {
    const { operation, meeting } = waiting
    const place = meeting.until[waiting.done]
    if (!operation || !place?.isStanding) return
    const met = standing.find(
      ({ life, label }) => life.slot !== operation.life.slot && isAt(place, life.slot, label),
    )
    if (!met) return
    this.#end(waiting)
    if (meeting.thenUntil === undefined) return
    const then: Meeting = {
      who: met.life.slot,
      what: met.label,
      until: [{ who: operation.life.slot, what: meeting.thenUntil }],
      afresh: true,
    }
    this.#waiting.push({ ...waitingFor(then), operation: met, since: waiting.since })
  }

  #end(waiting: Waiting): void {
    this.#waiting = this.#waiting.filter((each) => each !== waiting)
    if (waiting.operation) this.#note(`${waiting.operation.life.slot} goes on`)
  }
}

function waitingFor(meeting: Meeting): Waiting {
  return {
    meeting,
    opened: 0,
    operation: null,
    since: 0,
    done: 0,
    looks: 0,
  }
}

function isAt({ who, what }: Place, slot: string, label: string): boolean {
  return slot.startsWith(who) && label.includes(what)
}
