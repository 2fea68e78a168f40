import type { Accepted } from '@wegwijs/system-tests/provider-files'
import { expect, test } from 'vitest'
import { openLedger } from './ledger.ts'
import type { MessageRecord } from './messages.ts'
import { type Evidence, judge } from './model.ts'

const past = '2026-03-01T10:00:00.000Z'
const future = '2999-01-01T00:00:00.000Z'
const clean = { lost: [], doubled: [], afterStop: [], outOfOrder: [], unasked: [] }

/** A ledger in which p1 has told of addresses 1 and 2 and then asked by these roads. */
function ledgerOf(roads: readonly string[], { acknowledged = true } = {}) {
  const ledger = openLedger()
  const say = (id: string, data: Record<string, string | { email: string }>) => {
    const event = { id, source: 's', type: 't', subject: 'p1', time: past, data }
    ledger.publishing('http', [event])
    if (acknowledged) ledger.acknowledged([event])
  }
  say('a1', { contacts: { email: 'p1.at1@example.org' } })
  say('a2', { contacts: { email: 'p1.at2@example.org' } })
  for (const road of roads) say(road, { reference: `p1/1/${road}` })
  return ledger
}

function line(road: string, over: Partial<Accepted> = {}): Accepted {
  return {
    channel: 'email',
    seq: 1,
    receivedAt: past,
    intentId: null,
    messageId: null,
    duplicate: false,
    from: '',
    to: 'p1.at2@example.org',
    subject: '',
    html: '',
    text: '',
    reference: `p1/1/${road}`,
    ...over,
  } as Accepted
}

function record(road: string, over: Partial<MessageRecord> = {}): MessageRecord {
  const usual = { state: 'delivered', reason: null, duplicate: false, acceptances: 1 } as const
  return { reference: `p1/1/${road}`, intentId: road, ...usual, ...over }
}

function judged(over: Partial<Evidence> & Pick<Evidence, 'ledger'>) {
  return judge({ accepted: [], records: [], isBounced: () => false, ...over })
}

test('what was asked for and came once is in order', () => {
  const evidence = { ledger: ledgerOf(['mail']), accepted: [line('mail')] }
  expect(judged(evidence)).toMatchObject({ ...clean, events: 3, asked: 1, accepted: 1 })
})

test('what was acknowledged and never came is lost, under the state it is in', () => {
  const ledger = ledgerOf(['mail', 'text'])
  const records = [record('mail', { state: 'planned' })]
  const { lost } = judged({ ledger, records })
  expect(lost).toEqual(['p1/1/mail (planned )', 'p1/1/text (never planned )'])
})

test('what was not acknowledged may be missing', () => {
  expect(judged({ ledger: ledgerOf(['mail'], { acknowledged: false }) })).toMatchObject(clean)
})

test('what is held because nobody knows is not lost, and is counted; held for another reason is', () => {
  const ledger = ledgerOf(['mail', 'text'])
  const records = [
    record('mail', { state: 'held', reason: 'outcome_unknown' }),
    record('text', { state: 'held', reason: 'another' }),
  ]
  const verdict = judged({ ledger, records })
  expect(verdict).toMatchObject({ held: 1, lost: ['p1/1/text (held another)'] })
})

test('a bounce excuses what the same person did not get, and nobody else', () => {
  const ledger = ledgerOf(['mail', 'again'])
  const accepted = [line('mail')]
  expect(judged({ ledger, accepted, isBounced: () => true }).lost).toEqual([])
  expect(judged({ ledger, accepted }).lost).toHaveLength(1)
})

test('an end that the fault allows is not lost', () => {
  const ledger = ledgerOf(['mail', 'text'])
  const records = [record('mail', { state: 'failed' }), record('text', { state: 'failed' })]
  const mayEnd: Evidence['mayEnd'] = ({ state, road }) => state === 'failed' && road === 'mail'
  expect(judged({ ledger, records, mayEnd }).lost).toEqual(['p1/1/text (failed )'])
})

test('a second line is a double unless it is marked and its class resends, once', () => {
  const ledger = ledgerOf(['mail', 'again'])
  const marked = (road: string) => line(road, { duplicate: true })
  const doubled = (...accepted: Accepted[]) => judged({ ledger, accepted }).doubled
  expect(doubled(line('mail'), line('mail'))).toEqual(['p1/1/mail'])
  expect(doubled(line('mail'), marked('mail'))).toEqual(['p1/1/mail'])
  expect(doubled(line('again'), marked('again'))).toEqual([])
  expect(doubled(line('again'), marked('again'), marked('again'))).toEqual(['p1/1/again'])
})

test('what nobody asked for is told', () => {
  const accepted = [line('mail'), line('text')]
  expect(judged({ ledger: ledgerOf(['mail']), accepted }).unasked).toEqual(['p1/1/text'])
})

test('an address that an earlier event had replaced shows that events were applied out of order', () => {
  const accepted = [line('mail', { to: 'p1.at1@example.org' })]
  expect(judged({ ledger: ledgerOf(['mail']), accepted }).outOfOrder).toEqual(['p1/1/mail'])
})

test('after the answer of a stop only that may arrive which was on its way', () => {
  const late = line('mail', { receivedAt: future })
  const afterStop = (messages: readonly MessageRecord[], accepted = late, answeredAt?: string) => {
    const ledger = ledgerOf(['mail'])
    ledger.stopping('p1')
    ledger.stopped('p1', { answeredAt: answeredAt ?? '2998-01-01T00:00:00.000Z', messages })
    return judged({ ledger, accepted: [accepted] }).afterStop
  }
  const violated = ['p1/1/mail']
  expect(afterStop([record('mail', { state: 'sending' })])).toEqual([])
  expect(afterStop([record('mail', { state: 'queued' })])).toEqual(violated)
  expect(afterStop([])).toEqual(violated)
  // It was resent after the stop, though the first time was before it.
  const resent = line('mail', { receivedAt: future, duplicate: true })
  expect(afterStop([record('mail', { state: 'sending' })], resent)).toEqual(violated)
  // Handed over and given up before the stop; what is resent after it is marked.
  const givenUp = record('mail', { state: 'planned', duplicate: true })
  expect(afterStop([record('mail', { state: 'held', reason: 'outcome_unknown' })])).toEqual([])
  expect(afterStop([givenUp])).toEqual([])
  expect(afterStop([givenUp], resent)).toEqual(violated)
  expect(afterStop([record('mail', { state: 'sending', duplicate: true })], resent)).toEqual([])
  // Asked for when the stop had been answered already.
  expect(afterStop([record('mail', { state: 'sending' })], late, past)).toEqual(violated)
  // Accepted before the answer.
  expect(afterStop([], line('mail'))).toEqual([])
})

test('who was stopped, or is being stopped, need not get anything', () => {
  const ledger = ledgerOf(['mail'])
  ledger.stopping('p1')
  expect(judged({ ledger, accepted: [] })).toMatchObject(clean)
})
