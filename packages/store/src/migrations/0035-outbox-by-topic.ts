import { type Kysely, sql } from 'kysely'

/**
 * Finds the oldest records of each topic that wait. In the order of all topics the relay would read past everything
 * that waits for a topic which Kafka refuses, to find what is behind it (P8).
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`drop index outbox_unpublished`.execute(db)
  await sql`create index outbox_unpublished on outbox (topic, outbox_id) where published_at is null`.execute(
    db,
  )
}
