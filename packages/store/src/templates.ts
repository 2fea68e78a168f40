import { type TemplateBundle, templateBundleSchema } from '@wegwijs/campaign/definition/bundle'
import type { WegwijsError } from '@wegwijs/runtime/failure'
import { sql } from 'kysely'
import type { Querying } from './database.ts'
import { unreadable } from './stored-definition.ts'
import { query } from './transaction.ts'

/** Names one text of a template, for ever. */
export type TemplateReference = { templateId: string; hash: string }

/** `channels` is what the template package compiled when the definition was applied, or why it cannot be read. */
export type StoredTemplate = TemplateReference & {
  channels: TemplateBundle['channels'] | WegwijsError
}

/**
 * The texts of these templates, in one statement. Those that do not exist are left out.
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE (retryable)
 */
export async function loadTemplates(
  db: Querying,
  references: readonly TemplateReference[],
): Promise<StoredTemplate[]> {
  const { rows } = await query(() =>
    sql<TemplateReference & { channels: unknown }>`
      select template_id as "templateId", hash, channels from template_version
      where (template_id, hash) in (select * from unnest(
        ${references.map((each) => each.templateId)}::text[],
        ${references.map((each) => each.hash)}::text[]))`.execute(db),
  )
  return rows.map((row) => ({ ...row, channels: channelsOf(row) }))
}

function channelsOf({
  templateId,
  hash,
  channels,
}: TemplateReference & { channels: unknown }): StoredTemplate['channels'] {
  const { data, error } = templateBundleSchema.shape.channels.safeParse(channels)
  return error ? unreadable(`text ${hash} of template ${templateId}`, error) : data
}
