import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import type { CompiledCampaign } from '@wegwijs/campaign/compiled-campaign'
import { subtractDuration } from '@wegwijs/campaign/instant'
import { type Identity, otherIdentityOf } from '@wegwijs/campaign/journey-event'
import { isRelationEvent } from '@wegwijs/campaign/relations'
import type { OtherPerson, PersonState } from '@wegwijs/campaign/state'
import type { Querying } from '@wegwijs/store/database'
import { findOrCreatePeople, linkIdentities } from '@wegwijs/store/identities'
import { loadOthers, loadStates, type StateScope, whoEntered } from '@wegwijs/store/load-states'
import { lockPeople } from '@wegwijs/store/person-locks'
import type { Accepted } from './intake.ts'

/** Whose event it is, and for a merge or a link who else is meant. */
export type Addressed = Accepted & { personId: string; otherId: string | null }

/** Where the event has the id that nobody has. */
export type Unknown = Accepted & { path: 'subject' | 'data.externalId' }

/**
 * Finds the people of these events, creates who is new, links further ids, and locks all of them in
 * the order of their ids (P6). Events that are about, or name, an id of ours that nobody has come back as `unknown`.
 */
export async function addressEvents(
  tx: Querying,
  accepted: readonly Accepted[],
): Promise<{ addressed: Addressed[]; unknown: Unknown[] }> {
  await linkFurtherIds(tx, accepted)
  const others = accepted.map((each) => otherIdentityOf(each.event))
  const identities = [
    ...accepted.map((each) => each.identity),
    ...others.filter((other) => other !== null),
  ]
  const ids = await findOrCreatePeople(tx, identities)
  const survivors = await lockSurvivors(
    tx,
    ids.filter((id) => id !== null),
  )
  const personIdOf = new Map(
    identities.map((identity, index) => [keyOf(identity), ids[index] ?? null]),
  )
  const find = (identity: Identity | null): string | null => {
    const id = identity && personIdOf.get(keyOf(identity))
    return id ? (survivors.get(id) ?? id) : null
  }
  const addressed: Addressed[] = []
  const unknown: Unknown[] = []
  accepted.forEach((each, index) => {
    const named = others[index] ?? null
    const [personId, otherId] = [find(each.identity), find(named)]
    if (!personId) unknown.push({ ...each, path: 'subject' })
    else if (named && !otherId) unknown.push({ ...each, path: 'data.externalId' })
    else addressed.push({ ...each, personId, otherId })
  })
  return { addressed, unknown }
}

/**
 * `person.identified`: the further id is linked before anybody is looked up by it, or the lookup
 * would make a second person of it. An id that somebody has already stays theirs; so does one of which an event
 * before the link speaks, as when that had been read in a batch of its own (P6).
 */
async function linkFurtherIds(tx: Querying, accepted: readonly Accepted[]): Promise<void> {
  const links = linksToNewIds(accepted)
  if (links.length === 0) return
  const owners = await findOrCreatePeople(
    tx,
    links.map((link) => link.identity),
  )
  await linkIdentities(
    tx,
    links.flatMap((link, index) => {
      const [personId, identity] = [owners[index], otherIdentityOf(link.event)]
      return personId && identity ? [{ personId, ...identity }] : []
    }),
  )
}

function linksToNewIds(accepted: readonly Accepted[]): Accepted[] {
  const known = new Set<string>()
  return accepted.filter(({ event, identity }) => {
    const other = otherIdentityOf(event)
    known.add(keyOf(identity))
    const isNew = other !== null && !known.has(keyOf(other))
    if (other) known.add(keyOf(other))
    return isNew && event.type === 'person.identified.v1'
  })
}

/** Locks these people, and who they were merged into meanwhile; says who stands for whom. */
async function lockSurvivors(tx: Querying, ids: readonly string[]): Promise<Map<string, string>> {
  const survivors = new Map<string, string>()
  let wanted = [...new Set(ids)]
  while (wanted.length > 0) {
    const locked = await lockPeople(tx, wanted)
    wanted = []
    for (const [id, mergedInto] of locked) {
      if (mergedInto === null) continue
      survivors.set(id, mergedInto)
      wanted.push(mergedInto)
    }
  }
  for (const [id, next] of survivors) {
    let last = next
    for (let after = survivors.get(last); after !== undefined; after = survivors.get(last))
      last = after
    survivors.set(id, last)
  }
  return survivors
}

export type LoadedPeople = {
  states: Map<string, PersonState>
  /** Who the people are to whom they are related, by the id that the relation has of them. */
  others: ReadonlyMap<string, OtherPerson>
  /** Of those who have the further id of a link, or may become one with them before it, whoever ever entered a campaign. */
  entered: ReadonlySet<string>
}

/** Loads the people of these events with as much as deciding about them needs. */
export async function loadPeople(
  tx: Querying,
  events: readonly Addressed[],
  context: ScopeContext,
): Promise<LoadedPeople> {
  const ids = new Set(
    events.flatMap((each) => (each.otherId ? [each.personId, each.otherId] : [each.personId])),
  )
  const states = await loadStates(tx, [...ids], scopeOf(events, context))
  const others = await loadOthers(tx, states.values())
  return { states, others, entered: await whoEntered(tx, mayOwnLinked(events)) }
}

/** By the turn of its link an id may be of whoever became one with its owner in the same batch (P6). */
function mayOwnLinked(events: readonly Addressed[]): string[] {
  const merging = events.filter(mayMerge)
  const hasLink = merging.some(({ event }) => event.type === 'person.identified.v1')
  return hasLink ? merging.flatMap(({ personId, otherId }) => [personId, otherId]) : []
}

/** A link, too, when somebody has the further id who is known by nothing but a no. */
function mayMerge(each: Addressed): each is Addressed & { otherId: string } {
  const { type } = each.event
  return (type === 'person.merged.v1' || type === 'person.identified.v1') && namesAnother(each)
}

function namesAnother(each: Addressed): each is Addressed & { otherId: string } {
  return each.otherId !== null && each.otherId !== each.personId
}

type ScopeContext = { definition: CompiledDefinition; now: string }

function scopeOf(events: readonly Addressed[], context: ScopeContext): StateScope {
  const { definition } = context
  const types = new Set(events.map((each) => each.event.type))
  const mergedPeople = events
    .filter(mayMerge)
    .flatMap(({ personId, otherId }) => [personId, otherId])
  const dying = events.filter(({ event }) => event.type === 'person.deceased.v1')
  // Whoever wants no more is called no more, either.
  const refusing = events.filter(({ event }) => event.type === 'consent.withdrawn.v1')
  const ending = definition.taskCampaigns.size > 0 ? [...dying, ...refusing] : dying
  return {
    wholePeople: [...ending.map(({ personId }) => personId), ...mergedPeople],
    mergedPeople,
    dated: datedOf(events, definition),
    // Who entered for a date of theirs leaves when that has moved.
    redatedCampaignIds:
      types.has('person.upserted.v1') || mergedPeople.length > 0
        ? [...new Set(definition.dates.everOfPerson.map(({ id }) => id))]
        : [],
    touchedCampaignIds: [
      ...(maySayDates(events, definition) ? definition.datesInWaits.campaignIds : []),
      // Whoever is younger than was known may not be called.
      ...(events.some(saysAge) ? definition.taskCampaignsByAge : []),
      ...[...types].flatMap((type) => [
        ...(definition.enders.get(type) ?? []),
        ...(definition.listeners.get(type) ?? []),
        ...startersOf([type], definition)
          .filter(({ file }) => file.atOnce !== undefined)
          .map(({ id }) => id),
      ]),
    ],
    goals: goalsOf(events, context),
    receiptCampaignIds: [...definition.receiptListeners],
    taskIds: events.flatMap(({ event }) =>
      event.type === 'task.done.v1' ? [String(event.data.taskId)] : [],
    ),
    taskCampaignIds: [...definition.taskCampaigns],
    entities: events.flatMap((each) => (each.event.entity ? [each.event.entity] : [])),
    resumed: [],
    intentIds: events.flatMap(({ event: { type, data } }) =>
      type.startsWith('message.') && typeof data.intentId === 'string' ? [data.intentId] : [],
    ),
    campaignIds: campaignsEnteredBy(events, types, definition),
    relations:
      definition.asksForRelations ||
      mergedPeople.length > 0 ||
      events.some(({ event }) => isRelationEvent(event)),
  }
}

function saysAge({ event: { type, data } }: Addressed): boolean {
  return type === 'person.upserted.v1' && data.birthYear !== undefined
}

/** Whether a profile names a date for which somebody may wait, or the zone in which it comes. */
function maySayDates(
  events: readonly Addressed[],
  { datesInWaits: { fields } }: CompiledDefinition,
): boolean {
  if (fields.size === 0) return false
  return events.some(({ event: { type, data } }) => {
    if (type !== 'person.upserted.v1') return false
    const names = Object.keys(data.attributes ?? {})
    return data.timeZone !== undefined || names.some((name) => fields.has(`person.${name}`))
  })
}

/** Whoever has dates that an event of theirs may move, take away or join with those of somebody else. */
function datedOf(events: readonly Addressed[], { dates, becoming }: CompiledDefinition): string[] {
  const waiting = dates.byId.size + dates.everOfPerson.length + becoming.byId.size
  const everybody = ['person.upserted.v1', 'person.deceased.v1']
  return events.flatMap((each) => {
    const { event, personId } = each
    const { type, entity } = event
    if (waiting === 0) return []
    if (mayMerge(each)) return [personId, each.otherId]
    const mayMove = entity ? dates.byEntity.has(entity.type) : everybody.includes(type)
    return mayMove || becoming.byType.has(type) ? [personId] : []
  })
}

/**
 * Campaigns of whose entries one may count: those that an event of these types could start, or whose date
 * it may move: what was taken back for it goes on only if nobody has entered since. A merge
 * joins two people's entries, of whatever they entered long before this batch (P2).
 */
function campaignsEnteredBy(
  events: readonly Addressed[],
  types: ReadonlySet<string>,
  definition: CompiledDefinition,
): string[] {
  const { everByEntity, everOfPerson } = definition.dates
  const candidates = types.has('person.merged.v1')
    ? [...definition.campaigns.values()]
    : [
        ...startersOf(types, definition),
        ...events.flatMap(({ event: { entity } }) => everByEntity.get(entity?.type ?? '') ?? []),
        ...(types.has('person.upserted.v1') ? everOfPerson : []),
      ]
  return [
    ...new Set(
      candidates.filter(({ file }) => file.entry !== 'every-time').map((campaign) => campaign.id),
    ),
  ]
}

function startersOf(
  types: Iterable<string>,
  { starters, becoming }: CompiledDefinition,
): CompiledCampaign[] {
  return [...types].flatMap((type) => [
    ...[...(starters.get(type)?.values() ?? [])].flat(),
    ...(becoming.byType.get(type) ?? []),
  ])
}

/**
 * Since when somebody must have entered whose goal one of these events can be: by the version that
 * allows most, and by when it happened, which may be long before it is read.
 */
function goalsOf(
  events: readonly Addressed[],
  { definition }: ScopeContext,
): { campaignId: string; enteredSince: string }[] {
  return [...Map.groupBy(events, ({ event }) => event.type)].flatMap(([type, own]) => {
    const [happened = ''] = own.map(({ event }) => event.time).sort()
    return [...(definition.goals.get(type) ?? [])].map(([campaignId, windows]) => {
      const [first = happened] = windows
        .map((each) => subtractDuration(happened, each, 'UTC'))
        .sort()
      // A day more: zones differ by less.
      return { campaignId, enteredSince: subtractDuration(first, 'P1D', 'UTC') }
    })
  })
}

function keyOf(identity: Identity): string {
  return JSON.stringify([identity.idSpace, identity.externalId])
}
