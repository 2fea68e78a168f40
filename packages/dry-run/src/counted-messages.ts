import {
  type CountedMessage,
  countedClasses,
  longestWindowMs,
} from '@wegwijs/campaign/contact-budget'
import type { Budget } from '@wegwijs/campaign/definition/policies'
import type { CampaignClass } from '@wegwijs/campaign/definition/words'
import type { PersonNumber } from './people.ts'

/**
 * What everybody was sent, as far as it counts for a contact budget. What has left the longest window is
 * forgotten, so that this grows with who is written to and not with how long the simulation lasts.
 */
export class CountedMessages {
  readonly #byPerson = new Map<PersonNumber, readonly CountedMessage[]>()
  readonly #classes: ReadonlySet<CampaignClass>
  readonly #longestMs: number
  /** When there are so many people, those of whom nothing counts any more are looked for. */
  #mostPeople = 1_000

  constructor(budgets: readonly Budget[]) {
    this.#classes = countedClasses(budgets)
    this.#longestMs = longestWindowMs(budgets)
  }

  of(person: PersonNumber): readonly CountedMessage[] {
    return this.#byPerson.get(person) ?? []
  }

  /** Counts what was handed over, if its class counts. */
  add(person: PersonNumber, message: CountedMessage): void {
    if (!this.#classes.has(message.class)) return
    const nowMs = Date.parse(message.at)
    this.#byPerson.set(person, [...this.#recent(this.of(person), nowMs), message])
    if (this.#byPerson.size > this.#mostPeople) this.#forgetOld(nowMs)
  }

  /** `into` has had what both had. */
  merge(from: PersonNumber, into: PersonNumber): void {
    const both = [...this.of(into), ...this.of(from)]
    this.#byPerson.delete(from)
    if (both.length > 0) this.#byPerson.set(into, both)
  }

  #recent(messages: readonly CountedMessage[], nowMs: number): CountedMessage[] {
    return messages.filter(({ at }) => nowMs - Date.parse(at) < this.#longestMs)
  }

  #forgetOld(nowMs: number): void {
    for (const [person, messages] of this.#byPerson) {
      const recent = this.#recent(messages, nowMs)
      if (recent.length > 0) this.#byPerson.set(person, recent)
      else this.#byPerson.delete(person)
    }
    this.#mostPeople = Math.max(this.#mostPeople, 2 * this.#byPerson.size)
  }
}
