import type { Clock } from '@wegwijs/runtime/clock'
import type { Scope } from '@wegwijs/runtime/lifecycle'
import { isUnreadable } from '@wegwijs/store/stored-definition'
import { keepListening } from '@wegwijs/store/wake'
import { rollOut } from './rollouts.ts'
import { fireDueTimers, type TimerDependencies } from './timers.ts'

/** How often due timers are looked for when nobody calls: a timer fires at most this late. */
const sweepMs = 1_000

/**
 * Fires timers, and does what was published for people who are there already, until the scope closes: at once when business time is stepped, else with the sweep.
 * A failure that passes by itself (PostgreSQL away) costs a pause; a definition that cannot be read ends the
 * service, as it does for events.
 */
export async function runTimerLoop(
  scope: Scope,
  deps: TimerDependencies & { clock: Clock },
): Promise<void> {
  const { log, clock } = deps
  const { signal } = scope
  let awake = new AbortController()
  void keepListening(
    deps.store,
    (topic) => {
      if (topic === 'clock') awake.abort()
    },
    { log, signal, clock },
  ).catch((error: unknown) => scope.stop(error))
  const tell = (what: 'timers wait' | 'a rollout waits', error: unknown) => {
    if (signal.aborted) return
    if (isUnreadable(error)) scope.stop(error)
    else log.warn(what, { error })
  }
  while (!signal.aborted) {
    const fired = await fireDueTimers(deps).catch((error: unknown) => {
      tell('timers wait', error)
      return 0
    })
    if (fired > 0) continue
    const hasMore = await rollOut(deps).catch((error: unknown) => {
      tell('a rollout waits', error)
      return false
    })
    if (hasMore) continue
    await clock.sleep(sweepMs, AbortSignal.any([signal, awake.signal])).catch(() => undefined)
    if (awake.signal.aborted) awake = new AbortController()
  }
}
