import type { MemoryQueue } from '@wegwijs/queue/memory'
import type { DeliveryJob, JobQueue, JobWorkers, QueueWorkers } from '@wegwijs/queue/port'
import type { Gate, Life } from './gate.ts'

export type GatedQueue = {
  queue: JobQueue
  workers: JobWorkers
  /** The jobs that this life has in hand. */
  inHand(): readonly { queue: string; jobId: string }[]
  abandon(): void
}

/** One worker's view of the queue; whatever it adds, asks or takes stands at the gate. */
export function gatedQueue(
  memory: MemoryQueue,
  {
    gate,
    life,
    onAdd,
  }: { gate: Gate; life: Life; onAdd: (jobs: readonly DeliveryJob[]) => Promise<void> },
): GatedQueue {
  const { queue } = memory
  const running: QueueWorkers[] = []
  const inHand = new Set<{ queue: string; jobId: string }>()
  return {
    queue: {
      add: (name, jobs) =>
        gate.pass(life, `adds to ${name} ${jobs.map(labelOf).join(', ')}`, async () => {
          await queue.add(name, jobs)
          await onAdd(jobs)
        }),
      unknownJobs: (name, jobIds) =>
        gate.pass(life, `asks ${name} for ${jobIds.length} jobs`, () =>
          queue.unknownJobs(name, jobIds),
        ),
      heldJobs: (name) => queue.heldJobs(name),
      depths: (names) => queue.depths(names),
      remove: (name, jobIds) =>
        gate.pass(life, `removes from ${name}`, () => queue.remove(name, jobIds)),
      close: async () => undefined,
    },
    workers: {
      work: async (name, options, handle) => {
        const taken = async (job: DeliveryJob, signal: AbortSignal) => {
          const hold = { queue: name, jobId: job.jobId }
          inHand.add(hold)
          await gate.pass(life, `takes from ${name} ${labelOf(job)}`, () => undefined)
          await handle(job, signal)
          inHand.delete(hold)
        }
        const workers = await memory.workers.work(name, options, taken)
        if (life.dead) workers.pause()
        running.push(workers)
        return workers
      },
    },
    inHand: () => [...inHand],
    abandon: () => {
      for (const workers of running) workers.pause()
    },
  }
}

function labelOf({ jobId, intents }: DeliveryJob): string {
  return `${jobId.slice(-30)} (${intents.map((intent) => intent.slice(0, 8)).join(' ')})`
}
