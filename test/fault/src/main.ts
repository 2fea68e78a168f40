import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startStack, stopStack } from '@wegwijs/local/stack'
import { systemClock } from '@wegwijs/runtime/clock'
import { currentCommit } from '@wegwijs/test-support/commit'
import { type FaultRun, guarantees, keptFaults, readKept, withFigures } from './document.ts'
import type { Fault } from './fault.ts'
import { faults } from './faults.ts'
import { emptyVerdict } from './model.ts'
import { help, type Options, readOptions } from './options.ts'
import { type RoundResult, runRound } from './round.ts'
import { rowOf, tableOf } from './table.ts'
import { openWorlds } from './world.ts'

const directory = fileURLToPath(new URL('../../../.wegwijs/fault', import.meta.url))
const MOST_PROBLEMS_SHOWN = 10
const MOST_TOLD = 2_000
const say = (line: string) => void process.stdout.write(`${line}\n`)

const endings: Promise<void>[] = []
const isGivenUp = () => endings.length > 0
// A second signal leaves at once; what is then left running is found by the next start.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => endings.push(giveUp().finally(() => process.exit(130))))
}

// Not by falling off the end: now and then Node waits for ever then for a connection of a proxy that
// was reset while it was closing.
const code = await run()
// Rounds fail when their worlds are closed, and what they have started has still to be ended.
await Promise.all(endings)
process.exit(code)

async function giveUp(): Promise<void> {
  say('Ending; again to end at once.')
  await Promise.allSettled([...openWorlds].map((world) => world.close()))
  await stopStack({ directory: join(directory, 'servers') })
}

async function run(): Promise<number> {
  let options: Options | null
  try {
    options = readOptions(process.argv.slice(2), faults)
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    return 64
  }
  if (options === null) {
    say(help)
    return 0
  }
  if (options.document) {
    await bringGuaranteesUp()
    return 0
  }
  options = { ...options, faults: await ableFaults(options.faults) }
  if (isGivenUp()) return 130
  const stack = { directory: join(directory, 'servers'), durable: false, fresh: true, say }
  const servers = await startStack(stack)
  try {
    const results = await breakForAsLong(options, servers)
    if (isGivenUp()) return 130
    const rows = options.faults.map((fault) => rowOf(fault, results.get(fault) ?? []))
    for (const line of tableOf(rows)) say(line)
    const run = { at: systemClock.instant(), commit: currentCommit(), seed: options.seed, rows }
    if (options.json !== null) await writeRun(resolve(options.json), run)
    if (options.keep) {
      await writeRun(keptFaults, run)
      await bringGuaranteesUp()
    }
    const isBroken = rows.some(({ violations, rounds }) => violations.length > 0 || rounds === 0)
    return isBroken ? 1 : 0
  } finally {
    await stopStack({ directory: stack.directory })
  }
}

/** Those that can break something here; the others are named, with the reason. */
async function ableFaults(wanted: readonly Fault[]): Promise<readonly Fault[]> {
  const able: Fault[] = []
  for (const fault of wanted) {
    const reason = (await fault.unable?.()) ?? null
    if (reason === null) able.push(fault)
    else say(`[${fault.name}] left out: ${reason}`)
  }
  return able
}

async function writeRun(file: string, run: FaultRun): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `${JSON.stringify(run, null, 2)}\n`)
}

async function bringGuaranteesUp(): Promise<void> {
  const { document, faults, simulation } = readKept()
  await writeFile(guarantees, withFigures(document, faults, simulation))
}

type Results = ReadonlyMap<Fault, readonly RoundResult[]>

/** Rounds side by side until the time is over and every fault has had one. */
async function breakForAsLong(
  options: Options,
  servers: Awaited<ReturnType<typeof startStack>>,
): Promise<Results> {
  const endMs = systemClock.monotonicMs() + options.minutes * 60_000
  const results = new Map<Fault, RoundResult[]>(options.faults.map((fault) => [fault, []]))
  const turns = new Map(options.faults.map((fault) => [fault, { begun: 0, seconds: 0 }]))
  let slotsOpened = 0
  let isFailed = false

  const next = (): Fault | null => {
    // A round that ends because its world was closed must not be followed by another one.
    if (isGivenUp()) return null
    const isOver = systemClock.monotonicMs() > endMs || isFailed
    const [least] = [...turns]
      .filter(([, { begun }]) => !isOver || begun === 0)
      .sort(([, a], [, b]) => a.begun - b.begun || a.seconds - b.seconds)
    return least?.[0] ?? null
  }
  const slot = async () => {
    slotsOpened += 1
    const place = join(directory, `world-${slotsOpened}`)
    for (let fault = next(); fault !== null; fault = next()) {
      const turn = turns.get(fault)
      const own = results.get(fault)
      if (turn === undefined || own === undefined) throw new RangeError(`unknown ${fault.name}`)
      turn.begun += 1
      const result = await oneRound(fault, turn.begun, { ...options, place, servers })
      turn.seconds += result.seconds
      own.push(result)
      if (result.violations.length > 0) isFailed = true
    }
  }
  await Promise.all(Array.from({ length: options.sideBySide }, slot))
  return results
}

async function oneRound(
  fault: Fault,
  number: number,
  options: Options & { place: string; servers: Awaited<ReturnType<typeof startStack>> },
): Promise<RoundResult> {
  const { place, servers, seed } = options
  const tell = (line: string) => say(`[${fault.name} ${number}] ${line}`)
  try {
    const result = await runRound(fault, {
      directory: join(place, fault.name),
      servers,
      seed,
      number,
      short: false,
      say: tell,
    })
    const { verdict, violations, seconds, hit } = result
    const sums = `${verdict.asked} asked, ${verdict.accepted} accepted`
    tell(`${seconds.toFixed(0)} s, ${hit.kills} kills, ${sums}, ${violations.length} broken`)
    for (const violation of violations.slice(0, MOST_PROBLEMS_SHOWN)) tell(`BROKEN ${violation}`)
    return result
  } catch (error) {
    const told = error instanceof Error ? (error.stack ?? error.message) : String(error)
    if (!isGivenUp()) tell(`the round could not be ended: ${told.slice(0, MOST_TOLD)}`)
    return unfinished(fault, told)
  }
}

function unfinished(fault: Fault, told: string): RoundResult {
  const [first = told] = told.split('\n')
  return {
    fault: fault.name,
    hit: {
      kills: 0,
      inFlight: { undecided: 0, planned: 0, queued: 0, sending: 0 },
      unknownAtMost: 0,
    },
    verdict: emptyVerdict(),
    violations: [`the round could not be ended: ${first}`],
    seconds: 0,
  }
}
