import { fail, isRetryable } from '@wegwijs/runtime/failure'
import { createGroupCommit } from '@wegwijs/runtime/group-commit'
import { atMost, type KafkajsSettings } from './kafkajs-client.ts'
import { DisposableProducer } from './kafkajs-producer.ts'
import type { EventPublisher, OutgoingRecord, RecordPlace } from './port.ts'
import { bytesOf } from './record-bytes.ts'

/*
 * One request is on its way at a time; what callers publish meanwhile goes into the next one
 * together. So the order within a key is the order of the calls, and many small calls cost little.
 */

/** One call of `publish`. Records of a call that is over are not sent any more. */
type Call = { readonly records: readonly OutgoingRecord[]; readonly untilMs: number }

type Settled = { readonly places: RecordPlace[] } | { readonly error: unknown }

/** A topic takes at least this much in one request to one partition (`max.message.bytes`). */
const MAX_REQUEST_BYTES = 400_000
const MAX_CALLS_TOGETHER = 1_000

export function createPublisher(settings: KafkajsSettings): EventPublisher {
  const { clock, tuning } = settings
  const producer = new DisposableProducer(settings)

  const sendTogether = async (calls: readonly Call[]): Promise<Settled[]> => {
    const untilMs = Math.max(...calls.map((call) => call.untilMs))
    const places: RecordPlace[] = []
    for (const request of inRequests(calls.flatMap((call) => call.records))) {
      places.push(...(await producer.send(request, untilMs)))
    }
    return calls.map((call) => ({ places: places.splice(0, call.records.length) }))
  }

  const send = async (calls: readonly Call[]): Promise<Settled[]> => {
    try {
      return await sendTogether(calls)
    } catch (error) {
      if (calls.length === 1 || isRetryable(error)) return calls.map(() => ({ error }))
    }
    // One of them is refused for good; the others must not be refused with it.
    const settled: Settled[] = []
    for (const call of calls) settled.push(...(await send([call])))
    return settled
  }

  const commits = createGroupCommit(
    async (calls: Call[]): Promise<Settled[]> => {
      const alive = calls.filter((call) => call.untilMs > clock.monotonicMs())
      const settled = alive.length === 0 ? [] : await send(alive)
      const byCall = new Map(alive.map((call, index) => [call, settled[index]]))
      return calls.map((call) => byCall.get(call) ?? { error: undefined })
    },
    { maxItems: MAX_CALLS_TOGETHER },
  )

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
      await producer.dispose()
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
