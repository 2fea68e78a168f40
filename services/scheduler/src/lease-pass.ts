import type { Clock } from '@wegwijs/runtime/clock'
import type { Logger } from '@wegwijs/runtime/log'
import type { ComponentMetrics } from '@wegwijs/runtime/metrics'
import type { Store } from '@wegwijs/store/database'
import { sweepLeases } from '@wegwijs/store/leases'
import { wasAway } from '@wegwijs/store/transaction'

const leaseBatch = 500

/**
 * Ends the leases of workers that never came back. For `graceMs` after PostgreSQL was away nobody is given up: workers
 * that could not reach it either come first. A server that was started anew knows by itself (`sweepLeases`); a standby
 * that has become the primary has run all the time, and so has one to which the network was cut.
 */
export function createLeasePass(
  deps: { store: Store; log: Logger; clock: Clock; metrics: ComponentMetrics },
  graceMs: number,
): () => Promise<boolean> {
  let isAway = false
  let graceEndsMs = Number.NEGATIVE_INFINITY
  return async () => {
    const waits = isAway || deps.clock.monotonicMs() < graceEndsMs
    const limit = waits ? 0 : leaseBatch
    const lost = await sweepLeases(deps.store, { limit, graceMs }).catch((error: unknown) => {
      if (wasAway(error)) isAway = true
      throw error
    })
    if (isAway) graceEndsMs = deps.clock.monotonicMs() + graceMs
    isAway = false
    if (lost > 0) deps.log.warn('workers did not come back in time', { count: lost })
    deps.metrics.discarded('lease_expired', lost)
    return lost === leaseBatch
  }
}
