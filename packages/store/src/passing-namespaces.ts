import { sql } from 'kysely'
import type { Database, Querying } from './database.ts'

/** A namespace that is its holder's alone until it is released; what is in it stays. */
export type PassingNamespace = { namespace: string; release(): Promise<void> }

/**
 * Takes the next of the numbered namespaces `<prefix>_1`, `<prefix>_2` and so on, after those of
 * earlier holders were dropped with everything in them. Each is held by a lock of the session, so
 * one whose holder was killed is free, and one that is in use is left alone. `forget` is called
 * before a schema is dropped, to remove what the namespace has on other servers.
 *
 * It keeps one connection of the pool until it is released.
 */
export async function takePassingNamespace(
  db: Database,
  prefix: string,
  forget: (namespace: string) => Promise<void>,
): Promise<PassingNamespace> {
  const taken = Promise.withResolvers<string>()
  const released = Promise.withResolvers<void>()
  const holding = db.connection().execute(async (session) => {
    const names = await numberedNamespaces(session, prefix)
    for (const name of names) {
      if (!(await lock(session, name))) continue
      await forget(name)
      await sql`drop schema if exists ${sql.id(name)} cascade`.execute(session)
      await unlock(session, name)
    }
    let number = 1 + Number(names.at(-1)?.slice(prefix.length + 1) ?? 0)
    while (!(await lock(session, `${prefix}_${number}`))) number += 1
    taken.resolve(`${prefix}_${number}`)
    await released.promise
    await unlock(session, `${prefix}_${number}`)
  })
  holding.catch(taken.reject)
  return {
    namespace: await taken.promise,
    release: async () => {
      released.resolve()
      await holding
    },
  }
}

/** In the order of their numbers. */
async function numberedNamespaces(db: Querying, prefix: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select nspname as name from pg_namespace where nspname ~ ${`^${prefix}_[1-9][0-9]{0,8}$`}
    order by substr(nspname, ${prefix.length + 2})::integer`.execute(db)
  return rows.map((row) => row.name)
}

async function lock(db: Querying, name: string): Promise<boolean> {
  const { rows } = await sql<{ locked: boolean }>`
    select pg_try_advisory_lock(hashtextextended(${`${name} is held`}, 0)) as locked`.execute(db)
  return rows[0]?.locked === true
}

async function unlock(db: Querying, name: string): Promise<void> {
  await sql`select pg_advisory_unlock(hashtextextended(${`${name} is held`}, 0))`.execute(db)
}
