import { randomInt } from 'node:crypto'
import { createServer, type Server } from 'node:net'

// Below the range from which operating systems take the ports of outgoing connections (32768 and
// up on Linux, 49152 and up elsewhere). A server that is killed and restarted on a port inside
// that range can find it taken by a client that was reconnecting to it, even by one that reached
// itself.
const LOWEST_PORT = 20_000
const PORTS_PER_BLOCK = 40
const BLOCKS = 300
const TRIES = 1_000

/** What is left of the block of ports that this process has for itself. */
const left: number[] = []
/** The block that is being reserved; all who ask meanwhile wait for the same one. */
let reserving: Promise<void> | null = null

/**
 * Finds a TCP port on 127.0.0.1 that nobody listens on, and that no other process that asks here is
 * given or looks at: many of them start servers at the same time, and between the answer and the
 * server's own bind a port belongs to nobody.
 *
 * @param preferred the port to return when it is free: a restarted server keeps its address. It may
 *   lie in the block of another process, so callers look where their server came up
 */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = left.shift()
    if (port === undefined) await haveBlock()
    else if (await isFree(port)) return port
  }
  throw new RangeError(`no free port found from ${LOWEST_PORT} on`)
}

function haveBlock(): Promise<void> {
  reserving ??= reserveBlock().finally(() => {
    reserving = null
  })
  return reserving
}

/**
 * Takes a block that no other process has. Whoever listens on its first port has it, so that a
 * process that ends, however it ends, gives it back.
 */
async function reserveBlock(): Promise<void> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const first = LOWEST_PORT + randomInt(BLOCKS) * PORTS_PER_BLOCK
    const mark = await listen(first)
    if (mark === null) continue
    mark.unref()
    left.push(...Array.from({ length: PORTS_PER_BLOCK - 1 }, (_, nth) => first + 1 + nth))
    return
  }
  throw new RangeError(`all ${BLOCKS} blocks of ports from ${LOWEST_PORT} on are taken`)
}

async function isFree(port: number): Promise<boolean> {
  const probe = await listen(port)
  if (probe === null) return false
  await new Promise((resolve) => probe.close(resolve))
  return true
}

/** Null when the port is taken. */
function listen(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server))
  })
}
