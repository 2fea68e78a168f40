import { systemClock } from '@wegwijs/runtime/clock'
import type { Process } from './processes.ts'
import type { Figure, PerProcess } from './result.ts'
import { median } from './statistics.ts'
import { cpuBetween, cpuOf, peakMemoryOf, type Watched } from './usage.ts'
import type { World } from './world.ts'

/** What one round came to. */
export type Round = {
  /** How much was done. */
  count: number
  seconds: number
  /** Seconds of CPU by process. */
  cpu: Record<string, number>
}

export type RoundOptions = {
  count: number
  /** The processes that do the work. They stand still while it is laid out for them. */
  workers: readonly Process[]
  /** Lays the work out. */
  prepare: () => Promise<void>
  /** Called once they go again. */
  begin?: () => Promise<void>
  /** Resolves when the work is done. */
  untilDone: () => Promise<void>
}

/** One round: the work is laid out before sleeping workers, and timed from when they are woken. */
export async function measureRound(world: World, options: RoundOptions): Promise<Round> {
  world.signal.throwIfAborted()
  const { count, workers } = options
  for (const worker of workers) worker.signal('SIGSTOP')
  try {
    await options.prepare()
  } finally {
    for (const worker of workers) worker.signal('SIGCONT')
  }
  const watched = [...workers, ...world.servers]
  const before = cpuOf(watched)
  const beganMs = systemClock.monotonicMs()
  await options.begin?.()
  await options.untilDone()
  const seconds = (systemClock.monotonicMs() - beganMs) / 1000
  return { count, seconds, cpu: cpuBetween(before, cpuOf(watched)) }
}

/**
 * Rounds of several sides in turn, A B A B, so that what else the machine does meets all alike. The
 * first of each side only warms it up.
 */
export async function interleave<Side extends string>(
  rounds: number,
  sides: Record<Side, () => Promise<Round>>,
): Promise<Record<Side, Round[]>> {
  const names = Object.keys(sides) as Side[]
  const all = Object.fromEntries(names.map((name) => [name, [] as Round[]])) as Record<
    Side,
    Round[]
  >
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of names) {
      const measured = await sides[name]()
      if (round > 0) all[name].push(measured)
    }
  }
  return all
}

/** How much was done in a second, by round. */
export function rateOf(name: string, unit: string, rounds: readonly Round[]): Figure {
  return { name, unit, values: rounds.map(({ count, seconds }) => count / seconds) }
}

/** By pair of rounds: how many times of `other` it is that `one` reaches. */
export function ratios(one: readonly number[], other: readonly number[]): number[] {
  return one.map((value, index) => value / (other[index] ?? Number.NaN))
}

/** Seconds of CPU per 1,000, in the middle of the rounds, by process and all together. */
export function cpuPerThousand(name: string, rounds: readonly Round[]): PerProcess {
  const processes = Object.keys(rounds[0]?.cpu ?? {})
  const perThousand = (seconds: number, { count }: Round) => (seconds * 1000) / count
  const byProcess = Object.fromEntries(
    processes.map((process) => [
      process,
      median(rounds.map((round) => perThousand(round.cpu[process] ?? 0, round))),
    ]),
  )
  const total = median(rounds.map((round) => perThousand(totalOf(round), round)))
  return { name, byProcess: { ...byProcess, total } }
}

/** Seconds of CPU per 1,000, all processes together, by round. */
export function cpuOfRounds(rounds: readonly Round[]): number[] {
  return rounds.map((round) => (totalOf(round) * 1000) / round.count)
}

/** Milliseconds that one took, by round. */
export function timeEach(rounds: readonly Round[]): number[] {
  return rounds.map(({ count, seconds }) => (seconds * 1000) / count)
}

export function memoryOf(name: string, watched: readonly Watched[]): PerProcess {
  return { name, byProcess: peakMemoryOf(watched) }
}

function totalOf({ cpu }: Round): number {
  return Object.values(cpu).reduce((sum, seconds) => sum + seconds, 0)
}
