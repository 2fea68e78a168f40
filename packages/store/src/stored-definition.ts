import { type DefinitionBundle, definitionBundleSchema } from '@wegwijs/campaign/definition/bundle'
import { type CampaignFile, campaignFileSchema } from '@wegwijs/campaign/definition/campaign'
import { fail } from '@wegwijs/runtime/failure'

/*
 * What was applied by an older Wegwijs is read as this one knows it: a key that it did not have yet gets its
 * default. What does not fit is said with its name, where it is read: a cast would fail far from there, for
 * somebody who happens to be in that version, or would decide something else. Read once for each revision,
 * never for an event.
 */

type Misfit = { issues: readonly { path: readonly PropertyKey[]; message: string }[] }

/** A version of a campaign as it is stored. */
export type StoredCampaign = { campaignId: string; version: number; content: unknown }

/** @throws WEGWIJS_STORED_DEFINITION_UNREADABLE when it does not fit this version of Wegwijs any more */
export function readStoredCampaign({ campaignId, version, content }: StoredCampaign): CampaignFile {
  const read = campaignFileSchema.safeParse(content)
  if (read.success) return read.data
  throw unreadable(`version ${version} of campaign ${campaignId}`, read.error)
}

/** @throws WEGWIJS_STORED_DEFINITION_UNREADABLE, with the campaign when it is of one */
export function readStoredBundle(revision: number, bundle: unknown): DefinitionBundle {
  const read = definitionBundleSchema.safeParse(bundle)
  if (read.success) return read.data
  throw unreadable(`revision ${revision}${partOf(bundle, read.error)}`, read.error)
}

function partOf(bundle: unknown, { issues }: Misfit): string {
  const [part, index] = issues[0]?.path ?? []
  if (part !== 'campaigns' || typeof index !== 'number') return ''
  const { campaigns = [] } = bundle as { campaigns?: { id?: string }[] }
  return `, campaign ${campaigns[index]?.id ?? index}`
}

/** The first of what is wrong: keys and kinds of value, never a value. */
function unreadable(what: string, { issues }: Misfit): Error {
  const [issue] = issues
  const problem = `${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? ''}`
  return fail('WEGWIJS_STORED_DEFINITION_UNREADABLE', { what, problem })
}
