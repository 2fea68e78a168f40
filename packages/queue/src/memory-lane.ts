import type { Clock } from '@wegwijs/runtime/clock'
import type { DeliveryJob, QueueDepth, QueueWorkers } from './port.ts'

type Handle = (job: DeliveryJob, signal: AbortSignal) => Promise<void>

/** One call of a handler. A job that stalled has two of them. */
type Run = { readonly job: DeliveryJob }

type Worker = {
  readonly concurrency: number
  readonly handle: Handle
  readonly abort: AbortController
  readonly runs: Set<Run>
  taking: boolean
  onDrained: () => void
}

export type LaneSettings = {
  readonly clock: Clock
  readonly isAway: () => boolean
  readonly onHandlerError: (error: unknown) => void
  /** Called when something may have come to rest. */
  readonly onQuiet: () => void
}

/** One queue of the in-memory adapter: first in, first out, ids unique among what is held. */
export class MemoryLane {
  readonly #settings: LaneSettings
  readonly #waiting = new Map<string, DeliveryJob>()
  readonly #active = new Map<string, Run>()
  #workers: Worker[] = []

  constructor(settings: LaneSettings) {
    this.#settings = settings
  }

  add(jobs: readonly DeliveryJob[]): void {
    for (const job of jobs) {
      if (!this.holds(job.jobId)) {
        this.#waiting.set(job.jobId, { jobId: job.jobId, intents: [...job.intents] })
      }
    }
    this.wake()
  }

  holds(jobId: string): boolean {
    return this.#waiting.has(jobId) || this.#active.has(jobId)
  }

  held(): DeliveryJob[] {
    return [...this.#waiting.values(), ...[...this.#active.values()].map((run) => run.job)]
  }

  depth(): QueueDepth {
    return { waiting: this.#waiting.size, active: this.#active.size, failed: 0 }
  }

  remove(jobIds: readonly string[]): void {
    for (const jobId of jobIds) this.#waiting.delete(jobId)
    this.#settings.onQuiet()
  }

  /** Forgets every job; handlers that run go on, as they do when Redis is emptied. */
  wipe(): void {
    this.#waiting.clear()
    this.#active.clear()
    this.#settings.onQuiet()
  }

  /** Gives an active job to a worker once more while its first handler may still run. */
  stall(jobId: string): void {
    const run = this.#active.get(jobId)
    if (!run) return
    this.#active.delete(jobId)
    this.#waiting.set(jobId, run.job)
    this.wake()
  }

  isIdle(): boolean {
    const taking = this.#workers.some((worker) => worker.taking)
    const running = this.#workers.some((worker) => worker.runs.size > 0)
    return !running && (!taking || this.#waiting.size === 0)
  }

  wake(): void {
    for (let worker = this.#next(); worker; worker = this.#next()) this.#start(worker)
    this.#settings.onQuiet()
  }

  /** The one that has least to do: of several workers one that hangs does not get all of the jobs. */
  #next(): Worker | undefined {
    return this.#workers
      .filter((worker) => this.#canTake(worker))
      .reduce<Worker | undefined>(
        (idlest, each) => (idlest && idlest.runs.size <= each.runs.size ? idlest : each),
        undefined,
      )
  }

  work(concurrency: number, handle: Handle): QueueWorkers {
    const worker: Worker = {
      concurrency,
      handle,
      abort: new AbortController(),
      runs: new Set(),
      taking: true,
      onDrained: () => undefined,
    }
    this.#workers.push(worker)
    this.wake()
    const take = (taking: boolean) => {
      worker.taking = taking
      this.wake()
    }
    let closed: Promise<void> | undefined
    return {
      pause: () => take(false),
      resume: () => take(closed === undefined),
      close: (deadlineMs) => {
        closed ??= this.#close(worker, deadlineMs)
        return closed
      },
    }
  }

  #canTake(worker: Worker): boolean {
    return (
      worker.taking &&
      worker.runs.size < worker.concurrency &&
      this.#waiting.size > 0 &&
      !this.#settings.isAway()
    )
  }

  #start(worker: Worker): void {
    const [job] = this.#waiting.values()
    if (!job) return
    const run: Run = { job }
    this.#waiting.delete(job.jobId)
    this.#active.set(job.jobId, run)
    worker.runs.add(run)
    void Promise.resolve()
      .then(() => worker.handle(job, worker.abort.signal))
      .catch(this.#settings.onHandlerError)
      .then(() => this.#finish(worker, run))
  }

  #finish(worker: Worker, run: Run): void {
    worker.runs.delete(run)
    // A job that stalled is held by its second run, or waits for it: the first one frees nothing.
    if (this.#active.get(run.job.jobId) === run) this.#active.delete(run.job.jobId)
    if (worker.runs.size === 0) worker.onDrained()
    this.wake()
  }

  async #close(worker: Worker, deadlineMs: number): Promise<void> {
    worker.taking = false
    await this.#drained(worker, deadlineMs)
    this.#workers = this.#workers.filter((other) => other !== worker)
    if (worker.runs.size > 0) worker.abort.abort()
    for (const run of worker.runs) {
      if (this.#active.get(run.job.jobId) === run) this.stall(run.job.jobId)
    }
    this.wake()
  }

  async #drained(worker: Worker, deadlineMs: number): Promise<void> {
    if (worker.runs.size === 0) return
    const deadline = new AbortController()
    const empty = new Promise<void>((resolve) => {
      worker.onDrained = resolve
    })
    const late = this.#settings.clock.sleep(deadlineMs, deadline.signal).catch(() => undefined)
    await Promise.race([empty, late])
    deadline.abort()
  }
}
