import type { BatchOutcome, ConsumeOptions, OutgoingRecord, RecordBatch } from '@wegwijs/kafka/port'
import { fail } from '@wegwijs/runtime/failure'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../until.ts'
import { type Harness, newTopic, Opened } from './harness.ts'
import { failureOf, Ledger } from './ledger.ts'

const deadlineMs = 10_000

const recordsOf = (topic: string, entries: readonly [string, string][]): OutgoingRecord[] =>
  entries.map(([key, value]) => ({ topic, key, value: Buffer.from(value), headers: {} }))

const countTo = (count: number): string[] => Array.from({ length: count }, (_, n) => String(n))

/** What every adapter of the Kafka port does; in-memory and real pass it alike. */
export function describeKafkaPort(name: string, open: () => Promise<Harness>): void {
  describe(name, () => {
    let harness: Harness
    const opened = new Opened()

    beforeAll(async () => {
      harness = await open()
    })
    afterEach(() => opened.close())
    afterAll(() => harness?.close())

    const create = async (partitions = 1, settings: Record<string, string> = {}) => {
      const config = newTopic(partitions, settings)
      await harness.admin.ensureTopics([config])
      return config
    }

    const publish = (topic: string, ...entries: [string, string][]) =>
      harness.publisher.publish(recordsOf(topic, entries), { deadlineMs })

    const consume = async (topic: string, ledger: Ledger, options: Partial<ConsumeOptions> = {}) =>
      opened.add(
        await harness.source.consume({
          topic,
          group: topic,
          positionOf: ledger.positionOf,
          onBatch: ledger.apply,
          ...options,
        }),
      )

    describe('publishing', () => {
      it('gives back every part of a record as it was published', async () => {
        const { topic } = await create()
        const headers = { ce_type: 'care.discharge.completed.v1', raw: Buffer.from([0, 255]) }
        const before = Date.now()
        const places = await harness.publisher.publish(
          [
            { topic, key: 'anna-1', value: Buffer.from('{"ward":"7é"}'), headers },
            { topic, key: '', value: null, headers: {} },
          ],
          { deadlineMs },
        )
        expect(places).toEqual([
          { topic, partition: 0, offset: 0n },
          { topic, partition: 0, offset: 1n },
        ])
        const ledger = new Ledger()
        await consume(topic, ledger)
        await until(() => ledger.applied.length === 2)
        const [first, second] = ledger.applied
        expect(first).toMatchObject({ topic, partition: 0, offset: 0n })
        expect(String(first?.key)).toBe('anna-1')
        expect(String(first?.value)).toBe('{"ward":"7é"}')
        expect(String(first?.headers.ce_type)).toBe('care.discharge.completed.v1')
        expect([...(first?.headers.raw ?? [])]).toEqual([0, 255])
        expect(first?.timestampMs).toBeGreaterThanOrEqual(before - 1_000)
        expect(String(second?.key)).toBe('')
        expect(second?.value).toBeNull()
        expect(second?.headers).toEqual({})
      })

      it('tells whose clock the time of a record is, which is for the topic to say', async () => {
        const own = await create(1, { 'message.timestamp.type': 'LogAppendTime' })
        for (const { topic, by } of [
          { topic: own.topic, by: 'broker' },
          { topic: (await create()).topic, by: 'publisher' },
        ]) {
          await publish(topic, ['anna', 'x'], ['ben', 'y'])
          const ledger = new Ledger()
          await consume(topic, ledger)
          await until(() => ledger.applied.length === 2)
          expect(ledger.applied.map(({ timestampBy }) => timestampBy)).toEqual([by, by])
        }
      })

      it('gives back a record with thousands of headers', async () => {
        const { topic } = await create()
        const headers = Object.fromEntries(countTo(15_000).map((n) => [`h${n}`, n]))
        await harness.publisher.publish(
          [{ topic, key: 'anna', value: Buffer.from('x'), headers }],
          { deadlineMs },
        )
        const ledger = new Ledger()
        await consume(topic, ledger)
        await until(() => ledger.applied.length === 1)
        const read = Object.entries(ledger.applied[0]?.headers ?? {})
        expect(read.map(([name, value]) => [name, String(value)])).toEqual(Object.entries(headers))
      })

      it('chooses the partition as every Kafka client in Java does', async () => {
        const { topic } = await create(7)
        // murmur2 of these keys, from the tests of Kafka itself (UtilsTest).
        const hashes = {
          '21': -973932308,
          foobar: -790332482,
          'a-little-bit-long-string': -985981536,
          'a-little-bit-longer-string': -1486304829,
          lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
          abc: 479470107,
        }
        const places = await publish(
          topic,
          ...Object.keys(hashes).map((key): [string, string] => [key, 'x']),
        )
        expect(places.map(({ partition }) => partition)).toEqual(
          Object.values(hashes).map((hash) => (hash & 0x7fffffff) % 7),
        )
      })

      it('keeps the order within a key over calls that are on their way together', async () => {
        const { topic } = await create(3)
        const keys = ['a', 'b', 'c', 'd']
        const calls = countTo(50).flatMap((value) =>
          keys.map((key) => publish(topic, [key, value])),
        )
        const places = (await Promise.all(calls)).flat()
        const ledger = new Ledger()
        await consume(topic, ledger)
        await until(() => ledger.applied.length === 200)
        for (const key of keys) expect(ledger.valuesOf(key)).toEqual(countTo(50))
        const told = places.map(({ partition, offset }) => `${partition}/${offset}`)
        const found = ledger.applied.map(({ partition, offset }) => `${partition}/${offset}`)
        expect(told.sort()).toEqual(found.sort())
      })

      it('answers for records of several topics in the order given', async () => {
        const [first, second] = [await create(), await create()]
        const places = await harness.publisher.publish(
          [
            ...recordsOf(first.topic, [['a', '0']]),
            ...recordsOf(second.topic, [['a', '0']]),
            ...recordsOf(first.topic, [['a', '1']]),
          ],
          { deadlineMs },
        )
        expect(places).toEqual([
          { topic: first.topic, partition: 0, offset: 0n },
          { topic: second.topic, partition: 0, offset: 0n },
          { topic: first.topic, partition: 0, offset: 1n },
        ])
      })

      it('has nothing to do for no records', async () => {
        expect(await harness.publisher.publish([], { deadlineMs })).toEqual([])
      })

      it('refuses a record that is too large, and no other call with it', async () => {
        const { topic } = await create(1, { 'max.message.bytes': '20000' })
        const [small, large, last] = await Promise.allSettled([
          publish(topic, ['a', 'small']),
          publish(topic, ['a', 'x'.repeat(30_000)]),
          publish(topic, ['a', 'last']),
        ])
        expect(small.status).toBe('fulfilled')
        expect(last.status).toBe('fulfilled')
        expect(large).toMatchObject({
          status: 'rejected',
          reason: { code: 'WEGWIJS_PUBLISH_REFUSED', detail: { reason: 'MESSAGE_TOO_LARGE' } },
        })
      })

      it('refuses a topic that does not exist, and does not create it', async () => {
        const { topic } = newTopic()
        await expect(publish(topic, ['a', 'x'])).rejects.toMatchObject({
          code: 'WEGWIJS_TOPIC_UNKNOWN',
        })
        await expect(harness.admin.endOffsets(topic)).rejects.toMatchObject({
          code: 'WEGWIJS_TOPIC_UNKNOWN',
        })
        await expect(consume(topic, new Ledger())).rejects.toMatchObject({
          code: 'WEGWIJS_TOPIC_UNKNOWN',
        })
      })
    })

    describe('topics', () => {
      it('are created once and left as they are', async () => {
        const config = await create(3)
        await publish(config.topic, ['a', 'x'])
        await harness.admin.ensureTopics([{ ...config, partitions: 5 }, newTopic()])
        const ranges = await harness.admin.endOffsets(config.topic)
        expect(ranges.map(({ partition }) => partition)).toEqual([0, 1, 2])
        expect(ranges.map(({ high }) => high).sort()).toEqual([0n, 0n, 1n])
      })

      it('are removed with everything in them, and can be created anew', async () => {
        const [config, other] = [await create(2), await create()]
        await publish(config.topic, ['a', 'x'], ['b', 'x'], ['c', 'x'])
        await harness.admin.removeTopics([config.topic, newTopic().topic])
        await expect(harness.admin.endOffsets(config.topic)).rejects.toMatchObject({
          code: 'WEGWIJS_TOPIC_UNKNOWN',
        })
        await harness.admin.ensureTopics([config])
        const empty = { low: 0n, high: 0n }
        expect(await harness.admin.endOffsets(config.topic)).toEqual([
          { partition: 0, ...empty },
          { partition: 1, ...empty },
        ])
        expect(await harness.admin.endOffsets(other.topic)).toHaveLength(1)
      })

      it('that are gone are no fault of others', async () => {
        const [gone, other] = [await create(), await create()]
        await publish(gone.topic, ['a', 'x'])
        await harness.admin.endOffsets(gone.topic)
        await harness.admin.removeTopics([gone.topic])
        expect(await publish(other.topic, ['a', 'x'])).toHaveLength(1)
        expect(await harness.admin.endOffsets(other.topic)).toMatchObject([{ high: 1n }])
      })

      it('tell the first and the next offset of each partition', async () => {
        const { topic } = await create()
        await publish(topic, ['a', '0'], ['a', '1'], ['a', '2'])
        await harness.truncate(topic, 0, 2n)
        expect(await harness.admin.endOffsets(topic)).toEqual([{ partition: 0, low: 2n, high: 3n }])
      })
    })

    describe('positions', () => {
      it('without one begin at the beginning, and go on with what comes', async () => {
        const { topic } = await create()
        await publish(topic, ['a', 'before'])
        const ledger = new Ledger()
        await consume(topic, ledger)
        await until(() => ledger.applied.length === 1)
        await publish(topic, ['a', 'after'])
        await until(() => ledger.applied.length === 2)
        expect(ledger.values()).toEqual(['before', 'after'])
      })

      it('without one begin at the first record that is still there', async () => {
        const { topic } = await create()
        await publish(topic, ['a', '0'], ['a', '1'], ['a', '2'])
        await harness.truncate(topic, 0, 2n)
        const ledger = new Ledger()
        await consume(topic, ledger)
        await until(() => ledger.applied.length === 1)
        expect(ledger.offered[0]).toMatchObject({ readFrom: 2n, nextOffset: 3n })
      })

      it('are the stored ones, whatever the broker remembers of the group', async () => {
        const { topic } = await create()
        await publish(topic, ['a', '0'], ['a', '1'], ['a', '2'])
        const ledger = new Ledger()
        const first = await consume(topic, ledger)
        await until(() => ledger.applied.length === 3)
        await first.close()
        // As after a restore of the database from a backup.
        ledger.positions.set(0, 1n)
        await consume(topic, ledger)
        await until(() => ledger.applied.length === 5)
        expect(ledger.values()).toEqual(['0', '1', '2', '1', '2'])
      })

      it('at the very end wait for what comes next', async () => {
        const { topic } = await create()
        await publish(topic, ['a', '0'], ['a', '1'])
        const ledger = new Ledger()
        ledger.positions.set(0, 2n)
        await consume(topic, ledger)
        await publish(topic, ['a', '2'])
        await until(() => ledger.applied.length === 1)
        expect(ledger.values()).toEqual(['2'])
      })

      it('follow from batch to batch without a gap, at most maxRecords at a time', async () => {
        const { topic } = await create()
        await publish(topic, ...countTo(95).map((value): [string, string] => ['a', value]))
        const ledger = new Ledger()
        await consume(topic, ledger, { maxRecords: 10 })
        await until(() => ledger.applied.length === 95)
        expect(ledger.values()).toEqual(countTo(95))
        let expected = 0n
        for (const batch of ledger.offered) {
          expect(batch.readFrom).toBe(expected)
          expect(batch.records.length).toBeLessThanOrEqual(10)
          expected = batch.nextOffset
        }
        expect(expected).toBe(95n)
      })

      it('follow across offsets that no record has, up to the very end', async () => {
        const { topic } = await create()
        await publish(topic, ['a', '0'])
        await harness.leaveGap(topic, 0)
        await publish(topic, ['a', '1'])
        await harness.leaveGap(topic, 0)
        const ledger = new Ledger()
        const isAtEnd = async () => {
          const [range] = await harness.admin.endOffsets(topic)
          return ledger.positions.get(0) === range?.high
        }
        const first = await consume(topic, ledger)
        await until(isAtEnd)
        expect(ledger.values()).toEqual(['0', '1'])
        await harness.leaveGap(topic, 0)
        await until(isAtEnd)
        await first.close()
        await harness.leaveGap(topic, 0)
        await consume(topic, ledger)
        await until(isAtEnd)
        await publish(topic, ['a', '2'])
        await until(isAtEnd)
        expect(ledger.values()).toEqual(['0', '1', '2'])
        let expected = 0n
        for (const batch of ledger.offered) {
          expect(batch.readFrom).toBe(expected)
          expected = batch.nextOffset
        }
      })

      it('are sought when the guard finds another one', async () => {
        const { topic } = await create()
        await publish(topic, ...countTo(6).map((value): [string, string] => ['a', value]))
        const ledger = new Ledger()
        ledger.positions.set(0, 4n)
        // The position was read before another member moved it.
        await consume(topic, ledger, { positionOf: async () => ({ next: 0n, last: null }) })
        await until(() => ledger.applied.length === 2)
        await publish(topic, ['a', '6'])
        await until(() => ledger.applied.length === 3)
        expect(ledger.values()).toEqual(['4', '5', '6'])
        expect(ledger.offered.map(({ readFrom }) => readFrom)).toEqual([0n, 4n, 6n])
      })

      it('are sought backwards too', async () => {
        const { topic } = await create()
        await publish(topic, ...countTo(4).map((value): [string, string] => ['a', value]))
        const ledger = new Ledger()
        ledger.positions.set(0, 1n)
        await consume(topic, ledger, { positionOf: async () => ({ next: 3n, last: null }) })
        await until(() => ledger.applied.length === 3)
        expect(ledger.values()).toEqual(['1', '2', '3'])
      })
    })

    describe('a position that the broker does not have', () => {
      const expectLost = async (failure: Promise<unknown>, detail: object) =>
        expect(await failure).toMatchObject({ code: 'WEGWIJS_POSITION_LOST', detail })

      it('ends consuming when it lies before the first record', async () => {
        const { topic } = await create()
        await publish(topic, ['a', '0'], ['a', '1'], ['a', '2'])
        await harness.truncate(topic, 0, 2n)
        const ledger = new Ledger()
        ledger.positions.set(0, 1n)
        const consumer = await consume(topic, ledger)
        const detail = { topic, partition: 0, position: 1n, low: 2n, high: 3n }
        await expectLost(failureOf(consumer), detail)
        expect(ledger.offered).toEqual([])
      })

      it('ends consuming when it lies after the last record', async () => {
        const { topic } = await create()
        await publish(topic, ['a', '0'])
        const ledger = new Ledger()
        ledger.positions.set(0, 2n)
        const consumer = await consume(topic, ledger)
        await expectLost(failureOf(consumer), { position: 2n, low: 0n, high: 1n })
        expect(ledger.offered).toEqual([])
      })

      it('ends consuming when the guard asks for it', async () => {
        const { topic } = await create()
        await publish(topic, ['a', '0'])
        const consumer = await consume(topic, new Ledger(), {
          onBatch: async () => ({ kind: 'seek', offset: 9n }),
        })
        await expectLost(failureOf(consumer), { position: 9n, low: 0n, high: 1n })
      })

      it('ends consuming when retention overtakes a slow consumer', async () => {
        const { topic } = await create()
        await publish(topic, ['a', '0'])
        const ledger = new Ledger()
        const gate = Promise.withResolvers<void>()
        const consumer = await consume(topic, ledger, {
          onBatch: async (batch) => {
            const outcome = await ledger.apply(batch)
            await gate.promise
            return outcome
          },
        })
        await until(() => ledger.applied.length === 1)
        await publish(topic, ['a', '1'], ['a', '2'], ['a', '3'])
        await harness.truncate(topic, 0, 3n)
        gate.resolve()
        await expectLost(failureOf(consumer), { position: 1n, low: 3n, high: 4n })
        expect(ledger.values()).toEqual(['0'])
      })

      it('ends consuming when the topic is made anew', async () => {
        const config = await create()
        const { topic } = config
        await publish(topic, ['a', '0'], ['a', '1'])
        const ledger = new Ledger()
        const consumer = await consume(topic, ledger)
        await until(() => ledger.applied.length === 2)
        await harness.recreate(config)
        await expectLost(failureOf(consumer), { position: 2n, low: 0n, high: 0n })
        expect(ledger.applied).toHaveLength(2)
      })
    })

    describe('a topic that was made anew', () => {
      const readTwo = async () => {
        const config = await create()
        await publish(config.topic, ['a', '0'], ['a', '1'])
        const ledger = new Ledger()
        const consumer = await consume(config.topic, ledger)
        await until(() => ledger.applied.length === 2)
        return { config, topic: config.topic, ledger, consumer }
      }

      for (const [grown, count] of [
        ['exactly to the position', 2],
        ['past the position', 5],
      ] as const) {
        it(`and has grown ${grown} ends consuming`, async () => {
          const { config, topic, ledger, consumer } = await readTwo()
          await consumer.close()
          await harness.recreate(config)
          await publish(topic, ...countTo(count).map((n): [string, string] => ['a', `new ${n}`]))
          const again = await consume(topic, ledger)
          expect(await failureOf(again)).toMatchObject({
            code: 'WEGWIJS_TOPIC_REPLACED',
            detail: { topic, partition: 0, offset: 1n },
          })
          expect(ledger.values()).toEqual(['0', '1'])
        })
      }

      it('and has grown past the position between two fetches ends consuming', async () => {
        const config = await create()
        const { topic } = config
        await publish(topic, ['a', '0'], ['a', '1'])
        const ledger = new Ledger()
        const gate = Promise.withResolvers<void>()
        const consumer = await consume(topic, ledger, {
          onBatch: async (batch) => {
            const outcome = await ledger.apply(batch)
            await gate.promise
            return outcome
          },
        })
        await until(() => ledger.applied.length === 2)
        // Nothing is fetched while a handler runs: no answer can tell of what happens to the topic.
        await harness.recreate(config)
        await publish(topic, ...countTo(5).map((n): [string, string] => ['a', `new ${n}`]))
        gate.resolve()
        expect(await failureOf(consumer)).toMatchObject({
          code: 'WEGWIJS_TOPIC_REPLACED',
          detail: { topic, partition: 0, offset: 1n },
        })
        expect(ledger.values()).toEqual(['0', '1'])
      })

      it('and has grown past the position at once ends consuming that waits for more', async () => {
        const { config, topic, ledger, consumer } = await readTwo()
        await harness.recreate(config)
        await publish(topic, ...countTo(5).map((n): [string, string] => ['a', `new ${n}`]))
        // Whoever looks before it has grown finds that it does not have the position.
        expect(await failureOf(consumer)).toMatchObject({
          code: expect.stringMatching(/^WEGWIJS_(TOPIC_REPLACED|POSITION_LOST)$/),
          detail: { topic, partition: 0 },
        })
        expect(ledger.values()).toEqual(['0', '1'])
      })

      it('before anything was read of it is read from its beginning', async () => {
        const config = await create()
        const { topic } = config
        const ledger = new Ledger()
        await consume(topic, ledger)
        await harness.recreate(config)
        await publish(topic, ['a', 'new 0'], ['a', 'new 1'])
        await until(() => ledger.applied.length === 2)
        expect(ledger.values()).toEqual(['new 0', 'new 1'])
      })

      it('has holes where the last record was, and ends consuming', async () => {
        const { config, topic, ledger, consumer } = await readTwo()
        await consumer.close()
        await harness.recreate(config)
        await publish(topic, ['a', 'new 0'])
        await harness.leaveGap(topic, 0)
        await publish(topic, ['a', 'new 3'])
        const failure = failureOf(await consume(topic, ledger))
        expect(await failure).toMatchObject({ code: 'WEGWIJS_TOPIC_REPLACED' })
        expect(ledger.values()).toEqual(['0', '1'])
      })
    })

    describe('the topic that was read', () => {
      it('is known again, and read on', async () => {
        const { topic } = await create()
        await publish(topic, ['a', '0'], ['a', '1'])
        const ledger = new Ledger()
        const first = await consume(topic, ledger)
        await until(() => ledger.applied.length === 2)
        await first.close()
        await publish(topic, ['a', '2'])
        await consume(topic, ledger)
        await until(() => ledger.applied.length === 3)
        await publish(topic, ['a', '3'])
        await until(() => ledger.applied.length === 4)
        expect(ledger.values()).toEqual(['0', '1', '2', '3'])
        expect(ledger.offered.map(({ readFrom }) => readFrom).at(-1)).toBe(3n)
      })

      it('is read on when retention has removed what was read last', async () => {
        const { topic } = await create()
        await publish(topic, ['a', '0'], ['a', '1'])
        const ledger = new Ledger()
        const first = await consume(topic, ledger)
        await until(() => ledger.applied.length === 2)
        await first.close()
        await publish(topic, ['a', '2'])
        await harness.truncate(topic, 0, 2n)
        await consume(topic, ledger)
        await until(() => ledger.applied.length === 3)
        expect(ledger.values()).toEqual(['0', '1', '2'])
      })
    })

    describe('a group', () => {
      it('has the members that have joined and not left', async () => {
        const { topic } = await create()
        expect(await harness.admin.groupMembers(topic)).toBe(0)
        const consumer = await consume(topic, new Ledger())
        expect(await harness.admin.groupMembers(topic)).toBe(1)
        await consumer.close()
        await until(async () => (await harness.admin.groupMembers(topic)) === 0)
      })
    })

    describe('a handler', () => {
      it('that fails in a way that may pass gets the batch again', async () => {
        const { topic } = await create()
        await publish(topic, ['a', '0'])
        const ledger = new Ledger()
        let failures = 2
        await consume(topic, ledger, {
          onBatch: async (batch) => {
            if (failures === 0) return ledger.apply(batch)
            failures -= 1
            throw fail('WEGWIJS_DATABASE_UNAVAILABLE')
          },
        })
        await until(() => ledger.applied.length === 1)
        await publish(topic, ['a', '1'])
        await until(() => ledger.applied.length === 2)
        expect(ledger.values()).toEqual(['0', '1'])
      })

      it('whose commit went through although it failed is not given the batch again', async () => {
        const { topic } = await create()
        await publish(topic, ['a', '0'])
        const ledger = new Ledger()
        await consume(topic, ledger, {
          onBatch: async (batch) => {
            const outcome = await ledger.apply(batch)
            if (ledger.offered.length === 1) throw fail('WEGWIJS_DATABASE_UNAVAILABLE')
            return outcome
          },
        })
        await until(() => ledger.applied.length === 1)
        await publish(topic, ['a', '1'])
        await until(() => ledger.applied.length === 2)
        expect(ledger.offered.map(({ readFrom }) => readFrom)).toEqual([0n, 1n])
      })

      it('that fails for good ends consuming with its error', async () => {
        const { topic } = await create()
        await publish(topic, ['a', '0'])
        const defect = new TypeError('a defect')
        const consumer = await consume(topic, new Ledger(), {
          onBatch: async () => {
            throw defect
          },
        })
        expect(await failureOf(consumer)).toBe(defect)
      })

      it('never has two batches of a partition, nor more partitions than it may', async () => {
        const { topic } = await create(4)
        const keys = countTo(40)
        await publish(topic, ...keys.map((key): [string, string] => [key, key]))
        const ledger = new Ledger()
        const running = new Map<number, number>()
        let most = 0
        const onBatch = async (batch: RecordBatch): Promise<BatchOutcome> => {
          const before = running.get(batch.partition) ?? 0
          expect(before).toBe(0)
          running.set(batch.partition, before + 1)
          most = Math.max(most, [...running.values()].filter((count) => count > 0).length)
          await until(() => most >= 2)
          running.set(batch.partition, before)
          return ledger.apply(batch)
        }
        await consume(topic, ledger, { onBatch, partitionsAtOnce: 2, maxRecords: 3 })
        await until(() => ledger.applied.length === 40)
        expect(most).toBe(2)
        expect(ledger.values().sort()).toEqual([...keys].sort())
      })
    })

    describe('a group', () => {
      it('shares the partitions, and takes back those of a member that leaves', async () => {
        const { topic } = await create(4)
        const ledger = new Ledger()
        const first = await consume(topic, ledger)
        expect(first.assignments()).toHaveLength(4)
        const second = await consume(topic, ledger)
        await until(() => first.assignments().length === 2 && second.assignments().length === 2)
        const held = [...first.assignments(), ...second.assignments()]
        expect(held.map(({ partition }) => partition).sort()).toEqual([0, 1, 2, 3])
        const keys = countTo(40)
        await publish(topic, ...keys.map((key): [string, string] => [key, '1']))
        await until(() => ledger.applied.length === 40)
        await second.close()
        expect(second.assignments()).toEqual([])
        await until(() => first.assignments().length === 4)
        await publish(topic, ...keys.map((key): [string, string] => [key, '2']))
        await until(() => ledger.applied.length === 80)
        for (const key of keys) expect(ledger.valuesOf(key)).toEqual(['1', '2'])
      })

      it('loses nothing and applies nothing twice while members come and go', async () => {
        const { topic } = await create(3)
        const ledger = new Ledger()
        const keys = countTo(9)
        const members = [await consume(topic, ledger, { maxRecords: 4 })]
        for (const round of countTo(5)) {
          const sent = countTo(10).map((value) =>
            publish(topic, ...keys.map((key): [string, string] => [key, `${round}-${value}`])),
          )
          members.push(await consume(topic, ledger, { maxRecords: 4 }))
          await members.shift()?.close()
          await Promise.all(sent)
        }
        await until(() => ledger.applied.length >= 450)
        const expected = countTo(5).flatMap((r) => countTo(10).map((v) => `${r}-${v}`))
        for (const key of keys) expect(ledger.valuesOf(key)).toEqual(expected)
      })

      it('waits for the handler of a member before its partitions go to another', async () => {
        const { topic } = await create()
        await publish(topic, ['a', '0'])
        const ledger = new Ledger()
        const gate = Promise.withResolvers<void>()
        const story: string[] = []
        await consume(topic, ledger, {
          onBatch: async (batch, isCurrent) => {
            story.push('began')
            await gate.promise
            story.push(isCurrent() ? 'ended' : 'was lost')
            return ledger.apply(batch)
          },
        })
        await until(() => story.includes('began'))
        const joining = consume(topic, ledger).then(() => story.push('joined'))
        gate.resolve()
        await joining
        await until(() => ledger.applied.length === 1)
        expect(story).toEqual(['began', 'ended', 'joined'])
      })
    })

    describe('closing', () => {
      it('waits for the handler, which learns of it, and takes no further batch', async () => {
        const { topic } = await create()
        await publish(topic, ...countTo(4).map((value): [string, string] => ['a', value]))
        const ledger = new Ledger()
        const gate = Promise.withResolvers<void>()
        const stateful: { isCurrent?: () => boolean } = {}
        const consumer = await consume(topic, ledger, {
          maxRecords: 2,
          onBatch: async (batch, isCurrent) => {
            stateful.isCurrent = isCurrent
            await gate.promise
            return ledger.apply(batch)
          },
        })
        await until(() => stateful.isCurrent !== undefined)
        expect(stateful.isCurrent?.()).toBe(true)
        let closed = false
        const closing = consumer.close().then(() => {
          closed = true
        })
        expect(stateful.isCurrent?.()).toBe(false)
        expect(closed).toBe(false)
        gate.resolve()
        await closing
        expect(ledger.values()).toEqual(['0', '1'])
        await consumer.close()
        await consume(topic, ledger)
        await until(() => ledger.applied.length === 4)
        expect(ledger.values()).toEqual(countTo(4))
      })

      it('leaves a handler behind that never ends, and it is not current any more', async () => {
        const { topic } = await create()
        await publish(topic, ['a', '0'])
        const stateful: { isCurrent?: () => boolean } = {}
        const consumer = await consume(topic, new Ledger(), {
          onBatch: (_batch, isCurrent) => {
            stateful.isCurrent = isCurrent
            return new Promise(() => {})
          },
        })
        await until(() => stateful.isCurrent !== undefined)
        await consumer.close()
        expect(stateful.isCurrent?.()).toBe(false)
      })
    })
  })
}
