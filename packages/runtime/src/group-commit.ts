export type GroupCommit<Item, Result> = {
  /** Resolves with the item's own result once the write that carried it has returned. */
  add(item: Item): Promise<Result>
  /** Resolves when nothing is waiting or being written; never rejects, each `add` tells its own. */
  drain(): Promise<void>
}

type Waiting<Item, Result> = {
  item: Item
  resolve: (result: Result) => void
  reject: (error: unknown) => void
}

/**
 * Self-clocking group commit: one write runs at a time, and what gathered meanwhile is the next
 * one. The batch grows with the load and the latency, and a lone item never waits for a timer, unless
 * `gather` is one: every group waits for it before it is written, and takes what came meanwhile.
 *
 * `write` gets at most `maxItems` items and returns one result for each, in their order. When it
 * throws, every item it carried is rejected with that error and the next group is written.
 */
export function createGroupCommit<Item, Result>(
  write: (items: Item[]) => Promise<Result[]>,
  { maxItems, gather }: { maxItems: number; gather?: () => Promise<void> },
): GroupCommit<Item, Result> {
  const waiting: Waiting<Item, Result>[] = []
  let running: Promise<void> | undefined

  const writeAll = async () => {
    // Without this turn the first of many items added together would be written alone.
    await Promise.resolve()
    while (waiting.length > 0) {
      if (gather !== undefined) await gather().catch(() => undefined)
      await writeGroup(waiting.splice(0, maxItems), write)
    }
    running = undefined
  }

  return {
    add: (item) =>
      new Promise<Result>((resolve, reject) => {
        waiting.push({ item, resolve, reject })
        running ??= writeAll()
      }),
    drain: async () => {
      while (running !== undefined) await running
    },
  }
}

async function writeGroup<Item, Result>(
  group: Waiting<Item, Result>[],
  write: (items: Item[]) => Promise<Result[]>,
): Promise<void> {
  try {
    const results = await write(group.map((entry) => entry.item))
    if (results.length !== group.length) {
      throw new Error(`a group of ${group.length} was answered with ${results.length} results`)
    }
    for (const [index, entry] of group.entries()) entry.resolve(results[index] as Result)
  } catch (error) {
    for (const entry of group) entry.reject(error)
  }
}
