import fc from 'fast-check'
import type { Batch, KafkaMessage } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { partsOf } from '../src/kafkajs-record.ts'

const message = (offset: bigint, headers: KafkaMessage['headers'] = {}): KafkaMessage => ({
  key: Buffer.from('anna'),
  value: Buffer.from('x'),
  timestamp: '1700000000000',
  attributes: 0,
  offset: String(offset),
  headers,
})

const batchOf = (messages: KafkaMessage[], lastOffset: bigint): Batch => ({
  topic: 'touchpoints',
  partition: 2,
  highWatermark: String(lastOffset + 1n),
  messages,
  isEmpty: () => messages.length === 0,
  firstOffset: () => messages[0]?.offset ?? null,
  lastOffset: () => String(lastOffset),
  offsetLag: () => '0',
  offsetLagLow: () => '0',
})

describe('a fetched batch', () => {
  it('becomes parts that follow each other and hold every record from the position on', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(
        gaps,
        fc.nat(3),
        fc.nat(10),
        fc.integer({ min: 1, max: 9 }),
        (steps, marker, from, size) => {
          let offset = 0n
          const offsets = steps.map((step) => {
            offset += BigInt(step)
            return offset
          })
          const position = BigInt(from)
          const last = offset + BigInt(marker)
          const parts = partsOf(
            batchOf(
              offsets.map((one) => message(one)),
              last,
            ),
            position,
            size,
          )
          const wanted = offsets.filter((one) => one >= position)
          expect(parts.flatMap(({ records }) => records.map((record) => record.offset))).toEqual(
            wanted,
          )
          let expected = position
          for (const part of parts) {
            expect(part.readFrom).toBe(expected)
            expect(part.records.length).toBeGreaterThan(0)
            expect(part.records.length).toBeLessThanOrEqual(size)
            expect(part.nextOffset).toBeGreaterThan(part.records.at(-1)?.offset ?? part.nextOffset)
            expected = part.nextOffset
          }
          // Markers after the last record are behind us with it.
          if (parts.length > 0) expect(expected).toBe(last + 1n)
        },
      ),
    )
  })

  it('keeps the first of a header that comes twice, and none without a value', () => {
    // Kafka allows a value that is none, and kafkajs does not declare it.
    const headers = {
      ...{ once: 'a', twice: [Buffer.from('b'), 'c'], never: undefined },
      ...{ empty: null, first: [null, 'd'], ['__proto__']: 'e' },
    } as unknown as KafkaMessage['headers']
    const [part] = partsOf(batchOf([message(4n, headers)], 4n), 4n, 10)
    const [record] = part?.records ?? []
    expect(Object.entries(record?.headers ?? {})).toEqual([
      ['once', Buffer.from('a')],
      ['twice', Buffer.from('b')],
      ['__proto__', Buffer.from('e')],
    ])
    expect(record).toMatchObject({ partition: 2, offset: 4n, timestampMs: 1_700_000_000_000 })
  })
})
