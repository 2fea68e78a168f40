import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { signBody, signEvent, verifyBody, verifyEvent } from '../src/signature.ts'
import type { TouchpointEvent } from '../src/touchpoint-event.ts'
import { anyEvent, booked } from './events.ts'

const SECRET = 'a secret of at least thirty-two characters'
const INTENT = '01980c1e-7f3a-7b21-8a6e-0123456789ab'
const sent: TouchpointEvent = {
  id: 'sent-1',
  source: 'urn:wegwijs:sint_jan',
  type: 'message.sent.v1',
  subject: 'PAT-0047',
  time: '2026-03-14T08:30:00.000Z',
  data: { intentId: INTENT, provider: 'smtp', channel: 'email' },
}

describe('signEvent and verifyEvent', () => {
  it('know what was signed with the same secret, and nothing else', () => {
    const signed = signEvent(sent, SECRET)
    expect(signed.signature).toMatch(/^[0-9a-f]{64}$/)
    expect(sent).not.toHaveProperty('signature')
    expect(verifyEvent(signed, SECRET)).toBe(true)
    expect(verifyEvent(signed, `${SECRET}!`)).toBe(false)
    expect(verifyEvent(sent, SECRET)).toBe(false)
    expect(verifyEvent({ ...signed, signature: '' }, SECRET)).toBe(false)
    expect(
      verifyEvent({ ...signed, signature: `${signed.signature?.slice(0, -1)}x` }, SECRET),
    ).toBe(false)
    expect(verifyEvent({ ...signed, signature: 'é'.repeat(64) }, SECRET)).toBe(false)
  })

  it.each<[string, Partial<TouchpointEvent>]>([
    ['id', { id: 'sent-2' }],
    ['source', { source: 'urn:wegwijs:other' }],
    ['type', { type: 'message.delivered.v1' }],
    ['subject', { subject: 'PAT-0048' }],
    ['intent', { data: { ...sent.data, intentId: INTENT.replace('0', '1') } }],
  ])('notice another %s', (_, change) => {
    expect(verifyEvent({ ...signEvent(sent, SECRET), ...change }, SECRET)).toBe(false)
  })

  it('notice letters that moved from one attribute to the next', () => {
    const signed = signEvent({ ...sent, id: 'ab', source: 'c' }, SECRET)
    expect(verifyEvent({ ...signed, id: 'a', source: 'bc' }, SECRET)).toBe(false)
  })

  it('hold for every event', () => {
    fc.assert(fc.property(anyEvent, (event) => verifyEvent(signEvent(event, SECRET), SECRET)))
    expect(verifyEvent(signEvent(booked, SECRET), SECRET)).toBe(true)
  })
})

describe('signBody and verifyBody', () => {
  it('sign the bytes as they were sent', () => {
    const body = Buffer.from('{"receipts":[]}')
    const signature = signBody(body, SECRET)
    expect(signature).toBe(signBody('{"receipts":[]}', SECRET))
    expect(verifyBody(body, signature, SECRET)).toBe(true)
    expect(verifyBody('{"receipts": []}', signature, SECRET)).toBe(false)
    expect(verifyBody(body, undefined, SECRET)).toBe(false)
    expect(verifyBody(body, signature, 'another')).toBe(false)
  })
})
