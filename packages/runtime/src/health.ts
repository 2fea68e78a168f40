import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Metrics } from './metrics.ts'

/** One entry per thing that must be there before work can be done, true when it is. */
export type ReadinessReport = Readonly<Record<string, boolean>>

export type Readiness = {
  set(name: string, ready: boolean): void
  report(): Promise<ReadinessReport>
}

/** Remembers what is ready. A name that was never set does not count; none at all is not ready. */
export function createReadiness(names: readonly string[] = []): Readiness {
  const states = new Map(names.map((name) => [name, false]))
  return {
    set: (name, ready) => {
      states.set(name, ready)
    },
    report: async () => Object.fromEntries(states),
  }
}

export type HealthServer = { port: number; close(): Promise<void> }

export type HealthOptions = {
  /** 0 takes a free port; the answer says which. */
  port: number
  host?: string
  readiness: () => Promise<ReadinessReport>
  metrics: Pick<Metrics, 'text' | 'contentType'>
  /** A dependency that hangs must not make the probe hang: no answer in time is "not ready". */
  readinessDeadlineMs?: number
}

const READINESS_DEADLINE_MS = 2_000

/**
 * `GET /livez` 200 while the process turns at all: it asks nobody, so an outage of PostgreSQL never
 * makes an orchestrator restart what only has to wait. `GET /readyz` 200 or 503 with the report.
 * `GET /metrics` in Prometheus' text format.
 */
export async function startHealthServer(options: HealthOptions): Promise<HealthServer> {
  const deadlineMs = options.readinessDeadlineMs ?? READINESS_DEADLINE_MS
  const answers: Record<string, (response: ServerResponse) => Promise<void>> = {
    '/livez': async (response) => answer(response, 200, 'application/json', '{"alive":true}'),
    '/readyz': async (response) => {
      const report = await orNothing(options.readiness(), deadlineMs)
      const states = Object.values(report)
      const ready = states.length > 0 && states.every(Boolean)
      answer(response, ready ? 200 : 503, 'application/json', JSON.stringify({ ready, ...report }))
    },
    '/metrics': async (response) =>
      answer(response, 200, options.metrics.contentType, await options.metrics.text()),
  }
  const server = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '/'
    const write = Object.hasOwn(answers, path) ? answers[path] : undefined
    if (write === undefined) return answer(response, 404, 'application/json', '{}')
    write(response).catch(() => answer(response, 503, 'application/json', '{"ready":false}'))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host ?? '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
}

function orNothing(report: Promise<ReadinessReport>, deadlineMs: number): Promise<ReadinessReport> {
  const { promise, resolve } = Promise.withResolvers<ReadinessReport>()
  const timer = setTimeout(resolve, deadlineMs, {})
  return Promise.race([report, promise]).finally(() => clearTimeout(timer))
}
