import type { MetFault } from '@wegwijs/sandbox/accepted'
import { expect, test } from 'vitest'
import type { MessageRecord } from './messages.ts'
import { isRefusedForGood, wrongEnds } from './provider-answers.ts'

type Met = Pick<MetFault, 'channel' | 'mode'>

const temporary: Met = { channel: 'email', mode: 'refuse4xx' }
const final: Met = { channel: 'email', mode: 'refuse5xx' }
const silent: Met = { channel: 'sms', mode: 'resetAfterAccept' }
const refused = { state: 'failed', reason: 'provider_refused' } as const
const held = { state: 'held', reason: 'outcome_unknown' } as const

function metAs(intentId: string, mets: readonly Met[]): MetFault[] {
  return mets.map((met) => ({ ...met, intentId, receivedAt: '2026-03-01T10:00:00.000Z' }))
}

function recordOf(intentId: string, over: Partial<MessageRecord>): MessageRecord {
  const usual = { state: 'sent', reason: null, duplicate: false, acceptances: 1 } as const
  const rest = { claimedAt: null, channels: {}, touchedAt: '2026-03-01T10:00:00.000Z' }
  return { reference: `p1/1/${intentId}`, intentId, ...usual, ...rest, ...over }
}

function wrong(mets: readonly Met[], over: Partial<MessageRecord> = {}): string[] {
  return wrongEnds(metAs('mail', mets), [recordOf('mail', over)])
}

test('only what met a no for good is refused, and all of it', () => {
  expect(wrong([final], refused)).toEqual([])
  expect(wrong([{ channel: 'sms', mode: 'refuse4xx' }], refused)).toEqual([])
  expect(wrong([temporary], refused)).toEqual([
    'p1/1/mail was refused without a no for good: met email refuse4xx, is failed provider_refused',
  ])
  expect(wrong([{ channel: 'sms', mode: 'refuse5xx' }], refused)).toHaveLength(1)
  expect(wrong([], refused)).toHaveLength(1)
  expect(wrong([final])).toHaveLength(1)
  expect(isRefusedForGood(metAs('mail', [temporary, final]), 'mail')).toBe(true)
  expect(isRefusedForGood(metAs('mail', [temporary]), 'mail')).toBe(false)
  expect(isRefusedForGood(metAs('text', [final]), 'mail')).toBe(false)
})

test('nobody knows of what met silence, and of nothing else', () => {
  expect(wrong([silent], held)).toEqual([])
  expect(wrong([silent], { duplicate: true })).toEqual([])
  expect(wrong([silent], { state: 'skipped', reason: 'person_deceased' })).toEqual([])
  // By its receipt.
  expect(wrong([silent], { state: 'delivered' })).toEqual([])
  expect(wrong([silent])).toEqual([
    'p1/1/mail is known though nobody told: met sms resetAfterAccept, is sent null',
  ])
  expect(wrong([temporary], held)).toHaveLength(1)
  expect(wrong([temporary], { duplicate: true })).toHaveLength(1)
  expect(wrong([], held)).toHaveLength(1)
})

test('of many that met a no for now some are sent', () => {
  const ids = ['1', '2', '3', '4', '5', '6']
  const met = ids.flatMap((id) => metAs(id, [temporary]))
  const skipped = { state: 'skipped', reason: 'person_deceased' } as const
  const records = ids.map((id) => recordOf(id, skipped))
  expect(wrongEnds(met, records)).toEqual(['of 6 messages that met a no for now none was sent'])
  expect(wrongEnds(met, [...records.slice(1), recordOf('1', {})])).toEqual([])
  expect(wrongEnds(met, records.slice(1))).toEqual([])
})
