import { fail } from '@wegwijs/runtime/failure'
import { deliveryJobSchema } from '@wegwijs/wire/delivery-job'
import { type JobType, Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { answerInTime, atMost, type BullmqSettings, errorTeller } from './bullmq-redis.ts'
import { checkJobIds } from './job-id.ts'
import type { DeliveryJob, JobQueue, QueueDepth } from './port.ts'

const JOB_NAME = 'deliver'
/** Measured: four parts of a hundred on their way fill Redis, larger ones gain nothing. */
const ADD_AT_ONCE = 100
const PARTS_IN_FLIGHT = 4
const ASK_AT_ONCE = 500

/** A job is tried once and leaves nothing behind; what comes of it is told in PostgreSQL. */
const JOB_OPTIONS = { attempts: 1, removeOnComplete: true, removeOnFail: true } as const

/** Where a job can be while it is held. Those that are taken come last, so that none is missed. */
const HELD_STATES: readonly JobType[] = ['delayed', 'prioritized', 'waiting', 'active']

export function createBullmqQueue(settings: BullmqSettings, redis: Redis): JobQueue {
  const queues = new Map<string, Promise<Queue>>()

  const open = async (name: string): Promise<Queue> => {
    const queue = new Queue(name, {
      connection: redis,
      prefix: settings.prefix,
      // Nobody reads the events that BullMQ keeps of each job.
      streams: { events: { maxLen: 100 } },
    })
    queue.on('error', errorTeller(settings, name))
    await queue.waitUntilReady()
    return queue
  }

  /** Fails at once while Redis is away. A queue whose opening failed is opened anew. */
  const ask = <Answer>(name: string, request: (queue: Queue) => Promise<Answer>) => {
    if (redis.status !== 'ready') throw fail('WEGWIJS_QUEUE_UNAVAILABLE', { reason: redis.status })
    return answerInTime(settings, async () => {
      const opening = queues.get(name) ?? open(name)
      queues.set(name, opening)
      const queue = await opening.catch((error: unknown) => {
        queues.delete(name)
        throw error
      })
      return request(queue)
    })
  }

  const addPart = (name: string, jobs: readonly DeliveryJob[]) =>
    ask(name, (queue) =>
      queue.addBulk(
        jobs.map(({ jobId, intents }) => ({
          name: JOB_NAME,
          data: { intents },
          opts: { ...JOB_OPTIONS, jobId },
        })),
      ),
    )

  const unknownAmong = (name: string, jobIds: readonly string[]) =>
    ask(name, async (queue) => {
      // BullMQ's own question for the state of a job searches the whole queue for it.
      const kept = await Promise.all(
        jobIds.map((jobId) => redis.hmget(queue.toKey(jobId), 'timestamp', 'finishedOn')),
      )
      return jobIds.filter((_, index) => {
        const [timestamp, finishedOn] = kept[index] ?? []
        return timestamp == null || finishedOn != null
      })
    })

  async function* jobsIn(name: string, state: JobType): AsyncIterable<DeliveryJob> {
    for (let from = 0; ; from += ASK_AT_ONCE) {
      // Newest first: jobs are taken from the other end, so none moves into a page already read.
      const page = await ask(name, (queue) =>
        queue.getJobs([state], from, from + ASK_AT_ONCE - 1, false),
      )
      for (const job of page) if (job?.id !== undefined) yield toDeliveryJob(job.id, job.data)
      if (page.length < ASK_AT_ONCE) return
    }
  }

  const depthOf = (name: string): Promise<QueueDepth> =>
    ask(name, async (queue) => {
      const counts = await queue.getJobCounts(...HELD_STATES, 'failed')
      const { active = 0, failed = 0, ...others } = counts
      const waiting = Object.values(others).reduce((sum, count) => sum + count, 0)
      return { waiting, active, failed }
    })

  return {
    async add(name, jobs) {
      checkJobIds(jobs)
      const parts = inParts(jobs, ADD_AT_ONCE)
      for (const together of inParts(parts, PARTS_IN_FLIGHT)) {
        await Promise.all(together.map((part) => addPart(name, part)))
      }
    },
    async unknownJobs(name, jobIds) {
      const unknown: string[] = []
      for (const part of inParts(jobIds, ASK_AT_ONCE)) {
        unknown.push(...(await unknownAmong(name, part)))
      }
      return unknown
    },
    async *heldJobs(name) {
      for (const state of HELD_STATES) yield* jobsIn(name, state)
    },
    async depths(names) {
      const depths = await Promise.all(names.map(async (name) => [name, await depthOf(name)]))
      return Object.fromEntries(depths)
    },
    async remove(name, jobIds) {
      for (const part of inParts(jobIds, ASK_AT_ONCE)) {
        await ask(name, (queue) => Promise.all(part.map((jobId) => queue.remove(jobId))))
      }
    },
    async close() {
      const closing = [...queues.values()].map(async (opening) => (await opening).close())
      await atMost(settings.clock, settings.commandDeadlineMs, Promise.allSettled(closing))
      redis.disconnect()
    },
  }
}

/** A job as Redis kept it. One that we did not write stands for no intents. */
export function toDeliveryJob(jobId: string, data: unknown): DeliveryJob {
  const parsed = deliveryJobSchema.safeParse(data)
  return { jobId, intents: parsed.success ? parsed.data.intents : [] }
}

function inParts<Item>(items: readonly Item[], size: number): (readonly Item[])[] {
  const parts: (readonly Item[])[] = []
  for (let from = 0; from < items.length; from += size) parts.push(items.slice(from, from + size))
  return parts
}
