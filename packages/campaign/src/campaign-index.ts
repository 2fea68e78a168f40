import type { CompiledCampaign } from './compiled-campaign.ts'
import { dateOfPersonIn } from './moment.ts'
import { everyStep, partsOf } from './steps/registry.ts'
import type { StepParts } from './steps/step-kind.ts'
import { triggerPartsOf } from './triggers/registry.ts'

/*
 * What a definition knows of its campaigns in advance, so that an event, a date or a receipt meets only those
 * that could want it (P8).
 */

/** The live campaigns that a date starts: of an entity by its type, and of the person. */
export type DateCampaigns = {
  byId: ReadonlyMap<string, CompiledCampaign>
  byEntity: ReadonlyMap<string, readonly CompiledCampaign[]>
  ofPerson: readonly CompiledCampaign[]
  /** All versions that a date starts: who entered one for it leaves when it moves ahead, and may go on again. */
  everByEntity: ReadonlyMap<string, readonly CompiledCampaign[]>
  everOfPerson: readonly CompiledCampaign[]
}

/** Dates of the person for which somebody may wait in some version, and the ids of the campaigns of these. */
export type DatesInWaits = { fields: ReadonlySet<string>; campaignIds: ReadonlySet<string> }

/** The live campaigns that begin when a condition begins to hold, by the events that may change it. */
export type BecomingCampaigns = {
  byId: ReadonlyMap<string, CompiledCampaign>
  byType: ReadonlyMap<string, readonly CompiledCampaign[]>
}

/** touchpoint type → persona → the live campaigns that it may start. */
export function indexStarters(
  live: readonly CompiledCampaign[],
  personas: readonly { id: string }[],
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

export function indexDates(
  live: readonly CompiledCampaign[],
  campaigns: Iterable<CompiledCampaign>,
): DateCampaigns {
  const ofLive = byWhatTheyDate(live)
  const ofEver = byWhatTheyDate([...campaigns])
  return {
    byId: new Map(ofLive.all.map((campaign) => [campaign.id, campaign])),
    byEntity: ofLive.byEntity,
    ofPerson: ofLive.ofPerson,
    everByEntity: ofEver.byEntity,
    everOfPerson: ofEver.ofPerson,
  }
}

function byWhatTheyDate(campaigns: readonly CompiledCampaign[]) {
  const typeOf = ({ file }: CompiledCampaign) => triggerPartsOf(file.trigger).entity?.type
  const all = campaigns.filter(({ file }) => triggerPartsOf(file.trigger).date)
  const ofEntities = all.filter((campaign) => typeOf(campaign) !== undefined)
  return {
    all,
    byEntity: Map.groupBy(ofEntities, (campaign) => typeOf(campaign) ?? ''),
    ofPerson: all.filter((campaign) => typeOf(campaign) === undefined),
  }
}

export function indexDatesInWaits(campaigns: Iterable<CompiledCampaign>): DatesInWaits {
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

export function indexBecoming(live: readonly CompiledCampaign[]): BecomingCampaigns {
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

/** touchpoint type → ids of the campaigns of which it ends some version. */
export function indexEnders(campaigns: Iterable<CompiledCampaign>): Map<string, Set<string>> {
  return indexTypes(campaigns, ({ exits }) => exits.keys())
}

/** touchpoint type → ids of the campaigns in some version of which somebody may wait for it. */
export function indexListeners(campaigns: Iterable<CompiledCampaign>): Map<string, Set<string>> {
  return indexTypes(campaigns, ({ file }) =>
    everyStep(file.steps).flatMap((step) =>
      (partsOf(step).touchpoints ?? []).map(({ type }) => type),
    ),
  )
}

/** Ids of the campaigns some version of which has a step with such a part. */
export function campaignsWith(
  part: keyof StepParts,
  campaigns: Iterable<CompiledCampaign>,
): Set<string> {
  return new Set(
    [...campaigns]
      .filter(({ file }) => everyStep(file.steps).some((step) => partsOf(step)[part]))
      .map(({ id }) => id),
  )
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

/** touchpoint type → ids of the campaigns that are for it → within which time, in some version. */
export function indexGoals(
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
