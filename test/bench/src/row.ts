import type { Measured } from './result.ts'
import type { World } from './world.ts'

/** One row of the benchmark. */
export type Row = {
  /** For `--only`. */
  readonly name: string
  readonly title: string
  measure(world: World): Promise<Measured>
}

/** Runs `work` with things that are opened for it and closed after it, the last one first. */
export async function withOpened<Result>(
  work: (
    keep: <Thing extends { close(): Promise<void> }>(thing: Thing) => Thing,
  ) => Promise<Result>,
): Promise<Result> {
  const opened: { close(): Promise<void> }[] = []
  try {
    return await work((thing) => {
      opened.push(thing)
      return thing
    })
  } finally {
    for (const thing of opened.toReversed()) await thing.close().catch(() => {})
  }
}
