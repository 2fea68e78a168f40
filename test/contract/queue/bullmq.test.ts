import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, connect as dial, type Socket } from 'node:net'
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

const connect = (prefix: string, log = silentLogger, redisUrl = server.url) =>
  connectBullmq({
    redisUrl,
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

/** An address that leads to one server, and then to another one: for new connections alone. */
async function openPlace(url: string) {
  let target = new URL(url)
  const sockets = new Set<Socket>()
  const listener = createServer((near) => {
    const far = dial(Number(target.port), target.hostname)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => to.destroy())
      from.pipe(to)
    }
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const address = listener.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: `redis://127.0.0.1:${port}`,
    leadTo: (other: string) => {
      target = new URL(other)
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => listener.close(resolve))
    },
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

    it('goes to the new one when Redis failed over and the old one only reads', async () => {
      const place = await openPlace(server.url)
      const { queue, workers } = await connect('over', silentLogger, place.url)
      const name = newQueue()
      const handled: string[] = []
      const handling = await workers.work(name, { concurrency: 1 }, async ({ jobId }) => {
        handled.push(jobId)
      })
      const before = newJob()
      await queue.add(name, [before])
      await until(() => handled.includes(before.jobId))

      const home = await mkdtemp(join(tmpdir(), 'wegwijs-redis-'))
      const successor = await startRedis({ directory: home })
      // Nobody's connection is closed by that: who is connected stays with the old one.
      await withRedis((redis) => redis.replicaof('127.0.0.1', new URL(successor.url).port))
      place.leadTo(successor.url)

      const after = newJob()
      await until(() =>
        queue.add(name, [after]).then(
          () => true,
          () => false,
        ),
      )
      await until(() => handled.includes(after.jobId))
      await handling.close(100)
      await queue.close()
      await withRedis((redis) => redis.replicaof('NO', 'ONE'))
      await place.close()
      await successor.kill()
      await rm(home, { recursive: true, force: true })
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
