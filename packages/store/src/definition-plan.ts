import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { type Difference, differencesBetween } from '@wegwijs/campaign/definition/differences'
import type { JsonValue } from '@wegwijs/campaign/json'
import { withdrawnBy } from '@wegwijs/campaign/move'
import { sql } from 'kysely'
import type { Querying, Store } from './database.ts'
import { newestBundle } from './definitions.ts'
import { planOf } from './plan-name.ts'
import {
  type CampaignChange,
  lockDefinition,
  type Publication,
  publicationOf,
} from './publication.ts'
import { movesOf, type PlannedMove, type PublishedMove, plannedMoves } from './published-moves.ts'
import { inTransaction } from './transaction.ts'

/** What applying a definition would change, and nothing else. */
export type DefinitionPlan = {
  /**
   * Names exactly this change: `<revision in force>-<its hash>-<hash of the definition to apply>`.
   * Whoever applies by it gets this, or a refusal.
   */
  plan: string
  /** The revision in force; null when nothing has been applied yet. */
  revision: number | null
  /** Why what is in force cannot be read, so that nothing is decided by it; null when it can. */
  unreadable: string | null
  campaigns: PlannedCampaign[]
  /** The files that all campaigns share, and the templates. */
  shared: PlannedPart[]
}

export type PlannedCampaign = {
  id: string
  change: CampaignChange
  from: number | null
  to: number | null
  differences: Difference[]
  /** Templates whose texts are others, though the campaign names the same. */
  otherTexts: string[]
  /** People who are in it now: they stay on the version that they entered (P5). */
  inFlight: { version: number; people: number }[]
  /** Runs that are through and of which a message has not gone out, and for how many that is each message. */
  through: { version: number; runs: number; messages: PlannedMessages[] }[]
  /** Those of them who go on in the new version; null when all stay on theirs. */
  move: PlannedMove | null
}

/** `withdrawn`: the new version takes them back; else they go out as they were planned. */
export type PlannedMessages = { message: string; runs: number; withdrawn: boolean }

export type PlannedPart = { part: SharedPart; differences: Difference[] }

const sharedParts = [
  'touchpoints',
  'personas',
  'journeys',
  'attributes',
  'policies',
  'channels',
  'templates',
] as const
type SharedPart = (typeof sharedParts)[number]

/**
 * What applying `bundle` would change. Changes nothing; waits for an apply that is under way.
 *
 * @throws WEGWIJS_CAMPAIGN_CLASS_FIXED when a campaign was published under another class
 * @throws WEGWIJS_MOVE_INCOMPLETE when people would be moved and nothing says where to
 */
export async function planDefinition(
  store: Store,
  bundle: DefinitionBundle,
): Promise<DefinitionPlan> {
  return inTransaction(store.db, async (tx) => {
    await lockDefinition(tx, store.namespace)
    const publication = await publicationOf(tx, bundle)
    const latest = await newestBundle(tx)
    const inForce = latest?.read ?? latest?.stored
    const moving = await movesOf(tx, publication.published)
    const moves = await plannedMoves(tx, moving)
    const standing = {
      inFlight: await peopleInFlight(tx),
      through: throughBy(await runsThrough(tx), moving),
    }
    return {
      plan: await planOf(tx, bundle),
      revision: latest?.revision ?? null,
      unreadable: latest?.unreadable?.message ?? null,
      campaigns: plannedCampaigns(publication, standing, moves),
      shared: sharedParts.flatMap((part) => {
        const differences = differencesBetween(
          partOf(inForce, part),
          partOf(bundle, part),
          part === 'templates' ? part : '',
        )
        return differences.length > 0 ? [{ part, differences }] : []
      }),
    }
  })
}

type InFlight = ReadonlyMap<string, PlannedCampaign['inFlight']>
type Through = ReadonlyMap<string, PlannedCampaign['through']>

/** One statement, whatever the number of people: an index holds those who are in a campaign. */
async function peopleInFlight(tx: Querying): Promise<InFlight> {
  const rows = await tx
    .selectFrom('enrolment')
    .select(['campaign_id', 'version'])
    .select((each) => each.fn.countAll<number>().as('people'))
    .where('state', '=', 'running')
    .groupBy(['campaign_id', 'version'])
    .orderBy('version', 'desc')
    .execute()
  return Map.groupBy(
    rows.map((row) => ({ ...row, people: Number(row.people) })),
    (row) => row.campaign_id,
  )
}

type RunsThrough = {
  campaign_id: string
  version: number
  /** Null for all messages together: a run may have several. */
  message_id: string | null
  runs: number
}

/** By the index of what is pending. */
async function runsThrough(tx: Querying): Promise<RunsThrough[]> {
  const { rows } = await sql<RunsThrough>`
    select i.campaign_id, e.version, i.message_id, count(distinct i.enrolment_id)::int as runs
    from intent i join enrolment e using (person_id, enrolment_id)
    where i.state in ('planned', 'queued') and e.state = 'completed'
    group by i.campaign_id, e.version, grouping sets ((), (i.message_id))
    order by e.version desc, i.message_id nulls first`.execute(tx)
  return rows
}

function throughBy(rows: readonly RunsThrough[], moves: readonly PublishedMove[]): Through {
  const all = rows.filter((row) => row.message_id === null)
  const told = all.map(({ campaign_id: campaignId, version, runs }) => {
    const move = moves.find((each) => each.campaignId === campaignId && each.from === version)
    const isWithdrawn = move ? withdrawnBy(move.after) : () => false
    const messages = rows.flatMap((row) =>
      row.message_id !== null && row.campaign_id === campaignId && row.version === version
        ? [{ message: row.message_id, runs: row.runs, withdrawn: isWithdrawn(row.message_id) }]
        : [],
    )
    return { campaignId, version, runs, messages }
  })
  return new Map(
    [...Map.groupBy(told, ({ campaignId }) => campaignId)].map(([campaignId, own]) => [
      campaignId,
      own.map(({ version, runs, messages }) => ({ version, runs, messages })),
    ]),
  )
}

function plannedCampaigns(
  { published, ended }: Publication,
  { inFlight, through }: { inFlight: InFlight; through: Through },
  moves: ReadonlyMap<string, PlannedMove>,
): PlannedCampaign[] {
  const peopleIn = (id: string) =>
    (inFlight.get(id) ?? []).map(({ version, people }) => ({ version, people }))
  return [
    ...published.map(
      ({ campaign, templates, version, change, live }): PlannedCampaign => ({
        id: campaign.id,
        change,
        from: live?.version ?? null,
        to: version,
        differences:
          change === 'changed' && live
            ? differencesBetween(asJson(live.content), asJson(campaign))
            : [],
        otherTexts: Object.entries(templates).flatMap(([id, hash]) =>
          live?.templates[id] !== undefined && live.templates[id] !== hash ? [id] : [],
        ),
        inFlight: peopleIn(campaign.id),
        through: through.get(campaign.id) ?? [],
        move: moves.get(campaign.id) ?? null,
      }),
    ),
    ...ended.map(
      (live): PlannedCampaign => ({
        id: live.campaignId,
        change: 'ended',
        from: live.version,
        to: null,
        differences: [],
        otherTexts: [],
        inFlight: peopleIn(live.campaignId),
        through: through.get(live.campaignId) ?? [],
        move: null,
      }),
    ),
  ]
}

/**
 * Without what is worked out from the rest: a hash or a list of variables tells a reader nothing. What is
 * in force may be of any form.
 */
function partOf(bundle: unknown, part: SharedPart): JsonValue | undefined {
  const value = isMapping(bundle) ? bundle[part] : undefined
  if (value === undefined) return undefined
  if (part !== 'templates' || !Array.isArray(value)) return asJson(value)
  return value.map(textsOf)
}

function textsOf(template: unknown): JsonValue {
  if (!isMapping(template) || !isMapping(template.channels)) return asJson(template)
  const channels = Object.entries(template.channels).map(([name, channel]) => {
    if (!isMapping(channel) || !isMapping(channel.content)) return [name, channel]
    return [name, { sensitivity: channel.sensitivity, ...channel.content }]
  })
  return asJson({ id: template.id, ...Object.fromEntries(channels) })
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function asJson(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue
}
