import FlatQueue from 'flatqueue'
import type { PersonNumber } from './people.ts'

/**
 * Who has something of one kind due next, and when, in epoch milliseconds. Each person stands for all their
 * timers, or messages, with the earliest of them. Who comes first of several that are due in one millisecond
 * does not matter: what they share is given out in an order of its own (due-messages.ts, reached.ts).
 */
export class DuePeople {
  readonly #queue = new FlatQueue<PersonNumber>()
  /** An entry that says anything else was overtaken by a later word. */
  readonly #dueMs = new Map<PersonNumber, number>()

  /** `dueMs` null: nothing is due for this person. */
  set(person: PersonNumber, dueMs: number | null): void {
    if (dueMs === null) this.#dueMs.delete(person)
    else if (this.#dueMs.get(person) !== dueMs) {
      this.#dueMs.set(person, dueMs)
      this.#queue.push(person, dueMs)
    }
  }

  /** When the next thing is due; undefined when nothing is. */
  nextMs(): number | undefined {
    for (;;) {
      const [person, dueMs] = [this.#queue.peek(), this.#queue.peekValue()]
      if (person === undefined || dueMs === undefined) return undefined
      if (this.#dueMs.get(person) === dueMs) return dueMs
      this.#queue.pop()
    }
  }

  /** Takes out whoever has something due by then; undefined when nobody has. */
  take(untilMs: number): PersonNumber | undefined {
    const dueMs = this.nextMs()
    if (dueMs === undefined || dueMs > untilMs) return undefined
    const person = this.#queue.pop()
    if (person !== undefined) this.#dueMs.delete(person)
    return person
  }
}
