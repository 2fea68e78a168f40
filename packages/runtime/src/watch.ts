import type { Clock } from './clock.ts'
import type { Readiness } from './health.ts'
import { type Scope, waitFor } from './lifecycle.ts'
import type { Logger } from './log.ts'

export type WatchOptions = {
  scope: Scope
  log: Logger
  clock: Clock
  readiness: Pick<Readiness, 'set'>
}

const PAUSE_MS = 2_000

/**
 * Asks a dependency every two seconds whether it is there, for as long as the scope is open: it
 * sets the readiness, and while there is no answer the log says so every few seconds. Something
 * that waiting cannot help closes the scope.
 *
 * A service that only notices an outage when it has work would stay ready through it.
 */
export function watch(
  name: string,
  probe: (signal: AbortSignal) => Promise<unknown>,
  { scope, log, clock, readiness }: WatchOptions,
): void {
  const { signal } = scope
  const keepAsking = async () => {
    readiness.set(name, false)
    for (;;) {
      await waitFor(name, probe, { log, signal, clock, readiness })
      await clock.sleep(PAUSE_MS, signal)
    }
  }
  keepAsking().catch((error: unknown) => {
    if (!signal.aborted) scope.stop(error)
  })
}
