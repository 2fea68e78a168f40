import { manualClock } from '@wegwijs/runtime/clock'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { createMemoryBroker } from '../src/memory.ts'
import type { BatchOutcome, Consumer, RecordBatch } from '../src/port.ts'

const topic = 'touchpoints'
const config = (partitions = 1) => ({ topic, partitions, replicationFactor: 1, settings: {} })
const record = (key: string, value: string) => ({
  topic,
  key,
  value: Buffer.from(value),
  headers: {},
})

/** Positions by compare-and-set, as the store has them. */
function createStore() {
  const positions = new Map<number, bigint>()
  const applied: { key: string; value: string }[] = []
  const apply = async (batch: RecordBatch): Promise<BatchOutcome> => {
    const stored = positions.get(batch.partition)
    if (stored !== undefined && stored !== batch.readFrom) return { kind: 'seek', offset: stored }
    positions.set(batch.partition, batch.nextOffset)
    for (const { key, value } of batch.records) {
      applied.push({ key: String(key), value: String(value) })
    }
    return { kind: 'done' }
  }
  const positionOf = async (_: string, partition: number) => {
    const next = positions.get(partition)
    return next === undefined ? null : { next, last: null }
  }
  return { applied, apply, positionOf }
}

describe('the in-memory broker', () => {
  it('gives the partitions of an expelled member to another while its handler runs', async () => {
    const broker = createMemoryBroker()
    await broker.admin.ensureTopics([config()])
    await broker.publisher.publish([record('a', '0')], { deadlineMs: 1 })
    const store = createStore()
    const gate = Promise.withResolvers<void>()
    const began = Promise.withResolvers<() => boolean>()
    const zombieOutcome = Promise.withResolvers<BatchOutcome>()
    const group = { topic, group: 'journey', positionOf: store.positionOf }
    const zombie = await broker.source.consume({
      ...group,
      onBatch: async (batch, isCurrent) => {
        began.resolve(isCurrent)
        await gate.promise
        const outcome = await store.apply(batch)
        zombieOutcome.resolve(outcome)
        return outcome
      },
    })
    const isCurrent = await began.promise
    expect(isCurrent()).toBe(true)

    broker.expel(zombie)
    expect(isCurrent()).toBe(false)
    expect(zombie.assignments()).toEqual([])
    const heir = await broker.source.consume({ ...group, onBatch: store.apply })
    await vi.waitUntil(() => store.applied.length === 1)
    expect(heir.assignments()).toHaveLength(1)
    expect(store.applied).toEqual([{ key: 'a', value: '0' }])

    gate.resolve()
    expect(await zombieOutcome.promise).toEqual({ kind: 'seek', offset: 1n })
    await broker.idle()
    expect(store.applied).toHaveLength(1)
    expect([...zombie.assignments(), ...heir.assignments()]).toHaveLength(1)
  })

  it('keeps a record whose answer it loses', async () => {
    const broker = createMemoryBroker()
    await broker.admin.ensureTopics([config()])
    broker.loseNextAnswer()
    const published = broker.publisher.publish([record('a', '0')], { deadlineMs: 7 })
    await expect(published).rejects.toMatchObject({
      code: 'WEGWIJS_PUBLISH_DEADLINE',
      detail: { deadlineMs: 7 },
    })
    expect(broker.records(topic).map(({ value }) => String(value))).toEqual(['0'])
    await broker.publisher.publish([record('a', '0')], { deadlineMs: 7 })
    expect(broker.records(topic)).toHaveLength(2)
  })

  it('keeps what it was given, whatever the publisher does with its buffer afterwards', async () => {
    const broker = createMemoryBroker()
    await broker.admin.ensureTopics([config()])
    const value = Buffer.from('before')
    await broker.publisher.publish([{ topic, key: 'a', value, headers: { h: value } }], {
      deadlineMs: 1,
    })
    value.fill('x')
    expect(String(broker.records(topic)[0]?.value)).toBe('before')
    expect(String(broker.records(topic)[0]?.headers.h)).toBe('before')
  })

  it('stamps records with the time of its clock', async () => {
    const broker = createMemoryBroker({ clock: manualClock('2026-03-01T08:00:00.000Z') })
    await broker.admin.ensureTopics([config()])
    await broker.publisher.publish([record('a', '0')], { deadlineMs: 1 })
    expect(broker.records(topic)[0]?.timestampMs).toBe(Date.parse('2026-03-01T08:00:00.000Z'))
  })

  it('stops every member in turn when a position is lost', async () => {
    const broker = createMemoryBroker()
    await broker.admin.ensureTopics([config(2)])
    const store = createStore()
    const group = {
      topic,
      group: 'journey',
      positionOf: async () => ({ next: 5n, last: null }),
      onBatch: store.apply,
    }
    const members = [await broker.source.consume(group), await broker.source.consume(group)]
    for (const member of members) {
      await expect(member.failed).rejects.toMatchObject({ code: 'WEGWIJS_POSITION_LOST' })
    }
  })

  type Step = {
    readonly kind: 'publish' | 'join' | 'leave' | 'expel' | 'gap' | 'turn'
    readonly key: string
    readonly pick: number
  }

  const step: fc.Arbitrary<Step> = fc.record({
    kind: fc.constantFrom(
      ...([
        'publish',
        'publish',
        'publish',
        'publish',
        'join',
        'leave',
        'expel',
        'gap',
        'turn',
      ] as const),
    ),
    key: fc.constantFrom(...'abcde'),
    pick: fc.nat(7),
  })

  /** Runs the steps to their end. @returns what was applied, in order */
  async function run(steps: readonly Step[]) {
    const broker = createMemoryBroker()
    await broker.admin.ensureTopics([config(3)])
    const store = createStore()
    const members: Consumer[] = []
    const published: { key: string; value: string }[] = []
    let calls = 0
    const join = () =>
      broker.source.consume({
        topic,
        group: 'journey',
        maxRecords: 2,
        positionOf: store.positionOf,
        onBatch: async (batch) => {
          calls += 1
          // Handlers of different length, so that rebalances and zombies meet them half-way.
          for (let turns = calls % 4; turns > 0; turns -= 1) await Promise.resolve()
          return store.apply(batch)
        },
      })
    const take = {
      publish: async ({ key }: Step) => {
        const entry = { key, value: String(published.length) }
        published.push(entry)
        await broker.publisher.publish([record(entry.key, entry.value)], { deadlineMs: 1 })
      },
      join: async () => members.push(await join()),
      leave: async ({ pick }: Step) => members.splice(pick, 1)[0]?.close(),
      gap: async ({ pick }: Step) => broker.skipOffsets(topic, pick % 3, 1n),
      expel: async ({ pick }: Step) => {
        const member = members[pick]
        if (member) broker.expel(member)
      },
      turn: async ({ pick }: Step) => {
        for (let turns = pick; turns > 0; turns -= 1) await Promise.resolve()
      },
    }
    for (const one of steps) await take[one.kind](one)
    if (members.length === 0) members.push(await join())
    await broker.idle()
    const { applied } = store
    return { applied, published }
  }

  it('loses nothing, doubles nothing and keeps the order of each key, whatever happens', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { applied, published } = await run(steps)
        expect(applied).toHaveLength(published.length)
        for (const key of 'abcde') {
          const of = (entries: typeof applied) => entries.filter((entry) => entry.key === key)
          expect(of(applied)).toEqual(of(published))
        }
      }),
    )
  })

  it('does the same every time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        expect(await run(steps)).toEqual(await run(steps))
      }),
    )
  })
})
