import { type DefinitionBundle, definitionBundleSchema } from '@wegwijs/campaign/definition/bundle'
import { type CampaignFile, campaignFileSchema } from '@wegwijs/campaign/definition/campaign'
import { readPartly, type Unclear } from '@wegwijs/campaign/definition/partly-read'
import { fail, isFailure, type WegwijsError } from '@wegwijs/runtime/failure'
import { sql } from 'kysely'
import type { Querying } from './database.ts'

/*
 * What was applied by an older Wegwijs is read as this one knows it: a key that it did not have yet gets its
 * default. What does not fit is said with its name, where it is read: a cast would fail far from there, for
 * somebody who happens to be in that version, or would decide something else. Read once for each revision,
 * never for an event.
 */

/** What a schema says of a value that does not fit. */
export type Misfit = { issues: readonly { path: readonly PropertyKey[]; message: string }[] }

/**
 * True for what is the fault of no event, timer or person: whoever works them off one by one, and puts aside
 * what fails, would put aside all of them.
 */
export function isUnreadable(error: unknown): boolean {
  return isFailure(error, 'WEGWIJS_STORED_DEFINITION_UNREADABLE')
}

/** A version of a campaign as it is stored. */
export type StoredCampaign = { campaignId: string; version: number; content: unknown }

/** @throws WEGWIJS_STORED_DEFINITION_UNREADABLE when it does not fit this version of Wegwijs any more */
export function readStoredCampaign(stored: StoredCampaign): CampaignFile {
  const read = readCampaign(stored)
  if (read instanceof Error) throw read
  return read
}

/**
 * These versions with their files. Of one that cannot be read, in which nobody is under way and which nobody
 * enters, there is as much as can be read of it: it holds for those who are through it.
 *
 * @throws WEGWIJS_STORED_DEFINITION_UNREADABLE when somebody is under way in one that cannot be read, or would
 * enter it, or a message of it may still go out and nobody can say what would take it back (P3)
 */
export async function readVersions<Version extends StoredCampaign & { live: boolean }>(
  db: Querying,
  versions: readonly Version[],
): Promise<(Version & ReadCampaign)[]> {
  const read = versions.map((version) => ({ ...version, ...readAsFarAsItGoes(version) }))
  for (const version of read) {
    const { live, unclear } = version
    if (unclear && (live || (await hasPeople(db, version)) || (await mayTellUnseen(db, version))))
      throw unclear.why
  }
  return read
}

/**
 * By the index of those who are under way, which takes no parameter for `running`: whoever asks all that ever
 * entered reads the whole table when there is nobody, and services would not start.
 */
async function hasPeople(db: Querying, { campaignId, version }: StoredCampaign): Promise<boolean> {
  const { rows } = await sql`select from enrolment
    where state = 'running' and campaign_id = ${campaignId} and version = ${version} limit 1`.execute(
    db,
  )
  return rows.length > 0
}

/** By the indexes of what is open: each of them has the state in its condition, and takes no parameter for it. */
async function mayTellUnseen(
  db: Querying,
  { campaignId, version, unclear }: StoredCampaign & Pick<ReadCampaign, 'unclear'>,
): Promise<boolean> {
  if (!unclear?.isHidden) return false
  const open = ["'planned'", "'queued'", "'sending'", "'held'"].map(
    (state) => sql`(select 1 from intent where state = ${sql.raw(state)}
      and campaign_id = ${campaignId} and version = ${version} limit 1)`,
  )
  const { rows } = await sql`${sql.join(open, sql` union all `)}`.execute(db)
  return rows.length > 0
}

/** A campaign as far as it can be read: `unclear` says of what cannot that it is there. */
export type ReadCampaign = { file: CampaignFile; unclear?: Unclear }

/** Never throws. */
export function readAsFarAsItGoes(stored: StoredCampaign): ReadCampaign {
  const file = readCampaign(stored)
  return file instanceof Error ? readPartly(stored.content, stored.campaignId, file) : { file }
}

/** The file, or null where this version of Wegwijs does not read it. */
export function fileIfReadable(content: unknown): CampaignFile | null {
  return campaignFileSchema.safeParse(content).data ?? null
}

function readCampaign({
  campaignId,
  version,
  content,
}: StoredCampaign): CampaignFile | WegwijsError {
  const read = campaignFileSchema.safeParse(content)
  return read.success
    ? read.data
    : unreadable(`version ${version} of campaign ${campaignId}`, read.error)
}

/** @throws WEGWIJS_STORED_DEFINITION_UNREADABLE, with the campaign when it is of one */
export function readStoredBundle(revision: number, bundle: unknown): DefinitionBundle {
  const { read, unreadable: failure } = bundleIfReadable(revision, bundle)
  if (failure) throw failure
  return read
}

/** A stored definition, or why it cannot be read. */
export type StoredBundle =
  | { read: DefinitionBundle; unreadable: null }
  | { read: null; unreadable: WegwijsError }

export function bundleIfReadable(revision: number, bundle: unknown): StoredBundle {
  const { data, error } = definitionBundleSchema.safeParse(bundle)
  return error
    ? { read: null, unreadable: unreadable(`revision ${revision}${partOf(bundle, error)}`, error) }
    : { read: data, unreadable: null }
}

function partOf(bundle: unknown, { issues }: Misfit): string {
  const [part, index] = issues[0]?.path ?? []
  if (part !== 'campaigns' || typeof index !== 'number') return ''
  const { campaigns = [] } = bundle as { campaigns?: { id?: string }[] }
  return `, campaign ${campaigns[index]?.id ?? index}`
}

/** That says the first of what is wrong with `what`: keys and kinds of value, never a value. */
export function unreadable(what: string, { issues }: Misfit): WegwijsError {
  const [issue] = issues
  const problem = `${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? ''}`
  return fail('WEGWIJS_STORED_DEFINITION_UNREADABLE', { what, problem })
}
