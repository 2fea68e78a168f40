import type { Socket } from 'node:net'
import type pg from 'pg'

/**
 * How long PostgreSQL may leave a statement without a sign of life, in milliseconds. A server or a
 * network that is gone without a word would be waited for without end.
 *
 * Longer than `statement_timeout` and `idle_in_transaction_session_timeout`: by then the server has
 * ended the statement it had of ours, and with it whatever was sent behind it in its transaction, so
 * that what is done again does not meet its other half.
 */
export const LONGEST_SILENCE_MS = 70_000

/**
 * Breaks a connection off on which nothing came for so long. Its statement fails like one whose
 * connection was lost: it may have happened all the same, a commit too, and whoever asked does it
 * again in a way that changes nothing then (`WEGWIJS_DATABASE_UNAVAILABLE`).
 *
 * pg's own `query_timeout` fails the statement and keeps the connection, on which the next one would
 * wait behind it.
 */
export function breakOffWhenSilent(client: pg.Client, silenceMs: number): void {
  const { connection } = client
  const socket = connection.stream as Socket
  socket.setTimeout(silenceMs, () => {
    // Nothing was asked: whoever keeps the session, for a lock that it holds, waits for no answer.
    if (isIdle(client)) return
    // First: whoever hears of the error ends the connection, and in order.
    reset(socket)
    connection.emit('error', Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }))
  })
}

/** True from one answer's end to the next statement; pg's types do not know of it. */
function isIdle(client: pg.Client): boolean {
  return 'readyForQuery' in client && client.readyForQuery === true
}

/** By a reset, or what was written could still arrive long after it was given up. */
function reset(socket: Socket): void {
  try {
    socket.resetAndDestroy()
  } catch {
    // Only what is plain TCP can be reset.
    socket.destroy()
  }
}
