import { expect, test } from 'vitest'
import { appendTimeOf, originalTimestampHeader, type TimedRecord } from '../src/append-time.ts'

const noon = '2026-03-02T12:00:00.000Z'
const record = (over: Partial<TimedRecord>, header?: string): TimedRecord => ({
  timestampMs: Date.parse(noon),
  timestampBy: 'broker',
  headers: header === undefined ? {} : { [originalTimestampHeader]: Buffer.from(header) },
  ...over,
})

test('a record came when its broker appended it', () => {
  expect(appendTimeOf(record({}))).toBe(noon)
})

test('the clock of a publisher says nothing of when a record came', () => {
  for (const timestampMs of [0, Date.parse(noon), Date.parse('2031-01-01T00:00:00Z')])
    expect(appendTimeOf(record({ timestampMs, timestampBy: 'publisher' }))).toBeNull()
})

test('of a dead letter that was replayed it is when it came first, never later', () => {
  const before = '2026-03-01T08:00:00.000Z'
  expect(appendTimeOf(record({}, before))).toBe(before)
  expect(appendTimeOf(record({ timestampBy: 'publisher' }, before))).toBe(before)
  expect(appendTimeOf(record({}, '2026-03-03T08:00:00.000Z'))).toBe(noon)
})

test.each(['', 'yesterday', '-000001-01-01T00:00:00Z', '+275760-09-13T00:00:00Z', '\u0000'])(
  'a header that names no moment says nothing: %j',
  (header) => {
    expect(appendTimeOf(record({}, header))).toBe(noon)
    expect(appendTimeOf(record({ timestampBy: 'publisher' }, header))).toBeNull()
  },
)

test.each([-1, Number.NaN, 8.64e15])('neither does a timestamp that is none: %d', (timestampMs) => {
  expect(appendTimeOf(record({ timestampMs }))).toBeNull()
})
