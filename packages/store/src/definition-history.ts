import { type CompiledDefinition, compileDefinition } from '@wegwijs/campaign/compile'
import type { CampaignVersion } from '@wegwijs/campaign/compiled-campaign'
import { countsOfDefinition } from '@wegwijs/campaign/kept-counts'
import { sql } from 'kysely'
import type { Querying } from './database.ts'
import { bundleOfRevision } from './definitions.ts'
import { readAsFarAsItGoes } from './stored-definition.ts'
import { query } from './transaction.ts'

/**
 * The definitions that were in force at some moments of business time. Of each moment the one that was
 * published last before it: by the time of its campaigns, which a rehearsal sets back with its clock, and
 * of a revision without a new campaign by the time at which it was applied.
 *
 * Reads each definition that is needed once. The function gives null for a moment before the first. A version of a
 * campaign that cannot be read begins for nobody.
 *
 * @throws WEGWIJS_STORED_DEFINITION_UNREADABLE when one of the definitions cannot be read
 */
export async function definitionsAt(
  db: Querying,
  instants: readonly string[],
): Promise<(instant: string) => CompiledDefinition | null> {
  const revisions = await query(() => revisionsInTime(db))
  const versions = await query(() => versionsOf(db))
  const revisionAt = (instant: string) =>
    revisions.findLast(({ since }) => since <= instant)?.revision ?? null
  const compiled = new Map<number, CompiledDefinition>()
  for (const revision of new Set(instants.map(revisionAt))) {
    if (revision === null || compiled.has(revision)) continue
    const bundle = await query(() => bundleOfRevision(db, revision))
    const known = versions.filter((version) => version.revision <= revision)
    const live = new Map<string, number>()
    for (const { id, version } of known) live.set(id, Math.max(version, live.get(id) ?? 0))
    const here = new Set(bundle.campaigns.map(({ id }) => id))
    const then = known.map(
      (each): CampaignVersion => ({
        ...each,
        live: !each.unclear && here.has(each.id) && live.get(each.id) === each.version,
      }),
    )
    // What a later version asks of the past was counted for it, from the first event that is kept.
    const counts = { counts: countsOfDefinition(bundle, versions), mark: '' }
    compiled.set(revision, compileDefinition(revision, bundle, then, counts))
  }
  return (instant) => compiled.get(revisionAt(instant) ?? -1) ?? null
}

type Revision = { revision: number; since: string }

async function revisionsInTime(db: Querying): Promise<Revision[]> {
  const { rows } = await sql<Revision>`
    select d.revision, coalesce(min(v.published_at), d.applied_at) as since
    from definition d left join campaign_version v on v.revision = d.revision
    group by d.revision order by d.revision`.execute(db)
  return rows
}

async function versionsOf(
  db: Querying,
): Promise<(Omit<CampaignVersion, 'live'> & { revision: number })[]> {
  const rows = await db
    .selectFrom('campaign_version')
    .select(['campaign_id', 'version', 'content', 'templates', 'revision'])
    .orderBy('campaign_id')
    .orderBy('version')
    .execute()
  return rows.map((row) => ({
    id: row.campaign_id,
    version: row.version,
    ...readAsFarAsItGoes({
      campaignId: row.campaign_id,
      version: row.version,
      content: row.content,
    }),
    templates: row.templates,
    revision: row.revision,
  }))
}
