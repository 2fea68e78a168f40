import { sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import type { Database, Store } from './database.ts'
import * as ground from './migrations/0001-ground.ts'
import * as positionMark from './migrations/0002-position-mark.ts'
import * as fewerRows from './migrations/0003-fewer-rows.ts'
import * as inPlaceOf from './migrations/0004-in-place-of.ts'
import * as goals from './migrations/0005-goals.ts'
import * as saidIn from './migrations/0006-said-in.ts'
import * as quietHours from './migrations/0007-quiet-hours.ts'
import * as countedMessages from './migrations/0008-counted-messages.ts'
import * as roomAgain from './migrations/0009-room-again.ts'
import * as attributes from './migrations/0010-attributes.ts'
import * as historyCounts from './migrations/0011-history-counts.ts'
import * as relations from './migrations/0012-relations.ts'
import * as questions from './migrations/0013-questions.ts'
import * as datesAndRollouts from './migrations/0014-dates-and-rollouts.ts'
import * as tasks from './migrations/0015-tasks.ts'
import * as recipients from './migrations/0016-recipients.ts'
import * as moves from './migrations/0017-moves.ts'
import * as reach from './migrations/0018-reach.ts'
import * as replies from './migrations/0019-replies.ts'
import { keepPartitions } from './partitions.ts'
import { isTransient } from './transaction.ts'

/** In order of their names, for ever: a migration that has landed is never edited. */
const migrations: Record<string, Migration> = {
  '0001-ground': ground,
  '0002-position-mark': positionMark,
  '0003-fewer-rows': fewerRows,
  '0004-in-place-of': inPlaceOf,
  '0005-goals': goals,
  '0006-said-in': saidIn,
  '0007-quiet-hours': quietHours,
  '0008-counted-messages': countedMessages,
  '0009-room-again': roomAgain,
  '0010-attributes': attributes,
  '0011-history-counts': historyCounts,
  '0012-relations': relations,
  '0013-questions': questions,
  '0014-dates-and-rollouts': datesAndRollouts,
  '0015-tasks': tasks,
  '0016-recipients': recipients,
  '0017-moves': moves,
  '0018-reach': reach,
  '0019-replies': replies,
}

/**
 * Brings the schema of the namespace to the newest shape: forward only, under a lock of Kysely's, so
 * that any number of processes may call it at once. Each step leaves the previous version of the
 * services able to work. Returns the names of the migrations that ran.
 */
export async function migrate(store: Store): Promise<string[]> {
  await sql`create schema if not exists ${sql.id(store.namespace)}`.execute(store.db)
  const migrator = new Migrator({
    db: store.db,
    provider: { getMigrations: async () => migrations },
    migrationTableSchema: store.namespace,
  })
  const { error, results = [] } = await migrateToLatest(migrator)
  if (error) throw error
  await keepPartitions(store.db)
  await dropOldIndexes(store.db)
  return results
    .filter((result) => result.status === 'Success')
    .map((result) => result.migrationName)
}

/** Of which others do the work: (person_id, enrolment_id), and the few rows of one person looked through. */
const oldIndexes = ['enrolment_of_person', 'intent_pending'] as const

/**
 * Not in a migration, whose transaction would keep writers out of two tables at once. What does not
 * get its turn costs time and nothing else; the next start tries again.
 */
async function dropOldIndexes(db: Database): Promise<void> {
  for (const name of oldIndexes) {
    try {
      await sql`drop index concurrently if exists ${sql.id(name)}`.execute(db)
    } catch (error) {
      if (!isTransient(error)) throw error
    }
  }
}

/** True when every migration that this version of the code knows has run. */
export async function isMigrated(store: Store): Promise<boolean> {
  const { rows } = await sql<{ known: string | null }>`
    select to_regclass(${`${store.namespace}.kysely_migration`})::text as known`.execute(store.db)
  if (!rows[0]?.known) return false
  const ran = await sql<{ name: string }>`select name from kysely_migration`.execute(store.db)
  const names = new Set(ran.rows.map((row) => row.name))
  return Object.keys(migrations).every((name) => names.has(name))
}

/**
 * Kysely looks at the tables of all namespaces of the server, and fails when one of them is dropped
 * in that instant; what it did before is kept, so it can just look again.
 */
async function migrateToLatest(migrator: Migrator): ReturnType<Migrator['migrateToLatest']> {
  for (let tries = 1; ; tries += 1) {
    try {
      const outcome = await migrator.migrateToLatest()
      if (tries === mostTries || !isVanished(outcome.error)) return outcome
    } catch (error) {
      if (tries === mostTries || !isVanished(error)) throw error
    }
  }
}

const mostTries = 5

/** invalid_schema_name, undefined_table, undefined_column */
function isVanished(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    ['3F000', '42P01', '42703'].includes(String(error.code))
  )
}
