import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

// Below the range from which operating systems take the ports of outgoing connections (32768 and
// up on Linux, 49152 and up elsewhere). A server that is killed and restarted on a port inside
// that range can find it taken by a client that was reconnecting to it, even by one that reached
// itself.
const LOWEST_PORT = 20_000
const HIGHEST_PORT = 32_000
const TRIES = 200

/**
 * Finds a TCP port on 127.0.0.1 that nobody listens on.
 *
 * Between this answer and the server's own bind another process may take the port: callers start
 * their server again with a new port when it says so.
 *
 * @param preferred the port to return when it is free: a restarted server keeps its address
 */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT)
    if (await isFree(port)) return port
  }
  throw new RangeError(`no free port found between ${LOWEST_PORT} and ${HIGHEST_PORT}`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      probe.close(() => resolve(true))
    })
  })
}
