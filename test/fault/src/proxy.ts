import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import { systemClock } from '@wegwijs/runtime/clock'

/** Which way bytes go: from whoever called, or back to it. */
export type Direction = 'toServer' | 'toClient'

/** Whether these bytes are to be held; `connection` tells connections apart. */
export type Match = (direction: Direction, bytes: Buffer, connection: number) => boolean

/** Bytes that were stopped on their way. What follows them in the same direction waits behind. */
export type Held = {
  readonly direction: Direction
  readonly bytes: Buffer
  /** Lets them go, and everything behind them. */
  release(): void
  /** They never arrive: the connection is reset at both ends. */
  discard(): void
}

export type FaultProxy = {
  /** `host:port`, where callers go instead of the target. */
  readonly address: string
  readonly port: number
  /** How many connections the fault in force has struck since it began. */
  struck(): number
  /** Connections that are open through the proxy now. */
  open(): number
  /** Resets every connection, and every new one as soon as it is made. */
  cut(): void
  /** Nobody learns anything: connections stay, new ones are taken in, and no byte goes on. */
  halfOpen(): void
  /** Every byte arrives `delayMs` milliseconds later than it would. */
  slow(delayMs: number): void
  /** What callers ask arrives; what is answered does not. */
  dropReplies(): void
  /** Back to normal. What was half open, or has lost an answer, is reset: it could not be whole. */
  pass(): void
  /** Resolves with the first bytes, as one read of a socket brings them, that `match` says yes to. */
  holdWhen(match: Match): Promise<Held>
  /** Resets everything and gives the port back. */
  close(): Promise<void>
}

type Mode =
  | { readonly kind: 'pass' | 'cut' | 'half-open' | 'drop-replies' }
  | { readonly kind: 'slow'; readonly delayMs: number }

type Link = {
  readonly connection: number
  readonly sockets: readonly Socket[]
  /** The fault in force has struck it. */
  struck: boolean
  /** It was half open or lost an answer: what it carries is no longer what was sent. */
  broken: boolean
  readonly flows: readonly Flow[]
}

type Hold = {
  readonly match: Match
  readonly resolve: (held: Held) => void
}

/**
 * One direction of one connection, in order. `queue` holds what has not gone on yet, null being the
 * end of the stream; `gate` is closed while bytes are held or the connection is half open.
 */
type Flow = {
  readonly direction: Direction
  readonly from: Socket
  readonly to: Socket
  queue: { readonly bytes: Buffer | null; readonly dueMs: number; seen: boolean }[]
  held: boolean
  pumping: boolean
}

/** So much may wait in one direction before the sender is made to wait too. */
const MOST_WAITING_CHUNKS = 64

/**
 * A TCP proxy that can fail in the ways a network fails. It knows nothing of the protocols that go
 * through it, so a server that tells its clients its own address (Kafka) must tell this one's.
 *
 * @param options `port` on 127.0.0.1; any free one when it is left out
 */
export async function startProxy(options: {
  readonly target: { readonly host: string; readonly port: number }
  readonly port?: number
}): Promise<FaultProxy> {
  const links = new Set<Link>()
  let holds: Hold[] = []
  let mode: Mode = { kind: 'pass' }
  let struckAndGone = 0
  let connections = 0

  const reset = (link: Link) => {
    for (const socket of link.sockets) socket.resetAndDestroy()
  }

  const strike = (link: Link) => {
    link.struck = true
  }

  const forget = (link: Link) => {
    if (links.delete(link) && link.struck) struckAndGone += 1
  }

  /** Closes the gate of the flow when somebody waits for these bytes. */
  const hold = (link: Link, flow: Flow, bytes: Buffer) => {
    const found = holds.find(({ match }) => match(flow.direction, bytes, link.connection))
    if (!found) return
    holds = holds.filter((one) => one !== found)
    flow.held = true
    strike(link)
    found.resolve({
      direction: flow.direction,
      bytes,
      release: () => {
        flow.held = false
        void pump(link, flow)
      },
      discard: () => reset(link),
    })
  }

  /** Sends on what may go on now, in order; one of these runs for a flow at a time. */
  const pump = async (link: Link, flow: Flow): Promise<void> => {
    if (flow.pumping) return
    flow.pumping = true
    while (!flow.held && mode.kind !== 'half-open') {
      const next = flow.queue[0]
      if (next === undefined || flow.to.destroyed) break
      const restMs = next.dueMs - systemClock.monotonicMs()
      if (restMs > 0) {
        await systemClock.sleep(restMs)
        continue
      }
      if (next.bytes !== null && !next.seen) {
        next.seen = true
        hold(link, flow, next.bytes)
        continue
      }
      flow.queue.shift()
      if (next.bytes === null) flow.to.end()
      else if (!flow.to.write(next.bytes)) await drained(flow.to)
    }
    flow.pumping = false
    if (flow.queue.length < MOST_WAITING_CHUNKS) flow.from.resume()
  }

  const take = (link: Link, flow: Flow, bytes: Buffer | null) => {
    if (mode.kind === 'drop-replies' && flow.direction === 'toClient' && bytes !== null) {
      link.broken = true
      strike(link)
      return
    }
    if (mode.kind === 'half-open' || mode.kind === 'slow') strike(link)
    const delayMs = mode.kind === 'slow' ? mode.delayMs : 0
    flow.queue.push({ bytes, dueMs: systemClock.monotonicMs() + delayMs, seen: false })
    if (flow.queue.length >= MOST_WAITING_CHUNKS) flow.from.pause()
    void pump(link, flow)
  }

  const join = (client: Socket) => {
    const server = dial({ ...options.target, allowHalfOpen: true })
    const flows: Flow[] = [
      { direction: 'toServer', from: client, to: server, queue: [], held: false, pumping: false },
      { direction: 'toClient', from: server, to: client, queue: [], held: false, pumping: false },
    ]
    connections += 1
    const link: Link = {
      connection: connections,
      sockets: [client, server],
      flows,
      struck: false,
      broken: false,
    }
    links.add(link)
    for (const flow of flows) {
      flow.from.setNoDelay(true)
      flow.from.on('data', (bytes) => take(link, flow, bytes))
      flow.from.on('end', () => take(link, flow, null))
    }
    endTogether(link, forget)
  }

  const admit = (client: Socket) => {
    // Who is reset before it listens must not end this process.
    client.on('error', () => undefined)
    if (mode.kind === 'cut') {
      struckAndGone += 1
      client.resetAndDestroy()
      return
    }
    if (mode.kind !== 'half-open') return join(client)
    connections += 1
    const link: Link = {
      connection: connections,
      sockets: [client],
      flows: [],
      struck: true,
      broken: true,
    }
    links.add(link)
    client.on('close', () => forget(link))
  }

  const become = (next: Mode) => {
    mode = next
    struckAndGone = 0
    for (const link of links) {
      link.struck = false
      if (link.broken) reset(link)
    }
  }

  const listener = createServer({ allowHalfOpen: true }, admit)
  const port = await listen(listener, options.port ?? 0)
  return {
    address: `127.0.0.1:${port}`,
    port,
    struck: () => struckAndGone + [...links].filter((link) => link.struck).length,
    open: () => links.size,
    cut() {
      become({ kind: 'cut' })
      for (const link of links) {
        strike(link)
        reset(link)
      }
    },
    halfOpen() {
      become({ kind: 'half-open' })
      for (const link of links) {
        link.broken = true
        strike(link)
      }
    },
    slow(delayMs) {
      become({ kind: 'slow', delayMs })
    },
    dropReplies() {
      become({ kind: 'drop-replies' })
    },
    pass() {
      become({ kind: 'pass' })
    },
    holdWhen: (match) =>
      new Promise((resolve) => {
        holds = [...holds, { match, resolve }]
      }),
    async close() {
      const closed = new Promise((resolve) => listener.close(resolve))
      for (const link of links) reset(link)
      await closed
    },
  }
}

/** When one end is gone the other one goes too: in order when it ended in order, else by a reset. */
function endTogether(link: Link, forget: (link: Link) => void): void {
  for (const socket of link.sockets) {
    socket.on('error', () => {
      for (const other of link.sockets) other.resetAndDestroy()
    })
    socket.on('close', () => {
      if (link.sockets.every(({ closed }) => closed)) forget(link)
    })
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      socket.off('drain', go)
      socket.off('close', go)
      resolve()
    }
    socket.on('drain', go)
    socket.on('close', go)
  })
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('no TCP address'))
      else resolve(address.port)
    })
  })
}
