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

export class BullmqQueue implements JobQueue {
  readonly #settings: BullmqSettings
  readonly #redis: Redis
  readonly #queues = new Map<string, Promise<Queue>>()

  constructor(settings: BullmqSettings, redis: Redis) {
    this.#settings = settings
    this.#redis = redis
  }

  async add(name: string, jobs: readonly DeliveryJob[]): Promise<void> {
    checkJobIds(jobs)
    const parts = inParts(jobs, ADD_AT_ONCE)
    for (const together of inParts(parts, PARTS_IN_FLIGHT)) {
      await Promise.all(together.map((part) => this.#addPart(name, part)))
    }
  }

  async unknownJobs(name: string, jobIds: readonly string[]): Promise<string[]> {
    const unknown: string[] = []
    for (const part of inParts(jobIds, ASK_AT_ONCE)) {
      unknown.push(...(await this.#unknownAmong(name, part)))
    }
    return unknown
  }

  async *heldJobs(name: string): AsyncIterable<DeliveryJob> {
    for (const state of HELD_STATES) yield* this.#jobsIn(name, state)
  }

  async depths(names: readonly string[]): Promise<Record<string, QueueDepth>> {
    const depths = await Promise.all(names.map(async (name) => [name, await this.#depthOf(name)]))
    return Object.fromEntries(depths)
  }

  async remove(name: string, jobIds: readonly string[]): Promise<void> {
    for (const part of inParts(jobIds, ASK_AT_ONCE)) {
      await this.#ask(name, (queue) => Promise.all(part.map((jobId) => queue.remove(jobId))))
    }
  }

  /** A property, since callers hand it on by itself to what closes in order. */
  readonly close = async (): Promise<void> => {
    const { clock, commandDeadlineMs } = this.#settings
    const closing = [...this.#queues.values()].map(async (opening) => (await opening).close())
    await atMost(clock, commandDeadlineMs, Promise.allSettled(closing))
    this.#redis.disconnect()
  }

  /** Fails at once while Redis is away. A queue whose opening failed is opened anew. */
  async #ask<Answer>(name: string, request: (queue: Queue) => Promise<Answer>): Promise<Answer> {
    const { status } = this.#redis
    if (status !== 'ready') throw fail('WEGWIJS_QUEUE_UNAVAILABLE', { reason: status })
    return answerInTime(this.#settings, async () => {
      const opening = this.#queues.get(name) ?? this.#open(name)
      this.#queues.set(name, opening)
      const queue = await opening.catch((error: unknown) => {
        this.#queues.delete(name)
        throw error
      })
      return request(queue)
    })
  }

  async #open(name: string): Promise<Queue> {
    const queue = new Queue(name, {
      connection: this.#redis,
      prefix: this.#settings.prefix,
      // Nobody reads the events that BullMQ keeps of each job.
      streams: { events: { maxLen: 100 } },
    })
    queue.on('error', errorTeller(this.#settings, name))
    await queue.waitUntilReady()
    return queue
  }

  #addPart(name: string, jobs: readonly DeliveryJob[]) {
    const entries = jobs.map(({ jobId, intents }) => ({
      name: JOB_NAME,
      data: { intents },
      opts: { ...JOB_OPTIONS, jobId },
    }))
    return this.#ask(name, (queue) => queue.addBulk(entries))
  }

  #unknownAmong(name: string, jobIds: readonly string[]): Promise<string[]> {
    return this.#ask(name, async (queue) => {
      // BullMQ's own question for the state of a job searches the whole queue for it.
      const kept = await Promise.all(
        jobIds.map((jobId) => this.#redis.hmget(queue.toKey(jobId), 'timestamp', 'finishedOn')),
      )
      return jobIds.filter((_, index) => {
        const [timestamp, finishedOn] = kept[index] ?? []
        return timestamp == null || finishedOn != null
      })
    })
  }

  async *#jobsIn(name: string, state: JobType): AsyncIterable<DeliveryJob> {
    for (let from = 0; ; from += ASK_AT_ONCE) {
      // Newest first: jobs are taken from the other end, so none moves into a page already read.
      const page = await this.#ask(name, (queue) =>
        queue.getJobs([state], from, from + ASK_AT_ONCE - 1, false),
      )
      for (const job of page) if (job?.id !== undefined) yield toDeliveryJob(job.id, job.data)
      if (page.length < ASK_AT_ONCE) return
    }
  }

  #depthOf(name: string): Promise<QueueDepth> {
    return this.#ask(name, async (queue) => {
      const counts = await queue.getJobCounts(...HELD_STATES, 'failed')
      const { active = 0, failed = 0, ...others } = counts
      const waiting = Object.values(others).reduce((sum, count) => sum + count, 0)
      return { waiting, active, failed }
    })
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
