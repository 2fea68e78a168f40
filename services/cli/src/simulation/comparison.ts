import { compare, type Differences } from '@wegwijs/dry-run/difference'
import { compileDraft, type LiveVersion, liveVersionsOf } from '@wegwijs/dry-run/draft'
import { type MovedRuns, type Publication, publicationOf } from '@wegwijs/dry-run/publication'
import { compareSteps, type StepDifference } from '@wegwijs/dry-run/step-counts'
import { fail } from '@wegwijs/runtime/failure'
import { latestBundle, loadDefinition } from '@wegwijs/store/definitions'
import { readOrEnd } from '../definition-input.ts'
import type { Call } from '../shell.ts'
import { comparedOf, type Run, type RunOptions, runOf, type Side } from './run.ts'

export type OtherSide = Side & { name: string; live: LiveVersion[] }

/** What the draft is compared with (`--against`): the definition in force, or that of another folder. */
export async function otherSide(call: Call, against: string): Promise<OtherSide> {
  if (against !== 'live') {
    const { bundle } = await readOrEnd(against, call.output)
    const definition = compileDraft(bundle)
    return { bundle, definition, name: against, live: liveVersionsOf(definition) }
  }
  const store = await call.surroundings.store()
  const latest = await latestBundle(store.db)
  const definition = await loadDefinition(store)
  if (latest === null || definition === null) {
    throw fail('WEGWIJS_USAGE', { problem: 'no definition has been applied; see `wegwijs apply`' })
  }
  const name = `the live definition (revision ${latest.revision})`
  return { bundle: latest.bundle, definition, name, live: liveVersionsOf(definition) }
}

/** What becomes of those who are under way when the draft is published at the end of the events. */
export type Move = Differences & {
  /** When it is published, in virtual time. */
  at: string
  moved: readonly MovedRuns[]
}

export type Comparison = {
  differences: Differences
  steps: readonly StepDifference[]
  /** Null where everybody stays in the version that they are in. */
  move: Move | null
}

/** The other side, played beside the draft: `runs` take the same events, and `finish` is for when the draft has. */
export function comparisonWith(
  against: OtherSide,
  draft: Run,
  options: RunOptions,
): { runs: readonly Run[]; finish(): Comparison } {
  const other = runOf(against, options)
  const publication = publicationOf(against, draft.side)
  // Only a move makes of people who are under way something else than the versions they are in.
  const published =
    publication.moves.length > 0
      ? runOf({ bundle: against.bundle, definition: publication.before }, options, publication)
      : null
  return {
    runs: published ? [other, published] : [other],
    finish: () => {
      other.simulation.finish()
      return {
        differences: compare(comparedOf(other), comparedOf(draft)),
        steps: compareSteps(other.counting.summary.steps, draft.counting.summary.steps),
        move: published && finishMove(published, publication, other),
      }
    },
  }
}

function finishMove({ simulation, ...run }: Run, publication: Publication, other: Run): Move {
  const at = simulation.now
  const moved = simulation.publish(publication)
  simulation.finish()
  return { at, moved, ...compare(comparedOf(other), comparedOf({ simulation, ...run })) }
}
