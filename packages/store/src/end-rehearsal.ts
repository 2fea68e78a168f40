import { fail } from '@wegwijs/runtime/failure'
import { sql } from 'kysely'
import { isRehearsal } from './business-clock.ts'
import type { Querying, Store } from './database.ts'
import { inTransaction } from './transaction.ts'
import { wake } from './wake.ts'

/** Everything that a rehearsal made. Definitions, keys, operational stops and positions stay. */
export const rehearsed = [
  'person',
  'person_identity',
  'entity',
  'consent',
  'relation',
  'person_stop',
  'inbox',
  'event',
  'dead_letter',
  'enrolment',
  'timer',
  'decision',
  'intent',
  'attempt',
  'app_message',
  'reply',
  'task',
  'reach',
  'reach_allowance',
  'rollout',
  'arms_sweep',
  'counted_message',
  'outbox',
] as const

/**
 * Ends the rehearsal of a namespace: its people never lived, so they go, and real time begins.
 * Positions stay where they are, or the rehearsal would be read again as if it were real. False when
 * there was no rehearsal; then nothing is changed.
 *
 * `readEnds` asks Kafka where the topics that journey reads end, by `topic/partition`.
 *
 * @throws WEGWIJS_REHEARSAL_UNREAD when events before these ends have not been read: they would be
 *   applied in real time
 */
export async function endRehearsal(
  store: Store,
  readEnds: () => Promise<ReadonlyMap<string, bigint>>,
): Promise<boolean> {
  // One that was cut off may hold its events, and nobody would ever read them.
  await sql`update rehearsal_clock set events_held = false where events_held`.execute(store.db)
  const ended = await inTransaction(store.db, async (tx) => {
    if (!(await isRehearsal(tx))) return false
    const events = await countUnread(tx, await readEnds())
    if (events > 0) throw fail('WEGWIJS_REHEARSAL_UNREAD', { events })
    await sql`truncate ${sql.join(rehearsed.map((table) => sql.table(table)))}`.execute(tx)
    await sql`update consumer_position set records = 0, applied = 0, duplicates = 0,
      dead_lettered = 0, skipped_offsets = 0`.execute(tx)
    await sql`delete from rehearsal_clock`.execute(tx)
    return true
  })
  if (ended) await wake(store.db, store.namespace, ['clock'])
  return ended
}

async function countUnread(tx: Querying, ends: ReadonlyMap<string, bigint>): Promise<number> {
  const rows = await tx
    .selectFrom('consumer_position')
    .select(['topic', 'partition', 'next_offset'])
    .execute()
  const positions = new Map(rows.map((row) => [`${row.topic}/${row.partition}`, row.next_offset]))
  let unread = 0n
  for (const [place, end] of ends) {
    const position = BigInt(positions.get(place) ?? 0)
    if (end > position) unread += end - position
  }
  return Number(unread)
}
