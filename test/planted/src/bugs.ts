import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'

/** A promise of DESIGN and docs/architecture.md that the simulation is there to attack. */
const promises = ['P1', 'P2', 'P3', 'P4', 'P5', 'P6'] as const

const bugSchema = z.strictObject({
  /** The promise that it breaks first. */
  promise: z.enum(promises),
  /** Who could make this mistake, and what becomes of it. */
  because: z.string().min(1),
  /** The simulation must have failed within so many seeds, from any seed on. */
  foundWithin: z.int().positive(),
  /** Among the cheapest: looked for in every `npm test`. */
  quick: z.boolean().default(false),
  edits: z
    .array(
      z.strictObject({
        file: z.string().regex(/^(packages|services)\/[a-z]+\/src\/.+\.ts$/),
        find: z.string().min(1),
        replace: z.string(),
      }),
    )
    .min(1),
})

/** A mistake in the product, made on purpose in a copy of it: what the simulation must find. */
export type PlantedBug = z.infer<typeof bugSchema> & { readonly name: string }

/** The bugs of a folder, one a file, in the order of their names. */
export async function readBugs(folder: string): Promise<PlantedBug[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml')).sort()
  return Promise.all(
    files.map(async (file) => {
      const content: unknown = parse(await readFile(join(folder, file), 'utf8'))
      return { name: basename(file, '.yaml'), ...bugSchema.parse(content) }
    }),
  )
}
