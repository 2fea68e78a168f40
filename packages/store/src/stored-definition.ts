import { type DefinitionBundle, definitionBundleSchema } from '@wegwijs/campaign/definition/bundle'
import { type CampaignFile, campaignFileSchema } from '@wegwijs/campaign/definition/campaign'
import { campaignKey } from '@wegwijs/campaign/state'
import { fail, isFailure, type WegwijsError } from '@wegwijs/runtime/failure'
import { sql } from 'kysely'
import type { Querying } from './database.ts'

/*
 * What was applied by an older Wegwijs is read as this one knows it: a key that it did not have yet gets its
 * default. What does not fit is said with its name, where it is read: a cast would fail far from there, for
 * somebody who happens to be in that version, or would decide something else. Read once for each revision,
 * never for an event.
 */

type Misfit = { issues: readonly { path: readonly PropertyKey[]; message: string }[] }

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
 * Of these versions the ones that can be read, each with its file, and why the others cannot, by campaign and
 * version. One that cannot be read keeps nobody from going on when nobody enters it and nobody is under way in it.
 *
 * @throws WEGWIJS_STORED_DEFINITION_UNREADABLE when somebody is under way in it, or would enter it
 */
export async function readableVersions<Version extends StoredCampaign & { live: boolean }>(
  db: Querying,
  versions: readonly Version[],
): Promise<{
  readable: (Version & { file: CampaignFile })[]
  unreadable: Map<string, WegwijsError>
}> {
  const readable: (Version & { file: CampaignFile })[] = []
  const unreadable = new Map<string, WegwijsError>()
  for (const version of versions) {
    const file = readCampaign(version)
    if (!(file instanceof Error)) readable.push({ ...version, file })
    else if (version.live || (await hasPeople(db, version))) throw file
    else unreadable.set(campaignKey(version.campaignId, version.version), file)
  }
  return { readable, unreadable }
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

/** The first of what is wrong: keys and kinds of value, never a value. */
function unreadable(what: string, { issues }: Misfit): WegwijsError {
  const [issue] = issues
  const problem = `${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? ''}`
  return fail('WEGWIJS_STORED_DEFINITION_UNREADABLE', { what, problem })
}
