import type { JsonObject } from '@wegwijs/campaign/json'
import { systemClock } from '@wegwijs/runtime/clock'
import { silentLogger } from '@wegwijs/runtime/log'
import { createMetrics } from '@wegwijs/runtime/metrics'
import type { Store } from '@wegwijs/store/database'
import { positionOf } from '@wegwijs/store/positions'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { signEvent } from '@wegwijs/wire/signature'
import { topicsOf } from '@wegwijs/wire/topics'
import { applyBatch } from '../src/batch.ts'
import { createCurrentDefinition } from '../src/current-definition.ts'
import { rollOut } from '../src/rollouts.ts'
import { fireDueTimers } from '../src/timers.ts'

/** What is told of somebody: the event without its source where that is the hospital's, and of one that comes again its id. */
export type Told = {
  id?: string
  source?: string
  subject: string
  type: string
  time: string
  data: JsonObject
  entity?: string
  version?: number
}

export const secret = 'a secret of the tests, long enough to be one'

/** Of whom our own events are. */
const ourSources = [
  ['message.', 'urn:wegwijs:receipts:smtp'],
  ['task.', 'urn:wegwijs:tasks'],
] as const

/** A worker without its loops: what it does at once, as often as a test asks. */
export function workerOn(store: Store) {
  const deps = {
    store,
    definition: createCurrentDefinition(store, silentLogger),
    secret,
    log: silentLogger,
    metrics: createMetrics('journey').component('journey'),
    clock: systemClock,
  }
  return {
    /** Applies these events as one batch of partition 0. */
    async hear(told: readonly Told[]): Promise<void> {
      const topic = topicsOf(store.namespace).touchpoints
      const readFrom = (await positionOf(store.db, topic, 0)) ?? 0n
      const records = told.map((event, index) => {
        const offset = readFrom + BigInt(index)
        const ours = ourSources.find(([prefix]) => event.type.startsWith(prefix))?.[1]
        const said = { id: `e${offset}`, source: ours ?? 'urn:test:ehr', ...event }
        const { value, headers } = encodeRecord(ours ? signEvent(said, secret) : said)
        const bytes = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])
        return {
          topic,
          partition: 0,
          offset,
          key: null,
          value,
          headers: Object.fromEntries(bytes),
          ...{ timestampMs: 0, timestampBy: 'publisher' as const },
        }
      })
      const nextOffset = readFrom + BigInt(records.length)
      await applyBatch({ topic, partition: 0, readFrom, nextOffset, records }, deps)
    },
    /** Does all that was published for people who are there already; at most a hundred batches. */
    async rollOutAll(): Promise<void> {
      for (let batch = 0; batch < 100; batch += 1) if (!(await rollOut(deps))) return
      throw new RangeError('a rollout does not end')
    },
    async fireAll(): Promise<void> {
      for (let batch = 0; batch < 100; batch += 1) if ((await fireDueTimers(deps)) === 0) return
      throw new RangeError('timers do not end')
    },
  }
}
