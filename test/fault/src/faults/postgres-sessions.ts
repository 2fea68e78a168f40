import pg from 'pg'
import type { World } from '../world.ts'

/** The sessions of the services on a server of the fault's own, in the hands of an operator. */
export type Sessions = {
  readonly client: pg.Client
  /** Ends them all, or what each of them does now; resolves with how many it struck. */
  strike(how: 'pg_terminate_backend' | 'pg_cancel_backend'): Promise<number>
  close(): Promise<void>
}

/** As PostgreSQL knows their sessions. */
export const services = [
  'wegwijs gateway',
  'wegwijs journey',
  'wegwijs scheduler',
  'wegwijs delivery',
]

export async function openSessions(world: World): Promise<Sessions> {
  const client = new pg.Client({ connectionString: world.server('postgres').address })
  await client.connect()
  return {
    client,
    async strike(how) {
      const busy = how === 'pg_cancel_backend' ? `and state <> 'idle'` : ''
      const { rowCount } = await client.query(
        `select ${how}(pid) from pg_stat_activity where application_name = any ($1) ${busy}`,
        [services],
      )
      return rowCount ?? 0
    },
    close: () => client.end(),
  }
}
