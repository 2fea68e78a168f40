import { createGroupCommit } from '@wegwijs/runtime/group-commit'
import type { ComponentMetrics } from '@wegwijs/runtime/metrics'
import type { Store } from '@wegwijs/store/database'
import { settleLate } from '@wegwijs/store/leases'
import { type Settled, type Settlement, settle } from '@wegwijs/store/settle'
import { type Wake, wake } from '@wegwijs/store/wake'
import { keepTrying, type Patience } from './keep-trying.ts'

export type Settlements = {
  /** Resolves when it is written down, or could not be: then the lease ends it. Never rejects. */
  add(settlement: Settlement): Promise<Written>
  drain(): Promise<void>
}

/** `late`: the lease was over, and the message is `sent` all the same; it is not sent again. */
export type Written = Settled | { readonly kind: 'unwritten' | 'late' }

const mostAtOnce = 500

/** For how long, in milliseconds of machine time. */
export type Gathering = {
  /** Sends that begin together end within milliseconds: a settlement of one costs half as much as one of ten. */
  readonly outcomesMs: number
  /** Each wake-up is a commit of its own, and the relay rests longer than this between two looks. */
  readonly wakesMs: number
}

/**
 * Writes down what came of sends, all that gathered for some milliseconds or while the last write was on its way.
 * Their slots are free meanwhile. While PostgreSQL is away it goes on trying: what a provider answered is known
 * nowhere else.
 */
export function createSettlements(
  store: Store,
  deps: Patience & { metrics: ComponentMetrics; secret: string; gather: Gathering },
): Settlements {
  const unwritten = { kind: 'unwritten' } as const
  const { clock, signal } = deps
  const gathering = (ms: number) => (ms > 0 ? { gather: () => clock.sleep(ms, signal) } : {})

  // Only hints: whoever hears one looks for all that there is.
  const wakes = createGroupCommit<Wake, void>(
    async (all) => {
      await wake(store.db, store.namespace, [...new Set(all)])
      return all.map(() => undefined)
    },
    { maxItems: mostAtOnce, ...gathering(deps.gather.wakesMs) },
  )
  const tell = (topics: readonly Wake[]) => {
    for (const topic of topics) void wakes.add(topic).catch(() => undefined)
  }

  const write = async (items: Settlement[]): Promise<Written[]> => {
    try {
      const how = { secret: deps.secret, tell }
      const settled = await keepTrying(() => settle(store, items, how), deps)
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
      if (items.length > 1 && !signal.aborted) {
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

  const group = createGroupCommit(write, {
    maxItems: mostAtOnce,
    ...gathering(deps.gather.outcomesMs),
  })
  return { add: (settlement) => group.add(settlement), drain: () => group.drain() }
}
