import { describe, inject } from 'vitest'
import { describeKafkaPort } from './contract.ts'
import { openKafkajs } from './kafkajs-harness.ts'

const { kafkaBrokers } = inject('servers')

// Without Kafka on this machine the global setup has said so, and what is missing.
describe.skipIf(kafkaBrokers.length === 0)('with a real broker', () => {
  describeKafkaPort('the Kafka port through kafkajs', () =>
    openKafkajs(kafkaBrokers, { closeDeadlineMs: 2_000, fetchWaitMs: 100, heartbeatMs: 200 }),
  )
})
