import { compileDefinition } from '@wegwijs/campaign/compile'
import { createLogger } from '@wegwijs/runtime/log'
import { smallHospital } from '@wegwijs/test-support/small-hospital'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { expect, test } from 'vitest'
import { takeIn } from '../src/intake.ts'
import { watchPublisherClocks } from '../src/publisher-clocks.ts'

const definition = compileDefinition(1, smallHospital([]), [])
const time = '2026-03-02T10:04:00.000Z'
const appendedAt = '2026-03-02T10:00:00.000Z'

type Timed = { timestampMs: number; timestampBy: 'broker' | 'publisher' }

/** When a yes of that time was in Kafka, as the core is told; it is read at noon. */
function toldOf(timed: Timed, { stands = false } = {}) {
  const { value, headers } = encodeRecord({
    ...{ id: 'e1', source: 'urn:test:ehr', type: 'consent.granted.v1', subject: 'p1', time },
    data: { purpose: 'marketing', origin: 'person' },
  })
  const bytes = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])
  const record = { topic: 't', partition: 0, offset: 0n, key: null, value, ...timed }
  const taken = takeIn(
    { ...record, headers: Object.fromEntries(bytes) },
    { definition, now: '2026-03-02T12:00:00.000Z', stands, secret: '' },
  )
  return 'event' in taken ? taken.event.appendedAt : taken.rejection
}

const byBroker = (at: string): Timed => ({ timestampMs: Date.parse(at), timestampBy: 'broker' })

test('what a broker had before its own time is known to have been said by then (P3)', () => {
  expect(toldOf(byBroker(appendedAt))).toBe(appendedAt)
})

test('of all else it makes no difference when it was in Kafka', () => {
  expect(toldOf(byBroker(time))).toBeUndefined()
  expect(toldOf(byBroker('2026-03-02T10:05:00.000Z'))).toBeUndefined()
})

test('the clock of a publisher says nothing', () => {
  for (const timestampMs of [0, Date.parse(appendedAt)])
    expect(toldOf({ timestampMs, timestampBy: 'publisher' })).toBeUndefined()
})

test('in a rehearsal, where business time stands, the clock of a broker says nothing', () => {
  expect(toldOf(byBroker(appendedAt), { stands: true })).toBeUndefined()
})

test('a topic whose records have the clock of their publishers is told of once', () => {
  const lines: { topic?: string }[] = []
  const write = (line: string) => lines.push(JSON.parse(line))
  const watch = watchPublisherClocks(createLogger('journey', 'warn', { write }))
  const read = (topic: string, timed?: Timed) => {
    const bytes = { key: null, value: null, headers: {} }
    const records = timed ? [{ topic, partition: 0, offset: 0n, ...bytes, ...timed }] : []
    watch({ topic, partition: 0, readFrom: 0n, nextOffset: 1n, records })
  }
  const byPublisher: Timed = { timestampMs: 0, timestampBy: 'publisher' }
  read('right', byBroker(time))
  read('empty')
  read('wrong', byPublisher)
  read('wrong', byPublisher)
  read('wrong-too', byPublisher)
  expect(lines.map(({ topic }) => topic)).toEqual(['wrong', 'wrong-too'])
})
