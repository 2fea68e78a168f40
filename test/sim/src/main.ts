import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stackStatus, startStack, stopStack } from '@wegwijs/local/stack'
import { systemClock } from '@wegwijs/runtime/clock'
import { readEnvironment, resolveConfig } from '@wegwijs/runtime/env'
import { Command, InvalidArgumentError } from 'commander'
import { openSimulatedDatabase, type SimulatedDatabase } from './ground.ts'
import { type Judged, playAndJudge } from './judged.ts'
import { shrink } from './shrink.ts'
import { storyOf } from './stories.ts'
import { tell } from './tell.ts'

/**
 * `pnpm test:sim`: plays one seed after the other, for as long as it is told, until one breaks a
 * promise. That one is told operation by operation, cut short, with the command that repeats it.
 */
type Options = {
  minutes?: number
  seed?: number
  seeds?: { from: number; to: number }
  theme?: string
  json: boolean
  keep: boolean
  shrink: boolean
}

type Summary = {
  seeds: number
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

const program = new Command('test:sim')
  .description('plays stories of the whole pipe until one of them breaks a promise')
  .option('--minutes <n>', 'plays for so long', toNumber)
  .option('--seed <n>', 'plays this one', toNumber)
  .option('--seeds <a-b>', 'plays these', toRange)
  .option('--theme <words>', 'plays those alone that are made for the situation with these words')
  .option('--json', 'says in one JSON object on the last line what came of it', false)
  .option('--keep', 'keeps what came of it with the project, for docs/guarantees.md', false)
  .option('--no-shrink', 'does not cut short the story that failed')
program.parse(process.argv.filter((word, index) => index < 2 || word !== '--'))
const options = program.opts<Options>()

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
  writeFileSync(kept, `${JSON.stringify(summary, null, 2)}\n`)
}
if (options.json) say(JSON.stringify(summary))
process.exit(summary.failedSeed === null ? 0 : 1)

async function run(on: SimulatedDatabase): Promise<Summary> {
  const beganMs = systemClock.monotonicMs()
  const untilMs = beganMs + (options.minutes ?? defaultMinutes) * minuteMs
  let seeds = 0
  const rate = () => Math.round((seeds * minuteMs) / (systemClock.monotonicMs() - beganMs))
  let toldMs = beganMs
  for (const seed of seedsToPlay(untilMs)) {
    const story = storyOf(seed)
    if (options.theme !== undefined && !story.theme?.includes(options.theme)) continue
    const judged = await playAndJudge(story, on)
    seeds += 1
    if (judged.violations.length > 0) {
      const found = await tellFailure(judged, on)
      return { seeds, failedSeed: seed, ...found, seedsPerMinute: rate() }
    }
    if (systemClock.monotonicMs() - toldMs < minuteMs / 6) continue
    toldMs = systemClock.monotonicMs()
    say(`${seeds} seeds, ${rate()} a minute`)
  }
  say(`${seeds} seeds, ${rate()} a minute: no promise was broken`)
  return { seeds, failedSeed: null, violation: null, text: null, seedsPerMinute: rate() }
}

function* seedsToPlay(untilMs: number): Generator<number> {
  if (options.seed !== undefined) return yield options.seed
  const { from, to } = options.seeds ?? { from: 1, to: Number.POSITIVE_INFINITY }
  const isBounded = options.seeds !== undefined && options.minutes === undefined
  // Without a range every run plays others.
  const first = options.seeds ? from : 1 + (Date.parse(systemClock.instant()) % 1_000_000_000)
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

function toNumber(text: string): number {
  const number = Number(text)
  if (!(number > 0)) throw new InvalidArgumentError('expected a number above 0')
  return number
}

function toRange(text: string): { from: number; to: number } {
  const [from, to] = text.split('-').map(Number)
  if (!(from && to && from <= to)) throw new InvalidArgumentError('expected such as 1-100')
  return { from, to }
}
