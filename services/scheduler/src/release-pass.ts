import type { JobQueue } from '@wegwijs/queue/port'
import type { Logger } from '@wegwijs/runtime/log'
import type { ComponentMetrics } from '@wegwijs/runtime/metrics'
import type { Store } from '@wegwijs/store/database'
import { currentRevision } from '@wegwijs/store/definitions'
import { loadReachRules, type ReachRules } from '@wegwijs/store/reach'
import {
  type AskedCampaign,
  type ReleasedJob,
  type ReleaseOptions,
  releaseDue,
} from '@wegwijs/store/release'

/**
 * Releases what is due and adds the jobs after the commit. While Redis is away the jobs of one pass
 * wait here, and nothing more is released; if this process dies with them, the recovery finds that
 * the queue does not know them.
 *
 * How far campaigns may reach is read again when another definition was applied: by bands that are no
 * longer in force nothing is released. A campaign that has come to the end of its band is told of in the
 * log: somebody is asked.
 */
export function createReleasePass(
  deps: { store: Store; queue: JobQueue; metrics: ComponentMetrics; log: Logger },
  options: Omit<ReleaseOptions, 'reach'>,
): () => Promise<boolean> {
  let toAdd: ReleasedJob[] = []
  let reach: ReachRules | undefined
  const addAll = async () => {
    await addJobs(deps.queue, toAdd)
    deps.metrics.sent(toAdd.reduce((sum, job) => sum + job.intents.length, 0))
    toAdd = []
  }
  const ask = ({ campaignId, most }: AskedCampaign) => {
    const fields = { campaign: campaignId, count: most }
    deps.log.warn('a campaign has reached as far as expected, and asks', fields)
  }
  const loadReach = async () => {
    const rules = await loadReachRules(deps.store.db)
    for (const error of rules.unread)
      deps.log.error('how far a campaign reaches cannot be read, nothing of it is released', {
        error,
      })
    return rules
  }
  const isOutdated = async () => reach?.revision !== (await currentRevision(deps.store.db))
  return async () => {
    if (toAdd.length > 0) await addAll()
    reach ??= await loadReach()
    toAdd = await releaseDue(deps.store, { ...options, reach }, ask)
    if (toAdd.length > 0) {
      await addAll()
      return true
    }
    // Asked when there is time: what is due waits for no question.
    if (!(await isOutdated())) return false
    reach = await loadReach()
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
