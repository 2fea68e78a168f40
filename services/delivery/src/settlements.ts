import { createGroupCommit } from '@wegwijs/runtime/group-commit'
import type { ComponentMetrics } from '@wegwijs/runtime/metrics'
import type { Store } from '@wegwijs/store/database'
import { settleLate } from '@wegwijs/store/leases'
import { type Settled, type Settlement, settle } from '@wegwijs/store/settle'
import { keepTrying, type Patience } from './keep-trying.ts'

export type Settlements = {
  /** Resolves when it is written down, or could not be: then the lease ends it. Never rejects. */
  add(settlement: Settlement): Promise<Written>
  drain(): Promise<void>
}

/** `late`: the lease was over, and the message is `sent` all the same; it is not sent again. */
export type Written = Settled | { readonly kind: 'unwritten' | 'late' }

const mostAtOnce = 500

/**
 * Writes down what came of sends, all that gathered while the last write was on its way. While
 * PostgreSQL is away it goes on trying: what a provider answered is known nowhere else.
 */
export function createSettlements(
  store: Store,
  deps: Patience & { metrics: ComponentMetrics; secret: string },
): Settlements {
  const unwritten = { kind: 'unwritten' } as const

  const write = async (items: Settlement[]): Promise<Written[]> => {
    try {
      const settled = await keepTrying(() => settle(store, items, deps.secret), deps)
      const late = items.filter(
        ({ outcome }, index) => outcome.kind === 'accepted' && settled[index]?.kind === 'fenced',
      )
      if (late.length === 0) return settled
      const sent = await keepTrying(() => settleLate(store, late, deps.secret), deps)
      return settled.map((each, index) =>
        each.kind === 'fenced' && sent.has(items[index]?.intentId ?? '') ? { kind: 'late' } : each,
      )
    } catch (error) {
      const [only] = items
      if (items.length > 1 && !deps.signal.aborted) {
        // One that PostgreSQL will not take must not keep the others' outcomes from being known.
        const middle = Math.ceil(items.length / 2)
        return [...(await write(items.slice(0, middle))), ...(await write(items.slice(middle)))]
      }
      deps.metrics.error('settle_failed', items.length)
      deps.log.error('an outcome could not be written down', {
        intentId: only?.intentId,
        count: items.length,
        error,
      })
      return items.map(() => unwritten)
    }
  }

  const group = createGroupCommit(write, { maxItems: mostAtOnce })
  return { add: (settlement) => group.add(settlement), drain: () => group.drain() }
}
