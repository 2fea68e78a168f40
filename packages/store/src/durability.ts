import { sql } from 'kysely'
import type { Querying } from './database.ts'

/** Whether PostgreSQL keeps what it has committed, on which every promise rests: as far as its settings say. */
export type Durability = {
  /** Settings with which a commit that was answered may be lost, as `name = value`. */
  lax: readonly string[]
  /** How many standbys follow now, as far as they are connected. */
  standbys: number
  /** Whether a commit is answered only when a standby has it. */
  synchronous: boolean
}

/** What a setting may be; any role may read these, and how many standbys there are. */
const sound: Readonly<Record<string, readonly string[]>> = {
  fsync: ['on'],
  full_page_writes: ['on'],
  synchronous_commit: ['on', 'remote_apply'],
}

export async function readDurability(db: Querying): Promise<Durability> {
  const { rows } = await sql<{ settings: Record<string, string>; standbys: number; named: string }>`
    select (select json_object_agg(name, setting) from pg_settings where name = any(${Object.keys(sound)})) as settings,
      (select count(*)::int from pg_stat_replication) as standbys,
      current_setting('synchronous_standby_names') as named`.execute(db)
  const { settings = {}, standbys = 0, named = '' } = rows[0] ?? {}
  const lax = Object.entries(sound)
    .filter(([name, values]) => !values.includes(settings[name] ?? ''))
    .map(([name]) => `${name} = ${settings[name]}`)
  return { lax, standbys, synchronous: named !== '' }
}
