import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../until.ts'
import { newTopic, Opened, type OutageHarness } from './harness.ts'
import { failureOf, Ledger } from './ledger.ts'

/** Starting a broker takes its time on a busy machine, and this test waits for one. */
const TIME_LIMIT_MS = 180_000

/** What every adapter does when its broker goes away and comes back. */
export function describeOutage(name: string, open: () => Promise<OutageHarness>): void {
  describe(`${name}, with a broker that goes away`, () => {
    let harness: OutageHarness
    const opened = new Opened()

    beforeAll(async () => {
      harness = await open()
    })
    afterEach(() => opened.close())
    afterAll(() => harness?.close())

    const publish = (topic: string, value: string, deadlineMs: number) =>
      harness.publisher.publish([{ topic, key: 'a', value: Buffer.from(value), headers: {} }], {
        deadlineMs,
      })

    it(
      'says no in time, and goes on by itself where it was',
      async () => {
        const config = newTopic()
        const { topic } = config
        await harness.admin.ensureTopics([config])
        const ledger = new Ledger()
        const group = { topic, group: topic, positionOf: ledger.positionOf, onBatch: ledger.apply }
        const consumer = opened.add(await harness.source.consume(group))
        const failure = { met: undefined as unknown }
        void failureOf(consumer).then((error) => {
          failure.met = error
        })
        await publish(topic, 'before', 10_000)
        await until(() => ledger.applied.length === 1)

        await harness.goAway()
        await expect(publish(topic, 'lost or late', 300)).rejects.toMatchObject({
          code: 'WEGWIJS_PUBLISH_DEADLINE',
          retryable: true,
        })
        const away = { code: 'WEGWIJS_BROKER_UNAVAILABLE', retryable: true }
        await expect(harness.admin.endOffsets(topic)).rejects.toMatchObject(away)
        await expect(harness.admin.ensureTopics([newTopic()])).rejects.toMatchObject(away)
        await expect(harness.source.consume(group)).rejects.toMatchObject(away)

        await harness.comeBack()
        await until(() =>
          publish(topic, 'after', 2_000).then(
            () => true,
            () => false,
          ),
        )
        await until(() => ledger.values().includes('after'))
        // A record whose publisher was told nothing may be there, once; nothing else may.
        const certain = ledger.values().filter((value) => value !== 'lost or late')
        expect([...new Set(certain)]).toEqual(['before', 'after'])
        expect(ledger.positions.get(0)).toBe((await harness.admin.endOffsets(topic))[0]?.high)
        expect(failure.met).toBeUndefined()
        expect(consumer.assignments()).toHaveLength(1)
      },
      TIME_LIMIT_MS,
    )
  })
}
