import { type Job, Worker } from 'bullmq'
import { toDeliveryJob } from './bullmq-queue.ts'
import {
  answerInTime,
  atMost,
  type BullmqSettings,
  errorTeller,
  workerConnection,
} from './bullmq-redis.ts'
import type { JobWorkers } from './port.ts'

export function createBullmqWorkers(settings: BullmqSettings): JobWorkers {
  const { log, clock } = settings
  return {
    async work(queue, { concurrency }, handle) {
      const tell = errorTeller(settings, queue)
      const aborted = new AbortController()
      const redis = workerConnection(settings)
      redis.on('error', tell)

      const process = async (job: Job): Promise<void> => {
        const { jobId, intents } = toDeliveryJob(job.id ?? '', job.data)
        if (intents.length === 0) return log.warn('a job without intents was dropped', { queue })
        try {
          await handle({ jobId, intents }, aborted.signal)
        } catch (error) {
          // Not thrown on: BullMQ would publish the text of the error in Redis (P7). The job is
          // gone either way, and its intents are due again in PostgreSQL (P1).
          log.error('a job failed', { queue, jobId, error })
        }
      }

      const worker = new Worker(queue, process, {
        connection: redis,
        prefix: settings.prefix,
        concurrency,
        lockDuration: settings.lockMs,
        stalledInterval: settings.stalledCheckMs,
      })
      worker.on('error', tell)
      try {
        await answerInTime(settings, () => worker.waitUntilReady())
      } catch (error) {
        await closeWorker(0)
        throw error
      }

      async function closeWorker(deadlineMs: number): Promise<void> {
        const ended = worker.close()
        const inTime = await atMost(clock, deadlineMs, ended)
        if (!inTime) {
          aborted.abort()
          log.warn('workers closed before their jobs had ended', { queue, deadlineMs })
        }
        // Without its connection a worker renews no lock: a job left behind goes to another one.
        redis.disconnect()
      }

      let closed: Promise<void> | undefined
      return {
        // Neither rejects: both report to the `error` event.
        pause: () => void worker.pause().catch(tell),
        resume: () => void worker.resume().catch(tell),
        close: (deadlineMs) => {
          closed ??= closeWorker(deadlineMs)
          return closed
        },
      }
    },
  }
}
