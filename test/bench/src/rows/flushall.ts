import { systemClock } from '@wegwijs/runtime/clock'
import { wake } from '@wegwijs/store/wake'
import { queueName } from '@wegwijs/wire/delivery-job'
import { plantMessages } from '../plant.ts'
import { until } from '../processes.ts'
import { type Row, withOpened } from '../row.ts'
import { openWegwijs } from '../wegwijs.ts'
import type { World } from '../world.ts'

/** Five queues of which each holds as many as the scheduler lets wait there. */
const queues = [
  { channel: 'sms', lane: 'transactional' },
  { channel: 'sms', lane: 'standard' },
  { channel: 'sms', lane: 'bulk' },
  { channel: 'email', lane: 'transactional' },
  { channel: 'email', lane: 'standard' },
] as const

const people = 20_000

export const flushall: Row = {
  name: 'flushall',
  title: 'Recovery after FLUSHALL with 100,000 messages due',
  measure: async (world) => {
    const each = world.quick ? 500 : 20_000
    const rounds = world.quick ? 1 : 2
    return withOpened(async (keep) => {
      const wegwijs = keep(await openWegwijs(world, { campaigns: 10, people }))
      const { store, namespace } = wegwijs
      for (const queue of queues) await plantMessages(store, { count: each, people, ...queue })
      await wegwijs.start('scheduler')
      await wake(store.db, namespace, ['intents'])
      // Every job holds as many messages as it may.
      const jobs = (queues.length * each) / 50
      const isQueued = async () => (await waitingJobs(world, namespace)) >= jobs
      await until('all is queued', isQueued, 120_000)
      const seconds: number[] = []
      for (let round = 0; round < rounds; round += 1) {
        world.signal.throwIfAborted()
        await world.redis.flushall()
        const beganMs = systemClock.monotonicMs()
        await until('all is queued again', isQueued, 90_000)
        seconds.push((systemClock.monotonicMs() - beganMs) / 1000)
      }
      return {
        figures: [{ name: 'all queued again after', unit: 's', values: seconds }],
        checks: [{ name: 'seconds', values: seconds, target: { atMost: 60 } }],
        cpu: [],
        memory: [],
        notes: [
          `${queues.length * each} messages wait in ${queues.length} queues; timed from FLUSHALL until each queue holds all of its jobs again.`,
        ],
      }
    })
  },
}

async function waitingJobs({ redis }: World, namespace: string): Promise<number> {
  const lengths = await Promise.all(
    queues.map(({ channel, lane }) => redis.llen(`${namespace}:${queueName(channel, lane)}:wait`)),
  )
  return lengths.reduce((sum, length) => sum + length, 0)
}
