import { manualClock } from '@wegwijs/runtime/clock'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkJobIds } from '../src/job-id.ts'
import { createMemoryQueue } from '../src/memory.ts'

const job = (jobId: string) => ({ jobId, intents: [`intent-of-${jobId}`] })

describe('the in-memory queue', () => {
  it('runs a job twice whose worker is thought dead', async () => {
    const memory = createMemoryQueue()
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let runs = 0
    const workers = await memory.workers.work('q', { concurrency: 2 }, async () => {
      runs += 1
      await gates[runs - 1]?.promise
    })
    await memory.queue.add('q', [job('a')])
    await Promise.resolve()
    expect(runs).toBe(1)
    memory.stall('q', 'a')
    await Promise.resolve()
    expect(runs).toBe(2)
    gates[0]?.resolve()
    // The first run ended late: it must not free the id that the second one holds.
    await Promise.resolve()
    expect(await memory.queue.unknownJobs('q', ['a'])).toEqual([])
    gates[1]?.resolve()
    await memory.idle()
    expect(await memory.queue.unknownJobs('q', ['a'])).toEqual(['a'])
    await workers.close(0)
  })

  it('aborts what runs when closing takes longer than its deadline', async () => {
    const clock = manualClock()
    const memory = createMemoryQueue({ clock })
    const signals: AbortSignal[] = []
    const workers = await memory.workers.work('q', { concurrency: 1 }, (_, signal) => {
      signals.push(signal)
      return new Promise(() => {})
    })
    await memory.queue.add('q', [job('a')])
    const closing = workers.close(500)
    await clock.untilSleeping()
    await clock.advance(499)
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
    await clock.advance(1)
    await closing
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
    expect(await memory.queue.depths(['q'])).toEqual({ q: { waiting: 1, active: 0, failed: 0 } })
  })

  it('tells of errors that handlers throw', async () => {
    const errors: unknown[] = []
    const memory = createMemoryQueue({ onHandlerError: (error) => errors.push(error) })
    const defect = new TypeError('a defect')
    await memory.workers.work('q', { concurrency: 1 }, async () => {
      throw defect
    })
    await memory.queue.add('q', [job('a')])
    await memory.idle()
    expect(errors).toEqual([defect])
  })

  it('is idle when no worker could take what waits', async () => {
    const memory = createMemoryQueue()
    await memory.queue.add('q', [job('a')])
    await memory.idle()
    const handled: string[] = []
    const workers = await memory.workers.work('q', { concurrency: 1 }, async ({ jobId }) => {
      handled.push(jobId)
    })
    await memory.idle()
    expect(handled).toEqual(['a'])
    workers.pause()
    await memory.queue.add('q', [job('b')])
    await memory.idle()
    expect(handled).toEqual(['a'])
    workers.resume()
    await memory.idle()
    expect(handled).toEqual(['a', 'b'])
  })

  it('hands out every job once, in order, to any number of workers', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uuid(), { maxLength: 50 }),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
        async (ids, concurrencies) => {
          const memory = createMemoryQueue()
          const handled: string[] = []
          for (const concurrency of concurrencies) {
            await memory.workers.work('q', { concurrency }, async ({ jobId }) => {
              handled.push(jobId)
            })
          }
          await memory.queue.add('q', ids.map(job))
          await memory.idle()
          expect(handled).toEqual([...new Set(ids)])
        },
      ),
    )
  })
})

describe('a job id', () => {
  it('may be a name with a unique part', () => {
    const ids = fc.uuid().map((unique) => `job-${unique}`)
    fc.assert(fc.property(ids, (jobId) => checkJobIds([job(jobId)])))
  })

  it('may not be what BullMQ would take for something else', () => {
    const digits = fc.nat().map(String)
    const withColon = fc.tuple(fc.string(), fc.string()).map((parts) => parts.join(':'))
    fc.assert(
      fc.property(fc.oneof(digits, withColon, fc.constant('')), (jobId) => {
        expect(() => checkJobIds([job('fine'), job(jobId)])).toThrow(
          expect.objectContaining({ code: 'WEGWIJS_JOB_ID_INVALID' }),
        )
      }),
    )
  })
})
