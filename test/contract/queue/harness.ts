import { randomUUID } from 'node:crypto'
import type { DeliveryJob, JobQueue, JobWorkers, QueueWorkers } from '@wegwijs/queue/port'

/** One adapter on one server, and what a test does to the server behind the adapter's back. */
export type Harness = {
  readonly queue: JobQueue
  readonly workers: JobWorkers
  /** Makes the server forget everything. */
  wipe(): Promise<void>
  goAway(): Promise<void>
  comeBack(): Promise<void>
  close(): Promise<void>
}

/** A queue that no other test uses. */
export function newQueue(): string {
  return `deliver.${randomUUID()}`
}

export function newJob(): DeliveryJob {
  return { jobId: `job-${randomUUID()}`, intents: [randomUUID()] }
}

export function newJobs(count: number): DeliveryJob[] {
  return Array.from({ length: count }, newJob)
}

export const idsOf = (jobs: readonly DeliveryJob[]): string[] => jobs.map(({ jobId }) => jobId)

/** Closes the workers a test opened, whatever became of it. */
export class OpenedWorkers {
  readonly #workers: QueueWorkers[] = []

  add(workers: QueueWorkers): QueueWorkers {
    this.#workers.push(workers)
    return workers
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.splice(0).map((workers) => workers.close(100)))
  }
}

/** A handler that holds every job until it is let go, and remembers what it saw. */
export class Holder {
  readonly began: DeliveryJob[] = []
  readonly ended: DeliveryJob[] = []
  readonly aborted: DeliveryJob[] = []
  running = 0
  mostRunning = 0
  #gate = Promise.withResolvers<void>()

  readonly handle = async (job: DeliveryJob, signal: AbortSignal): Promise<void> => {
    this.began.push(job)
    this.running += 1
    this.mostRunning = Math.max(this.mostRunning, this.running)
    signal.addEventListener('abort', () => this.aborted.push(job))
    await this.#gate.promise
    this.running -= 1
    this.ended.push(job)
  }

  letGo(): void {
    this.#gate.resolve()
  }
}
