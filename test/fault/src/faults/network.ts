import { systemClock } from '@wegwijs/runtime/clock'
import { until } from '@wegwijs/system-tests/until'
import { addInFlight, type Fault, nothingInFlight } from '../fault.ts'
import type { FaultProxy } from '../proxy.ts'
import type { World } from '../world.ts'
import { betweenAll, type Link, links } from './links.ts'
import { deliverySlots } from './slots.ts'

/** Longer than a blink, shorter than what anybody waits for an answer. */
const SECONDS_OF_TROUBLE = 4
const SLOW_MS = 500

type Trouble = { name: string; title: string; begin: (proxy: FaultProxy) => void }

/** One link after the other, while messages are under way. */
function linkTroubled({ name, title, begin }: Trouble): Fault {
  return {
    name: `network-${name}`,
    on: 'network',
    title,
    needs: ['kafka'],
    between: betweenAll,
    async strike(world, { short, say }) {
      let inFlight = nothingInFlight
      let recoveryMs = 0
      let kills = 0
      let cutOff = 0
      for (const link of short ? links.slice(0, 1) : links) {
        await world.slowProviders(400)
        const met = await world.untilInFlight('messages are sent', ({ sending }) => sending > 0)
        inFlight = addInFlight(inFlight, met)
        const proxy = world.proxy(link)
        begin(proxy)
        await until(`the link to ${link} was struck`, () => proxy.struck() > 0)
        await systemClock.sleep(SECONDS_OF_TROUBLE * 1_000)
        say(`${link}: ${proxy.struck()} connections, with ${JSON.stringify(met)}`)
        kills += proxy.struck()
        cutOff += mayCutOff.has(link) ? deliverySlots : 0
        proxy.pass()
        recoveryMs = Math.max(recoveryMs, await world.untilGoesOn())
      }
      return { kills, inFlight, unknownAtMost: cutOff, recoveryMs }
    },
  }
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
    begin: (proxy) => proxy.cut(),
  }),
  linkTroubled({
    name: 'half-open',
    title: 'each link half-open: connections stay, and nothing comes through',
    begin: (proxy) => proxy.halfOpen(),
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
