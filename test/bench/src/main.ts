import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { resetStack } from '@wegwijs/local/stack'
import { systemClock } from '@wegwijs/runtime/clock'
import { Command } from 'commander'
import type { Result, Surroundings } from './result.ts'
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

type Options = {
  only?: string[]
  quick?: boolean
  keep?: boolean
  document?: boolean
  directory: string
}

const program = new Command('bench')
  .description('Measures Wegwijs beside the best that the same libraries can do.')
  .option('--only <row...>', `some rows: ${rows.map(({ name }) => name).join(', ')}`)
  .option('--quick', 'small loads: shows that everything works, measures nothing')
  .option('--keep', 'keep the results of --only in test/bench/results')
  .option('--document', 'measure nothing: bring docs/performance.md up to the kept results')
  .option('--directory <path>', 'for the servers, their data and the logs', usualDirectory)

// `pnpm bench -- --only events` passes the two dashes on.
const words = process.argv.slice(2).filter((word, index) => index > 0 || word !== '--')
program.parse(words, { from: 'user' })
const options = program.opts<Options>()
if (options.document) await writeDocument(keptDirectory, docs)
else process.exitCode = await run(options)
process.exit()

async function run({ only, quick = false, keep = false, directory }: Options): Promise<number> {
  const wanted = rows.filter(({ name }) => only === undefined || only.includes(name))
  const unknown = only?.filter((name) => !rows.some((row) => row.name === name)) ?? []
  if (unknown.length > 0) {
    say(
      `no row is called ${unknown.join(', ')}; there are ${rows.map(({ name }) => name).join(', ')}`,
    )
    return 64
  }
  const stopped = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stopped.abort(new Error(`told to stop (${signal})`)))
  }
  const world = await openWorld({ directory, quick, say, signal: stopped.signal })
  const failed: string[] = []
  try {
    const surroundings = await readSurroundings(world)
    say(JSON.stringify(surroundings, null, 2))
    const isKept = !quick && (only === undefined || keep)
    const folder = isKept ? keptDirectory : join(directory, 'results')
    mkdirSync(folder, { recursive: true })
    for (const row of wanted) {
      if (stopped.signal.aborted) break
      const result = await measureRow(row, world, surroundings)
      if (result === null) failed.push(row.name)
      else {
        writeFileSync(join(folder, `${row.name}.json`), `${JSON.stringify(result, null, 2)}\n`)
        process.stdout.write(`${tableOf(result)}\n`)
      }
    }
    if (isKept) await writeDocument(keptDirectory, docs)
  } finally {
    await world.close()
    await resetStack({ directory })
  }
  if (failed.length > 0) say(`could not be measured: ${failed.join(', ')}`)
  return failed.length > 0 || stopped.signal.aborted ? 1 : 0
}

async function measureRow(
  row: Row,
  world: World,
  surroundings: Surroundings,
): Promise<Result | null> {
  say(`measures ${row.name}: ${row.title}`)
  const over = new AbortController()
  const signal = AbortSignal.any([world.signal, over.signal])
  const deadline = setTimeout(() => over.abort(new Error('took too long')), ROW_DEADLINE_MS)
  const given = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  const beganMs = systemClock.monotonicMs()
  try {
    const measured = await Promise.race([row.measure({ ...world, signal }), given])
    const seconds = (systemClock.monotonicMs() - beganMs) / 1000
    const { name, title } = row
    const at = systemClock.instant()
    return { row: name, title, seconds, surroundings: { ...surroundings, at }, measured }
  } catch (error) {
    say(
      `${row.name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    )
    return null
  } finally {
    clearTimeout(deadline)
  }
}

function say(line: string): void {
  process.stderr.write(`[bench] ${line}\n`)
}
