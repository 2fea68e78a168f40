import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stackStatus, startStack, stopStack } from '@wegwijs/local/stack'
import { systemClock } from '@wegwijs/runtime/clock'
import { readEnvironment, resolveConfig } from '@wegwijs/runtime/env'
import { currentCommit } from '@wegwijs/test-support/commit'
import { openSimulatedDatabase, type SimulatedDatabase } from './ground.ts'
import { type Judged, playAndJudge } from './judged.ts'
import { readOptions } from './options.ts'
import { shrink } from './shrink.ts'
import { storyOf } from './stories.ts'
import { tell } from './tell.ts'

/** What came of it. */
type Summary = {
  /** How many there were, from the first to the last, and of how many situations. */
  seeds: number
  firstSeed: number | null
  lastSeed: number | null
  situations: number
  failedSeed: number | null
  violation: string | null
  text: string | null
  seedsPerMinute: number
}

const kept = fileURLToPath(new URL('../results/last.json', import.meta.url))
const directory = fileURLToPath(new URL('../../../.wegwijs/sim', import.meta.url))
const defaultMinutes = 1
const minuteMs = 60_000
/** Cutting a story short takes no longer than this. */
const shrinkMs = 60_000

/**
 * `pnpm test:sim`: plays one seed after the other, for as long as it is told, until one breaks a
 * promise. That one is told operation by operation, cut short, with the command that repeats it.
 */
const options = readOptions(process.argv.slice(2))

const say = (text: string) => process.stdout.write(`${text}\n`)
const given = resolveConfig(readEnvironment(), [], ['WEGWIJS_DATABASE_URL'])
const stack = { directory, given, servers: ['postgres'], durable: false, fresh: true } as const
const [before] = await stackStatus(stack)
const { databaseUrl } = await startStack(stack)
const database = await openSimulatedDatabase(databaseUrl, `run_${process.pid}`)
const summary = await run(database)
await database.close()
// What ran before us belongs to somebody else and is left running.
if (before?.state !== 'answers') await stopStack(stack)
if (options.keep) {
  mkdirSync(dirname(kept), { recursive: true })
  const origin = { at: systemClock.instant(), commit: currentCommit() }
  writeFileSync(kept, `${JSON.stringify({ ...origin, ...summary }, null, 2)}\n`)
  say('kept; `npm run test:fault -- --document` shows it in docs/guarantees.md')
}
if (options.json) say(JSON.stringify(summary))
process.exit(summary.failedSeed === null ? 0 : 1)

async function run(on: SimulatedDatabase): Promise<Summary> {
  const beganMs = systemClock.monotonicMs()
  const untilMs = beganMs + (options.minutes ?? defaultMinutes) * minuteMs
  const played: number[] = []
  const situations = new Set<string>()
  const rate = () => Math.round((played.length * minuteMs) / (systemClock.monotonicMs() - beganMs))
  const summaryOf = (found: Pick<Summary, 'failedSeed' | 'violation' | 'text'>): Summary => ({
    seeds: played.length,
    firstSeed: played.at(0) ?? null,
    lastSeed: played.at(-1) ?? null,
    situations: situations.size,
    ...found,
    seedsPerMinute: rate(),
  })
  let toldMs = beganMs
  for (const seed of seedsToPlay(untilMs)) {
    const story = storyOf(seed)
    if (options.theme !== undefined && !story.theme?.includes(options.theme)) continue
    const judged = await playAndJudge(story, on)
    played.push(seed)
    if (story.theme !== null) situations.add(`${story.chapter}: ${story.theme}`)
    if (judged.violations.length > 0) {
      return summaryOf({ failedSeed: seed, ...(await tellFailure(judged, on)) })
    }
    if (systemClock.monotonicMs() - toldMs < minuteMs / 6) continue
    toldMs = systemClock.monotonicMs()
    say(`${played.length} seeds, ${rate()} a minute`)
  }
  say(`${played.length} seeds, ${rate()} a minute: no promise was broken`)
  return summaryOf({ failedSeed: null, violation: null, text: null })
}

function* seedsToPlay(untilMs: number): Generator<number> {
  if (options.seed !== undefined) return yield options.seed
  const { from, to } = options.seeds ?? { from: 1, to: Number.POSITIVE_INFINITY }
  const isBounded = options.seeds !== undefined && options.minutes === undefined
  // Without a range every run plays others.
  const first = options.seeds ? from : 1 + (systemClock.epochMs() % 1_000_000_000)
  for (let seed = first; seed <= to; seed += 1) {
    if (!isBounded && systemClock.monotonicMs() >= untilMs) return
    yield seed
  }
}

async function tellFailure(
  judged: Judged,
  on: SimulatedDatabase,
): Promise<{ violation: string; text: string }> {
  const [first] = judged.violations
  if (!first) throw new RangeError('nothing is wrong')
  const repeat = `npm run test:sim -- --seed ${judged.story.seed}`
  say(tell(judged, repeat))
  if (options.shrink) {
    const endMs = systemClock.monotonicMs() + shrinkMs
    let shortest = judged
    await shrink(
      judged.story,
      async (shorter) => {
        const again = await playAndJudge(shorter, on)
        const fails = again.violations.some(({ kind }) => kind === first.kind)
        if (fails) shortest = again
        return fails
      },
      () => systemClock.monotonicMs() > endMs,
    )
    say(`cut short:\n${tell(shortest, repeat)}`)
  }
  return { violation: first.kind, text: first.text }
}
