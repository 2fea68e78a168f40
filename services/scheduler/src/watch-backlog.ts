import type { JobQueue } from '@wegwijs/queue/port'
import type { Metrics } from '@wegwijs/runtime/metrics'
import type { Store } from '@wegwijs/store/database'
import { outboxBacklog } from '@wegwijs/store/outbox'
import { readReach } from '@wegwijs/store/reach'
import { oldestDue } from '@wegwijs/store/release'
import { queueNames } from '@wegwijs/wire/delivery-job'

/**
 * What waits and for how long, asked when the metrics page is read. What cannot be asked is not on
 * the page: an old figure would look like a healthy one.
 */
export function watchBacklog(
  metrics: Metrics,
  { store, queue }: { store: Store; queue: JobQueue },
) {
  metrics.gauge({
    name: 'oldest_due_seconds',
    help: 'How long the oldest due message of a lane has waited, in business time',
    labels: ['lane'],
    collect: async (gauge) => {
      gauge.reset()
      const ages = await oldestDue(store.db).catch(() => ({}))
      for (const [lane, seconds] of Object.entries(ages)) gauge.set(seconds, { lane })
    },
  })
  metrics.gauge({
    name: 'reach_waiting_messages',
    help: 'Messages of a campaign that wait since it has reached as far as its author expected',
    labels: ['campaign'],
    collect: async (gauge) => {
      gauge.reset()
      const bands = await readReach(store.db).catch(() => [])
      for (const { campaignId, waiting } of bands) gauge.set(waiting, { campaign: campaignId })
    },
  })
  metrics.gauge({
    name: 'queue_jobs',
    help: 'Jobs in a queue, by state',
    labels: ['queue', 'state'],
    collect: async (gauge) => {
      gauge.reset()
      const depths = await queue.depths(queueNames()).catch(() => ({}))
      for (const [name, depth] of Object.entries(depths)) {
        for (const [state, count] of Object.entries(depth)) gauge.set(count, { queue: name, state })
      }
    },
  })
  metrics.gauge({
    name: 'outbox_oldest_seconds',
    help: 'How long the oldest record of the outbox has waited for Kafka',
    collect: async (gauge) => {
      gauge.reset()
      const backlog = await outboxBacklog(store.db).catch(() => null)
      if (backlog) gauge.set(backlog.seconds)
    },
  })
}
