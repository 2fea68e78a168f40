import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@wegwijs/runtime/clock'
import { currentCommit } from '@wegwijs/test-support/commit'
import { withMadePart } from '@wegwijs/test-support/made-part'
import { z } from 'zod'
import type { Hunt } from './hunt.ts'

const keptHunts = fileURLToPath(new URL('../results/last.json', import.meta.url))
/** The page that tells of it. */
export const guarantees = fileURLToPath(new URL('../../../docs/guarantees.md', import.meta.url))

const keptSchema = z.strictObject({
  at: z.string(),
  commit: z.string(),
  bugs: z.array(
    z.strictObject({
      name: z.string(),
      promise: z.string(),
      result: z.enum(['found', 'missed', 'strayed']),
      /** How many stories it took. */
      seeds: z.int(),
      foundWithin: z.int(),
      violation: z.string().nullable(),
    }),
  ),
})

/** What a hunt for every bug came to. */
export type KeptHunts = z.infer<typeof keptSchema>

export async function keepHunts(hunts: readonly Hunt[]): Promise<void> {
  const bugs = hunts
    .map(({ bug, result, seeds, kind }) => ({
      name: bug.name,
      promise: bug.promise,
      result,
      seeds,
      foundWithin: bug.foundWithin,
      violation: kind,
    }))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
  const kept: KeptHunts = { at: systemClock.instant(), commit: currentCommit(), bugs }
  await mkdir(dirname(keptHunts), { recursive: true })
  await writeFile(keptHunts, `${JSON.stringify(kept, null, 2)}\n`)
  await writeFile(guarantees, withHunts(await readFile(guarantees, 'utf8'), kept))
}

/** docs/guarantees.md with what a hunt came to. */
export function withHunts(document: string, { at, commit, bugs }: KeptHunts): string {
  const found = bugs.filter(({ result }) => result === 'found')
  const hardest = Math.max(0, ...found.map(({ seeds }) => seeds))
  const text = `Of ${bugs.length} planted bugs ${found.length} were found, the hardest within ${hardest} stories (${at.slice(0, 10)}, commit ${commit}).`
  return withMadePart(document, { name: 'planted', madeBy: 'pnpm test:planted -- --keep', text })
}

/** @throws Error when no hunt was kept */
export async function readKeptHunts(): Promise<KeptHunts> {
  return keptSchema.parse(JSON.parse(await readFile(keptHunts, 'utf8')))
}
