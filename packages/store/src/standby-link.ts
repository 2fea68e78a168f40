import type pg from 'pg'

/**
 * Dials anew, once whoever has it is done with it, where a server has said that it only reads. After a failover the
 * address may lead to the new primary while a connection still stands to what is a standby now: what is asked again
 * there is refused for ever.
 */
export function leaveStandbys(pool: pg.Pool): void {
  const readOnly = new WeakSet<object>()
  pool.on('connect', (client) => {
    client.connection.on('errorMessage', ({ code }: { code?: string }) => {
      if (code === readsOnly) readOnly.add(client)
    })
  })
  pool.on('release', (_error, client) => {
    if (readOnly.has(client)) void client.end().catch(() => undefined)
  })
}

/** SQLSTATE read_only_sql_transaction. */
const readsOnly = '25006'
