import { createReadiness, type Readiness, startHealthServer } from './health.ts'
import type { Scope } from './lifecycle.ts'
import { createLogger, type Logger, type LogLevel } from './log.ts'
import { createMetrics, type Metrics } from './metrics.ts'

/** How a service tells others how it is. */
export type Vitals = { log: Logger; metrics: Metrics; readiness: Readiness }

export type VitalsConfig = {
  logLevel: LogLevel
  namespace: string
  healthHost: string
  healthPort: number
}

/**
 * Opened before all else: a service that waits for PostgreSQL can be asked what it waits for. `needs` is what
 * must be there before it is ready, as `GET /readyz` names it.
 */
export async function openVitals(
  scope: Scope,
  { logLevel, namespace, healthHost, healthPort }: VitalsConfig,
  needs: readonly string[],
): Promise<Vitals> {
  const log = createLogger(scope.name, logLevel).child({ namespace })
  const metrics = createMetrics(scope.name, { processMetrics: true })
  const readiness = createReadiness(needs)
  const health = await startHealthServer({
    host: healthHost,
    port: healthPort,
    readiness: readiness.report,
    metrics,
  })
  scope.onClose('health server', health.close)
  log.info('tells its health', { port: health.port })
  return { log, metrics, readiness }
}
