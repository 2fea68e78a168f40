import { expect, test } from 'vitest'
import { type DueMessage, sendInTurn } from '../src/due-messages.ts'

const eight = '2026-03-02T08:00:00.000Z'
const nine = '2026-03-02T09:00:00.000Z'

const due = (intentId: string, dueAt: string, receiver: number | null = 1): DueMessage => ({
  person: 1,
  receiver,
  plannedFor: dueAt,
  dueAt,
  intent: { intentId, campaignId: 'c', expiresAt: '2026-03-09T08:00:00.000Z' },
})

test('of one receiver what was due first, then the lower id, whoever planned it', () => {
  const sent: string[] = []
  sendInTurn([due('b', nine), due('c', eight), due('a', nine)], ({ intent }) => {
    sent.push(intent.intentId)
    return null
  })
  expect(sent).toEqual(['c', 'a', 'b'])
})

test('what waits for another one comes again when that has had its turn, and not before', () => {
  const sent: string[] = []
  sendInTurn([due('a', nine), due('b', nine), due('c', nine)], ({ intent: { intentId } }) => {
    sent.push(intentId)
    return intentId === 'a' && !sent.includes('c') ? 'behind' : null
  })
  expect(sent).toEqual(['a', 'b', 'a', 'c', 'a'])
})

test('what a channel did not take comes behind what was due before it is due again', () => {
  const sent: string[] = []
  sendInTurn([due('a', eight), due('b', '2026-03-02T08:30:00.000Z')], ({ intent }) => {
    sent.push(intent.intentId)
    return sent.length === 1 ? nine : null
  })
  expect(sent).toEqual(['a', 'b', 'a'])
})
