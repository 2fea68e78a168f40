import { describe, expect, it } from 'vitest'
import { createMetrics } from '../src/metrics.ts'

describe('createMetrics', () => {
  it('counts for each component what it received, sent, failed at and put aside', async () => {
    const metrics = createMetrics('delivery')
    const email = metrics.component('email')
    email.received(50)
    email.sent()
    email.error('WEGWIJS_QUEUE_UNAVAILABLE')
    email.discarded('no_consent', 2)
    const page = await metrics.text()
    expect(page).toContain('wegwijs_received_total{component="email",service="delivery"} 50')
    expect(page).toContain('wegwijs_sent_total{component="email",service="delivery"} 1')
    expect(page).toContain(
      'wegwijs_errors_total{component="email",code="WEGWIJS_QUEUE_UNAVAILABLE",service="delivery"} 1',
    )
    expect(page).toContain(
      'wegwijs_discarded_total{component="email",reason="no_consent",service="delivery"} 2',
    )
  })

  it('keeps services of one process apart', async () => {
    const [one, two] = [createMetrics('one'), createMetrics('two')]
    one.component('x').sent()
    expect(await two.text()).not.toContain('wegwijs_sent_total{')
  })

  it('asks for a gauge when the page is read, and forgets what no longer exists', async () => {
    const metrics = createMetrics('scheduler')
    let depths: Record<string, number> = { email: 4, sms: 1 }
    metrics.gauge({
      name: 'queue_waiting',
      help: 'Jobs that wait',
      labels: ['channel'],
      collect: async (gauge) => {
        gauge.reset()
        for (const [channel, depth] of Object.entries(depths)) gauge.set(depth, { channel })
      },
    })
    expect(await metrics.text()).toContain(
      'wegwijs_queue_waiting{channel="sms",service="scheduler"} 1',
    )
    depths = { email: 5 }
    const page = await metrics.text()
    expect(page).toContain('wegwijs_queue_waiting{channel="email",service="scheduler"} 5')
    expect(page).not.toContain('sms')
  })

  it('measures how values are spread', async () => {
    const metrics = createMetrics('journey')
    const seconds = metrics.histogram({
      name: 'batch_seconds',
      help: 'Time of one batch',
      labels: ['topic'],
      buckets: [0.1, 1],
    })
    seconds.observe(0.5, { topic: 'wegwijs.touchpoints' })
    const page = await metrics.text()
    expect(page).toContain('le="0.1",service="journey",topic="wegwijs.touchpoints"} 0')
    expect(page).toContain('le="1",service="journey",topic="wegwijs.touchpoints"} 1')
  })

  it('asks the service that was started last, when one was started again', async () => {
    const metrics = createMetrics('scheduler')
    for (const value of [1, 2]) {
      const collect = async (gauge: { set(value: number): void }) => gauge.set(value)
      metrics.gauge({ name: 'waiting', help: 'w', collect })
      metrics.histogram({ name: 'seconds', help: 's', buckets: [1] })
    }
    expect(await metrics.text()).toContain('wegwijs_waiting{service="scheduler"} 2')
  })

  it("adds Node's own metrics when asked", async () => {
    expect(await createMetrics('a').text()).not.toContain('nodejs_')
    expect(await createMetrics('b', { processMetrics: true }).text()).toContain(
      'nodejs_heap_size_total_bytes',
    )
  })

  it.each([
    'fatima@example.org',
    'Fatima Özdemir',
    '+31612345678',
    '123456782',
    '1952-03-14',
    "d'Arc",
    '',
  ])('withholds a label that does not look like a code: %s (P7)', async (planted) => {
    const metrics = createMetrics('gateway')
    const gauge = metrics.gauge({ name: 'g', help: 'g', labels: ['name'] })
    gauge.set(1, { name: planted })
    metrics.component('http').error(planted)
    metrics.component('http').discarded(planted)
    const page = await metrics.text()
    expect(page).toContain('name="withheld"')
    if (planted !== '') expect(page).not.toContain(planted)
  })
})
