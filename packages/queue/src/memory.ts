import { type Clock, systemClock } from '@wegwijs/runtime/clock'
import { fail } from '@wegwijs/runtime/failure'
import { checkJobIds } from './job-id.ts'
import { type LaneSettings, MemoryLane } from './memory-lane.ts'
import type { JobQueue, JobWorkers, QueueDepth } from './port.ts'

export type MemoryQueue = {
  readonly queue: JobQueue
  readonly workers: JobWorkers
  /** While true the queue refuses every call and hands out nothing; handlers that run go on. */
  unavailable(away: boolean): void
  /** Forgets every job of every queue, as FLUSHALL does. */
  wipe(): void
  /** Takes the worker of an active job for dead while its handler runs: the job runs twice. */
  stall(queue: string, jobId: string): void
  /** Resolves when no handler runs and no worker could take another job. */
  idle(): Promise<void>
}

export type MemoryQueueOptions = {
  /** Used for the deadline of closing workers alone. */
  readonly clock?: Clock
  /** Told when a handler throws; the job is gone either way. */
  readonly onHandlerError?: (error: unknown) => void
}

/**
 * BullMQ's behaviour as Wegwijs uses it, in one process. A worker takes a job as soon as there is
 * one, in microtasks and without timers, so the same calls give the same order every time.
 */
export function createMemoryQueue(options: MemoryQueueOptions = {}): MemoryQueue {
  const lanes = new Map<string, MemoryLane>()
  let away = false
  let waiters: (() => void)[] = []

  const isIdle = () => [...lanes.values()].every((lane) => away || lane.isIdle())

  const settings: LaneSettings = {
    clock: options.clock ?? systemClock,
    isAway: () => away,
    onHandlerError: options.onHandlerError ?? (() => undefined),
    onQuiet: () => {
      if (waiters.length === 0 || !isIdle()) return
      const resolved = waiters
      waiters = []
      for (const resolve of resolved) resolve()
    },
  }

  const laneOf = (name: string): MemoryLane => {
    const lane = lanes.get(name) ?? new MemoryLane(settings)
    lanes.set(name, lane)
    return lane
  }

  const refuseWhileAway = () => {
    if (away) throw fail('WEGWIJS_QUEUE_UNAVAILABLE', { reason: 'the in-memory queue is away' })
  }

  const queue: JobQueue = {
    async add(name, jobs) {
      refuseWhileAway()
      checkJobIds(jobs)
      laneOf(name).add(jobs)
    },
    async unknownJobs(name, jobIds) {
      refuseWhileAway()
      const lane = laneOf(name)
      return jobIds.filter((jobId) => !lane.holds(jobId))
    },
    async *heldJobs(name) {
      refuseWhileAway()
      yield* laneOf(name).held()
    },
    async depths(names) {
      refuseWhileAway()
      const depths: Record<string, QueueDepth> = {}
      for (const name of names) depths[name] = laneOf(name).depth()
      return depths
    },
    async remove(name, jobIds) {
      refuseWhileAway()
      laneOf(name).remove(jobIds)
    },
    async close() {},
  }

  return {
    queue,
    workers: {
      work: async (name, { concurrency }, handle) => laneOf(name).work(concurrency, handle),
    },
    unavailable(isAway) {
      away = isAway
      for (const lane of lanes.values()) lane.wake()
    },
    wipe() {
      for (const lane of lanes.values()) lane.wipe()
    },
    stall: (name, jobId) => laneOf(name).stall(jobId),
    async idle() {
      if (isIdle()) return
      await new Promise<void>((resolve) => {
        waiters.push(resolve)
      })
    },
  }
}
