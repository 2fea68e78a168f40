import type { CompiledCampaign } from './compiled-campaign.ts'
import type { Draft } from './draft.ts'
import type { JourneyEvent, Person } from './state.ts'
import type { StepRun } from './steps/step-run.ts'

/**
 * Whoever explains decisions looks on while they are made, each time before: what a condition is about
 * to see is then what there is. A watch changes nothing, and nothing hangs on whether there is one.
 */
export type Watch = {
  /**
   * Campaigns are asked whether this event starts them for somebody who was `before` until then; with
   * `byDate` that one alone, of which the date has come.
   */
  starts?(draft: Draft, event: JourneyEvent, before: Person, byDate?: CompiledCampaign): void
  /** Goals, exits and waits are asked whether this event is meant. */
  touchpoint?(draft: Draft, event: JourneyEvent): void
  /** A step is taken. */
  step?(run: StepRun): void
}
