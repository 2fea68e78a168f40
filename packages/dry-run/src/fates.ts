import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import type { CompiledCampaign } from '@wegwijs/campaign/compiled-campaign'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { Decision } from '@wegwijs/campaign/draft'
import type { ReasonCode } from '@wegwijs/campaign/reasons'
import { everyStep, partsOf } from '@wegwijs/campaign/steps/registry'
import type { People, PersonNumber } from './people.ts'

/** Why somebody did not get a message: a reason of the closed list, or that no such step is there. */
export type WhyNot = ReasonCode | 'step_not_there'

/** Of somebody who went through a campaign: these say more about a message than that they did. */
const ofOneMessage = new Set<ReasonCode>(['moment_passed', 'moment_unknown'])

/** The last word of each kind. */
type Fate = { run: ReasonCode | null; refusal: ReasonCode | null }

/**
 * What campaigns concluded about each person, for whoever asks afterwards why a message did not come.
 * Grows with people and campaigns: only a comparison keeps it.
 */
export class Fates {
  readonly #definition: CompiledDefinition
  readonly #fates = new Map<string, Fate>()

  constructor(definition: CompiledDefinition) {
    this.#definition = definition
  }

  decision(person: PersonNumber, { campaignId, enrolmentId, intentId, reason }: Decision): void {
    if (campaignId === null || intentId !== null) return
    const key = keyOf(campaignId, person)
    const { run, refusal } = this.#fates.get(key) ?? { run: null, refusal: null }
    if (enrolmentId === null) this.#fates.set(key, { run, refusal: reason })
    else if (reason !== 'completed' || run === null || !ofOneMessage.has(run)) {
      this.#fates.set(key, { run: reason, refusal })
    }
  }

  /**
   * Why this person, by the name that `people` has for them, did not get the message of this step; or,
   * of whom it came to `before`, why not once more.
   */
  whyNot(
    people: People,
    name: string,
    { campaign, step, before }: { campaign: string; step: string; before: boolean },
  ): WhyNot {
    const live = this.#liveVersion(campaign)
    if (!live) return 'campaign_not_live'
    if (!messageIdsOf(live).includes(step)) return 'step_not_there'
    const person = people.numberOf(name)
    const fate = person === undefined ? undefined : this.#fates.get(keyOf(campaign, person))
    const reason = before ? (fate?.refusal ?? fate?.run) : (fate?.run ?? fate?.refusal)
    // They went through, and by another way.
    if (reason) return reason === 'completed' ? 'branch_taken' : reason
    const persona = person === undefined ? null : people.stateOf(person).person.persona
    const { personas } = live.file.audience
    const isMeant = personas === undefined || personas.some((each) => each === persona)
    return isMeant ? 'trigger_other_touchpoint' : 'persona_not_in_audience'
  }

  /** The campaign as whoever enters it goes through it. */
  fileOf(campaign: string): CampaignFile | undefined {
    return this.#liveVersion(campaign)?.file
  }

  #liveVersion(campaign: string): CompiledCampaign | undefined {
    for (const byPersona of this.#definition.starters.values()) {
      for (const campaigns of byPersona.values()) {
        const live = campaigns.find(({ id }) => id === campaign)
        if (live) return live
      }
    }
    return undefined
  }
}

function messageIdsOf({ file }: CompiledCampaign): string[] {
  return everyStep(file.steps).flatMap((step) => partsOf(step).message?.id ?? [])
}

function keyOf(campaign: string, person: PersonNumber): string {
  return `${person} ${campaign}`
}
