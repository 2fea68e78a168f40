import { afterAll, describe, expect, inject, it } from 'vitest'
import { describeKafkaPort } from './contract.ts'
import { openKafkajs } from './kafkajs-harness.ts'

const { kafkaBrokers } = inject('servers')

const warnings: string[] = []
const remember = (warning: Error) => warnings.push(warning.name)
process.on('warning', remember)
afterAll(() => process.off('warning', remember))

// Without Kafka on this machine the global setup has said so, and what is missing.
describe.skipIf(kafkaBrokers.length === 0)('with a real broker', () => {
  describeKafkaPort('the Kafka port through kafkajs', () =>
    openKafkajs(kafkaBrokers, { closeDeadlineMs: 2_000, fetchWaitMs: 100, heartbeatMs: 200 }),
  )

  it('makes Node warn of nothing', () => {
    // patches/kafkajs: without it each request sets a timer in the past.
    expect(warnings).toEqual([])
  })
})
