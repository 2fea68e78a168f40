import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { resetStack } from '@wegwijs/local/stack'
import { systemClock } from '@wegwijs/runtime/clock'
import { currentCommit } from '@wegwijs/test-support/commit'
import { Command } from 'commander'
import { readResults } from './document.ts'
import { endProcesses } from './processes.ts'
import { beginProfile, readProfiles } from './profile.ts'
import { type Result, resultSchema, type Surroundings } from './result.ts'
import type { Row } from './row.ts'
import { rows } from './rows/registry.ts'
import { readSurroundings } from './surroundings.ts'
import { tableOf } from './table.ts'
import { openWorld, type World } from './world.ts'
import { writeDocument } from './write-document.ts'

const usualDirectory = fileURLToPath(new URL('../../../.wegwijs/bench', import.meta.url))
const keptDirectory = fileURLToPath(new URL('../results', import.meta.url))
const docs = fileURLToPath(new URL('../../../docs', import.meta.url))
/** A row that hangs is given up, and the others go on. */
const ROW_DEADLINE_MS = 240_000
/** A machine on which the whole takes longer than this gets no more rows. */
const RUN_DEADLINE_MS = 25 * 60_000
/** How long a row that failed may take to close what it had opened. */
const GIVE_UP_MS = 30_000

type Options = {
  only?: string[]
  quick?: boolean
  keep?: boolean
  resume?: boolean
  document?: boolean
  profile?: boolean
  directory: string
}

const program = new Command('bench')
  .description('Measures Wegwijs beside the best that the same libraries can do.')
  .option('--only <row...>', `some rows: ${rows.map(({ name }) => name).join(', ')}`)
  .option('--quick', 'small loads: shows that everything works, measures nothing')
  .option('--keep', 'keep the results of --only in test/bench/results')
  .option('--resume', 'leave out the rows that are kept of this very commit')
  .option('--document', 'measure nothing: bring docs/performance.md up to the kept results')
  .option('--profile', 'print where the time goes, by function and by statement; keep nothing')
  .option('--directory <path>', 'for the servers, their data and the logs', usualDirectory)

// `pnpm bench -- --only events` passes the two dashes on.
const words = process.argv.slice(2).filter((word, index) => index > 0 || word !== '--')
program.parse(words, { from: 'user' })
const options = program.opts<Options>()
if (options.document) await writeDocument(keptDirectory, docs)
else process.exitCode = await run(options)
process.exit()

async function run(given: Options): Promise<number> {
  const { only, quick = false, keep = false, resume = false, profile = false, directory } = given
  const names = rows.map(({ name }) => name)
  const unknown = only?.filter((name) => !names.includes(name)) ?? []
  if (unknown.length > 0) {
    say(`no row is called ${unknown.join(', ')}; there are ${names.join(', ')}`)
    return 64
  }
  const isKept = !quick && !profile && (only === undefined || keep)
  const kept = resume ? readResults(keptDirectory).filter(isOfThisCommit) : []
  const wanted = rows
    .filter(({ name }) => only === undefined || only.includes(name))
    .filter(({ name }) => !kept.some(({ row }) => row === name))
  const stopped = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stopped.abort(new Error(`told to stop (${signal})`)))
  }
  try {
    const world = await openWorld({
      directory,
      quick,
      profile,
      say,
      signal: stopped.signal,
    })
    try {
      return await measureRows(wanted, world, isKept)
    } finally {
      await world.close()
    }
  } finally {
    await resetStack({ directory })
  }
}

function isOfThisCommit({ surroundings }: Result): boolean {
  return surroundings.commit === currentCommit()
}

/** One row after the other; what each came to is kept at once. Resolves with the exit code. */
async function measureRows(wanted: readonly Row[], world: World, isKept: boolean): Promise<number> {
  const surroundings = await readSurroundings(world)
  say(JSON.stringify(surroundings, null, 2))
  const folder = isKept ? keptDirectory : join(world.directory, 'results')
  mkdirSync(folder, { recursive: true })
  const endMs = systemClock.monotonicMs() + RUN_DEADLINE_MS
  const failed: string[] = []
  for (const row of wanted) {
    const isOver = world.signal.aborted || systemClock.monotonicMs() > endMs
    if (world.profiles !== null) await beginProfile(world)
    const result = isOver ? null : await measureRow(row, world, surroundings)
    if (result === null) {
      failed.push(row.name)
      continue
    }
    writeFileSync(join(folder, `${row.name}.json`), `${JSON.stringify(result, null, 2)}\n`)
    process.stdout.write(`${tableOf(result)}\n`)
    if (world.profiles !== null) process.stdout.write(`${await readProfiles(world)}\n`)
    if (isKept) await writeDocument(keptDirectory, docs)
  }
  if (failed.length > 0) say(`not measured: ${failed.join(', ')}`)
  return failed.length > 0 ? 1 : 0
}

/** Null when it could not be measured; what it had started is then ended. */
async function measureRow(
  row: Row,
  world: World,
  surroundings: Surroundings,
): Promise<Result | null> {
  const { name, title } = row
  say(`measures ${name}: ${title}`)
  const over = new AbortController()
  const deadline = setTimeout(() => over.abort(new Error('took too long')), ROW_DEADLINE_MS)
  const signal = AbortSignal.any([world.signal, over.signal])
  const beganMs = systemClock.monotonicMs()
  const measuring = row.measure({ ...world, signal })
  try {
    const measured = await Promise.race([measuring, rejection(signal)])
    const seconds = (systemClock.monotonicMs() - beganMs) / 1000
    const at = systemClock.instant()
    return resultSchema.parse({
      row: name,
      title,
      seconds,
      surroundings: { ...surroundings, at },
      measured,
    })
  } catch (error) {
    say(`${name} failed: ${error instanceof Error ? error.stack : String(error)}`)
    // Or what is left of it would share the machine with the next row.
    endProcesses([world.provider])
    await Promise.race([measuring.catch(() => {}), systemClock.sleep(GIVE_UP_MS)])
    return null
  } finally {
    clearTimeout(deadline)
    world.provider.tell({ latencyMs: 0 })
    await world.redis.flushall().catch(() => {})
  }
}

/** Rejects when the signal is aborted. */
function rejection(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  if (signal.aborted) reject(signal.reason)
  signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  promise.catch(() => {})
  return promise
}

function say(line: string): void {
  process.stderr.write(`[bench] ${line}\n`)
}
