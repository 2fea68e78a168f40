import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createGroupCommit } from '../src/group-commit.ts'

/** A write that hangs until the test answers it. */
function controlledWrite() {
  const writes: { items: number[]; answer: () => void; refuse: (error: Error) => void }[] = []
  let arrived = Promise.withResolvers<void>()
  const write = (items: number[]) =>
    new Promise<string[]>((resolve, reject) => {
      writes.push({
        items,
        answer: () => resolve(items.map((item) => `written ${item}`)),
        refuse: reject,
      })
      arrived.resolve()
      arrived = Promise.withResolvers()
    })
  const nth = async (n: number) => {
    while (writes.length < n) await arrived.promise
    const found = writes[n - 1]
    if (found === undefined) throw new Error('unreachable')
    return found
  }
  return { write, writes, nth }
}

describe('createGroupCommit', () => {
  it('writes what was added together in one go', async () => {
    const { write, writes, nth } = controlledWrite()
    const commit = createGroupCommit(write, { maxItems: 10 })
    const results = Promise.all([commit.add(1), commit.add(2), commit.add(3)])
    ;(await nth(1)).answer()
    expect(await results).toEqual(['written 1', 'written 2', 'written 3'])
    expect(writes.map(({ items }) => items)).toEqual([[1, 2, 3]])
  })

  it('gathers while a write runs, and writes that as soon as the write has returned', async () => {
    const { write, writes, nth } = controlledWrite()
    const commit = createGroupCommit(write, { maxItems: 10 })
    const first = commit.add(1)
    const running = await nth(1)
    const others = Promise.all([commit.add(2), commit.add(3)])
    expect(writes).toHaveLength(1)
    running.answer()
    expect(await first).toBe('written 1')
    ;(await nth(2)).answer()
    expect(await others).toEqual(['written 2', 'written 3'])
    expect(writes.map(({ items }) => items)).toEqual([[1], [2, 3]])
  })

  it('waits for what a group gathers, and writes all the same when that fails', async () => {
    const { write, writes, nth } = controlledWrite()
    const gathered = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let groups = 0
    const gather = () => gathered[groups++]?.promise ?? Promise.resolve()
    const commit = createGroupCommit(write, { maxItems: 10, gather })
    const first = commit.add(1)
    await Promise.resolve()
    const second = commit.add(2)
    gathered[0]?.resolve()
    const running = await nth(1)
    const third = commit.add(3)
    running.answer()
    expect(await Promise.all([first, second])).toEqual(['written 1', 'written 2'])
    gathered[1]?.reject(new Error('there is nothing to wait for'))
    ;(await nth(2)).answer()
    expect(await third).toBe('written 3')
    expect(writes.map(({ items }) => items)).toEqual([[1, 2], [3]])
  })

  it('never writes more than maxItems at a time', async () => {
    const { write, nth } = controlledWrite()
    const commit = createGroupCommit(write, { maxItems: 2 })
    const results = Promise.all([1, 2, 3, 4, 5].map((item) => commit.add(item)))
    for (const n of [1, 2, 3]) (await nth(n)).answer()
    expect(await results).toHaveLength(5)
  })

  it('rejects those whose write failed, and goes on with the next ones', async () => {
    const { write, nth } = controlledWrite()
    const commit = createGroupCommit(write, { maxItems: 2 })
    const results = Promise.allSettled([1, 2, 3].map((item) => commit.add(item)))
    ;(await nth(1)).refuse(new Error('connection lost'))
    ;(await nth(2)).answer()
    expect((await results).map((result) => result.status)).toEqual([
      'rejected',
      'rejected',
      'fulfilled',
    ])
  })

  it('rejects when the write throws at once, or answers with too few results', async () => {
    const throwing = createGroupCommit<number, string>(
      () => {
        throw new Error('no connection')
      },
      { maxItems: 2 },
    )
    await expect(throwing.add(1)).rejects.toThrow('no connection')
    await expect(throwing.add(2)).rejects.toThrow('no connection')
    const short = createGroupCommit<number, string>(async () => [], { maxItems: 2 })
    await expect(short.add(1)).rejects.toThrow('a group of 1 was answered with 0 results')
  })

  it('drains: resolves when nothing waits any more, failures included', async () => {
    const { write, nth } = controlledWrite()
    const commit = createGroupCommit(write, { maxItems: 1 })
    await commit.drain()
    const settled: string[] = []
    const first = commit.add(1).catch(() => settled.push('first failed'))
    const second = commit.add(2).then(() => settled.push('second written'))
    const drained = commit.drain().then(() => settled.push('drained'))
    ;(await nth(1)).refuse(new Error('lost'))
    ;(await nth(2)).answer()
    await Promise.all([first, second, drained])
    expect(settled).toEqual(['first failed', 'second written', 'drained'])
  })

  it('gives every item its own result, whatever the timing and the failures', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.array(fc.integer(), { maxLength: 7 }), { maxLength: 6 }),
        fc.func(fc.boolean()),
        async (maxItems, bursts, refuses) => {
          let running = 0
          const write = async (items: number[]) => {
            running += 1
            expect(running).toBe(1)
            expect(items.length).toBeLessThanOrEqual(maxItems)
            await new Promise(setImmediate)
            running -= 1
            if (refuses(items)) throw new Error(`refused ${items[0]}`)
            return items.map((item) => item * 2)
          }
          const commit = createGroupCommit(write, { maxItems })
          const added: Promise<void>[] = []
          for (const burst of bursts) {
            for (const item of burst) {
              const result = commit.add(item).then(
                (double) => expect(double).toBe(item * 2),
                (error: Error) => expect(error.message).toMatch(/^refused/),
              )
              added.push(result)
            }
            await new Promise(setImmediate)
          }
          await commit.drain()
          await Promise.all(added)
        },
      ),
      { numRuns: 50 },
    )
  })
})
