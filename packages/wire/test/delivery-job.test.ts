import { describe, expect, it } from 'vitest'
import {
  deliveryJobId,
  deliveryJobSchema,
  maxIntentsPerJob,
  queueName,
  queueNames,
} from '../src/delivery-job.ts'

const INTENT = '01980c1e-7f3a-7b21-8a6e-0123456789ab'
const takes = (job: unknown) => deliveryJobSchema.safeParse(job).success

describe('a delivery job', () => {
  it('names 1 to 50 intents and holds nothing else (P7)', () => {
    expect(takes({ intents: [INTENT] })).toBe(true)
    expect(takes({ intents: Array(maxIntentsPerJob).fill(INTENT) })).toBe(true)
    expect(takes({ intents: Array(maxIntentsPerJob + 1).fill(INTENT) })).toBe(false)
    expect(takes({ intents: [] })).toBe(false)
    expect(takes({ intents: ['fatima@example.org'] })).toBe(false)
    expect(takes({ intents: [INTENT], to: 'fatima@example.org' })).toBe(false)
    expect(takes({})).toBe(false)
  })

  it('has an id that BullMQ takes: no colon, not digits only', () => {
    expect(deliveryJobId(INTENT)).toBe(`job-${INTENT}`)
    expect(deliveryJobId('42')).toMatch(/^[^:]*[^\d:][^:]*$/)
  })
})

describe('queues', () => {
  it('are one per channel and lane', () => {
    expect(queueName('email', 'bulk')).toBe('deliver.email.bulk')
    expect(queueNames()).toHaveLength(9)
    expect(new Set(queueNames()).size).toBe(9)
    expect(queueNames()[0]).toBe('deliver.email.transactional')
  })
})
