import type { SimulatedDatabase } from './ground.ts'
import { judge } from './model.ts'
import type { Story } from './story.ts'
import type { Violation } from './violation.ts'
import { type Outcome, play } from './world.ts'

/** A story, how it went, and what is wrong with that. */
export type Judged = {
  readonly story: Story
  readonly outcome: Outcome
  readonly violations: readonly Violation[]
}

/** Plays a story and judges what came of it. */
export async function playAndJudge(story: Story, database: SimulatedDatabase): Promise<Judged> {
  const outcome = await play(story, database)
  const { breakdown, ending, entries } = outcome
  const broken: Violation[] = breakdown === null ? [] : [{ kind: 'stuck', text: breakdown }]
  const judged = ending === null ? [] : judge(entries, ending, story.chapter)
  return { story, outcome, violations: [...broken, ...judged] }
}
