import type { DeliveryJob } from '@wegwijs/queue/port'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../until.ts'
import { type Harness, Holder, idsOf, newJob, newJobs, newQueue, OpenedWorkers } from './harness.ts'

const away = { code: 'WEGWIJS_QUEUE_UNAVAILABLE', retryable: true }

/** What every adapter of the queue port does; in-memory and real pass it alike. */
export function describeQueuePort(name: string, open: () => Promise<Harness>): void {
  describe(name, () => {
    let harness: Harness
    const opened = new OpenedWorkers()

    beforeAll(async () => {
      harness = await open()
    })
    afterEach(() => opened.close())
    afterAll(() => harness?.close())

    const work = async (
      queue: string,
      handle: (job: DeliveryJob, signal: AbortSignal) => Promise<void>,
      concurrency = 1,
    ) => opened.add(await harness.workers.work(queue, { concurrency }, handle))

    const heldIn = async (queue: string) => {
      const held: DeliveryJob[] = []
      for await (const job of harness.queue.heldJobs(queue)) held.push(job)
      return held
    }

    const depthOf = async (queue: string) => (await harness.queue.depths([queue]))[queue]

    describe('adding', () => {
      it('hands every job to a worker as it was added, first in first out', async () => {
        const queue = newQueue()
        const jobs = newJobs(1_050)
        await harness.queue.add(queue, jobs)
        const handled: DeliveryJob[] = []
        await work(queue, async (job) => {
          handled.push(job)
        })
        await until(() => handled.length === jobs.length)
        expect(handled).toEqual(jobs)
        await until(async () => (await depthOf(queue))?.active === 0)
        expect(await depthOf(queue)).toEqual({ waiting: 0, active: 0, failed: 0 })
      })

      it('reaches workers that wait already', async () => {
        const queue = newQueue()
        const handled: DeliveryJob[] = []
        await work(queue, async (job) => {
          handled.push(job)
        })
        const job = newJob()
        await harness.queue.add(queue, [job])
        await until(() => handled.length === 1)
        expect(handled).toEqual([job])
      })

      it('ignores an id that is held, waiting or active, and frees it when the job has run', async () => {
        const queue = newQueue()
        const job = newJob()
        const again = { ...newJob(), jobId: job.jobId }
        await harness.queue.add(queue, [job, again])
        await harness.queue.add(queue, [again])
        expect(await depthOf(queue)).toMatchObject({ waiting: 1 })
        const holder = new Holder()
        await work(queue, holder.handle)
        await until(() => holder.began.length === 1)
        await harness.queue.add(queue, [again])
        expect(await depthOf(queue)).toMatchObject({ waiting: 0, active: 1 })
        holder.letGo()
        await until(async () => (await harness.queue.unknownJobs(queue, [job.jobId])).length === 1)
        await harness.queue.add(queue, [again])
        await until(() => holder.ended.length === 2)
        expect(holder.ended).toEqual([job, again])
      })

      it('refuses ids that cannot be, and adds nothing then', async () => {
        const queue = newQueue()
        for (const jobId of ['', 'a:b', '12345']) {
          await expect(
            harness.queue.add(queue, [newJob(), { ...newJob(), jobId }]),
          ).rejects.toMatchObject({ code: 'WEGWIJS_JOB_ID_INVALID', detail: { jobId } })
        }
        expect(await depthOf(queue)).toEqual({ waiting: 0, active: 0, failed: 0 })
      })

      it('has nothing to do for no jobs', async () => {
        await harness.queue.add(newQueue(), [])
      })
    })

    describe('asking', () => {
      it('tells which jobs are neither waiting nor active, in the order asked', async () => {
        const queue = newQueue()
        const [active, ...waiting] = newJobs(1_201)
        await harness.queue.add(queue, [active as DeliveryJob])
        const holder = new Holder()
        const workers = await work(queue, holder.handle)
        await until(() => holder.began.length === 1)
        workers.pause()
        await harness.queue.add(queue, waiting)
        const others = newJobs(3)
        const asked = [others[0], active, ...waiting, others[1], others[2]] as DeliveryJob[]
        expect(await harness.queue.unknownJobs(queue, idsOf(asked))).toEqual(idsOf(others))
        expect(await harness.queue.unknownJobs(newQueue(), idsOf(others))).toEqual(idsOf(others))
        holder.letGo()
      })

      it('tells every job that is held, and how many', async () => {
        const queue = newQueue()
        const jobs = newJobs(1_100)
        await harness.queue.add(queue, jobs)
        const holder = new Holder()
        await work(queue, holder.handle, 2)
        await until(() => holder.began.length === 2)
        const held = await heldIn(queue)
        expect(held.sort(byId)).toEqual([...jobs].sort(byId))
        const other = newQueue()
        expect(await harness.queue.depths([queue, other])).toEqual({
          [queue]: { waiting: 1_098, active: 2, failed: 0 },
          [other]: { waiting: 0, active: 0, failed: 0 },
        })
        expect(await heldIn(other)).toEqual([])
        await harness.queue.remove(queue, idsOf(jobs))
        holder.letGo()
      })

      it('removes jobs that wait, and leaves the rest alone', async () => {
        const queue = newQueue()
        const [active, ...jobs] = newJobs(6) as [DeliveryJob, ...DeliveryJob[]]
        await harness.queue.add(queue, [active, ...jobs])
        const holder = new Holder()
        await work(queue, holder.handle)
        await until(() => holder.began.length === 1)
        const removed = [active, ...jobs.slice(0, 3), newJob()]
        await harness.queue.remove(queue, idsOf(removed))
        expect((await heldIn(queue)).sort(byId)).toEqual([active, ...jobs.slice(3)].sort(byId))
        holder.letGo()
        await until(() => holder.ended.length === 3)
        expect(holder.ended).toEqual([active, ...jobs.slice(3)])
      })
    })

    describe('workers', () => {
      it('run as many jobs at once as they may, and no more', async () => {
        const queue = newQueue()
        await harness.queue.add(queue, newJobs(12))
        const holder = new Holder()
        await work(queue, holder.handle, 4)
        await until(() => holder.began.length === 4)
        expect(await depthOf(queue)).toEqual({ waiting: 8, active: 4, failed: 0 })
        holder.letGo()
        await until(() => holder.ended.length === 12)
        expect(holder.mostRunning).toBe(4)
      })

      it('share a queue without handing out a job twice', async () => {
        const queue = newQueue()
        const jobs = newJobs(200)
        const handled: DeliveryJob[] = []
        const handle = async (job: DeliveryJob) => {
          handled.push(job)
        }
        await Promise.all([work(queue, handle, 5), work(queue, handle, 5)])
        await harness.queue.add(queue, jobs)
        await until(() => handled.length >= jobs.length)
        expect(handled.sort(byId)).toEqual([...jobs].sort(byId))
      })

      it('lose a job whose handler throws, and go on with the next one', async () => {
        const queue = newQueue()
        const [bad, good] = newJobs(2) as [DeliveryJob, DeliveryJob]
        await harness.queue.add(queue, [bad, good])
        const handled: DeliveryJob[] = []
        await work(queue, async (job) => {
          handled.push(job)
          if (job.jobId === bad.jobId) throw new Error('a defect')
        })
        await until(async () => (await depthOf(queue))?.active === 0 && handled.length === 2)
        expect(handled).toEqual([bad, good])
        expect(await harness.queue.unknownJobs(queue, idsOf([bad, good]))).toHaveLength(2)
        expect(await depthOf(queue)).toEqual({ waiting: 0, active: 0, failed: 0 })
      })

      it('take nothing while they pause, and go on when they may', async () => {
        const queue = newQueue()
        const [first, second] = newJobs(2) as [DeliveryJob, DeliveryJob]
        const holder = new Holder()
        const workers = await work(queue, holder.handle)
        await harness.queue.add(queue, [first])
        await until(() => holder.began.length === 1)
        workers.pause()
        await harness.queue.add(queue, [second])
        holder.letGo()
        await until(async () => (await depthOf(queue))?.active === 0)
        expect(holder.ended).toEqual([first])
        expect(await depthOf(queue)).toMatchObject({ waiting: 1 })
        workers.resume()
        await until(() => holder.ended.length === 2)
      })

      it('that pause with nothing to do take nothing that comes', async () => {
        const queue = newQueue()
        const holder = new Holder()
        const workers = await work(queue, holder.handle)
        workers.pause()
        const job = newJob()
        await harness.queue.add(queue, [job])
        // Another worker gets it, so it was there to be taken.
        const other = new Holder()
        await work(queue, other.handle)
        await until(() => other.began.length === 1)
        expect(holder.began).toEqual([])
        other.letGo()
      })
    })

    describe('closing', () => {
      it('waits for the jobs that run and takes no other', async () => {
        const queue = newQueue()
        await harness.queue.add(queue, newJobs(3))
        const holder = new Holder()
        const workers = await work(queue, holder.handle)
        await until(() => holder.began.length === 1)
        let closed = false
        const closing = workers.close(50_000).then(() => {
          closed = true
        })
        expect(closed).toBe(false)
        holder.letGo()
        await closing
        expect(holder.ended).toHaveLength(1)
        expect(holder.aborted).toEqual([])
        expect(await depthOf(queue)).toEqual({ waiting: 2, active: 0, failed: 0 })
        await workers.close(0)
      })

      it('aborts at the deadline, and another worker gets the job', async () => {
        const queue = newQueue()
        const job = newJob()
        await harness.queue.add(queue, [job])
        const holder = new Holder()
        const workers = await work(queue, holder.handle)
        await until(() => holder.began.length === 1)
        await workers.close(10)
        expect(holder.aborted).toEqual([job])
        expect(holder.ended).toEqual([])
        expect(await harness.queue.unknownJobs(queue, [job.jobId])).toEqual([])
        const other = new Holder()
        await work(queue, other.handle)
        await until(() => other.began.length === 1)
        expect(other.began).toEqual([job])
        // The first handler wakes up late, as after a pause of its process.
        holder.letGo()
        other.letGo()
        await until(() => other.ended.length === 1 && holder.ended.length === 1)
      })
    })

    describe('a server that forgets', () => {
      it('knows no job any more, and works on with new ones', async () => {
        const queue = newQueue()
        const jobs = newJobs(3)
        await harness.queue.add(queue, jobs)
        const holder = new Holder()
        await work(queue, holder.handle)
        await until(() => holder.began.length === 1)
        await harness.wipe()
        expect(await harness.queue.unknownJobs(queue, idsOf(jobs))).toEqual(idsOf(jobs))
        expect(await heldIn(queue)).toEqual([])
        expect(await depthOf(queue)).toEqual({ waiting: 0, active: 0, failed: 0 })
        // What was lost is added again from the record, and the job that runs runs a second time.
        await harness.queue.add(queue, jobs)
        holder.letGo()
        await until(() => holder.ended.length === 4)
        expect(holder.aborted).toEqual([])
        expect(holder.ended.map(({ jobId }) => jobId)).toEqual([jobs[0]?.jobId, ...idsOf(jobs)])
      })
    })

    describe('a server that goes away', () => {
      it('is told at once, and the workers go on by themselves when it is back', async () => {
        const queue = newQueue()
        const [before, after] = newJobs(2) as [DeliveryJob, DeliveryJob]
        const handled: DeliveryJob[] = []
        await work(queue, async (job) => {
          handled.push(job)
        })
        await harness.queue.add(queue, [before])
        await until(() => handled.length === 1)

        await harness.goAway()
        await expect(harness.queue.add(queue, [newJob()])).rejects.toMatchObject(away)
        await expect(harness.queue.unknownJobs(queue, ['a'])).rejects.toMatchObject(away)
        await expect(heldIn(queue)).rejects.toMatchObject(away)
        await expect(harness.queue.depths([queue])).rejects.toMatchObject(away)
        await expect(harness.queue.remove(queue, ['a'])).rejects.toMatchObject(away)
        // A queue that was never used before is told no differently.
        await expect(harness.queue.add(newQueue(), [newJob()])).rejects.toMatchObject(away)

        await harness.comeBack()
        await until(() =>
          harness.queue.add(queue, [after]).then(
            () => true,
            () => false,
          ),
        )
        await until(() => handled.some(({ jobId }) => jobId === after.jobId))
        expect(handled).toContainEqual(after)
      })
    })
  })
}

function byId(a: DeliveryJob, b: DeliveryJob): number {
  return a.jobId < b.jobId ? -1 : 1
}
