import type { ChannelName } from '@wegwijs/wire/delivery-job'
import { sql } from 'kysely'
import type { Querying } from './database.ts'
import { query } from './transaction.ts'

/** The message that a provider's receipt is about: whose it is, and over which channel it went. */
export type ReceiptTarget = { intentId: string; personId: string; channel: ChannelName }

/**
 * The messages with these ids, by id; what is not there is unknown to us. One query, whatever the
 * number.
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE
 */
export async function findReceiptTargets(
  db: Querying,
  intentIds: readonly string[],
): Promise<Map<string, ReceiptTarget>> {
  if (intentIds.length === 0) return new Map()
  const { rows } = await query(() =>
    sql<ReceiptTarget>`
      select intent_id as "intentId", person_id as "personId",
        channels[channel_index + 1] as channel
      from intent where intent_id = any(${intentIds}::uuid[])
    `.execute(db),
  )
  return new Map(rows.map((row) => [row.intentId, row]))
}
