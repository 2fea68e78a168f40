import { type ServiceName, serviceNames } from '@wegwijs/system-tests/system'
import { addInFlight, type Fault, nothingInFlight } from '../fault.ts'
import type { World } from '../world.ts'
import { deliverySlots } from './slots.ts'
import { publishAtOnce } from './unfinished-publishes.ts'

/** Long enough that at any moment some messages are under way. */
const slowMs = 300

type Victim = ServiceName | 'all'

/** What a process must have in its hands to be worth killing. */
const hasWork = {
  gateway: ({ undecided, planned, queued, sending }) => undecided + planned + queued + sending > 0,
  journey: ({ undecided }) => undecided > 0,
  scheduler: ({ planned, queued }) => planned + queued > 0,
  delivery: ({ sending }) => sending > 0,
  sandbox: ({ sending }) => sending > 0,
  all: ({ sending }) => sending > 0,
} satisfies Record<Victim, Parameters<World['untilInFlight']>[1]>

/** One that applies events, one that has providers in its hands, and all at once. */
const inShort: readonly Victim[] = ['journey', 'delivery', 'all']

const hasProvidersInHand: ReadonlySet<Victim> = new Set(['delivery', 'sandbox', 'all'])

export const killServices: Fault = {
  name: 'kill-services',
  on: 'service',
  title: 'kill -9 of each service, and of all at once',
  short: true,
  needs: [],
  async strike(world, { chance, short, say }) {
    let inFlight = nothingInFlight
    let kills = 0
    let unknownAtMost = 0
    let recoveryMs = 0
    const violations: string[] = []
    const victims: readonly Victim[] = [...serviceNames, 'all']
    const rounds = short ? inShort : [...victims, ...drawn(victims, 6, chance)]
    await world.slowProviders(slowMs)
    for (const [index, victim] of rounds.entries()) {
      await world.untilInFlight(`${victim} has work`, hasWork[victim])
      const publishes = victim === 'gateway' ? await publishAtOnce(world, `killed${index}-`) : null
      if (publishes?.unfinished() === 0) violations.push('the gateway had nothing in its hands')
      const names = victim === 'all' ? serviceNames : [victim]
      await world.killed(...names)
      const left = await world.inFlight()
      say(`killed ${victim}: ${JSON.stringify(left)}`)
      inFlight = addInFlight(inFlight, left)
      kills += names.length
      // More than is left in this moment: a claim that PostgreSQL was about to commit comes after it.
      if (hasProvidersInHand.has(victim)) unknownAtMost += deliverySlots
      await world.restart()
      await publishes?.taken()
      await world.slowProviders(slowMs)
      recoveryMs = Math.max(recoveryMs, await world.untilGoesOn())
    }
    return { kills, inFlight, unknownAtMost, recoveryMs, violations }
  },
}

function drawn<Item>(items: readonly Item[], count: number, chance: () => number): Item[] {
  return Array.from({ length: count }, () => items[Math.floor(chance() * items.length)] as Item)
}
