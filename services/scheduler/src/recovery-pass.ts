import type { JobQueue } from '@wegwijs/queue/port'
import type { ComponentMetrics } from '@wegwijs/runtime/metrics'
import type { Store } from '@wegwijs/store/database'
import { type JobPlace, queuedJobs, type ReleasedJob } from '@wegwijs/store/release'
import { addJobs } from './release-pass.ts'

/** Jobs of one page: a walk over a full queue costs a little each sweep, not all at once (P8). */
const pageSize = 2_000

/**
 * Walks over the jobs that should be in the queue and adds again those that it does not know: after
 * a crash between commit and add, after Redis was wiped or lost a second. A job that runs just now
 * twice claims nothing the second time. As long as jobs are missing the walk goes on at once.
 */
export function createRecoveryPass(
  deps: { store: Store; queue: JobQueue; metrics: ComponentMetrics },
  minAgeMs: number,
): () => Promise<boolean> {
  let after: JobPlace = null
  return async () => {
    const { jobs, next } = await queuedJobs(deps.store.db, { after, limit: pageSize, minAgeMs })
    const missing = await missingOf(deps.queue, jobs)
    await addJobs(deps.queue, missing)
    deps.metrics.sent(missing.length)
    after = next
    return missing.length > 0 && next !== null
  }
}

async function missingOf(queue: JobQueue, jobs: readonly ReleasedJob[]): Promise<ReleasedJob[]> {
  const byQueue = Map.groupBy(jobs, (job) => job.queue)
  const missing = await Promise.all(
    [...byQueue].map(async ([name, own]) => {
      const unknown = new Set(
        await queue.unknownJobs(
          name,
          own.map((job) => job.jobId),
        ),
      )
      return own.filter((job) => unknown.has(job.jobId))
    }),
  )
  return missing.flat()
}
