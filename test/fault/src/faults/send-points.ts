import { until } from '@wegwijs/system-tests/until'
import { addInFlight, type Fault, type InFlight, nothingInFlight } from '../fault.ts'
import { type MessageRecord, messagesOf } from '../messages.ts'
import { type FaultProxy, type Held, type Match, startProxy } from '../proxy.ts'
import type { World } from '../world.ts'

/** Fewer than the slots of a lane: one claim takes all that a lane has of a wave. */
const peopleAWave = 8
/** Long enough that the claims of a wave are over before its first message is sent. */
const slowMs = 1_500

/**
 * How a wave stands. `settled` counts what delivery has written down: that a message was delivered
 * may be known already by its receipt.
 */
type Wave = { accepted: number; sending: number; settled: number }

/**
 * A moment around a send. The wave is queued and delivery stopped when `prepare` is called; then it
 * goes on, until the wave `isReached` and something is held or under way.
 */
type Point = {
  name: string
  prepare(world: World, intentIds: readonly string[]): Promise<Stop>
  isReached(wave: Wave): boolean
}

/** Delivery stands still at the point, as far as can be told from outside. */
type Stop = { stands(): boolean | Promise<boolean>; over(): void }

const points: readonly Point[] = [
  {
    name: 'before the claim',
    prepare: async (world, ids) => heldAt(world, stoppedStatement(world, claimStatement, ids)),
    isReached: ({ accepted, sending, settled }) => accepted + sending + settled === 0,
  },
  {
    name: 'after the claim is committed, before its answer',
    prepare: async (world, ids) => heldAt(world, stoppedAnswer(world, claimStatement, ids)),
    isReached: ({ accepted, sending }) => accepted === 0 && sending > 0,
  },
  {
    name: 'in the middle of the request',
    prepare: async (world) => {
      await providers(world, 'hang')
      return { stands: async () => (await underWay(world)) > 0, over: () => {} }
    },
    isReached: ({ accepted, sending }) => accepted === 0 && sending > 0,
  },
  {
    name: 'after the provider accepted, before it answered',
    prepare: async (world) => {
      await providers(world, 'hangAfterAccept')
      return { stands: () => true, over: () => {} }
    },
    isReached: ({ accepted, sending, settled }) => accepted > 0 && sending > 0 && settled === 0,
  },
  {
    name: 'after the answer, before it is written down',
    prepare: async (world, ids) => heldAt(world, stoppedStatement(world, settleStatement, ids)),
    isReached: ({ accepted, sending, settled }) => accepted > 0 && sending > 0 && settled === 0,
  },
  {
    name: 'after it was written down, before its answer',
    prepare: async (world, ids) => heldAt(world, stoppedAnswer(world, settleStatement, ids)),
    isReached: ({ accepted, settled }) => accepted > 0 && settled > 0,
  },
]

/** How the first statements of the two transactions of a send begin. */
const claimStatement = 'select intent_id from intent where intent_id = any('
const settleStatement = 'i.provider, i.state, i.fence, (select business_now()) as now'

export const sendPoints: Fault = {
  name: 'send-points',
  on: 'service',
  title: 'kill -9 of delivery at six named points around a send',
  needs: [],
  peoplePerSecond: 0,
  async between({ databaseUrl }) {
    const { hostname, port } = new URL(databaseUrl)
    const database = await startProxy({ target: { host: hostname, port: Number(port) } })
    const proxied = new URL(databaseUrl)
    proxied.host = database.address
    return {
      proxies: { database },
      environmentOf: (service) =>
        service === 'delivery' ? { WEGWIJS_DATABASE_URL: proxied.href } : {},
    }
  },
  async strike(world, { short, say }) {
    let inFlight = nothingInFlight
    let unknownAtMost = 0
    statementsThrough(world.proxy('database'))
    const times = short ? 1 : 3
    for (let time = 1; time <= times; time += 1) {
      for (const [index, point] of points.entries()) {
        const { left, wave } = await killedAt(world, point, `w${time}p${index + 1}-`)
        say(`killed ${point.name}: ${JSON.stringify(wave)}`)
        inFlight = addInFlight(inFlight, left)
        unknownAtMost += left.sending
      }
    }
    return { kills: times * points.length, inFlight, unknownAtMost }
  },
}

async function killedAt(
  world: World,
  point: Point,
  name: string,
): Promise<{ left: InFlight; wave: Wave }> {
  const { system, load } = world
  await world.slowProviders(slowMs)
  const delivery = system.process('delivery')
  delivery.signal('SIGSTOP')
  const references = await load.wave(name, peopleAWave)
  const ids = await until(
    'the wave is queued',
    async () => (await recordsOf(world, name)).filter(({ state }) => state === 'queued'),
    (queued) => queued.length === references.length,
  )
  const stop = await point.prepare(
    world,
    ids.map(({ intentId }) => intentId),
  )
  delivery.signal('SIGCONT')
  await until(
    `delivery stands ${point.name}`,
    async () => ({
      stands: await stop.stands(),
      wave: await waveOf(world, name),
      // Told when it never comes to stand.
      readiness: await delivery.readiness(),
    }),
    ({ stands, wave }) => stands && point.isReached(wave),
  )
  await world.killed('delivery')
  stop.over()
  const [left, wave] = await Promise.all([world.inFlight(), waveOf(world, name)])
  await world.slowProviders(slowMs)
  await world.restart()
  return { left, wave }
}

async function recordsOf({ system }: World, name: string): Promise<MessageRecord[]> {
  return (await messagesOf(system.store)).filter(isOf(name))
}

function isOf(name: string) {
  return ({ reference }: { reference: string }) => reference.includes(`-${name}`)
}

async function waveOf(world: World, name: string): Promise<Wave> {
  const records = await recordsOf(world, name)
  return {
    accepted: world.system.accepted().filter(isOf(name)).length,
    sending: records.filter(({ state }) => state === 'sending').length,
    settled: records.filter(({ acceptances }) => acceptances > 0).length,
  }
}

async function underWay({ system }: World): Promise<number> {
  return (await system.sandboxStatus()).underWay
}

function providers({ system }: World, mode: 'hang' | 'hangAfterAccept'): Promise<void> {
  return system.fail({ channel: 'email', mode }, { channel: 'sms', mode })
}

/** A transaction on any of these messages that begins like this does not reach PostgreSQL. */
function stoppedStatement(world: World, statement: string, intentIds: readonly string[]): Match {
  const isOf = statementsThrough(world.proxy('database'))
  return (direction, bytes, connection) =>
    direction === 'toServer' &&
    intentIds.some((intentId) => bytes.includes(intentId)) &&
    isOf(statement, bytes, connection)
}

/** Nobody learns that such a transaction has committed. */
function stoppedAnswer(world: World, statement: string, intentIds: readonly string[]): Match {
  const begins = stoppedStatement(world, statement, intentIds)
  const begun = new Set<number>()
  return (direction, bytes, connection) => {
    if (begins(direction, bytes, connection)) begun.add(connection)
    return direction === 'toClient' && begun.has(connection) && bytes.includes('COMMIT\0')
  }
}

/** Whether these bytes ask for a statement with this text in it. */
type IsOf = (statement: string, bytes: Buffer, connection: number) => boolean

const watched = new WeakMap<FaultProxy, IsOf>()

/**
 * A service sends the text of a statement at first, and from then on only the name under which it
 * was prepared on its connection: so names are noted from the first byte on.
 */
function statementsThrough(proxy: FaultProxy): IsOf {
  const known = watched.get(proxy)
  if (known) return known
  const named = new Map<string, string>()
  void proxy.holdWhen((direction, bytes, connection) => {
    if (direction === 'toServer') {
      for (const [, name = '', text = ''] of bytes.toString('latin1').matchAll(prepared)) {
        named.set(`${connection} ${name}`, text)
      }
    }
    return false
  })
  const isOf: IsOf = (statement, bytes, connection) => {
    const sent = bytes.toString('latin1')
    const names = [...sent.matchAll(bound)].map(([, name]) => named.get(`${connection} ${name}`))
    return sent.includes(statement) || names.some((text) => text?.includes(statement))
  }
  watched.set(proxy, isOf)
  return isOf
}

/** In PostgreSQL's protocol: Parse with a name and its text, Bind of a name to the unnamed portal. */
const prepared = /P.{4}(s\d+_\d+)\0([^\0]*)\0/gs
const bound = /B.{4}\0(s\d+_\d+)\0/gs

function heldAt(world: World, match: Match): Stop {
  const { held, over } = holdAll(world.proxy('database'), match)
  return { stands: () => held.length > 0, over }
}

/** Holds whatever matches, on any connection, until it is over; then none of it arrives. */
function holdAll(proxy: FaultProxy, match: Match): { held: readonly Held[]; over(): void } {
  const held: Held[] = []
  let isOver = false
  const next = (): void =>
    void proxy
      .holdWhen((...seen) => !isOver && match(...seen))
      .then((one) => {
        held.push(one)
        next()
      })
  next()
  return {
    held,
    over() {
      isOver = true
      for (const one of held) one.discard()
    },
  }
}
