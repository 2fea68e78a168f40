import { isReservedType } from '@wegwijs/campaign/reserved-types'
import { describe, expect, it } from 'vitest'
import {
  maxReceiptsPerRequest,
  messageType,
  receiptSchema,
  receiptStatuses,
  receiptsSchema,
} from '../src/receipt.ts'

const receipt = {
  receiptId: 'r-1',
  reference: '01980c1e-7f3a-7b21-8a6e-0123456789ab',
  status: 'delivered',
  at: '2026-03-14T08:30:00Z',
}
const takes = (changes: object) => receiptSchema.safeParse({ ...receipt, ...changes }).success

describe('a receipt', () => {
  it('says which message, what became of it, and when', () => {
    expect(takes({})).toBe(true)
    expect(takes({ at: '2026-03-14T09:30:00.5+01:00', detail: 'mailbox_full' })).toBe(true)
    expect(takes({ receiptId: '' })).toBe(false)
    expect(takes({ reference: 'x' })).toBe(false)
    expect(takes({ status: 'read' })).toBe(false)
    expect(takes({ at: 'today' })).toBe(false)
    expect(takes({ to: 'fatima@example.org' })).toBe(false)
  })

  it('becomes an event of a reserved type, whatever it says', () => {
    for (const status of receiptStatuses) expect(isReservedType(messageType(status))).toBe(true)
  })
})

describe('a request with receipts', () => {
  const takesCount = (count: number) =>
    receiptsSchema.safeParse({ receipts: Array(count).fill(receipt) }).success

  it('carries at least one and a bounded number', () => {
    expect([0, 1, maxReceiptsPerRequest, maxReceiptsPerRequest + 1].map(takesCount)).toEqual([
      false,
      true,
      true,
      false,
    ])
  })
})
