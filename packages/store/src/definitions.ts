import { type CompiledDefinition, compileDefinition } from '@wegwijs/campaign/compile'
import type { CampaignVersion } from '@wegwijs/campaign/compiled-campaign'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { countsOfDefinition } from '@wegwijs/campaign/kept-counts'
import { fail, type WegwijsError } from '@wegwijs/runtime/failure'
import { sql } from 'kysely'
import type { Querying, Store } from './database.ts'
import { beginCounts, keepCounts, keptCounts } from './history-counts.ts'
import { requirePlan } from './plan-name.ts'
import {
  type CampaignChange,
  hashOf,
  lockDefinition,
  type PublishedCampaign,
  publicationOf,
} from './publication.ts'
import { movesOf } from './published-moves.ts'
import { rolloutOf, rolloutsOf } from './published-rollouts.ts'
import { addRollouts, replaceDefinition } from './rollouts.ts'
import { insertRows } from './rows.ts'
import {
  bundleIfReadable,
  type ReadCampaign,
  readAsFarAsItGoes,
  readStoredBundle,
  readVersions,
  type StoredBundle,
  type StoredCampaign,
} from './stored-definition.ts'
import { inTransaction, query } from './transaction.ts'
import { wake } from './wake.ts'

export type AppliedDefinition = {
  revision: number
  campaigns: { id: string; version: number; change: CampaignChange }[]
}

/**
 * Makes a definition the one in force. A campaign whose text or templates differ from its live
 * version becomes a new version; who is in the old one stays on it (P5), unless it moves them. A campaign that is no
 * longer there ends for new people. All or nothing, and one at a time.
 *
 * With `plan`, the name of a plan, it does what that plan showed, or nothing. What is in force need not be
 * readable: this is how it is mended.
 *
 * @throws WEGWIJS_PLAN_OUTDATED when it would do anything else than the plan showed
 * @throws WEGWIJS_CAMPAIGN_CLASS_FIXED when a campaign was published under another class
 * @throws WEGWIJS_MOVE_INCOMPLETE when people would be moved and nothing says where to
 */
export async function applyDefinition(
  store: Store,
  bundle: DefinitionBundle,
  appliedBy: string,
  { plan }: { plan?: string } = {},
): Promise<AppliedDefinition> {
  const applied = await inTransaction(store.db, async (tx) => {
    await lockDefinition(tx, store.namespace)
    if (plan !== undefined) await requirePlan(tx, bundle, plan)
    const publication = await publicationOf(tx, bundle)
    const { published, ended } = publication
    const moves = await movesOf(tx, published)
    const latest = await newestBundle(tx)
    // One that cannot be read is replaced like one that says something else everywhere.
    const before = latest?.read ?? null
    const counts = await beginCounts(store, tx, bundle)
    const versions = published.filter(({ change }) => change !== 'unchanged')
    // The same text may have been damaged where it rests, here or in a version: nobody would read it any better.
    const mends = Boolean(latest?.unreadable) || versions.length > 0
    const revision = await addRevision(tx, bundle, { appliedBy, mends })
    await addTemplates(tx, bundle)
    await addVersions(tx, versions, revision)
    await endCampaigns(
      tx,
      ended.map(({ campaignId }) => campaignId),
    )
    await addRollouts(tx, [
      ...rolloutsOf(publication, { before, after: bundle }),
      ...moves.map(rolloutOf),
    ])
    await replaceDefinition(tx, store.namespace)
    await keepCounts(tx, bundle, counts)
    return {
      revision,
      campaigns: [
        ...published.map(({ campaign, version, change }) => ({ id: campaign.id, version, change })),
        ...ended.map(({ campaignId, version }) => ({
          id: campaignId,
          version,
          change: 'ended' as const,
        })),
      ],
    }
  })
  // Whoever has to do something for people who are there already finds it by itself, too, if later.
  await wake(store.db, store.namespace, ['clock']).catch(() => undefined)
  return applied
}

/**
 * A definition as it was applied at some time, to go back to it.
 *
 * @throws WEGWIJS_REVISION_UNKNOWN
 * @throws WEGWIJS_STORED_DEFINITION_UNREADABLE
 */
export async function bundleOfRevision(db: Querying, revision: number): Promise<DefinitionBundle> {
  const row = await db
    .selectFrom('definition')
    .select('bundle')
    .where('revision', '=', revision)
    .executeTakeFirst()
  if (!row) throw fail('WEGWIJS_REVISION_UNKNOWN', { revision })
  return readStoredBundle(revision, row.bundle)
}

/** The revision in force, or null when nothing has been applied yet. */
export async function currentRevision(db: Querying): Promise<number | null> {
  const row = await db
    .selectFrom('definition')
    .select((each) => each.fn.max('revision').as('revision'))
    .executeTakeFirst()
  return row?.revision ?? null
}

/**
 * The definition in force, compiled, with every campaign version there ever was: somebody may still
 * be in it, or get a receipt for one of its messages. Null when
 * nothing has been applied yet.
 *
 * @throws WEGWIJS_STORED_DEFINITION_UNREADABLE when one does not fit this version of Wegwijs any more
 */
export async function loadDefinition(store: Store): Promise<CompiledDefinition | null> {
  return query(async () => {
    const latest = await latestBundle(store.db)
    if (!latest) return null
    const stored = await storedVersions(store.db, latest.revision)
    return compiled(store.db, latest, await readVersions(store.db, stored))
  })
}

/**
 * What there is to tell of what was decided: the newest definition that can be read, and of every campaign version
 * as much as can be. Nothing is decided by it. `unreadable` is why there is a newer one that is not told by; null
 * when nothing has been applied yet.
 *
 * @throws WEGWIJS_STORED_DEFINITION_UNREADABLE when nothing that was applied can be read
 */
export async function definitionToTellBy(store: Store): Promise<{
  bundle: DefinitionBundle
  definition: CompiledDefinition
  unreadable: WegwijsError | null
} | null> {
  return query(async () => {
    const newest = await newestBundle(store.db)
    let readable = newest
    while (readable?.unreadable) readable = await newestBundle(store.db, readable.revision)
    if (!readable) {
      if (newest?.unreadable) throw newest.unreadable
      return null
    }
    const stored = await storedVersions(store.db, newest?.revision ?? 0)
    const { read: bundle, revision } = readable
    const versions = stored.map((version) => ({ ...version, ...readAsFarAsItGoes(version) }))
    const definition = await compiled(store.db, { bundle, revision }, versions)
    return { bundle, definition, unreadable: newest?.unreadable ?? null }
  })
}

type StoredVersion = StoredCampaign & Pick<CampaignVersion, 'live' | 'templates'>

async function storedVersions(db: Querying, upTo: number): Promise<StoredVersion[]> {
  const rows = await db
    .selectFrom('campaign_version as v')
    .innerJoin('campaign as c', 'c.campaign_id', 'v.campaign_id')
    .select(['v.campaign_id', 'v.version', 'v.content', 'v.templates', 'c.live_version'])
    .where('v.revision', '<=', upTo)
    .execute()
  return rows.map((row) => ({
    campaignId: row.campaign_id,
    version: row.version,
    content: row.content,
    live: row.version === row.live_version,
    templates: row.templates,
  }))
}

async function compiled(
  db: Querying,
  { revision, bundle }: { revision: number; bundle: DefinitionBundle },
  versions: readonly (StoredVersion & ReadCampaign)[],
): Promise<CompiledDefinition> {
  return compileDefinition(
    revision,
    bundle,
    versions.map(({ campaignId: id, ...version }): CampaignVersion => ({ id, ...version })),
    await keptCounts(db, countsOfDefinition(bundle, versions)),
  )
}

/**
 * The newest definition as it was applied, with its revision.
 *
 * @throws WEGWIJS_STORED_DEFINITION_UNREADABLE
 */
export async function latestBundle(
  db: Querying,
): Promise<{ revision: number; bundle: DefinitionBundle } | null> {
  const newest = await newestBundle(db)
  if (!newest) return null
  if (newest.unreadable) throw newest.unreadable
  return { revision: newest.revision, bundle: newest.read }
}

/**
 * The newest definition, or the newest one before a revision, also when it cannot be read; `stored` is what
 * stands there.
 */
export async function newestBundle(
  db: Querying,
  before = maxRevision,
): Promise<(StoredBundle & { revision: number; stored: unknown }) | null> {
  const row = await db
    .selectFrom('definition')
    .select(['revision', 'bundle'])
    .where('revision', '<', before)
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!row) return null
  const { revision, bundle: stored } = row
  return { revision, stored, ...bundleIfReadable(revision, stored) }
}

const maxRevision = 2 ** 31 - 1

async function addRevision(
  tx: Querying,
  bundle: DefinitionBundle,
  { appliedBy, mends }: { appliedBy: string; mends: boolean },
): Promise<number> {
  const hash = hashOf(bundle)
  const newest = await tx
    .selectFrom('definition')
    .select(['revision', 'hash'])
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (newest?.hash === hash && !mends) return newest.revision
  const added = await tx
    .insertInto('definition')
    .values({ bundle: JSON.stringify(bundle), hash, applied_by: appliedBy })
    .returning('revision')
    .executeTakeFirstOrThrow()
  return added.revision
}

async function addTemplates(tx: Querying, bundle: DefinitionBundle): Promise<void> {
  const rows = bundle.templates.map((template) => ({
    template_id: template.id,
    hash: template.hash,
    channels: template.channels,
  }))
  await sql`insert into template_version (template_id, hash, channels)
    select template_id, hash, channels
    from json_populate_recordset(null::template_version, ${JSON.stringify(rows)}::json)
    -- What was damaged where it rests is mended so: its hash names these texts and no other.
    on conflict (template_id, hash) do update set channels = excluded.channels
      where template_version.channels <> excluded.channels`.execute(tx)
}

async function addVersions(
  tx: Querying,
  versions: readonly PublishedCampaign[],
  revision: number,
): Promise<void> {
  const { rows } = await sql<{ now: string }>`select business_now() as now`.execute(tx)
  await insertRows(
    tx,
    'campaign_version',
    ['campaign_id', 'version', 'content', 'templates', 'hash', 'revision', 'published_at'],
    versions.map(({ campaign, templates, hash, version }) => ({
      campaign_id: campaign.id,
      version,
      content: campaign,
      templates,
      hash,
      revision,
      published_at: rows[0]?.now,
    })),
  )
  if (versions.length === 0) return
  await sql`insert into campaign (campaign_id, live_version, state)
    select campaign_id, version, 'live' from json_to_recordset(${JSON.stringify(
      versions.map(({ campaign, version }) => ({ campaign_id: campaign.id, version })),
    )}::json) as published (campaign_id text, version integer)
    on conflict (campaign_id) do update set live_version = excluded.live_version, state = 'live'`.execute(
    tx,
  )
}

async function endCampaigns(tx: Querying, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await tx
    .updateTable('campaign')
    .set({ live_version: null, state: 'ended' })
    .where('campaign_id', 'in', [...ids])
    .execute()
}
