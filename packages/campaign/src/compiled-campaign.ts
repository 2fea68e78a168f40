import { type Condition, compileCondition, happenedIn, type Predicate } from './condition.ts'
import type { CampaignFile } from './definition/campaign.ts'
import type { Unclear } from './definition/partly-read.ts'
import type { ClassPolicy } from './definition/policies.ts'
import type { CampaignClass, EntityMeant } from './definition/words.ts'
import type { Draft } from './draft.ts'
import type { Happened } from './happened.ts'
import type { JsonValue } from './json.ts'
import type { Enrolment } from './state.ts'
import { layOut, type StepNode } from './step-node.ts'
import { everyStep, kindOf } from './steps/registry.ts'
import type { Step } from './steps/step.ts'
import { triggerKindOf, triggerPartsOf } from './triggers/registry.ts'
import type { TriggerKind } from './triggers/trigger-kind.ts'

/** A campaign version with all that can be worked out before an event comes. */
export type CompiledCampaign = {
  id: string
  version: number
  file: CampaignFile
  policy: ClassPolicy
  /** Template id → hash: the texts that this version was published with (P5). */
  templates: Readonly<Record<string, string>>
  trigger: CompiledTrigger
  audienceHolds: Predicate | null
  /** touchpoint type → what of it ends the campaign: one of these is enough. */
  exits: ReadonlyMap<string, readonly CompiledExit[]>
  goalHolds: Predicate | null
  first: string
  /** By path; a step that cannot be read has none. */
  nodes: ReadonlyMap<string, StepNode>
  /** Name of a field of an enrolment, without its root → how to read it. */
  reads: ReadonlyMap<string, EnrolmentRead>
  /** What of it cannot be read; null where all of it can. */
  unclear: Unclear | null
}

/** What kind of trigger it is, and its condition; both null when it has none. */
type CompiledTrigger = {
  kind: TriggerKind<CampaignFile['trigger']>
  where: Condition | null
  holds: Predicate | null
  /** What its condition asks of the past. */
  asked: readonly Happened[]
}

/** `isUnclear`: under a condition that cannot be read. */
type CompiledExit = { entity: EntityMeant; holds: Predicate; isUnclear: boolean }

type EnrolmentRead = (draft: Draft, enrolment: Enrolment) => JsonValue | undefined

/** A campaign version as it is stored. */
export type CampaignVersion = {
  id: string
  version: number
  live: boolean
  file: CampaignFile
  templates: Readonly<Record<string, string>>
  /** Of one that cannot be read whole, what is not clear of it: `file` is what is. */
  unclear?: Unclear
}

export function compileCampaign(
  version: CampaignVersion,
  classes: Readonly<Record<CampaignClass, ClassPolicy>>,
): CompiledCampaign {
  const { file, unclear = null } = version
  const { first, nodes } = layOut(file.steps)
  if (first === null) throw new RangeError(`campaign ${file.id} has no steps`)
  return {
    id: version.id,
    version: version.version,
    file,
    policy: classes[file.class],
    templates: version.templates,
    trigger: compileTrigger(file),
    audienceHolds: file.audience.where ? compileCondition(file.audience.where) : null,
    exits: compileExits(file, unclear?.exits),
    goalHolds: file.goal?.where ? compileCondition(file.goal.where) : null,
    first,
    nodes: new Map([...nodes].filter(([path]) => !unclear?.steps.has(Number(path)))),
    reads: new Map(everyStep(file.steps).flatMap(readsOf)),
    unclear,
  }
}

function compileTrigger({ trigger }: CampaignFile): CompiledTrigger {
  const condition = triggerPartsOf(trigger).where?.condition ?? null
  return {
    kind: triggerKindOf(trigger),
    where: condition,
    holds: condition && compileCondition(condition),
    asked: condition ? happenedIn(condition).map(({ happened }) => happened) : [],
  }
}

function compileExits(
  { exit }: CampaignFile,
  unclear: Unclear['exits'] = [],
): Map<string, CompiledExit[]> {
  const all = [
    ...exit.map(({ touchpoint, entity, where }) => ({
      touchpoint,
      exit: { entity, holds: where ? compileCondition(where) : () => true, isUnclear: false },
    })),
    ...unclear.map(({ touchpoint, entity }) => ({
      touchpoint,
      exit: { entity, holds: () => true, isUnclear: true },
    })),
  ]
  const byType = Map.groupBy(all, ({ touchpoint }) => touchpoint)
  return new Map([...byType].map(([type, exits]) => [type, exits.map((each) => each.exit)]))
}

function readsOf(step: Step): [string, EnrolmentRead][] {
  const kind = kindOf(step)
  return (kind.parts(step).fields ?? []).map(([name]) => [
    name,
    (draft, enrolment) => kind.read?.(step, name, { draft, enrolment }),
  ])
}
