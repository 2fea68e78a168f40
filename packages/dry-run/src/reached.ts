import { bandOf, type Reach } from '@wegwijs/campaign/definition/reach'
import { earlierOf, type Instant } from '@wegwijs/campaign/instant'
import { type ReachPeriod, reachPeriod } from '@wegwijs/campaign/reach'
import type { Intent } from '@wegwijs/campaign/state'
import type { DueMessage } from './due-messages.ts'

/**
 * How far campaigns have reached, counted as the release counts (packages/store/src/release.ts): of what is due in
 * one instant, what was planned for the earliest goes first, of one moment the lower id. Nobody lets a campaign
 * on in a dry run.
 */
export class Reached {
  readonly #bands: ReadonlyMap<string, Reach>
  readonly #timeZone: string
  readonly #periods = new Map<string, ReachPeriod & { taken: number }>()
  /** Messages that have had their place and may be looked at again. */
  readonly #counted = new Set<string>()

  constructor(bands: ReadonlyMap<string, Reach>, timeZone: string) {
    this.#bands = bands
    this.#timeZone = timeZone
  }

  /**
   * Gives places to these messages, which are all that are due now. Returns until when each of those must wait
   * for which there is none.
   */
  holdBack(due: readonly DueMessage[], now: Instant): Map<string, Instant> {
    const held = new Map<string, Instant>()
    const takers = due.filter(
      ({ intent: { intentId, campaignId, expiresAt } }) =>
        this.#bands.has(campaignId) && expiresAt > now && !this.#counted.has(intentId),
    )
    for (const { intent } of takers.sort(inOrderOfPlan)) {
      const { intentId, campaignId, expiresAt } = intent
      const band = this.#bands.get(campaignId)
      if (!band) continue
      const period = this.#periodOf(campaignId, band, now)
      if (period.taken < bandOf(band).most) {
        period.taken += 1
        this.#counted.add(intentId)
      } else held.set(intentId, earlierOf(period.ends, expiresAt))
    }
    return held
  }

  /** It has come to its end. */
  forget({ intentId }: Pick<Intent, 'intentId'>): void {
    this.#counted.delete(intentId)
  }

  #periodOf(campaignId: string, band: Reach, now: Instant): ReachPeriod & { taken: number } {
    const known = this.#periods.get(campaignId)
    if (known && now < known.ends) return known
    const period = { ...reachPeriod(now, band, this.#timeZone), taken: 0 }
    this.#periods.set(campaignId, period)
    return period
  }
}

function inOrderOfPlan(one: DueMessage, other: DueMessage): number {
  const [own, than] = [one, other].map(({ plannedFor, intent }) => plannedFor + intent.intentId)
  return (own ?? '') < (than ?? '') ? -1 : 1
}
