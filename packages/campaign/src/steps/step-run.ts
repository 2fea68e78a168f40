import type { CompiledCampaign, StepNode } from '../compile.ts'
import type { DecideContext, Draft } from '../draft.ts'
import type { Instant } from '../instant.ts'
import type { Enrolment } from '../state.ts'

/** One step of one person's enrolment, about to be taken. */
export type StepRun = {
  draft: Draft
  context: DecideContext
  campaign: CompiledCampaign
  enrolment: Enrolment
  node: StepNode
}

/** Where an enrolment goes from a step: on (null is the end), or to wait. */
export type StepResult = { goTo: string | null } | { waitUntil: Instant }
