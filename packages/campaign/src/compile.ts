import { type AgeRule, wordsOf } from './addressees.ts'
import {
  type BecomingCampaigns,
  campaignsWith,
  type DateCampaigns,
  type DatesInWaits,
  indexBecoming,
  indexDates,
  indexDatesInWaits,
  indexEnders,
  indexGoals,
  indexListeners,
  indexStarters,
} from './campaign-index.ts'
import {
  type CampaignVersion,
  type CompiledCampaign,
  compileCampaign,
} from './compiled-campaign.ts'
import { compileCondition, type Predicate } from './condition.ts'
import type { CompiledCounts } from './counts.ts'
import type { DefinitionBundle } from './definition/bundle.ts'
import type { CampaignFile } from './definition/campaign.ts'
import type { Persona } from './definition/personas.ts'
import type { ClassPolicy, PoliciesFile } from './definition/policies.ts'
import type { Reach } from './definition/reach.ts'
import type { EmittedType, Publisher, Touchpoint } from './definition/touchpoints.ts'
import type { CampaignClass, ChannelName } from './definition/words.ts'
import { createEventCheck, type EventCheck } from './event-check.ts'
import { compileCounts, countsOfDefinition, type KeptCounts } from './kept-counts.ts'
import { campaignKey } from './state.ts'
import { everyStep, partsOf } from './steps/registry.ts'
import { createWorkingDays, type WorkingDays } from './working-days.ts'

/** Everything that deciding needs, indexed so that an event meets only what could want it (P8). */
export type CompiledDefinition = {
  revision: number
  timeZone: string
  locale: string
  organisation: PoliciesFile['organisation']
  holdOut: PoliciesFile['holdOut']
  /** What each class of campaigns may do. */
  classes: Readonly<Record<CampaignClass, ClassPolicy>>
  /** Who is written to below an age, the youngest first. */
  ages: readonly AgeRule[]
  /** Id of each campaign that has a band, also when it has ended → how far it reaches. */
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
  /** Those of them that give none about somebody who is too young by the rules of age. */
  taskCampaignsByAge: ReadonlySet<string>
  /** What is kept of what happens, for conditions that ask how often it did. */
  counts: CompiledCounts
  /** Something that any of them decides hangs on who is related to whom. */
  asksForRelations: boolean
}

export type CompiledPersona = { id: string; channels: readonly ChannelName[]; holds: Predicate }

/**
 * Compiles a definition, with every campaign version that people may still be in. Without `kept`
 * everything is counted that these versions ask for.
 */
export function compileDefinition(
  revision: number,
  bundle: DefinitionBundle,
  versions: readonly CampaignVersion[],
  kept: KeptCounts = { counts: countsOfDefinition(bundle, versions), mark: '' },
): CompiledDefinition {
  const personas = bundle.personas.personas.map(compilePersona)
  const campaigns = new Map(
    versions.map((version) => [
      campaignKey(version.id, version.version),
      compileCampaign(version, bundle.policies.classes),
    ]),
  )
  const live = versions
    .filter((version) => version.live)
    .map((version) => campaigns.get(campaignKey(version.id, version.version)))
    .filter((campaign) => campaign !== undefined)
  const taskCampaigns = campaignsWith('team', campaigns.values())
  return {
    revision,
    timeZone: bundle.policies.timeZone,
    locale: bundle.policies.locale,
    organisation: bundle.policies.organisation,
    holdOut: bundle.policies.holdOut,
    classes: bundle.policies.classes,
    ages: bundle.policies.ages ?? [],
    reach: reachOf(versions),
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
    starters: indexStarters(live, personas),
    dates: indexDates(live, campaigns.values()),
    becoming: indexBecoming(live),
    datesInWaits: indexDatesInWaits(campaigns.values()),
    enders: indexEnders(campaigns.values()),
    goals: indexGoals(campaigns.values()),
    listeners: indexListeners(campaigns.values()),
    taskCampaigns,
    taskCampaignsByAge: tasksByAge(bundle, versions, taskCampaigns),
    receiptListeners: new Set([
      ...campaignsWith('messages', campaigns.values()),
      // In what is not clear of it there may be some.
      ...[...campaigns.values()].filter(({ unclear }) => unclear).map(({ id }) => id),
    ]),
    counts: compileCounts(kept),
    asksForRelations:
      bundle.policies.ages !== undefined ||
      [...campaigns.values()].some(
        ({ file }) => namesRelations(file) || copiesRelations(file) || writesToOthers(file),
      ),
  }
}

/** As the live version has it; of what has ended as its newest, for whoever is still under way. */
function reachOf(versions: readonly CampaignVersion[]): Map<string, Reach> {
  const byId = new Map<string, CampaignVersion>()
  for (const each of versions) {
    const known = byId.get(each.id)
    if (!known || each.live || (!known.live && each.version > known.version))
      byId.set(each.id, each)
  }
  return new Map(
    [...byId].flatMap(([id, { file }]) => (file.reach ? [[id, file.reach] as const] : [])),
  )
}

/** A campaign keeps its class through all its versions. */
function tasksByAge(
  { policies: { ages = [], classes } }: DefinitionBundle,
  versions: readonly CampaignVersion[],
  taskCampaigns: ReadonlySet<string>,
): ReadonlySet<string> {
  if (ages.length === 0) return new Set()
  const asking = versions.filter(({ file }) => classes[file.class].consent === 'required')
  return new Set(asking.map(({ id }) => id).filter((id) => taskCampaigns.has(id)))
}

function writesToOthers({ steps }: CampaignFile): boolean {
  return everyStep(steps)
    .flatMap((step) => partsOf(step).message ?? [])
    .some((message) => wordsOf(message, []).some((word) => word !== 'person'))
}

/** A step remembers, or tells other systems, whether there is somebody. */
function copiesRelations({ steps }: CampaignFile): boolean {
  return everyStep(steps)
    .flatMap((step) => {
      const { sets, emits } = partsOf(step)
      return [sets?.from, ...Object.values(emits?.data ?? {})]
    })
    .some((from) => typeof from === 'string' && from.startsWith('relation.'))
}

/** A condition anywhere in it looks at a relation. */
function namesRelations(part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return false
  if ('field' in part && String(part.field).startsWith('relation.')) return true
  return Object.values(part).some(namesRelations)
}

function compilePersona(persona: Persona): CompiledPersona {
  return {
    id: persona.id,
    channels: persona.channels,
    holds: persona.when ? compileCondition(persona.when) : () => true,
  }
}
