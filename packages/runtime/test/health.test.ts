import { describe, expect, it, onTestFinished } from 'vitest'
import { createReadiness, type HealthOptions, startHealthServer } from '../src/health.ts'
import { createMetrics } from '../src/metrics.ts'

async function start(options: Partial<HealthOptions> = {}) {
  const server = await startHealthServer({
    port: 0,
    readiness: async () => ({ PostgreSQL: true }),
    metrics: createMetrics('test'),
    ...options,
  })
  onTestFinished(() => server.close())
  return async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`)
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      body: await response.text(),
    }
  }
}

describe('startHealthServer', () => {
  it('is alive whatever its dependencies do', async () => {
    const get = await start({ readiness: () => Promise.reject(new Error('down')) })
    expect(await get('/livez')).toMatchObject({ status: 200, body: '{"alive":true}' })
  })

  it('is ready when everything is, and else says what is missing', async () => {
    const readiness = createReadiness(['PostgreSQL', 'Kafka'])
    const get = await start({ readiness: readiness.report })
    readiness.set('PostgreSQL', true)
    expect(await get('/readyz')).toMatchObject({
      status: 503,
      body: '{"ready":false,"PostgreSQL":true,"Kafka":false}',
    })
    readiness.set('Kafka', true)
    expect(await get('/readyz')).toMatchObject({
      status: 200,
      body: '{"ready":true,"PostgreSQL":true,"Kafka":true}',
    })
  })

  it('is not ready when nothing was ever said, or when the question fails', async () => {
    const nothing = await start({ readiness: createReadiness().report })
    expect((await nothing('/readyz')).status).toBe(503)
    const failing = await start({ readiness: () => Promise.reject(new Error('Jansen')) })
    expect(await failing('/readyz')).toMatchObject({ status: 503, body: '{"ready":false}' })
  })

  it('is not ready when the question gets no answer', async () => {
    const get = await start({ readiness: () => new Promise(() => {}), readinessDeadlineMs: 1 })
    expect(await get('/readyz')).toMatchObject({ status: 503, body: '{"ready":false}' })
  })

  it('shows the metrics, and nothing else', async () => {
    const metrics = createMetrics('journey')
    metrics.component('intake').received(3)
    const get = await start({ metrics })
    const page = await get('/metrics')
    expect(page.type).toBe(metrics.contentType)
    expect(page.body).toContain('wegwijs_received_total{component="intake",service="journey"} 3')
    expect((await get('/')).status).toBe(404)
    expect((await get('/__proto__')).status).toBe(404)
    expect((await get('/livez?probe=1')).status).toBe(200)
  })

  it('fails to start on a port that is taken', async () => {
    const first = await startHealthServer({
      port: 0,
      readiness: createReadiness().report,
      metrics: createMetrics('a'),
    })
    onTestFinished(() => first.close())
    await expect(
      startHealthServer({
        port: first.port,
        readiness: createReadiness().report,
        metrics: createMetrics('b'),
      }),
    ).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  it('closes while a client keeps its connection open', async () => {
    const server = await startHealthServer({
      port: 0,
      readiness: createReadiness().report,
      metrics: createMetrics('a'),
    })
    const response = await fetch(`http://127.0.0.1:${server.port}/livez`)
    expect(response.headers.get('connection')).toBe('keep-alive')
    await server.close()
    await expect(fetch(`http://127.0.0.1:${server.port}/livez`)).rejects.toThrow()
  })

  it('closes while somebody still waits for an answer', async () => {
    const asked = Promise.withResolvers<void>()
    const server = await startHealthServer({
      port: 0,
      readiness: () => {
        asked.resolve()
        return new Promise(() => {})
      },
      readinessDeadlineMs: 3_600_000,
      metrics: createMetrics('a'),
    })
    const answer = fetch(`http://127.0.0.1:${server.port}/readyz`).catch(() => 'cut off')
    await asked.promise
    await server.close()
    expect(await answer).toBe('cut off')
  })
})
