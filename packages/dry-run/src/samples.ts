import type { Rendered } from '@wegwijs/template/template'
import { lot } from './outcome-model.ts'
import type { PersonNumber } from './people.ts'
import type { SimulatedMessage } from './simulation.ts'

/** A message as the person would have read it. */
export type Sample = {
  person: PersonNumber
  campaign: string
  step: string
  at: string
  rendered: Rendered
}

/** Some messages of many, drawn by a hash of their ids: the same ones in every run. */
export class Samples {
  readonly #most: number
  #drawn: { lot: number; sample: Sample }[] = []

  constructor(most = 10) {
    this.#most = most
  }

  /** Whether this message can still be one of them. */
  asksFor(intentId: string): boolean {
    const last = this.#drawn.at(-1)
    return this.#drawn.length < this.#most || last === undefined || lotOf(intentId) < last.lot
  }

  message({ person, intent, at, rendered }: SimulatedMessage): void {
    if (rendered === null || !this.asksFor(intent.intentId)) return
    const own = lotOf(intent.intentId)
    const sample = { person, campaign: intent.campaignId, step: intent.messageId, at, rendered }
    this.#drawn = [...this.#drawn, { lot: own, sample }]
      .sort((a, b) => a.lot - b.lot)
      .slice(0, this.#most)
  }

  /** In the order in which they were sent. */
  get all(): Sample[] {
    return this.#drawn
      .map(({ sample }) => sample)
      .sort((a, b) => (a.at + a.campaign + a.step < b.at + b.campaign + b.step ? -1 : 1))
  }
}

function lotOf(intentId: string): number {
  return lot('sample', intentId)
}
