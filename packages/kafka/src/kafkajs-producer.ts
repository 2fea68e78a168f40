import { fail, isFailure, isRetryable } from '@wegwijs/runtime/failure'
import { type Message, Partitioners, type Producer, type RecordMetadata } from 'kafkajs'
import { atMost, clientRetry, type KafkajsSettings, newClient } from './kafkajs-client.ts'
import { toFailure } from './kafkajs-failure.ts'
import type { OutgoingRecord, RecordPlace } from './port.ts'

/*
 * kafkajs numbers the records of an idempotent producer, and gives the numbers of a request that
 * failed to the next one. Had the broker kept the first, it would take the second for a repetition
 * and acknowledge it without keeping it: a loss that nobody sees. So after any failure the producer
 * is thrown away, and a new one with a new identity tries the same records again (P1).
 */

const REST_MS = 100

/** A producer, and the partition it chose for each message that is on its way. */
type Identity = { readonly producer: Producer; readonly chosen: WeakMap<Message, number> }

export class DisposableProducer {
  readonly #settings: KafkajsSettings
  #opened: Promise<Identity> | undefined

  constructor(settings: KafkajsSettings) {
    this.#settings = settings
  }

  /**
   * Sends one request, again and again until `untilMs` on the monotonic clock. One call at a time.
   *
   * @returns where each record came to rest, in the order given
   * @throws WegwijsError WEGWIJS_BROKER_UNAVAILABLE (retryable), WEGWIJS_TOPIC_UNKNOWN,
   *   WEGWIJS_PUBLISH_REFUSED
   */
  async send(records: readonly OutgoingRecord[], untilMs: number): Promise<RecordPlace[]> {
    const { clock } = this.#settings
    let isFresh = false
    for (;;) {
      try {
        return await this.#sendInTime(records, untilMs)
      } catch (error) {
        // One that was used before also fails on a topic which it once wrote to and which is gone.
        const mayBeAnother = isFailure(error, 'WEGWIJS_TOPIC_UNKNOWN') && !isFresh
        const isLate = clock.monotonicMs() + REST_MS >= untilMs
        if (!mayBeAnother && (!isRetryable(error) || isLate)) throw error
        isFresh = true
        if (mayBeAnother) continue
      }
      await clock.sleep(REST_MS)
    }
  }

  /** Throws the producer away; the next request begins with a new one. */
  async dispose(): Promise<void> {
    const { clock, tuning } = this.#settings
    const last = this.#opened
    this.#opened = undefined
    if (last === undefined) return
    const ended = last.then(({ producer }) => producer.disconnect())
    await atMost(clock, tuning.closeDeadlineMs, ended)
  }

  async #sendInTime(records: readonly OutgoingRecord[], untilMs: number): Promise<RecordPlace[]> {
    const { clock } = this.#settings
    const over = new AbortController()
    const late = clock.sleep(Math.max(0, untilMs - clock.monotonicMs()), over.signal).then(() => {
      throw fail('WEGWIJS_BROKER_UNAVAILABLE', { reason: 'no answer in time' })
    })
    try {
      return await Promise.race([this.#sendOnce(records), late])
    } catch (error) {
      void this.dispose()
      throw toFailure(error, records[0]?.topic)
    } finally {
      over.abort()
      late.catch(() => undefined)
    }
  }

  async #sendOnce(records: readonly OutgoingRecord[]): Promise<RecordPlace[]> {
    this.#opened ??= this.#open()
    const { producer, chosen } = await this.#opened
    const messages = records.map(({ key, value, headers }): Message => ({ key, value, headers }))
    const topicMessages = [...new Set(records.map(({ topic }) => topic))].map((topic) => ({
      topic,
      messages: messages.filter((_, index) => records[index]?.topic === topic),
    }))
    const answers = await producer.sendBatch({ acks: -1, topicMessages })
    const partitions = messages.map((message) => chosen.get(message))
    return placesOf(records, partitions, answers)
  }

  async #open(): Promise<Identity> {
    const chosen = new WeakMap<Message, number>()
    const choose = Partitioners.DefaultPartitioner()
    const producer = newClient(this.#settings).producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      retry: { ...clientRetry, retries: 3 },
      createPartitioner: () => (choice) => {
        const partition = choose(choice)
        chosen.set(choice.message, partition)
        return partition
      },
    })
    await producer.connect()
    return { producer, chosen }
  }
}

/**
 * Where each record came to rest. When a leader moves while kafkajs tries again, it can forget the
 * partitions that moved and still report success; they are then missing in the answer.
 *
 * @throws WegwijsError WEGWIJS_BROKER_UNAVAILABLE (retryable) when a record has no answer
 */
function placesOf(
  records: readonly OutgoingRecord[],
  partitions: readonly (number | undefined)[],
  answers: readonly RecordMetadata[],
): RecordPlace[] {
  const next = new Map<string, bigint>()
  for (const { topicName, partition, baseOffset } of answers) {
    if (baseOffset !== undefined) next.set(`${topicName}/${partition}`, BigInt(baseOffset))
  }
  return records.map(({ topic }, index) => {
    const partition = partitions[index]
    const offset = next.get(`${topic}/${partition}`)
    if (partition === undefined || offset === undefined || offset < 0n) {
      throw fail('WEGWIJS_BROKER_UNAVAILABLE', { reason: 'a record was not acknowledged' })
    }
    next.set(`${topic}/${partition}`, offset + 1n)
    return { topic, partition, offset }
  })
}
