import type { CompiledCampaign, StepNode } from '../compile.ts'
import type { DecideContext, Draft } from '../draft.ts'
import type { Instant } from '../instant.ts'
import type { ReasonCode } from '../reasons.ts'
import type { Enrolment } from '../state.ts'

/** One step of one person's enrolment, about to be taken. */
export type StepRun = {
  draft: Draft
  context: DecideContext
  campaign: CompiledCampaign
  enrolment: Enrolment
  node: StepNode
}

/** On to a step; null is the end. */
export type Onward = { goTo: string | null }

/** Where an enrolment goes from a step: on, to wait, or out of the campaign. */
export type StepResult = Onward | { waitUntil: Instant } | { endWith: ReasonCode }
