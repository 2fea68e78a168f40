import { sql } from 'kysely'
import { isRehearsal } from './business-clock.ts'
import type { Store } from './database.ts'
import { inTransaction } from './transaction.ts'
import { wake } from './wake.ts'

/** Everything that a rehearsal made. Definitions, keys, operational stops and positions stay. */
const rehearsed = [
  'person',
  'person_identity',
  'entity',
  'consent',
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
] as const

/**
 * Ends the rehearsal of a namespace: its people never lived, so they go, and real time begins.
 * Positions stay where they are, or the rehearsal would be read again as if it were real. False when
 * there was no rehearsal; then nothing is changed.
 */
export async function endRehearsal(store: Store): Promise<boolean> {
  const ended = await inTransaction(store.db, async (tx) => {
    if (!(await isRehearsal(tx))) return false
    await sql`truncate ${sql.join(rehearsed.map((table) => sql.table(table)))}`.execute(tx)
    await sql`update consumer_position set records = 0, applied = 0, duplicates = 0,
      dead_lettered = 0, skipped_offsets = 0`.execute(tx)
    await sql`delete from rehearsal_clock`.execute(tx)
    return true
  })
  if (ended) await wake(store.db, store.namespace, ['clock'])
  return ended
}
