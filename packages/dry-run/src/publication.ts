import { type CompiledDefinition, compileDefinition } from '@wegwijs/campaign/compile'
import type { CampaignVersion } from '@wegwijs/campaign/compiled-campaign'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { compileCounts, countsOfDefinition } from '@wegwijs/campaign/kept-counts'
import { behindAll, nameOfStep, placedSteps, type StepMap, stepMapOf } from '@wegwijs/campaign/move'
import { campaignKey } from '@wegwijs/campaign/state'
import { fail } from '@wegwijs/runtime/failure'
import { liveVersionsOf } from './draft.ts'
import { type Sending, sendingOf } from './sending.ts'

/** A definition and all that is needed to send by it. */
type Side = { bundle: DefinitionBundle; definition: CompiledDefinition }

/** People of one version who would go on in another, and at which step from which. */
export type SimulatedMove = { campaign: string; from: number; to: number; steps: StepMap }

/** What publishing a draft in the place of another definition comes to. */
export type Publication = {
  /** The one in force before, which also counts what the draft will ask for. */
  before: CompiledDefinition
  after: CompiledDefinition
  sending: Sending
  moves: SimulatedMove[]
}

/**
 * What publishing would do to people who are under way. Who is in a version that the draft moves goes on in
 * the new one by its map of steps; everybody else stays.
 *
 * @throws WEGWIJS_MOVE_INCOMPLETE when a step leads nowhere
 */
export function publicationOf(live: Side, draft: Side): Publication {
  const [old, next] = [versionsIn(live.definition), versionsIn(draft.definition)]
  const before = old.map((version) => ({ ...version, live: false }))
  const after = compileDefinition(0, draft.bundle, [...before, ...next])
  const counts = countsOfDefinition(draft.bundle, [...old, ...next])
  const templates = [...live.bundle.templates, ...draft.bundle.templates]
  return {
    before: { ...live.definition, counts: compileCounts({ counts, mark: '' }) },
    after,
    sending: sendingOf({ ...draft.bundle, templates }),
    moves: next.flatMap((version) => moveInto(version, liveVersionsOf(live.definition))),
  }
}

function versionsIn(definition: CompiledDefinition): CampaignVersion[] {
  return liveVersionsOf(definition).map(({ newest: _, ...version }) => ({ ...version, live: true }))
}

function moveInto(
  { id, version, file }: CampaignVersion,
  live: ReturnType<typeof liveVersionsOf>,
): SimulatedMove[] {
  const before = live.find((each) => each.id === id)
  if (!before || !file.move || before.version === version || file.move.from !== before.version)
    return []
  const { steps, faults } = stepMapOf(before.file, file)
  const [fault] = faults
  if (fault) {
    const problem = `step "${fault.step}": ${fault.problem.replaceAll('_', ' ')}`
    throw fail('WEGWIJS_MOVE_INCOMPLETE', { campaign: id, problem })
  }
  return [{ campaign: id, from: before.version, to: version, steps }]
}

/** How many runs go on where. `to` null: they are taken out. */
export type MovedRuns = {
  campaign: string
  from: number
  to: number
  steps: { from: string; to: string | null; count: number }[]
  /** How many are through, and have messages planned that go over. */
  through: number
  /** Where those go on: null takes them out, and without it they take no step. */
  throughTo?: string | null
}

/** Counts who moves, by the steps as people call them. */
export class MovedCounting {
  readonly #counts = new Map<SimulatedMove, Map<string, number>>()
  readonly #through = new Map<SimulatedMove, number>()

  addThrough(move: SimulatedMove): void {
    this.#through.set(move, (this.#through.get(move) ?? 0) + 1)
  }

  add(move: SimulatedMove, path: string): void {
    const own = this.#counts.get(move) ?? new Map<string, number>()
    this.#counts.set(move, own.set(path, (own.get(path) ?? 0) + 1))
  }

  told(moves: readonly SimulatedMove[], { campaigns }: CompiledDefinition): MovedRuns[] {
    return moves.map((move) => {
      const { campaign, from, to, steps } = move
      const nameIn = (version: number, path: string) => {
        const file = campaigns.get(campaignKey(campaign, version))?.file
        const placed = placedSteps(file?.steps ?? []).find((each) => each.path === path)
        return placed ? nameOfStep(placed) : path
      }
      const throughTo = steps.get(behindAll)
      const counted = [...(this.#counts.get(move) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))
      return {
        campaign,
        from,
        to,
        steps: counted.map(([path, count]) => {
          const target = steps.get(path) ?? null
          return {
            from: nameIn(from, path),
            to: target === null ? null : nameIn(to, target),
            count,
          }
        }),
        through: this.#through.get(move) ?? 0,
        ...(throughTo !== undefined && {
          throughTo: throughTo === null ? null : nameIn(to, throughTo),
        }),
      }
    })
  }
}
