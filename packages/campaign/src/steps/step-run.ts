import type { CompiledCampaign } from '../compiled-campaign.ts'
import type { DecideContext, Draft } from '../draft.ts'
import type { Instant } from '../instant.ts'
import type { ReasonCode } from '../reasons.ts'
import type { Enrolment } from '../state.ts'
import type { StepNode } from '../step-node.ts'

/** One step of one person's enrolment, about to be taken. */
export type StepRun = {
  draft: Draft
  context: DecideContext
  campaign: CompiledCampaign
  enrolment: Enrolment
  node: StepNode
  /** What the step comes in place of, when it is taken right after a message was waited for in vain. */
  inPlaceOf?: InPlaceOf | null
}

/**
 * A message that nobody heard of in time, and the arm of which the steps come in its place, by what the
 * paths of its steps begin with. Only what is planned at once does: what comes later is of its own.
 */
export type InPlaceOf = { readonly intentId: string; readonly arm: string }

/** On to a step; null is the end. */
export type Onward = { goTo: string | null; inPlaceOf?: InPlaceOf | null }

/** Where an enrolment goes from a step: on, to wait, or out of the campaign. */
export type StepResult = Onward | { waitUntil: Instant } | { endWith: ReasonCode }
