import type { Accepted } from '@wegwijs/system-tests/provider-files'
import { expect, test } from 'vitest'
import { openLedger } from './ledger.ts'
import type { MessageRecord } from './messages.ts'
import { type Evidence, emptyVerdict, judge, notJudged } from './model.ts'

const past = '2026-03-01T10:00:00.000Z'
const answeredAt = '2998-01-01T00:00:00.000Z'
/** So many seconds after the answer of a stop. */
const after = (seconds: number) => new Date(Date.parse(answeredAt) + seconds * 1_000).toISOString()
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
  const times = { claimedAt: null, touchedAt: past }
  return { reference: `p1/1/${road}`, intentId: road, channels: {}, ...usual, ...times, ...over }
}

function judged(over: Partial<Evidence> & Pick<Evidence, 'ledger'>) {
  const nothing = { handOvers: [], records: [], refusals: new Map(), isBounced: () => false }
  return judge({ ...nothing, ...over })
}

test('what was asked for and came once is in order', () => {
  const evidence = { ledger: ledgerOf(['mail']), handOvers: [line('mail')] }
  expect(judged(evidence)).toMatchObject({
    ...clean,
    ...{ events: 3, asked: 1, accepted: 1 },
    judged: { lost: 1, doubled: 1, afterStop: 0, outOfOrder: 1 },
  })
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

test('a bounce excuses what was skipped for its address after it, and nothing else', () => {
  const refused: Partial<MessageRecord> = {
    state: 'skipped',
    reason: 'no_usable_channel',
    channels: { email: 'contact_refused' },
  }
  const lost = (over: Partial<MessageRecord>, bounce: Partial<Accepted> = {}) =>
    judged({
      ledger: ledgerOf(['mail', 'again']),
      handOvers: [line('mail', bounce)],
      records: [record('again', { ...refused, ...over })],
      isBounced: () => true,
    }).lost
  expect(lost({})).toEqual([])
  expect(lost({ state: 'planned', reason: null })).toHaveLength(1)
  expect(lost({ channels: { email: 'contact_missing' } })).toHaveLength(1)
  // Another address, another channel, and a bounce that nobody had heard of.
  expect(lost({}, { to: 'p1.at1@example.org' })).toHaveLength(1)
  expect(lost({}, { channel: 'sms', to: '+31612345678' })).toHaveLength(1)
  expect(lost({}, { receivedAt: answeredAt })).toHaveLength(1)
  const sms = { channel: 'sms', to: '+31612345678' } as const
  expect(lost({ channels: { sms: 'contact_refused' } }, sms)).toEqual([])
  // Nothing of this person has bounced.
  const evidence = { ledger: ledgerOf(['again']), records: [record('again', refused)] }
  expect(judged(evidence).lost).toEqual(['p1/1/again (skipped no_usable_channel)'])
})

test('an end that the fault allows is not lost', () => {
  const ledger = ledgerOf(['mail', 'text'])
  const records = [record('mail', { state: 'failed' }), record('text', { state: 'failed' })]
  const mayEnd: Evidence['mayEnd'] = ({ state, road }) => state === 'failed' && road === 'mail'
  expect(judged({ ledger, records, mayEnd }).lost).toEqual(['p1/1/text (failed )'])
})

test('a second hand-over is a double unless it is marked and its class resends, once', () => {
  const ledger = ledgerOf(['mail', 'again'])
  const marked = (road: string) => line(road, { duplicate: true })
  const doubled = (...handOvers: Accepted[]) => judged({ ledger, handOvers }).doubled
  expect(doubled(line('mail'), line('mail'))).toEqual(['p1/1/mail'])
  expect(doubled(line('mail'), marked('mail'))).toEqual(['p1/1/mail'])
  expect(doubled(line('again'), marked('again'))).toEqual([])
  expect(doubled(line('again'), marked('again'), marked('again'))).toEqual(['p1/1/again'])
})

test('what nobody asked for is told', () => {
  const handOvers = [line('mail'), line('text')]
  expect(judged({ ledger: ledgerOf(['mail']), handOvers }).unasked).toEqual(['p1/1/text'])
})

test('an address that an earlier event had replaced shows that events were applied out of order', () => {
  const handOvers = [line('mail', { to: 'p1.at1@example.org' })]
  expect(judged({ ledger: ledgerOf(['mail']), handOvers }).outOfOrder).toEqual(['p1/1/mail'])
})

test('a number that never changes says nothing of the order', () => {
  const handOvers = [line('text', { channel: 'sms', to: '+31612345678' })]
  expect(judged({ ledger: ledgerOf(['text']), handOvers }).judged.outOfOrder).toBe(0)
})

/** A stop of p1, who was asked for by mail before it; what was read of the mail, and what came of it. */
function stopped(
  messages: readonly MessageRecord[],
  handOvers: readonly Accepted[],
  over: { answeredAt?: string; readAt?: string } = {},
) {
  const ledger = ledgerOf(['mail'])
  ledger.stopping('p1')
  ledger.stopped('p1', { answeredAt, readAt: after(0.5), messages, ...over })
  const { afterStop, judged: held } = judged({ ledger, handOvers })
  return { afterStop, cases: held.afterStop }
}
const violated = { afterStop: ['p1/1/mail'], cases: 1 }
const kept = { afterStop: [], cases: 1 }
const noCase = { afterStop: [], cases: 0 }
const sending = record('mail', { state: 'sending', claimedAt: past })
const lateBy = (seconds: number, duplicate = false) => [
  line('mail', { receivedAt: after(seconds), duplicate }),
]

test('after the answer of a stop only that may arrive which was on its way', () => {
  expect(stopped([sending], lateBy(30))).toEqual(kept)
  expect(stopped([record('mail', { state: 'queued' })], lateBy(30))).toEqual(violated)
  expect(stopped([], lateBy(30))).toEqual(violated)
  expect(stopped([record('mail', { state: 'queued' })], [])).toEqual(kept)
  // Settled when it was read: what comes after that is another hand-over.
  expect(stopped([record('mail', { state: 'sent' })], lateBy(0.2))).toEqual(kept)
  expect(stopped([record('mail', { state: 'sent' })], lateBy(30))).toEqual(violated)
  // Accepted before the answer.
  expect(stopped([], [line('mail')])).toEqual(noCase)
})

test('nothing is on its way for longer than a lease after the answer of a stop', () => {
  expect(stopped([sending], lateBy(60))).toEqual(kept)
  expect(stopped([sending], lateBy(61))).toEqual(violated)
  const held = record('mail', { state: 'held', reason: 'outcome_unknown' })
  expect(stopped([held], lateBy(61))).toEqual(violated)
})

test('what was claimed after the answer of a stop is a violation, whatever comes of it', () => {
  const claimed = record('mail', { state: 'sending', claimedAt: after(5) })
  const readLate = { readAt: after(10) }
  expect(stopped([claimed], lateBy(6), readLate)).toEqual(violated)
  expect(stopped([claimed], [], readLate)).toEqual(violated)
  // Its statement may have begun before.
  expect(stopped([record('mail', { ...claimed, claimedAt: after(0.5) })], lateBy(6))).toEqual(kept)
})

test('when it was claimed cannot be told of what was settled before it was read late', () => {
  const delivered = [record('mail', { state: 'delivered' })]
  expect(stopped(delivered, lateBy(6), { readAt: after(10) })).toEqual(noCase)
})

test('what is resent after a stop, or asked for after it, is a violation', () => {
  // It was resent after the stop, though the first time was before it.
  expect(stopped([sending], lateBy(30, true))).toEqual(violated)
  // Handed over and given up before the stop; what is resent after it is marked.
  const givenUp = record('mail', { state: 'planned', duplicate: true })
  const held = record('mail', { state: 'held', reason: 'outcome_unknown' })
  expect(stopped([held], lateBy(30))).toEqual(kept)
  expect(stopped([givenUp], lateBy(30))).toEqual(kept)
  expect(stopped([givenUp], lateBy(30, true))).toEqual(violated)
  expect(stopped([{ ...sending, duplicate: true }], lateBy(30, true))).toEqual(kept)
  // Asked for when the stop had been answered already.
  const asked = { answeredAt: past, readAt: past }
  expect(stopped([sending], lateBy(0), asked)).toEqual(violated)
})

test('a stop excuses what was ended for it, or not planned for it, and nothing else', () => {
  const ledger = ledgerOf(['mail'])
  ledger.stopping('p1')
  const lost = (over: Partial<Evidence>) => judged({ ledger, ...over }).lost
  const skipped = (reason: string) => record('mail', { state: 'skipped', reason })
  expect(lost({ records: [skipped('person_deceased')] })).toEqual([])
  expect(lost({ records: [skipped('consent_withdrawn')] })).toEqual([])
  const withdrawn = record('mail', { state: 'cancelled', reason: 'person_deceased' })
  expect(lost({ records: [withdrawn] })).toEqual([])
  expect(lost({ records: [skipped('relation_ended')] })).toHaveLength(1)
  expect(lost({ records: [record('mail', { state: 'planned' })] })).toHaveLength(1)
  expect(lost({})).toEqual(['p1/1/mail (never planned )'])
  expect(lost({ refusals: new Map([['p1/1/mail', 'person_deceased']]) })).toEqual([])
  expect(lost({ refusals: new Map([['p1/1/mail', 'already_entered']]) })).toHaveLength(1)
  // Nobody has stopped this one.
  const other = { ledger: ledgerOf(['mail']), records: [skipped('person_deceased')] }
  expect(judged(other).lost).toHaveLength(1)
})

test('a round that held nothing against a stop, or against an address of before, says so', () => {
  expect(notJudged(emptyVerdict())).toHaveLength(2)
  const verdict = {
    ...emptyVerdict(),
    judged: { lost: 9, doubled: 9, afterStop: 1, outOfOrder: 0 },
  }
  expect(notJudged(verdict)).toEqual(['no message was held against an address of before'])
})
