import { type AgeRule, wordsOf } from './addressees.ts'
import { type Condition, compileCondition, happenedIn, type Predicate } from './condition.ts'
import { type CompiledCounts, type Count, countsOf } from './counts.ts'
import type { DefinitionBundle } from './definition/bundle.ts'
import type { CampaignFile } from './definition/campaign.ts'
import type { Persona } from './definition/personas.ts'
import type { ClassPolicy, PoliciesFile } from './definition/policies.ts'
import type { Reach } from './definition/reach.ts'
import type { EmittedType, Publisher, Touchpoint } from './definition/touchpoints.ts'
import type { CampaignClass, ChannelName, EntityMeant } from './definition/words.ts'
import type { Draft } from './draft.ts'
import { createEventCheck, type EventCheck } from './event-check.ts'
import type { Happened } from './happened.ts'
import type { JsonValue } from './json.ts'
import { createWorkingDays, dateOfPersonIn, type WorkingDays } from './moment.ts'
import { campaignKey, type Enrolment } from './state.ts'
import { everyStep, kindOf, partsOf } from './steps/registry.ts'
import type { Step } from './steps/step.ts'
import type { StepKind } from './steps/step-kind.ts'
import { triggerKindOf, triggerPartsOf } from './triggers/registry.ts'
import type { TriggerKind } from './triggers/trigger-kind.ts'

/**
 * One step where it stands: `next` follows it, `arms` are the ways into those that it holds, and
 * `conditions` those that it names beside the ones of its arms.
 */
export type StepNode = {
  path: string
  step: Step
  kind: StepKind<Step>
  next: string | null
  arms: readonly Arm[]
  conditions: readonly Predicate[]
}
type Arm = { holds: Predicate; first: string | null }

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
  nodes: ReadonlyMap<string, StepNode>
  /** Name of a field of an enrolment, without its root → how to read it. */
  reads: ReadonlyMap<string, EnrolmentRead>
}

/** What kind of trigger it is, and its condition; both null when it has none. */
type CompiledTrigger = {
  kind: TriggerKind<CampaignFile['trigger']>
  where: Condition | null
  holds: Predicate | null
  /** What its condition asks of the past. */
  asked: readonly Happened[]
}

type CompiledExit = { entity: EntityMeant; holds: Predicate }

type EnrolmentRead = (draft: Draft, enrolment: Enrolment) => JsonValue | undefined

/** A campaign version as it is stored. */
export type CampaignVersion = {
  id: string
  version: number
  live: boolean
  file: CampaignFile
  templates: Readonly<Record<string, string>>
}

/** Everything that deciding needs, indexed so that an event meets only what could want it (P8). */
export type CompiledDefinition = {
  revision: number
  timeZone: string
  locale: string
  organisation: PoliciesFile['organisation']
  holdOut: PoliciesFile['holdOut']
  /** Who is written to below an age, the youngest first. */
  ages: readonly AgeRule[]
  /** Id of each live campaign that has a band → how far it reaches. */
  reach: ReadonlyMap<string, Reach>
  isWorkingDay: WorkingDays
  publishers: ReadonlyMap<string, Publisher>
  touchpoints: ReadonlyMap<string, Touchpoint>
  /** What campaigns may tell other systems, by type. */
  emits: ReadonlyMap<string, EmittedType>
  personas: readonly CompiledPersona[]
  checkEvent: EventCheck
  /** By `campaign id @ version`: the live ones, and all that people may still be in. */
  campaigns: ReadonlyMap<string, CompiledCampaign>
  /**
   * By the same, why a version cannot be read in which nobody is under way. Nothing is decided about somebody
   * who was in it once: this is thrown instead.
   */
  unreadable: ReadonlyMap<string, Error>
  /** touchpoint type → persona → the live campaigns that it may start. */
  starters: ReadonlyMap<string, ReadonlyMap<string, readonly CompiledCampaign[]>>
  dates: DateCampaigns
  becoming: BecomingCampaigns
  datesInWaits: DatesInWaits
  /** touchpoint type → ids of the campaigns of which it ends some version. */
  enders: ReadonlyMap<string, ReadonlySet<string>>
  /** touchpoint type → ids of the campaigns that are for it → within which time, in some version. */
  goals: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>
  /** touchpoint type → ids of the campaigns in some version of which somebody may wait for it. */
  listeners: ReadonlyMap<string, ReadonlySet<string>>
  /** Ids of the campaigns in some version of which somebody may wait for a receipt. */
  receiptListeners: ReadonlySet<string>
  /** Ids of the campaigns some version of which gives people work. */
  taskCampaigns: ReadonlySet<string>
  /** What is kept of what happens, for conditions that ask how often it did. */
  counts: CompiledCounts
  /** Something that any of them decides hangs on who is related to whom. */
  asksForRelations: boolean
}

/** The live campaigns that a date starts: of an entity by its type, and of the person. */
export type DateCampaigns = {
  byId: ReadonlyMap<string, CompiledCampaign>
  byEntity: ReadonlyMap<string, readonly CompiledCampaign[]>
  ofPerson: readonly CompiledCampaign[]
}

/** Dates of the person for which somebody may wait in some version, and the ids of the campaigns of these. */
export type DatesInWaits = { fields: ReadonlySet<string>; campaignIds: ReadonlySet<string> }

/** The live campaigns that begin when a condition begins to hold, by the events that may change it. */
export type BecomingCampaigns = {
  byId: ReadonlyMap<string, CompiledCampaign>
  byType: ReadonlyMap<string, readonly CompiledCampaign[]>
}

export type CompiledPersona = { id: string; channels: readonly ChannelName[]; holds: Predicate }

/** What the record counts, with the text by which it is known that it still counts that. */
export type KeptCounts = { counts: readonly Count[]; mark: string }

/**
 * Compiles a definition, with every campaign version that people may still be in. Without `kept`
 * everything is counted that these versions ask for.
 */
export function compileDefinition(
  revision: number,
  bundle: DefinitionBundle,
  versions: readonly CampaignVersion[],
  kept: KeptCounts = { counts: countsOfDefinition(bundle, versions), mark: '' },
  unreadable: ReadonlyMap<string, Error> = new Map(),
): CompiledDefinition {
  const personas = bundle.personas.personas.map(compilePersona)
  const campaigns = new Map<string, CompiledCampaign>()
  for (const version of versions) {
    campaigns.set(
      campaignKey(version.id, version.version),
      compileCampaign(version, bundle.policies.classes),
    )
  }
  const live = versions
    .filter((version) => version.live)
    .map((version) => campaigns.get(campaignKey(version.id, version.version)))
    .filter((campaign) => campaign !== undefined)
  return {
    revision,
    timeZone: bundle.policies.timeZone,
    locale: bundle.policies.locale,
    organisation: bundle.policies.organisation,
    holdOut: bundle.policies.holdOut,
    ages: bundle.policies.ages ?? [],
    reach: new Map(live.flatMap(({ id, file }) => (file.reach ? [[id, file.reach] as const] : []))),
    isWorkingDay: createWorkingDays(bundle.policies.holidays, bundle.policies.closedDays),
    publishers: new Map(
      bundle.touchpoints.publishers.map((publisher) => [publisher.source, publisher]),
    ),
    touchpoints: new Map(
      bundle.touchpoints.touchpoints.map((touchpoint) => [touchpoint.type, touchpoint]),
    ),
    // A definition that was applied before there were any has none.
    emits: new Map((bundle.touchpoints.emits ?? []).map((each) => [each.type, each])),
    personas,
    checkEvent: createEventCheck(bundle),
    campaigns,
    unreadable,
    starters: indexStarters(live, personas),
    dates: indexDates(live),
    becoming: indexBecoming(live),
    datesInWaits: indexDatesInWaits(campaigns.values()),
    enders: indexTypes(campaigns.values(), ({ exits }) => exits.keys()),
    goals: indexGoals(campaigns.values()),
    listeners: indexTypes(campaigns.values(), ({ file }) =>
      everyStep(file.steps).flatMap((step) =>
        (partsOf(step).touchpoints ?? []).map(({ type }) => type),
      ),
    ),
    taskCampaigns: new Set(
      [...campaigns.values()]
        .filter(({ file }) => everyStep(file.steps).some((step) => partsOf(step).team))
        .map(({ id }) => id),
    ),
    receiptListeners: new Set(
      [...campaigns.values()]
        .filter(({ file }) => everyStep(file.steps).some((step) => partsOf(step).messages))
        .map(({ id }) => id),
    ),
    counts: compileCounts(kept),
    asksForRelations:
      bundle.policies.ages !== undefined ||
      [...campaigns.values()].some(({ file }) => namesRelations(file) || writesToOthers(file)),
  }
}

/** What the conditions of a definition, and of these versions of campaigns, ask for. */
export function countsOfDefinition(
  { personas, policies }: Pick<DefinitionBundle, 'personas' | 'policies'>,
  versions: readonly Pick<CampaignVersion, 'file'>[],
): Count[] {
  const conditions = [
    ...personas.personas.flatMap(({ when }) => when ?? []),
    ...versions.flatMap(({ file }) => conditionsIn(file)),
  ]
  const asked = conditions.flatMap((condition) => happenedIn(condition))
  return countsOf(
    asked.map(({ happened }) => happened),
    policies.timeZone,
  )
}

/** Every condition of a campaign. */
function conditionsIn({ trigger, audience, exit, goal, steps }: CampaignFile): Condition[] {
  return [
    triggerPartsOf(trigger).where?.condition,
    audience.where,
    ...exit.map(({ where }) => where),
    goal?.where,
    ...everyStep(steps).flatMap((step) => {
      const { arms = [], conditions = [] } = partsOf(step)
      return [
        ...arms.map(({ when }) => when?.condition),
        ...conditions.map((each) => each.condition),
      ]
    }),
  ].filter((condition) => condition !== undefined)
}

export function compileCounts({ counts, mark }: KeptCounts): CompiledCounts {
  const ready = counts.map(({ key, touchpoint, where, days }) => ({
    touchpoint,
    count: { key, days, holds: where && compileCondition(where) },
  }))
  const byTouchpoint = Map.groupBy(ready, ({ touchpoint }) => touchpoint)
  return {
    mark,
    keys: new Set(counts.map(({ key }) => key)),
    byTouchpoint: new Map(
      [...byTouchpoint].map(([type, own]) => [type, own.map(({ count }) => count)]),
    ),
  }
}

function writesToOthers({ steps }: CampaignFile): boolean {
  return everyStep(steps)
    .flatMap((step) => partsOf(step).message ?? [])
    .some((message) => wordsOf(message, []).some((word) => word !== 'person'))
}

/** A condition anywhere in it looks at a relation. */
function namesRelations(part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return false
  if ('field' in part && String(part.field).startsWith('relation.')) return true
  return Object.values(part).some(namesRelations)
}

export function compileCampaign(
  version: CampaignVersion,
  classes: Readonly<Record<CampaignClass, ClassPolicy>>,
): CompiledCampaign {
  const { file } = version
  const nodes = new Map<string, StepNode>()
  const first = layOut(file.steps, '', null, nodes)
  if (first === null) throw new RangeError(`campaign ${file.id} has no steps`)
  return {
    id: version.id,
    version: version.version,
    file,
    policy: classes[file.class],
    templates: version.templates,
    trigger: compileTrigger(file),
    audienceHolds: file.audience.where ? compileCondition(file.audience.where) : null,
    exits: compileExits(file),
    goalHolds: file.goal?.where ? compileCondition(file.goal.where) : null,
    first,
    nodes,
    reads: new Map(everyStep(file.steps).flatMap(readsOf)),
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

function compileExits({ exit }: CampaignFile): Map<string, CompiledExit[]> {
  const byType = Map.groupBy(exit, ({ touchpoint }) => touchpoint)
  return new Map(
    [...byType].map(([type, exits]) => [
      type,
      exits.map(({ entity, where }) => ({
        entity,
        holds: where ? compileCondition(where) : () => true,
      })),
    ]),
  )
}

function readsOf(step: Step): [string, EnrolmentRead][] {
  const kind = kindOf(step)
  return (kind.parts(step).fields ?? []).map(([name]) => [
    name,
    (draft, enrolment) => kind.read?.(step, name, { draft, enrolment }),
  ])
}

/** Gives every step a path (`2`, `2.0.1`: step, arm, step) and says what follows it. Returns the first. */
function layOut(
  steps: readonly Step[],
  prefix: string,
  after: string | null,
  nodes: Map<string, StepNode>,
): string | null {
  steps.forEach((step, index) => {
    const path = `${prefix}${index}`
    const next = index + 1 < steps.length ? `${prefix}${index + 1}` : after
    const parts = partsOf(step)
    const arms = (parts.arms ?? []).map((arm, number) => ({
      holds: arm.when ? compileCondition(arm.when.condition) : () => true,
      first: layOut(arm.steps, `${path}.${number}.`, next, nodes),
    }))
    const conditions = (parts.conditions ?? []).map(({ condition }) => compileCondition(condition))
    nodes.set(path, { path, step, kind: kindOf(step), next, arms, conditions })
  })
  return steps.length > 0 ? `${prefix}0` : after
}

function compilePersona(persona: Persona): CompiledPersona {
  return {
    id: persona.id,
    channels: persona.channels,
    holds: persona.when ? compileCondition(persona.when) : () => true,
  }
}

function indexStarters(
  live: readonly CompiledCampaign[],
  personas: readonly CompiledPersona[],
): Map<string, Map<string, CompiledCampaign[]>> {
  const index = new Map<string, Map<string, CompiledCampaign[]>>()
  for (const campaign of live) {
    const wanted = campaign.file.audience.personas ?? personas.map((each) => each.id)
    for (const type of triggerPartsOf(campaign.file.trigger).types) {
      const byPersona = index.get(type) ?? new Map<string, CompiledCampaign[]>()
      index.set(type, byPersona)
      for (const persona of wanted)
        byPersona.set(persona, [...(byPersona.get(persona) ?? []), campaign])
    }
  }
  return index
}

function indexDates(live: readonly CompiledCampaign[]): DateCampaigns {
  const typeOf = ({ file }: CompiledCampaign) => triggerPartsOf(file.trigger).entity?.type
  const ofDates = live.filter(({ file }) => triggerPartsOf(file.trigger).date)
  const ofEntities = ofDates.filter((campaign) => typeOf(campaign) !== undefined)
  return {
    byId: new Map(ofDates.map((campaign) => [campaign.id, campaign])),
    byEntity: Map.groupBy(ofEntities, (campaign) => typeOf(campaign) ?? ''),
    ofPerson: ofDates.filter((campaign) => typeOf(campaign) === undefined),
  }
}

function indexDatesInWaits(campaigns: Iterable<CompiledCampaign>): DatesInWaits {
  const own = [...campaigns].flatMap(({ id, file }) =>
    everyStep(file.steps).flatMap((step) => {
      const { pause } = partsOf(step)
      const field = pause ? dateOfPersonIn(pause) : null
      return field === null ? [] : [{ id, field }]
    }),
  )
  return {
    fields: new Set(own.map(({ field }) => field)),
    campaignIds: new Set(own.map(({ id }) => id)),
  }
}

function indexBecoming(live: readonly CompiledCampaign[]): BecomingCampaigns {
  const typesOf = ({ file }: CompiledCampaign) => triggerPartsOf(file.trigger).becomes?.types
  const own = live.filter((campaign) => typesOf(campaign) !== undefined)
  const types = [...new Set(own.flatMap((campaign) => typesOf(campaign) ?? []))]
  return {
    byId: new Map(own.map((campaign) => [campaign.id, campaign])),
    byType: new Map(
      types.map((type) => [type, own.filter((campaign) => typesOf(campaign)?.includes(type))]),
    ),
  }
}

function indexTypes(
  campaigns: Iterable<CompiledCampaign>,
  typesOf: (campaign: CompiledCampaign) => Iterable<string>,
): Map<string, Set<string>> {
  const index = new Map<string, Set<string>>()
  for (const campaign of campaigns) {
    for (const type of typesOf(campaign))
      index.set(type, (index.get(type) ?? new Set()).add(campaign.id))
  }
  return index
}

function indexGoals(
  campaigns: Iterable<CompiledCampaign>,
): Map<string, Map<string, readonly string[]>> {
  const index = new Map<string, Map<string, readonly string[]>>()
  for (const { id, file } of campaigns) {
    if (!file.goal) continue
    const { touchpoint, within } = file.goal
    const ofType = index.get(touchpoint) ?? new Map<string, readonly string[]>()
    index.set(touchpoint, ofType.set(id, [...(ofType.get(id) ?? []), within]))
  }
  return index
}
