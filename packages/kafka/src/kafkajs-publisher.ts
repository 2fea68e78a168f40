import { fail, isFailure, isRetryable } from '@wegwijs/runtime/failure'
import { createGroupCommit } from '@wegwijs/runtime/group-commit'
import { type Message, Partitioners, type Producer, type RecordMetadata } from 'kafkajs'
import { atMost, clientRetry, type KafkajsSettings, newClient } from './kafkajs-client.ts'
import { toFailure } from './kafkajs-failure.ts'
import type { EventPublisher, OutgoingRecord, RecordPlace } from './port.ts'
import { bytesOf } from './record-bytes.ts'

/*
 * One request is on its way at a time; what callers publish meanwhile goes into the next one
 * together. So the order within a key is the order of the calls, and many small calls cost little.
 *
 * kafkajs numbers the records of an idempotent producer, and gives the numbers of a request that
 * failed to the next one. Had the broker kept the first, it would take the second for a repetition
 * and acknowledge it without keeping it: a loss that nobody sees. So after any failure the producer
 * is thrown away, and a new one with a new identity tries the same records again (P1).
 */

/** One call of `publish`. Records of a call that is over are not sent any more. */
type Call = { readonly records: readonly OutgoingRecord[]; readonly untilMs: number }

type Settled = { readonly places: RecordPlace[] } | { readonly error: unknown }

/** A topic takes at least this much in one request to one partition (`max.message.bytes`). */
const MAX_REQUEST_BYTES = 400_000
const MAX_CALLS_TOGETHER = 1_000
const REST_MS = 100

/** A producer, and the partition it chose for each message of requests that are on their way. */
type Line = { readonly producer: Producer; readonly chosen: WeakMap<Message, number> }

export function createPublisher(settings: KafkajsSettings): EventPublisher {
  const { clock, tuning } = settings
  let opened: Promise<Line> | undefined

  const open = async (): Promise<Line> => {
    const chosen = new WeakMap<Message, number>()
    const choose = Partitioners.DefaultPartitioner()
    const producer = newClient(settings).producer({
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

  const release = async () => {
    const last = opened
    opened = undefined
    if (last === undefined) return
    const ended = last.then(({ producer }) => producer.disconnect())
    await atMost(clock, tuning.closeDeadlineMs, ended)
  }

  const sendOnce = async (records: readonly OutgoingRecord[]): Promise<RecordPlace[]> => {
    opened ??= open()
    const { producer, chosen } = await opened
    const messages = records.map(({ key, value, headers }): Message => ({ key, value, headers }))
    const topicMessages = [...new Set(records.map(({ topic }) => topic))].map((topic) => ({
      topic,
      messages: messages.filter((_, index) => records[index]?.topic === topic),
    }))
    const answers = await producer.sendBatch({ acks: -1, topicMessages })
    const partitions = messages.map((message) => chosen.get(message))
    return placesOf(records, partitions, answers)
  }

  const sendUntil = async (records: readonly OutgoingRecord[], untilMs: number) => {
    const over = new AbortController()
    const late = clock.sleep(Math.max(0, untilMs - clock.monotonicMs()), over.signal).then(() => {
      throw fail('WEGWIJS_BROKER_UNAVAILABLE', { reason: 'no answer in time' })
    })
    try {
      return await Promise.race([sendOnce(records), late])
    } catch (error) {
      void release()
      throw toFailure(error, records[0]?.topic)
    } finally {
      over.abort()
      late.catch(() => undefined)
    }
  }

  const sendStubbornly = async (records: readonly OutgoingRecord[], untilMs: number) => {
    let isFresh = false
    for (;;) {
      try {
        return await sendUntil(records, untilMs)
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

  const sendCalls = async (calls: readonly Call[]): Promise<Settled[]> => {
    const untilMs = Math.max(...calls.map((call) => call.untilMs))
    try {
      const places: RecordPlace[] = []
      for (const request of inRequests(calls.flatMap((call) => call.records))) {
        places.push(...(await sendStubbornly(request, untilMs)))
      }
      return calls.map((call) => ({ places: places.splice(0, call.records.length) }))
    } catch (error) {
      if (calls.length === 1 || isRetryable(error)) return calls.map(() => ({ error }))
    }
    // One of them is refused for good; the others must not be refused with it.
    const settled: Settled[] = []
    for (const call of calls) settled.push(...(await sendCalls([call])))
    return settled
  }

  const write = async (calls: Call[]): Promise<Settled[]> => {
    const alive = calls.filter((call) => call.untilMs > clock.monotonicMs())
    const settled = alive.length === 0 ? [] : await sendCalls(alive)
    const byCall = new Map(alive.map((call, index) => [call, settled[index]]))
    return calls.map((call) => byCall.get(call) ?? { error: undefined })
  }

  const commits = createGroupCommit(write, { maxItems: MAX_CALLS_TOGETHER })

  return {
    async publish(records, { deadlineMs }) {
      if (records.length === 0) return []
      const missed = () =>
        fail('WEGWIJS_PUBLISH_DEADLINE', { topic: records[0]?.topic ?? '', deadlineMs })
      const over = new AbortController()
      const late = clock.sleep(deadlineMs, over.signal).then(() => {
        throw missed()
      })
      const call = { records, untilMs: clock.monotonicMs() + deadlineMs }
      try {
        const settled = await Promise.race([commits.add(call), late])
        if ('places' in settled) return settled.places
        throw isRetryable(settled.error) || settled.error === undefined ? missed() : settled.error
      } finally {
        over.abort()
        late.catch(() => undefined)
      }
    },
    async close() {
      await atMost(clock, tuning.closeDeadlineMs, commits.drain())
      await release()
    },
  }
}

/** Cuts what is to be sent into requests that every partition takes, in order. */
function inRequests(records: readonly OutgoingRecord[]): OutgoingRecord[][] {
  const requests: OutgoingRecord[][] = []
  let room = 0
  for (const record of records) {
    const bytes = bytesOf(record)
    if (bytes > room || requests.length === 0) {
      requests.push([])
      room = MAX_REQUEST_BYTES
    }
    requests.at(-1)?.push(record)
    room -= bytes
  }
  return requests
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
