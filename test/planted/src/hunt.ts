import { spawn } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { systemClock } from '@wegwijs/runtime/clock'
import { readEnvironment } from '@wegwijs/runtime/env'
import { z } from 'zod'
import type { PlantedBug } from './bugs.ts'
import { plantBug } from './patched-tree.ts'

/** How the hunt for one bug ended. */
export type Hunt = {
  readonly bug: PlantedBug
  /** `strayed`: the simulation ended in another way than it says it ends; `problem` is what it said. */
  readonly result: 'found' | 'missed' | 'strayed'
  /** How many seeds it took, the failing one included; when missed, how many were tried. */
  readonly seeds: number
  /** The seed that failed, and what was violated. */
  readonly seed: number | null
  readonly kind: string | null
  readonly seconds: number
  readonly problem: string | null
}

export type HuntOptions = {
  /** The tree to copy. */
  readonly root: string
  readonly databaseUrl: string
  /** The first seed. */
  readonly from: number
}

/** A bug may make the simulation hang. */
const longestMs = 15 * 60_000

/** The last line of the simulation's `--json`. */
const endSchema = z.object({
  seeds: z.int(),
  failedSeed: z.int().nullable(),
  violation: z.string().nullable(),
})

/**
 * Plants the bug in a copy of the tree, and runs the simulation there over as many seeds as it may
 * take. Rejects when the bug does not apply (see `plantBug`).
 */
export async function huntBug(bug: PlantedBug, options: HuntOptions): Promise<Hunt> {
  const { root, from, databaseUrl } = options
  const tree = await plantBug(root, bug)
  try {
    const begunMs = systemClock.monotonicMs()
    const run = await simulate(tree, { from, to: from + bug.foundWithin - 1, databaseUrl })
    const seconds = (systemClock.monotonicMs() - begunMs) / 1_000
    const unloaded = await tree.unloaded()
    const problem = unloaded.length > 0 ? `never loaded: ${unloaded.join(', ')}` : null
    return { bug, seconds, ...verdictOf(run, problem) }
  } finally {
    await tree.remove()
  }
}

type Run = { readonly code: number; readonly lastLine: string; readonly stderr: string }

function verdictOf(
  { code, lastLine, stderr }: Run,
  problem: string | null,
): Omit<Hunt, 'bug' | 'seconds'> {
  const end = endSchema.safeParse(parseOrNull(lastLine))
  const fits = end.success && code === (end.data.failedSeed === null ? 0 : 1)
  if (!fits || problem !== null) {
    const said = problem ?? `ended with ${code}: ${stderr.trim().slice(-500) || lastLine}`
    return { result: 'strayed', seeds: 0, seed: null, kind: null, problem: said }
  }
  const { seeds, failedSeed: seed, violation: kind } = end.data
  return { result: seed === null ? 'missed' : 'found', seeds, seed, kind, problem: null }
}

function parseOrNull(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}

function simulate(
  tree: { path: string; watcher: string },
  { from, to, databaseUrl }: { from: number; to: number; databaseUrl: string },
): Promise<Run> {
  const words = ['test/sim/src/main.ts', '--seeds', `${from}-${to}`, '--json', '--no-shrink']
  const child = spawn(process.execPath, ['--import', pathToFileURL(tree.watcher).href, ...words], {
    cwd: tree.path,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: longestMs,
    env: { ...readEnvironment(), WEGWIJS_DATABASE_URL: databaseUrl },
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said.stderr += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      const lastLine = said.stdout.trimEnd().split('\n').at(-1) ?? ''
      resolve({ code: code ?? -1, lastLine, stderr: said.stderr })
    })
  })
}
