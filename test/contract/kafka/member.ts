import { connectKafkajs } from '@wegwijs/kafka/kafkajs'
import { silentLogger } from '@wegwijs/runtime/log'

/*
 * A member of a group as a process of its own, so that a test can stop it with SIGSTOP. It says
 * 'joined', then 'began' for its first batch, whose handler lasts until it is told to go on, and
 * then whether the partition was still its own.
 */

const [brokers = '', topic = '', sessionTimeoutMs = ''] = process.argv.slice(2)
const say = (word: string) => process.send?.(word)
const told = new Promise<void>((resolve) => process.once('message', () => resolve()))

const { source } = connectKafkajs({
  brokers: brokers.split(','),
  clientId: 'member',
  log: silentLogger,
  tuning: { sessionTimeoutMs: Number(sessionTimeoutMs), heartbeatMs: 200, fetchWaitMs: 100 },
})
await source.consume({
  topic,
  group: topic,
  positionOf: async () => null,
  onBatch: async (batch, isCurrent) => {
    say('began')
    await told
    say(isCurrent() ? 'current' : 'lost')
    return { kind: 'seek', offset: batch.readFrom }
  },
})
say('joined')
