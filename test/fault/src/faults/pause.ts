import { usualRates } from '@wegwijs/sandbox/outcomes'
import type { ServiceName } from '@wegwijs/system-tests/system'
import { until } from '@wegwijs/system-tests/until'
import { type Claim, claimsIn, claimsLeft } from '@wegwijs/test-support/claims'
import { addInFlight, type Fault, type InFlight, nothingInFlight } from '../fault.ts'
import type { World } from '../world.ts'
import { deliverySlots } from './slots.ts'
import { publishAtOnce } from './unfinished-publishes.ts'

const slowMs = 600
/** Then a request that nobody answers is given up by who made it. */
const UNANSWERED_MS = 3_000

/** What one pause met, and what of it was given up. */
type Paused = { met: InFlight; processes: number; givenUp: number; violations: string[] }

export const pause: Fault = {
  name: 'pause',
  on: 'service',
  title: 'SIGSTOP for longer than a lease and a session, others take over, then CONT',
  needs: [],
  // What is not sent while delivery is paused must catch up again.
  peoplePerSecond: 1,
  async strike(world, { short, say }) {
    const pauses: (() => Promise<Paused>)[] = [
      () => withoutThem(world, ['delivery', 'journey', 'scheduler']),
      ...(short
        ? []
        : [
            () => withoutThem(world, ['delivery']),
            () => withoutThem(world, ['journey']),
            () => withoutThem(world, ['scheduler']),
          ]),
      () => withoutGateway(world),
    ]
    let inFlight = nothingInFlight
    let processes = 0
    let givenUp = 0
    const violations: string[] = []
    await world.slowProviders(slowMs)
    for (const one of pauses) {
      const paused = await one()
      say(
        `paused ${paused.processes} with ${JSON.stringify(paused.met)}, ${paused.givenUp} given up`,
      )
      inFlight = addInFlight(inFlight, paused.met)
      processes += paused.processes
      givenUp += paused.givenUp
      violations.push(...paused.violations)
    }
    // Not what was met: a claim that PostgreSQL was about to commit comes after it.
    const unknownAtMost = (short ? 1 : 2) * deliverySlots
    const figures = { 'claims given up after their lease': givenUp }
    return { kills: processes, inFlight, unknownAtMost, figures, violations }
  },
}

/** Without what each of them must have in its hands its pause shows nothing. */
const hasWork: Readonly<Record<'delivery' | 'journey' | 'scheduler', (met: InFlight) => boolean>> =
  {
    delivery: ({ sending }) => sending > 0,
    journey: ({ undecided }) => undecided > 0,
    scheduler: ({ planned, queued }) => planned + queued > 0,
  }

/**
 * Pauses these and lets others take over, for longer than the lease of every claim, where delivery is
 * one of them, and else until Kafka has given what it read to the others; then they wake up.
 */
async function withoutThem(
  world: World,
  names: readonly (keyof typeof hasWork)[],
): Promise<Paused> {
  const { system } = world
  const holdsClaims = names.includes('delivery')
  const [first = 'delivery'] = names
  // A receipt would tell what became of a message before its lease is over.
  if (holdsClaims) await system.outcomes({ bounced: 0, none: 1 })
  await world.untilInFlight(`${first} has work`, hasWork[first])
  const processes = names.map((name) => system.process(name))
  for (const process of processes) process.signal('SIGSTOP')
  const claims = holdsClaims ? await claimsIn(system.store) : []
  const met = await world.inFlight()
  const others = await Promise.all(
    names.map((name) => system.launch(name as ServiceName, `${name}-beside-${names.length}`)),
  )
  const { givenUp, violations } = holdsClaims ? await untilGivenUp(world, claims) : noClaims
  await world.untilGoesOn()
  if (holdsClaims) await system.outcomes(usualRates)
  for (const process of processes) process.signal('SIGCONT')
  await world.untilGoesOn()
  // The others go again, in order: they have shown that the first ones can be done without.
  for (const process of others) process.signal('SIGTERM')
  await Promise.all(others.map(({ ended }) => ended))
  return { met, processes: names.length, givenUp, violations }
}

const noClaims = { givenUp: 0, violations: [] }

/** Resolves when every lease has run out and no claim is open, with what was not as it has to be. */
async function untilGivenUp({ system }: World, claims: readonly Claim[]) {
  const left = await until(
    'the leases have run out',
    () => claimsLeft(system.store, claims),
    ({ running, open }) => running + open === 0,
  )
  const { givenUp } = left
  return {
    givenUp,
    violations: givenUp > 0 ? [] : [`of ${claims.length} claims none outlived its worker`],
  }
}

/** There is one gateway: what it is asked waits, or is given up and asked again; the rest goes on. */
async function withoutGateway(world: World): Promise<Paused> {
  const { system } = world
  const publishes = await publishAtOnce(world, 'paused')
  const gateway = system.process('gateway')
  gateway.signal('SIGSTOP')
  const unfinished = publishes.unfinished()
  const met = await world.inFlight()
  const unanswered = await fetch(`${system.gatewayUrl}/v1/events`, {
    method: 'POST',
    signal: AbortSignal.timeout(UNANSWERED_MS),
  }).then(
    ({ status }) => [`a gateway that is paused answered ${status}`],
    () => [],
  )
  await world.untilGoesOn()
  gateway.signal('SIGCONT')
  await publishes.taken()
  await world.untilGoesOn()
  const violations = unfinished > 0 ? [] : ['the gateway was paused with nothing in its hands']
  return { met, processes: 1, givenUp: 0, violations: [...violations, ...unanswered] }
}
