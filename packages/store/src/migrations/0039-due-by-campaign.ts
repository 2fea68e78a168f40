import { type Kysely, sql } from 'kysely'

/**
 * What is due of a queue by campaign, and what of it has had its place already: where a queue is full of messages that
 * are beyond the band of their campaign, the others are found without reading them (P8).
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index intent_due_of_campaign on intent
    (campaign_id, lane, (channels[channel_index + 1]), due_at) where state = 'planned'`.execute(db)
  await sql`create index intent_due_again on intent (lane, (channels[channel_index + 1]), due_at)
    where state = 'planned' and reached`.execute(db)
}
