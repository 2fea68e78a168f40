import { systemClock } from '@wegwijs/runtime/clock'
import { until } from '@wegwijs/system-tests/until'
import { sql } from 'kysely'
import { addInFlight, type Fault, nothingInFlight } from '../fault.ts'
import type { FaultProxy } from '../proxy.ts'
import type { World } from '../world.ts'
import { betweenAll, type Link, links } from './links.ts'
import { deliverySlots } from './slots.ts'

/** Longer than a blink, shorter than what anybody waits for an answer. */
const SECONDS_OF_TROUBLE = 4
const SLOW_MS = 500

/** One that everything hangs on, one to a provider, and the one that publishers come over. */
const inShort: readonly Link[] = ['postgres', 'email', 'publisher']

/** Longer than anybody waits for an answer over the link. */
const SECONDS_WITHOUT_ANSWER: Readonly<Record<Link, number>> = {
  // The silence after which a connection is broken off (70 s), and the lease of whatever was claimed (60 s).
  postgres: 75,
  // A command (5 s).
  redis: 8,
  // A request (30 s), and the session of a member (10 s).
  kafka: 35,
  // A hand-over: 15 s, and 30 s.
  sms: 18,
  email: 33,
  // A publisher and the provider give their calls up after 15 s.
  publisher: 18,
  receipts: 18,
}

type Trouble = Pick<Fault, 'short' | 'check'> & {
  name: string
  title: string
  begin: (proxy: FaultProxy) => void
  /** How long each link stays so; four seconds if it is not said. */
  seconds?: Readonly<Record<Link, number>>
}

/** One link after the other, while messages are under way. */
function linkTroubled({ name, begin, seconds, ...fault }: Trouble): Fault {
  return {
    ...fault,
    name: `network-${name}`,
    on: 'network',
    needs: ['kafka'],
    between: betweenAll,
    async strike(world, { short, say }) {
      let inFlight = nothingInFlight
      let recoveryMs = 0
      let kills = 0
      let cutOff = 0
      for (const link of short ? inShort : links) {
        await world.slowProviders(400)
        const met = await world.untilInFlight('messages are sent', ({ sending }) => sending > 0)
        inFlight = addInFlight(inFlight, met)
        const proxy = world.proxy(link)
        begin(proxy)
        await until(`the link to ${link} was struck`, () => proxy.struck() > 0)
        await systemClock.sleep((seconds?.[link] ?? SECONDS_OF_TROUBLE) * 1_000)
        say(`${link}: ${proxy.struck()} connections, with ${JSON.stringify(met)}`)
        kills += proxy.struck()
        // Who was given up makes room for as many again.
        if (mayCutOff.has(link)) cutOff += seconds === undefined ? deliverySlots : 2 * deliverySlots
        proxy.pass()
        recoveryMs = Math.max(recoveryMs, await world.untilGoesOn())
      }
      return { kills, inFlight, unknownAtMost: cutOff, recoveryMs }
    },
  }
}

/** Over each of the two links to providers a send must have waited for longer than it waits. */
async function untimedSends({ system }: World): Promise<string[]> {
  const { rows } = await sql<{ reason: string }>`
    select distinct reason from attempt where outcome = 'unknown'`.execute(system.store.db)
  const seen = new Set(rows.map(({ reason }) => reason))
  return ['sms_timed_out', 'smtp_timed_out'].flatMap((reason) =>
    seen.has(reason) ? [] : [`no attempt ended with ${reason}`],
  )
}

/** Without an answer of the provider, or without a place to record it, nobody knows. */
const mayCutOff: ReadonlySet<Link> = new Set(['postgres', 'sms', 'email'])

/** All links are cut, one by one, and come back one by one in another order. */
const swizzle: Fault = {
  name: 'network-swizzle',
  on: 'network',
  title: 'links cut one by one, and brought back in another order',
  needs: ['kafka'],
  between: betweenAll,
  async strike(world, { chance, short, say }) {
    let inFlight = nothingInFlight
    let recoveryMs = 0
    const times = short ? 1 : 3
    for (let time = 1; time <= times; time += 1) {
      await world.slowProviders(400)
      const met = await world.untilInFlight('messages are sent', ({ sending }) => sending > 0)
      inFlight = addInFlight(inFlight, met)
      const going = shuffled(links, chance)
      const coming = shuffled(links, chance)
      say(`cut ${going.join(', ')}; back ${coming.join(', ')}; with ${JSON.stringify(met)}`)
      for (const link of going) await one(world, link, (proxy) => proxy.cut())
      for (const link of coming) await one(world, link, (proxy) => proxy.pass())
      recoveryMs = Math.max(recoveryMs, await world.untilGoesOn())
    }
    const kills = times * links.length
    return { kills, inFlight, unknownAtMost: 3 * times * deliverySlots, recoveryMs }
  },
}

async function one(world: World, link: Link, act: (proxy: FaultProxy) => void): Promise<void> {
  act(world.proxy(link))
  await systemClock.sleep(1_000)
}

function shuffled<Item>(items: readonly Item[], chance: () => number): Item[] {
  return items
    .map((item) => ({ item, key: chance() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item)
}

export const networkFaults: readonly Fault[] = [
  linkTroubled({
    name: 'cut',
    title: 'each link cut: connections reset, new ones refused',
    short: true,
    begin: (proxy) => proxy.cut(),
  }),
  linkTroubled({
    name: 'half-open',
    title:
      'each link half-open until calls over it time out: connections stay, and nothing comes through',
    begin: (proxy) => proxy.halfOpen(),
    seconds: SECONDS_WITHOUT_ANSWER,
    check: untimedSends,
  }),
  linkTroubled({
    name: 'slow',
    title: `each link slow: ${SLOW_MS} ms more, each way`,
    begin: (proxy) => proxy.slow(SLOW_MS),
  }),
  linkTroubled({
    name: 'replies-dropped',
    title: 'each link loses the answers: what was asked has happened',
    begin: (proxy) => proxy.dropReplies(),
  }),
  swizzle,
]
