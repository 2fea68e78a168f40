import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LocalRedis, startRedis } from '@wegwijs/local/redis'
import { connectBullmq } from '@wegwijs/queue/bullmq'
import { createLogger, silentLogger } from '@wegwijs/runtime/log'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { until } from '../until.ts'
import { describeQueuePort } from './contract.ts'
import { newJob, newQueue } from './harness.ts'

const { redisUrl: sharedUrl } = inject('servers')

// A Redis of this file's own: emptying or killing the shared one would disturb every other test.
let directory: string
let server: LocalRedis

beforeAll(async () => {
  if (sharedUrl === '') return
  directory = await mkdtemp(join(tmpdir(), 'wegwijs-redis-'))
  server = await startRedis({ directory })
})
afterAll(async () => {
  if (sharedUrl === '') return
  await server.kill()
  await rm(directory, { recursive: true, force: true })
})

const restart = async () => {
  server = await startRedis({ directory, preferredPort: Number(new URL(server.url).port) })
}

const connect = (prefix: string, log = silentLogger) =>
  connectBullmq({
    redisUrl: server.url,
    prefix,
    log,
    commandDeadlineMs: 2_000,
    lockMs: 500,
    stalledCheckMs: 200,
  })

/** A plain connection beside the adapter's. */
const withRedis = async <Answer>(act: (redis: Redis) => Promise<Answer>): Promise<Answer> => {
  const redis = new Redis(server.url)
  try {
    return await act(redis)
  } finally {
    redis.disconnect()
  }
}

// Without Redis on this machine the global setup has said so, and what is missing.
describe.skipIf(sharedUrl === '')('with a real Redis', () => {
  describeQueuePort('the queue port through BullMQ', async () => {
    const { queue, workers } = await connect('contract')
    return {
      queue,
      workers,
      wipe: () => withRedis(async (redis) => void (await redis.flushall())),
      goAway: () => server.kill(),
      comeBack: restart,
      close: () => queue.close(),
    }
  })

  describe('BullMQ', () => {
    it('keeps organisations apart by their prefix', async () => {
      const [one, other] = [await connect('one'), await connect('other')]
      const [queue, job] = [newQueue(), newJob()]
      await one.queue.add(queue, [job])
      expect(await other.queue.unknownJobs(queue, [job.jobId])).toEqual([job.jobId])
      expect(await one.queue.unknownJobs(queue, [job.jobId])).toEqual([])
      await Promise.all([one.queue.close(), other.queue.close()])
    })

    it('keeps nothing of a job that failed, and nothing of its error, anywhere', async () => {
      const lines: string[] = []
      const log = createLogger('contract', 'debug', { write: (line) => void lines.push(line) })
      const { queue, workers } = await connect('private', log)
      const name = newQueue()
      const handling = await workers.work(name, { concurrency: 1 }, async () => {
        throw new Error('mail to wilhelmina@example.org failed')
      })
      const job = newJob()
      await queue.add(name, [job])
      await until(async () => (await queue.unknownJobs(name, [job.jobId])).length === 1)
      await handling.close(1_000)
      await queue.close()
      const kept = await withRedis(async (redis) => {
        const keys = await redis.keys('private:*')
        return Promise.all(keys.map((key) => redis.dump(key).then(String)))
      })
      expect(kept.length).toBeGreaterThan(0)
      for (const text of [...kept, ...lines]) expect(text).not.toContain('wilhelmina')
      expect(lines.some((line) => line.includes(job.jobId))).toBe(true)
    })

    it('does not start on a Redis that may drop jobs', async () => {
      await withRedis((redis) => redis.config('SET', 'maxmemory-policy', 'allkeys-lru'))
      await expect(connect('contract')).rejects.toMatchObject({
        code: 'WEGWIJS_REDIS_EVICTS',
        detail: { policy: 'allkeys-lru' },
      })
      await withRedis((redis) => redis.config('SET', 'maxmemory-policy', 'noeviction'))
    })

    it('says no in time to a Redis that hangs, and to one that is full', async () => {
      const { queue } = await connect('contract')
      await withRedis((redis) => redis.config('SET', 'maxmemory', '1mb'))
      await expect(queue.add(newQueue(), [newJob()])).rejects.toMatchObject({
        code: 'WEGWIJS_QUEUE_UNAVAILABLE',
        detail: { reason: 'OOM' },
      })
      await withRedis((redis) => redis.config('SET', 'maxmemory', '0'))
      process.kill(server.pid, 'SIGSTOP')
      const waiting = queue.depths([newQueue()])
      await expect(waiting).rejects.toMatchObject({ code: 'WEGWIJS_QUEUE_UNAVAILABLE' })
      process.kill(server.pid, 'SIGCONT')
      await queue.close()
    })

    it('says no when Redis is away at the start', async () => {
      await server.kill()
      await expect(connect('contract')).rejects.toMatchObject({
        code: 'WEGWIJS_QUEUE_UNAVAILABLE',
      })
      await restart()
    })
  })
})
