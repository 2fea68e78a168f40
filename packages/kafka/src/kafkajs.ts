import { type Clock, systemClock } from '@wegwijs/runtime/clock'
import type { Logger } from '@wegwijs/runtime/log'
import { createAdmin } from './kafkajs-admin.ts'
import { defaultTuning, type KafkajsTuning } from './kafkajs-client.ts'
import { createPublisher } from './kafkajs-publisher.ts'
import { createSource } from './kafkajs-source.ts'
import type { EventPublisher, EventSource, TopicAdmin } from './port.ts'

export type KafkajsOptions = {
  /** `host:port` of some brokers; they tell the others. */
  readonly brokers: readonly string[]
  /** Names this process in the logs of the brokers. */
  readonly clientId: string
  readonly log: Logger
  readonly clock?: Clock
  readonly tuning?: Partial<KafkajsTuning>
}

export type KafkajsBroker = {
  readonly source: EventSource
  readonly publisher: EventPublisher
  readonly admin: TopicAdmin
  /** Closes publisher and admin. Consumers are closed by whoever opened them, before this. */
  close(): Promise<void>
}

/**
 * Kafka through kafkajs. Nothing is connected before it is needed, so this neither waits nor fails
 * while Kafka is away; the calls do.
 */
export function connectKafkajs(options: KafkajsOptions): KafkajsBroker {
  const { brokers, clientId, log, clock = systemClock } = options
  const tuning = { ...defaultTuning, ...options.tuning }
  const settings = { brokers, clientId, log, clock, tuning }
  const admin = createAdmin(settings)
  const publisher = createPublisher(settings)
  return {
    source: createSource(settings, admin.endOffsets),
    publisher,
    admin,
    async close() {
      await publisher.close()
      await admin.close()
    },
  }
}
