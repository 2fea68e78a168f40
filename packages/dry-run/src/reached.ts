import { bandOf, type Reach } from '@wegwijs/campaign/definition/reach'
import { earlierOf, type Instant } from '@wegwijs/campaign/instant'
import { type ReachPeriod, reachPeriod } from '@wegwijs/campaign/reach'
import type { Intent } from '@wegwijs/campaign/state'

type Waiting = {
  /** Sorts as the release does. */
  readonly place: string
  readonly expiresAt: Instant
}

/**
 * How far campaigns have reached, counted as the release counts (packages/store/src/release.ts): what was
 * planned for the earliest goes first. Of several messages that come to be due in one instant, and of which
 * none waited, here another one may be the first that waits than in the live pipeline. Nobody lets a campaign
 * on in a dry run.
 */
export class Reached {
  readonly #bands: ReadonlyMap<string, Reach>
  readonly #timeZone: string
  readonly #periods = new Map<string, ReachPeriod & { taken: number }>()
  /** Messages that have had their place and may be looked at again. */
  readonly #counted = new Set<string>()

  /** By campaign and message: what waits for the next period. */
  readonly #waiting = new Map<string, Map<string, Waiting>>()

  constructor(bands: ReadonlyMap<string, Reach>, timeZone: string) {
    this.#bands = bands
    this.#timeZone = timeZone
  }

  /** Until when it must wait; null when it may go, and has its place. */
  waitsUntil(intent: Intent, plannedFor: Instant, now: Instant): Instant | null {
    const { intentId, campaignId, expiresAt } = intent
    const band = this.#bands.get(campaignId)
    if (!band || expiresAt <= now || this.#counted.has(intentId)) return null
    const period = this.#periodOf(campaignId, band, now)
    const waiting = this.#waiting.get(campaignId) ?? new Map<string, Waiting>()
    const own = { place: `${plannedFor} ${intentId}`, expiresAt }
    const before = [...waiting.values()].filter(
      (other) => other.place < own.place && other.expiresAt > now,
    )
    if (period.taken + before.length >= bandOf(band).most) {
      this.#waiting.set(campaignId, waiting.set(intentId, own))
      return earlierOf(period.ends, expiresAt)
    }
    period.taken += 1
    waiting.delete(intentId)
    this.#counted.add(intentId)
    return null
  }

  /** It has come to its end. */
  forget({ intentId, campaignId }: Intent): void {
    this.#counted.delete(intentId)
    this.#waiting.get(campaignId)?.delete(intentId)
  }

  #periodOf(campaignId: string, band: Reach, now: Instant): ReachPeriod & { taken: number } {
    const known = this.#periods.get(campaignId)
    if (known && now < known.ends) return known
    const period = { ...reachPeriod(now, band, this.#timeZone), taken: 0 }
    this.#periods.set(campaignId, period)
    return period
  }
}
