import { systemClock } from '@wegwijs/runtime/clock'
import { receiptOf, usualRates } from '@wegwijs/sandbox/outcomes'
import type { Servers, System } from '@wegwijs/system-tests/system'
import { until } from '@wegwijs/system-tests/until'
import { type Fault, type Hit, sumInFlight } from './fault.ts'
import { messagesOf, refusalsOf } from './messages.ts'
import { judge, notJudged, type Verdict } from './model.ts'
import { seededChance } from './seeded-chance.ts'
import { openWorld, type World } from './world.ts'

export type RoundResult = {
  fault: string
  hit: Hit
  verdict: Verdict
  /** Every way in which a promise was broken, or in which the round proved nothing. */
  violations: string[]
  seconds: number
}

export type RoundOptions = {
  directory: string
  servers: Servers
  seed: string
  number: number
  short: boolean
  say: (line: string) => void
}

const USUAL_PEOPLE_PER_SECOND = 2
/** A lease runs for a minute; what waits behind one and its resend, for two. */
const SETTLE_MS = 250_000

/** Opens a world, breaks it under load, waits until all has come to its end, and judges. */
export async function runRound(fault: Fault, options: RoundOptions): Promise<RoundResult> {
  const { directory, servers, seed, number, short, say } = options
  const beganMs = systemClock.monotonicMs()
  const chance = seededChance(`${seed} ${fault.name} ${number}`)
  const world = await openWorld(fault, { directory, servers, prefix: `r${number}`, chance })
  try {
    const peoplePerSecond = rateOf(fault)
    if (peoplePerSecond > 0) world.load.start(peoplePerSecond)
    const hit = await fault.strike(world, { number, chance, short, say })
    const struckSeconds = secondsSince(beganMs)
    await world.restart()
    if (peoplePerSecond > 0) await world.load.untilTold()
    await world.load.stop()
    await world.system.fail()
    await world.system.settled(SETTLE_MS)
    const settledSeconds = secondsSince(beganMs)
    const judged = await judgeWorld(fault, world, hit)
    const seconds = secondsSince(beganMs)
    const parts = [struckSeconds, settledSeconds, seconds].map((each) => each.toFixed(0))
    say(`struck, settled and judged after ${parts.join(', ')} s`)
    return { fault: fault.name, hit, ...judged, seconds }
  } finally {
    await world.close()
  }
}

/** People that arrive per second over each road. */
function rateOf({ peoplePerSecond }: Fault): number {
  return peoplePerSecond ?? USUAL_PEOPLE_PER_SECOND
}

function secondsSince(monotonicMs: number): number {
  return (systemClock.monotonicMs() - monotonicMs) / 1_000
}

async function judgeWorld(fault: Fault, world: World, hit: Hit) {
  const { system, load } = world
  const verdict = judge({
    ledger: load.ledger,
    handOvers: system.handOvers(),
    records: await messagesOf(system.store),
    refusals: await refusalsOf(system.store),
    isBounced: (message) => receiptOf(message, usualRates)?.status === 'bounced',
    mayEnd: (end) => fault.mayEnd?.(end, world) ?? false,
  })
  const unknown = verdict.marked + verdict.held
  const rules = await lastingRules(system)
  const violations = [
    ...named('lost', verdict.lost),
    ...named('sent twice', verdict.doubled),
    ...named('sent after its stop was answered', verdict.afterStop),
    ...named('applied out of order', verdict.outOfOrder),
    ...named('sent and never asked for', verdict.unasked),
    ...rules.map(({ name, broken, examples }) => `ledger: ${name}: ${broken} (${examples})`),
    ...(hit.violations ?? []),
    ...((await fault.check?.(world, hit)) ?? []),
  ]
  if (unknown > hit.unknownAtMost) {
    violations.push(`${unknown} ended unknown, where at most ${hit.unknownAtMost} could`)
  }
  const { unknownAtLeast = 0 } = hit
  if (unknown < unknownAtLeast) {
    violations.push(`${unknown} ended unknown, where at least ${unknownAtLeast} had to`)
  }
  if (sumInFlight(hit.inFlight) === 0) violations.push('the fault met no work in flight')
  if (verdict.accepted === 0) violations.push('nothing at all was sent')
  if (rateOf(fault) > 0) violations.push(...notJudged(verdict))
  return { verdict, violations }
}

function named(what: string, references: readonly string[]): string[] {
  return references.map((reference) => `${what}: ${reference}`)
}

/** BullMQ finds the jobs of a worker that was killed within a minute; until then they are held. */
const STALLED_MS = 75_000

/** Rules of the ledger that do not hold, and not only until the queue has found its stalled jobs. */
async function lastingRules(system: System): ReturnType<System['brokenRules']> {
  const holds = (rules: readonly unknown[]) => rules.length === 0
  await until('the ledger holds', () => system.brokenRules(), holds, STALLED_MS).catch(() => {})
  return system.brokenRules()
}
