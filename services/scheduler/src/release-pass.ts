import type { JobQueue } from '@wegwijs/queue/port'
import type { ComponentMetrics } from '@wegwijs/runtime/metrics'
import type { Store } from '@wegwijs/store/database'
import { type ReleasedJob, type ReleaseOptions, releaseDue } from '@wegwijs/store/release'

/**
 * Releases what is due and adds the jobs after the commit. While Redis is away the jobs of one pass
 * wait here, and nothing more is released; if this process dies with them, the recovery finds that
 * the queue does not know them.
 */
export function createReleasePass(
  deps: { store: Store; queue: JobQueue; metrics: ComponentMetrics },
  options: ReleaseOptions,
): () => Promise<boolean> {
  let toAdd: ReleasedJob[] = []
  const addAll = async () => {
    await addJobs(deps.queue, toAdd)
    deps.metrics.sent(toAdd.reduce((sum, job) => sum + job.intents.length, 0))
    toAdd = []
  }
  return async () => {
    if (toAdd.length > 0) await addAll()
    toAdd = await releaseDue(deps.store, options)
    if (toAdd.length === 0) return false
    await addAll()
    return true
  }
}

/** Adds jobs to the queues they name, those of one queue in one call and in their order. */
export async function addJobs(queue: JobQueue, jobs: readonly ReleasedJob[]): Promise<void> {
  const byQueue = Map.groupBy(jobs, (job) => job.queue)
  await Promise.all(
    [...byQueue].map(([name, own]) =>
      queue.add(
        name,
        own.map(({ jobId, intents }) => ({ jobId, intents })),
      ),
    ),
  )
}
