import type { Status } from '@wegwijs/store/status'
import { expect, test } from 'vitest'
import { duration, type Outcome, summaryLines } from '../src/summary.ts'

const position = {
  topic: 't',
  partition: 0,
  nextOffset: '0',
  applied: 0,
  duplicates: 0,
  deadLettered: 0,
  updatedAt: '2026-01-01T00:00:00.000Z',
}

const nothing: Status = {
  businessNow: '2026-03-02T08:00:00.000Z',
  rehearsal: true,
  durability: { lax: [], standbys: 0, synchronous: false },
  revision: 1,
  people: 0,
  events: 0,
  messages: {},
  unsent: [],
  enrolments: {},
  campaigns: [],
  waiting: [],
  positions: [],
  deadLetters: { open: 0, replayed: 0, byClass: {} },
  unapplied: {},
  stops: [],
  reach: [],
}

function linesOf(status: Partial<Status>, more: Partial<Outcome> = {}): string[] {
  return summaryLines({
    status: { ...nothing, ...status },
    published: 0,
    channels: { email: 0, sms: 0, app: 0 },
    days: 3,
    seconds: 5,
    ...more,
  })
}

const row = (lines: string[], name: string) => lines.find((line) => line.trim().startsWith(name))

test('events are those that were published, and what came beyond them are receipts', () => {
  const positions = [
    { ...position, applied: 900, duplicates: 30 },
    { ...position, applied: 400, duplicates: 1, deadLettered: 2 },
  ]
  const deadLetters = { open: 2, replayed: 0, byClass: { unknown_type: 2 } }
  const lines = linesOf({ positions, deadLetters }, { published: 1_000 })
  expect(row(lines, 'events in')).toMatch(/1,000 {2}31 came twice, counted once$/)
  expect(row(lines, 'receipts back')).toMatch(/ 333 /)
  expect(row(lines, 'dead letters')).toMatch(/ 2 {2}2 unknown_type$/)
})

test('a message is sent once, however it went on from there', () => {
  const messages = { sent: 1, delivered: 20, bounced: 2, skipped: 3, cancelled: 4 }
  const lines = linesOf({ messages }, { channels: { email: 10, sms: 8, app: 5 } })
  expect(row(lines, 'messages planned')).toMatch(/ 30$/)
  expect(row(lines, 'sent')).toMatch(/ 23 {2}10 by e-mail, 8 by SMS, 5 in the app$/)
  expect(row(lines, 'not sent')).toMatch(/ 7$/)
  expect(lines.join('\n')).not.toContain('still to be sent')
})

test('why messages were not sent is said in words', () => {
  const unsent = [{ state: 'skipped' as const, reason: 'person_deceased', count: 3 }]
  const lines = linesOf({ unsent, messages: { skipped: 3, planned: 2 } })
  expect(lines.join('\n')).toMatch(/ 3 {2}skipped: the person has died$/m)
  expect(row(lines, 'still to be sent')).toMatch(/ 2$/)
})

test.each([
  [0.4, '0 s'],
  [59, '59 s'],
  [59.6, '1 min 0 s'],
  [600, '10 min 0 s'],
])('%d seconds are said as %s', (seconds, words) => {
  expect(duration(seconds)).toBe(words)
})
