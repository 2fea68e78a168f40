import type { JobQueue } from '@wegwijs/queue/port'
import type { Clock } from '@wegwijs/runtime/clock'
import type { Logger } from '@wegwijs/runtime/log'
import type { ComponentMetrics } from '@wegwijs/runtime/metrics'
import type { Store } from '@wegwijs/store/database'
import { currentRevision } from '@wegwijs/store/definitions'
import { loadReachRules, type ReachRules, recallWithinReach } from '@wegwijs/store/reach'
import {
  type AskedCampaign,
  type ReleasedJob,
  type ReleaseOptions,
  releaseDue,
} from '@wegwijs/store/release'

/** A band that cannot be read is read again after this time: whoever mends it need not apply anything. */
const REREAD_MS = 5_000

/**
 * Releases what is due and adds the jobs after the commit. While Redis is away the jobs of one pass
 * wait here, and nothing more is released; if this process dies with them, the recovery finds that
 * the queue does not know them.
 *
 * How far campaigns may reach is read again when another definition was applied: by bands that are no
 * longer in force nothing is released. So it is every few seconds while one of them cannot be read. A campaign that
 * has come to the end of its band is told of in the log: somebody is asked.
 */
export function createReleasePass(
  deps: { store: Store; queue: JobQueue; clock: Clock; metrics: ComponentMetrics; log: Logger },
  options: Omit<ReleaseOptions, 'reach'>,
): () => Promise<boolean> {
  let toAdd: ReleasedJob[] = []
  const inForce = createReachInForce(deps)
  const addAll = async () => {
    await addJobs(deps.queue, toAdd)
    deps.metrics.sent(toAdd.reduce((sum, job) => sum + job.intents.length, 0))
    toAdd = []
  }
  const ask = ({ campaignId, most }: AskedCampaign) => {
    const fields = { campaign: campaignId, count: most }
    deps.log.warn('a campaign has reached as far as expected, and asks', fields)
  }
  return async () => {
    if (toAdd.length > 0) await addAll()
    const reach = await inForce.rules()
    toAdd = await releaseDue(deps.store, { ...options, reach }, ask)
    if (toAdd.length > 0) {
      await addAll()
      return true
    }
    // Asked when there is time: what is due waits for no question.
    return inForce.forgetOutdated()
  }
}

/** The bands by which a pass releases. */
function createReachInForce({ store, clock, log }: { store: Store; clock: Clock; log: Logger }) {
  let loaded: { rules: ReachRules; atMs: number } | undefined
  let told: readonly string[] = []
  const isStale = () =>
    loaded === undefined ||
    (loaded.rules.unread.length > 0 && clock.monotonicMs() - loaded.atMs >= REREAD_MS)
  const load = async (): Promise<ReachRules> => {
    const rules = await loadReachRules(store.db)
    for (const error of rules.unread.filter(({ message }) => !told.includes(message)))
      log.error('how far a campaign reaches cannot be read, nothing of it is released', { error })
    told = rules.unread.map(({ message }) => message)
    // Of what was put off while a band could not be read nobody knows: this process may have begun since.
    await recallWithinReach(store, rules)
    loaded = { rules, atMs: clock.monotonicMs() }
    return rules
  }
  return {
    rules: async () => (loaded && !isStale() ? loaded.rules : load()),
    /** True when they were of an earlier definition: there may be more to release. */
    async forgetOutdated(): Promise<boolean> {
      if (loaded?.rules.revision === (await currentRevision(store.db))) return false
      loaded = undefined
      return true
    },
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
