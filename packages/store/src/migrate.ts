import { systemClock } from '@wegwijs/runtime/clock'
import { sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { type ArmsBatch, fillAllArms } from './arms-of-before.ts'
import { type Database, openStore, type Store } from './database.ts'
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
import * as cascades from './migrations/0020-cascades.ts'
import * as rolloutsSince from './migrations/0021-rollouts-since.ts'
import * as allChannels from './migrations/0022-all-channels.ts'
import * as heldEvents from './migrations/0023-held-events.ts'
import * as dueSince from './migrations/0024-due-since.ts'
import * as sendingWindows from './migrations/0025-sending-windows.ts'
import * as arms from './migrations/0026-arms.ts'
import * as armsOfBefore from './migrations/0027-arms-of-before.ts'
import * as armsSweep from './migrations/0028-arms-sweep.ts'
import * as dueInTurn from './migrations/0029-due-in-turn.ts'
import * as armsSweepsEnded from './migrations/0030-arms-sweeps-ended.ts'
import * as unappliedEntities from './migrations/0031-unapplied-entities.ts'
import * as recipientWays from './migrations/0032-recipient-ways.ts'
import * as addressSince from './migrations/0033-address-since.ts'
import * as inboxByAge from './migrations/0034-inbox-by-age.ts'
import * as outboxByTopic from './migrations/0035-outbox-by-topic.ts'
import * as addressOfAttempt from './migrations/0036-address-of-attempt.ts'
import * as stopOrigin from './migrations/0037-stop-origin.ts'
import * as appendTime from './migrations/0038-append-time.ts'
import * as dueByCampaign from './migrations/0039-due-by-campaign.ts'
import { keepPartitions } from './partitions.ts'
import { isTransient } from './transaction.ts'

/** In order of their names, for ever: one that has landed is not edited, nor taken out, but to do less. */
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
  '0020-cascades': cascades,
  '0021-rollouts-since': rolloutsSince,
  '0022-all-channels': allChannels,
  '0023-held-events': heldEvents,
  '0024-due-since': dueSince,
  '0025-sending-windows': sendingWindows,
  '0026-arms': arms,
  '0027-arms-of-before': armsOfBefore,
  '0028-arms-sweep': armsSweep,
  '0029-due-in-turn': dueInTurn,
  '0030-arms-sweeps-ended': armsSweepsEnded,
  '0031-unapplied-entities': unappliedEntities,
  '0032-recipient-ways': recipientWays,
  '0033-address-since': addressSince,
  '0034-inbox-by-age': inboxByAge,
  '0035-outbox-by-topic': outboxByTopic,
  '0036-address-of-attempt': addressOfAttempt,
  '0037-stop-origin': stopOrigin,
  '0038-append-time': appendTime,
  '0039-due-by-campaign': dueByCampaign,
}

export type MigrateOptions = {
  /** Told each time that a migration made way for traffic, with what PostgreSQL said (SQLSTATE). */
  onWait?: (wait: { migration: string; code: string }) => void
  /** Told of each batch of people whose runs were looked at (arms-of-before.ts). */
  onArms?: (batch: ArmsBatch) => void
  /** Others than those of this version; only tests have them. */
  migrations?: Record<string, Migration>
}

/**
 * Brings the schema of the namespace to the newest shape: forward only, under a lock of Kysely's, so
 * that any number of processes may call it at once. Returns the names of the migrations that ran.
 *
 * Each migration is a transaction of its own, so that no table stays locked for longer than its own
 * change takes. It waits for traffic rather than stops it: a lock that it does not get soon it
 * gives up with all that it did, lets others go first, and begins again, for some minutes.
 * Rows of people are not filled by migrations, which would hold all of them at once, but after them.
 *
 * @throws the error of the database when a migration fails, or does not get its locks in that time;
 *   those before it are kept, and the next call goes on from there
 */
export async function migrate(store: Store, options: MigrateOptions = {}): Promise<string[]> {
  const { namespace, databaseUrl } = store
  await makeSchema(store)
  // An index of a large table takes longer to build than a statement of a service may.
  const patient = openStore({
    databaseUrl,
    namespace,
    applicationName: `${namespace} migrate`,
    maxConnections: 2,
    statementMs: 0,
    silenceMs: 0,
  })
  const ran = await migrateWith(patient, options).finally(() => patient.close())
  if (options.migrations) return ran
  await keepPartitions(store.db)
  await dropOldIndexes(store.db)
  // Where there was nothing there is nothing to fill.
  if (!ran.includes(first)) await fillAllArms(store, { onBatch: options.onArms })
  return ran
}

const [first = ''] = Object.keys(migrations)

/** PostgreSQL looks first and makes it then: of two at once the second finds it there all the same. */
async function makeSchema({ db, namespace }: Store): Promise<void> {
  try {
    await sql`create schema if not exists ${sql.id(namespace)}`.execute(db)
  } catch (error) {
    if (codeOf(error) !== '23505') throw error
  }
}

async function migrateWith(
  store: Store,
  { onWait, migrations: wanted = migrations }: MigrateOptions,
): Promise<string[]> {
  const migrator = new Migrator({
    db: store.db,
    provider: { getMigrations: async () => givingWay(wanted) },
    migrationTableSchema: store.namespace,
  })
  // Where there is nothing yet, nobody waits for anything: all at once is much faster.
  const isNew = !(await hasMigrations(store))
  const ran: string[] = []
  for (let tries = 1; ; ) {
    const { error, results = [] } = await step(migrator, isNew)
    const failed = results.find(({ status }) => status === 'Error')
    if (error) {
      const code = codeOf(error)
      if (tries === mostWaits || !inTheWay.has(code)) throw error
      tries += 1
      onWait?.({ migration: failed?.migrationName ?? '', code })
      await systemClock.sleep(PAUSE_MS)
      continue
    }
    ran.push(...results.map(({ migrationName }) => migrationName))
    if (results.length === 0 || isNew) return ran
    tries = 1
  }
}

/** Long enough for what stands before it in the queue; everybody behind it waits no longer either. */
const LOCK_TIMEOUT_MS = 2_000
/** For those who stood in the queue behind it. */
const PAUSE_MS = 1_000
/** Three minutes of it. */
const mostWaits = 60

/** lock_not_available, deadlock_detected */
const inTheWay: ReadonlySet<string> = new Set(['55P03', '40P01'])

function givingWay(all: Record<string, Migration>): Record<string, Migration> {
  return Object.fromEntries(
    Object.entries(all).map(([name, { up }]) => [
      name,
      {
        up: async (tx) => {
          await sql`select set_config('lock_timeout', ${`${LOCK_TIMEOUT_MS}ms`}, true),
            set_config('statement_timeout', '0', true)`.execute(tx)
          await up(tx)
        },
      } satisfies Migration,
    ]),
  )
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
  if (!(await hasMigrations(store))) return false
  const ran = await sql<{ name: string }>`select name from kysely_migration`.execute(store.db)
  const names = new Set(ran.rows.map((row) => row.name))
  return Object.keys(migrations).every((name) => names.has(name))
}

async function hasMigrations({ db, namespace }: Store): Promise<boolean> {
  const { rows } = await sql<{ known: string | null }>`
    select to_regclass(${`${namespace}.kysely_migration`})::text as known`.execute(db)
  return Boolean(rows[0]?.known)
}

/**
 * The next migration, or all of them. Kysely looks at the tables of all namespaces of the server, and
 * fails when one of them is dropped in that instant; what it did before is kept, so it can just look again.
 */
async function step(migrator: Migrator, all: boolean): ReturnType<Migrator['migrateUp']> {
  for (let tries = 1; ; tries += 1) {
    try {
      const outcome = await (all ? migrator.migrateToLatest() : migrator.migrateUp())
      if (tries === mostTries || !isVanished(outcome.error)) return outcome
    } catch (error) {
      if (tries === mostTries || !isVanished(error)) throw error
    }
  }
}

const mostTries = 5

/** invalid_schema_name, undefined_table, undefined_column */
function isVanished(error: unknown): boolean {
  return ['3F000', '42P01', '42703'].includes(codeOf(error))
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
