import { createHash } from 'node:crypto'
import { messageTemplatesOf } from '@wegwijs/campaign/catalogue'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import { inKeyOrder } from '@wegwijs/campaign/json'
import { fail } from '@wegwijs/runtime/failure'
import { sql } from 'kysely'
import type { Querying } from './database.ts'

export type CampaignChange = 'new' | 'changed' | 'unchanged' | 'ended'

/** A campaign of a definition beside its live version: what publishing the definition makes of it. */
export type PublishedCampaign = {
  campaign: CampaignFile
  templates: Record<string, string>
  hash: string
  version: number
  change: Exclude<CampaignChange, 'ended'>
  live: LiveCampaign | null
}

export type LiveCampaign = {
  campaignId: string
  version: number
  /** As it is stored: it may be one that this version of Wegwijs does not read (`fileIfReadable`). */
  content: unknown
  templates: Readonly<Record<string, string>>
}

/** What publishing a definition comes to: a plan shows it, and applying does it. */
export type Publication = { published: PublishedCampaign[]; ended: LiveCampaign[] }

/**
 * Compares every campaign of `bundle` with its live version. Called under the lock of {@link
 * lockDefinition}, or for a plan that names what it is based on.
 *
 * @throws WEGWIJS_CAMPAIGN_CLASS_FIXED when a campaign was published under another class
 */
export async function publicationOf(tx: Querying, bundle: DefinitionBundle): Promise<Publication> {
  const known = await tx
    .selectFrom('campaign as c')
    .leftJoin('campaign_version as v', (join) =>
      join.onRef('v.campaign_id', '=', 'c.campaign_id').onRef('v.version', '=', 'c.live_version'),
    )
    .select(['c.campaign_id', 'c.live_version', 'v.content', 'v.templates'])
    .select(
      sql<number>`(select max(version) from campaign_version m where m.campaign_id = c.campaign_id)`.as(
        'newest',
      ),
    )
    .execute()
  const classes = await publishedClasses(tx)
  const before = new Map(known.map((row) => [row.campaign_id, row]))
  const hashes = new Map(bundle.templates.map((template) => [template.id, template.hash]))
  const published = bundle.campaigns.map((campaign): PublishedCampaign => {
    requireClass(campaign, classes.get(campaign.id))
    const templates = Object.fromEntries(
      messageTemplatesOf(campaign.steps).map((id) => [id, hashes.get(id) ?? '']),
    )
    const hash = hashOf([campaign, templates])
    const row = before.get(campaign.id)
    const live = row ? liveOf(row) : null
    if (live && hashOf([live.content, live.templates]) === hash)
      return { campaign, templates, hash, version: live.version, change: 'unchanged', live }
    const version = (row?.newest ?? 0) + 1
    return { campaign, templates, hash, version, change: row ? 'changed' : 'new', live }
  })
  const here = new Set(bundle.campaigns.map((campaign) => campaign.id))
  const ended = known.flatMap((row) => (here.has(row.campaign_id) ? [] : (liveOf(row) ?? [])))
  return { published, ended }
}

/**
 * The class under which each campaign was published, ended ones too: it decides consent, caps and
 * lane of people who are in it, so it never changes.
 */
export async function publishedClasses(db: Querying): Promise<Map<string, string>> {
  const rows = await db
    .selectFrom('campaign_version')
    .distinctOn('campaign_id')
    .select(['campaign_id', sql<string>`content ->> 'class'`.as('class')])
    .orderBy('campaign_id')
    .orderBy('version', 'desc')
    .execute()
  return new Map(rows.map((row) => [row.campaign_id, row.class]))
}

function requireClass({ id, class: now }: CampaignFile, published: string | undefined): void {
  if (published !== undefined && published !== now)
    throw fail('WEGWIJS_CAMPAIGN_CLASS_FIXED', { campaign: id, published, found: now })
}

type KnownRow = {
  campaign_id: string
  live_version: number | null
  content: unknown
  templates: Readonly<Record<string, string>> | null
}

function liveOf({ campaign_id, live_version, content, templates }: KnownRow): LiveCampaign | null {
  if (live_version === null) return null
  return {
    campaignId: campaign_id,
    version: live_version,
    content,
    templates: templates ?? {},
  }
}

/** One definition is published at a time. */
export async function lockDefinition(tx: Querying, namespace: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${namespace} definition`}, 0))`.execute(
    tx,
  )
}

/** Of what a value says: what is read back from the record has its members in another order. */
export function hashOf(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(inKeyOrder(value)))
    .digest('hex')
}
