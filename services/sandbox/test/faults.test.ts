import { lot } from '@wegwijs/dry-run/outcome-model'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createFaults, readFault } from '../src/faults.ts'
import { readRates, receiptOf, receiptsOf, usualRates } from '../src/outcomes.ts'

describe('chance', () => {
  test('is the same for the same parts, and spread from 0 up to 1', () => {
    fc.assert(
      fc.property(fc.uuid(), (id) => {
        const drawn = lot('fault', id)
        expect(drawn).toBe(lot('fault', id))
        expect(drawn).toBeGreaterThanOrEqual(0)
        expect(drawn).toBeLessThan(1)
      }),
    )
    const drawn = Array.from({ length: 10_000 }, (_, index) => lot('spread', String(index)))
    const below = (limit: number) => drawn.filter((each) => each < limit).length / drawn.length
    expect(below(0.1)).toBeCloseTo(0.1, 1)
    expect(below(0.5)).toBeCloseTo(0.5, 1)
  })
})

describe('faults', () => {
  test('meet the intents that their rate says, the same ones each time', () => {
    const ids = Array.from({ length: 2_000 }, (_, index) => `intent-${index}`)
    const meets = () => {
      const faults = createFaults()
      faults.set({ channel: 'sms', mode: 'hang', rate: 0.25 })
      return ids.filter((id) => faults.meet('sms', id) !== undefined)
    }
    expect(meets()).toEqual(meets())
    expect(meets().length / ids.length).toBeCloseTo(0.25, 1)
  })

  test('of rate 1 meet everybody, of rate 0 nobody, and only on their channel', () => {
    const faults = createFaults()
    faults.set({ channel: 'email', mode: 'hang', rate: 1 })
    faults.set({ channel: 'sms', mode: 'hang', rate: 0 })
    expect(faults.meet('email', 'a')?.mode).toBe('hang')
    expect(faults.meet('sms', 'a')).toBeUndefined()
  })

  test('with times meet each intent that often', () => {
    const faults = createFaults()
    faults.set({ channel: 'sms', mode: 'refuse5xx', rate: 1, times: 2 })
    faults.set({ channel: 'sms', mode: 'slow', rate: 1 })
    const modes = (id: string) => [1, 2, 3].map(() => faults.meet('sms', id)?.mode)
    expect(modes('a')).toEqual(['refuse5xx', 'refuse5xx', 'slow'])
    expect(modes('b')).toEqual(['refuse5xx', 'refuse5xx', 'slow'])
  })

  test('of one channel and mode take each other’s place; clearing takes them away', () => {
    const faults = createFaults()
    faults.set({ channel: 'sms', mode: 'hang', rate: 1 })
    faults.set({ channel: 'sms', mode: 'hang', rate: 0.5 })
    faults.set({ channel: 'email', mode: 'hang', rate: 1 })
    expect(faults.list()).toHaveLength(2)
    faults.clear('sms')
    expect(faults.list()).toEqual([{ channel: 'email', mode: 'hang', rate: 1 }])
    faults.clear()
    expect(faults.list()).toEqual([])
  })

  test.each([
    [
      { channel: 'sms', mode: 'hang' },
      { channel: 'sms', mode: 'hang', rate: 1 },
    ],
    [
      { channel: 'email', mode: 'slow', rate: 0.5, times: 1, delayMs: 10 },
      { channel: 'email', mode: 'slow', rate: 0.5, times: 1, delayMs: 10 },
    ],
    [{ channel: 'app', mode: 'hang' }, 'channel: expected email or sms'],
    [{ channel: 'sms', mode: 'explode' }, expect.stringContaining('mode: expected one of')],
    [{ channel: 'sms', mode: 'hang', rate: 2 }, 'rate: expected 0 to 1'],
    [{ channel: 'sms', mode: 'hang', rate: Number.NaN }, 'rate: expected 0 to 1'],
    [{ channel: 'sms', mode: 'hang', times: -1 }, 'times: expected a whole number from 0'],
    [{ channel: 'sms', mode: 'hang', rat: 1 }, 'unknown: rat'],
    ['hang', 'expected an object'],
    [null, 'expected an object'],
  ])('are read from %j', (value, expected) => {
    expect(readFault(value)).toEqual(expected)
  })
})

describe('what becomes of a message', () => {
  const message = (intentId: string | null) => ({
    channel: 'sms' as const,
    seq: 1,
    receivedAt: '2026-03-01T12:00:00.000Z',
    intentId: intentId ?? '',
    idempotencyKey: null,
    duplicate: false,
    from: 'a',
    to: '+31612345678',
    text: 'x',
    validitySeconds: null,
    reference: 'r',
  })

  test('is decided by its intent, in the shares that are set', () => {
    const ids = fc.sample(fc.uuid(), { numRuns: 4_000, seed: 1 })
    const outcomes = ids.map((id) => receiptOf(message(id), { bounced: 0.2, none: 0.1 })?.status)
    const share = (status: string | undefined) =>
      outcomes.filter((outcome) => outcome === status).length / ids.length
    expect(share('delivered')).toBeCloseTo(0.7, 1)
    expect(share('bounced')).toBeCloseTo(0.2, 1)
    expect(share(undefined)).toBeCloseTo(0.1, 1)
  })

  test('is one receipt, however often it is asked', () => {
    const id = '0190a3c0-0000-7000-8000-000000000001'
    const receipt = receiptOf(message(id), usualRates)
    expect(receipt).toEqual(receiptOf(message(id), usualRates))
    expect(receipt).toMatchObject({ reference: id, at: '2026-03-01T12:00:00.000Z' })
  })

  test('is nothing for a message that is not ours', () => {
    expect(receiptOf(message('campaign-17'), usualRates)).toBeUndefined()
  })

  test('an answer comes after the delivery, and says nothing of what was written', () => {
    const id = '0190a3c0-0000-7000-8000-000000000001'
    const receipts = receiptsOf(message(id), { bounced: 0, none: 0, answered: 1 })
    expect(receipts.map(({ status }) => status)).toEqual(['delivered', 'replied'])
    expect(receipts[1]).not.toHaveProperty('detail')
  })

  test.each<[unknown, unknown]>([
    [
      { bounced: 0.1, seed: 'spring' },
      { bounced: 0.1, none: 0, answered: 0, seed: 'spring' },
    ],
    [{}, { bounced: 0, none: 0, answered: 0 }],
    [{ bounced: 2 }, 'bounced: expected 0 to 1'],
    [{ bounced: 0.6, none: 0.6 }, 'more than 1 together'],
    [{ lost: 1 }, 'unknown: lost'],
    [{ seed: '' }, 'seed: expected a text'],
    ['often', 'expected an object'],
  ])('rates sent as %j are read as %j', (sent, read) => {
    expect(readRates(sent)).toEqual(read)
  })
})
