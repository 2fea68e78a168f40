/**
 * One unit of delivery work: ids only, what they mean is in PostgreSQL (P7). A job id holds no ':'
 * and is not made of digits only.
 */
export type DeliveryJob = { readonly jobId: string; readonly intents: string[] }

/**
 * What a queue holds now, in jobs. `waiting` counts everything that no worker has taken, `failed`
 * is 0 as long as nobody else writes to the queue: jobs that fail are removed.
 */
export type QueueDepth = {
  readonly waiting: number
  readonly active: number
  readonly failed: number
}

/**
 * The producer side. The queue is disposable: it may forget everything at any moment, and it may
 * run a job twice. Every method rejects at once with WEGWIJS_QUEUE_UNAVAILABLE (retryable) while
 * the queue is away.
 */
export type JobQueue = {
  /**
   * Adds in the order given. A job whose id the queue still holds is ignored; an id is free again
   * once its job has run, whether well or not.
   *
   * @throws WegwijsError WEGWIJS_JOB_ID_INVALID, before anything is added
   */
  add(queue: string, jobs: readonly DeliveryJob[]): Promise<void>
  /** Those of `jobIds` that are neither waiting nor active, in the order given. */
  unknownJobs(queue: string, jobIds: readonly string[]): Promise<string[]>
  /** Every job that is waiting or active. What moves meanwhile may come twice or not at all. */
  heldJobs(queue: string): AsyncIterable<DeliveryJob>
  depths(queues: readonly string[]): Promise<Record<string, QueueDepth>>
  /** Removes those that wait. One that is active runs on, one that is unknown is ignored. */
  remove(queue: string, jobIds: readonly string[]): Promise<void>
  close(): Promise<void>
}

/** The workers of one queue in this process. */
export type QueueWorkers = {
  /** Takes no further job; those that run go on. */
  pause(): void
  resume(): void
  /**
   * Takes no further job and waits for those that run, at most `deadlineMs`. Then their signals
   * abort and the workers go without them: the queue gives such a job to another worker later.
   */
  close(deadlineMs: number): Promise<void>
}

export type JobWorkers = {
  /**
   * Hands jobs to `handle`, `concurrency` at a time, each once unless its worker is thought dead.
   * There is no retry here: a job whose handler throws is gone, what it stood for is due again in
   * PostgreSQL. `signal` aborts only when the workers are closed and the deadline has passed.
   */
  work(
    queue: string,
    options: { readonly concurrency: number },
    handle: (job: DeliveryJob, signal: AbortSignal) => Promise<void>,
  ): Promise<QueueWorkers>
}
