import type { RelationKind } from '@wegwijs/campaign/definition/words'
import { lastCheck } from '@wegwijs/campaign/last-check'
import {
  type Intent,
  type OtherPerson,
  type PersonState,
  type Relation,
  relationKey,
} from '@wegwijs/campaign/state'
import { campaign, message } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { definitionOf, nobody, person } from './given.ts'

/** One message to several recipients who turn out to be one person, anna: she gets it once (P2), and gets it (P1). */

const now = '2026-03-02T09:00:00.000Z'
const soon = '2026-03-02T10:00:00.000Z'

const anna: PersonState = {
  ...nobody('anna'),
  person: {
    ...nobody('anna').person,
    contacts: { email: { address: 'anna@example.org', refusedAt: null } },
  },
}
const otherOf = (): OtherPerson => ({
  personId: 'anna',
  timeZone: null,
  persona: null,
  preferredChannel: null,
  deceasedAt: null,
})

const planned = (() => {
  const somebody = person(definitionOf([campaign({ id: 'care', steps: [message('hello')] })]), now)
  somebody.happens('care.discharge.completed.v1')
  const [intent] = somebody.intents()
  if (!intent) throw new RangeError('nothing was planned')
  return { state: somebody.state, intent }
})()

const { expiresAt } = planned.intent

type Copy = { kind?: RelationKind } & Partial<Intent>

/** The message to so many records of anna's, each through a relation of its own. */
function toAnna(copies: readonly Copy[], over: Partial<Relation>[] = []): PersonState {
  const intents = copies.map(({ kind = 'caregiver', ...copy }, nth): Intent => {
    const recipient = { personId: `anna-${nth}`, kind, scope: 'care' } as const
    return { ...planned.intent, intentId: `m${nth}`, recipient, ...copy }
  })
  const relations = copies.map(({ kind = 'caregiver' }, nth): Relation => {
    const relation = { otherId: `anna-${nth}`, kind, state: 'granted', scope: ['care'] } as const
    return { ...relation, expiresAt: null, at: now, ...over[nth] }
  })
  return {
    ...planned.state,
    intents: new Map(intents.map((intent) => [intent.intentId, intent])),
    relations: new Map(relations.map((relation) => [relationKey(relation), relation])),
  }
}

function check(state: PersonState, intentId: string, at = now) {
  const intent = state.intents.get(intentId)
  if (!intent) throw new RangeError(`no message ${intentId}`)
  return lastCheck(state, {
    intent,
    channel: 'email',
    needsConsent: false,
    quietHours: undefined,
    timeZone: 'Europe/Amsterdam',
    budgets: [],
    counted: [],
    ages: [{ under: 12, to: ['parent'] }],
    receiver: anna,
    otherOf,
    now: at,
  })
}

const claim = { effect: 'claim', reason: null }
const dropped = { effect: 'cancel', reason: 'merged_duplicate' }
const waits = { effect: 'wait', reason: 'merged_duplicate', dueAt: now }
const once = { unknownOutcome: 'at-most-once' } as const
const again = { duplicate: true, unknownOutcome: 'at-least-once' } as const

describe('of two messages to somebody who was two', () => {
  test.each<[string, Copy, Copy]>([
    ['the first by its id goes', {}, {}],
    ['the one over the later channel goes', { turn: 1 }, {}],
    ['the one that may have been sent goes', again, { turn: 1 }],
    ['the first goes of two that may have been sent', again, again],
    ['the one over the later channel goes of two that may', { ...again, turn: 1 }, again],
  ])('%s, and the other one waits for it', (_, first, second) => {
    const state = toAnna([first, second])
    expect(check(state, 'm0')).toEqual(claim)
    expect(check(state, 'm1')).toEqual(waits)
  })

  test.each<[string, Partial<Relation>, Copy]>([
    ['the relation has ended', { state: 'ended' }, {}],
    ['the relation is over', { expiresAt: now }, {}],
    ['they may not hear of this any more', { scope: ['news'] }, {}],
    ['it is for others by age', {}, { byAge: true }],
  ])('the other one goes when the first may not: %s', (_, relation, over) => {
    for (const open of [{}, again]) {
      const first = { kind: 'parent' as const, ...over, ...open }
      const state = toAnna([first, open], [relation])
      expect(check(state, 'm0').effect).toBe('skip')
      expect(check(state, 'm1')).toEqual(claim)
    }
  })

  test('one waits until the other one is due, and never beyond its own expiry', () => {
    expect(check(toAnna([{ dueAt: soon }, {}]), 'm1')).toEqual({ ...waits, dueAt: soon })
    // Sent already, perhaps, and at most once: whatever comes of it must be known.
    const first = { ...again, ...once, dueAt: expiresAt, expiresAt: '9999-01-01T00:00:00.000Z' }
    const end = { ...waits, dueAt: soon }
    expect(check(toAnna([first, { ...once, expiresAt: soon }]), 'm1')).toEqual(end)
  })

  test.each<[string, Copy, Copy]>([
    ['it is put off to its own end', { reason: 'reach_used', dueAt: expiresAt }, {}],
    ['it is due when the other one ends', { dueAt: soon }, { expiresAt: soon }],
    ['it has ended', { expiresAt: now }, {}],
    ['its channel is stopped', { reason: 'channel_stopped', dueAt: soon }, {}],
    ['its provider is stopped', { reason: 'provider_stopped', dueAt: soon }, {}],
  ])(
    'the other one goes when the first cannot in time, and the first not after it: %s',
    (...of) => {
      const [, first, second] = of
      expect(check(toAnna([first, second]), 'm1')).toEqual(claim)
      expect(check(toAnna([{ ...first, ...again }, second]), 'm1')).toEqual(claim)
      expect(check(toAnna([first, { ...second, state: 'sent' }]), 'm0')).toEqual(dropped)
      const onceOnly = toAnna([{ ...first, ...again, ...once }, second])
      expect(check(onceOnly, 'm1').reason).toBe('merged_duplicate')
    },
  )

  test('what is in the queue is waited for, though it was held back before', () => {
    const first = { state: 'queued', reason: 'provider_stopped' } as const
    expect(check(toAnna([first, {}]), 'm1')).toEqual(waits)
  })

  test.each<[string, Copy, Copy, object]>([
    ['is dropped when the other was sent', { state: 'sent' }, {}, dropped],
    [
      'is dropped when the other is held, and may not go twice',
      { ...again, ...once, state: 'held' },
      once,
      dropped,
    ],
    [
      'waits for staff when the other is held, and may go once more',
      { ...again, state: 'held' },
      {},
      { ...waits, dueAt: expiresAt },
    ],
    [
      'is dropped when staff have not said so by its end',
      { ...again, state: 'held' },
      { expiresAt: now },
      dropped,
    ],
    ['waits while a worker has the other', { state: 'sending' }, {}, waits],
    [
      'goes when the other was dropped',
      { ...again, state: 'cancelled', reason: 'merged_duplicate' },
      again,
      claim,
    ],
    ['goes when the other cannot be sent once more', { ...again, state: 'failed' }, {}, claim],
    [
      'is dropped when that may not go twice',
      { ...again, ...once, state: 'failed' },
      once,
      dropped,
    ],
    [
      'is dropped when staff closed the other',
      { ...again, state: 'cancelled', reason: 'closed_by_staff' },
      {},
      dropped,
    ],
    ['goes when the other one never went', { state: 'failed' }, {}, claim],
  ])('the second %s', (_, first, second, says) => {
    expect(check(toAnna([first, second]), 'm1')).toEqual(says)
  })

  test.each<[string, Partial<Intent>, object]>([
    ['goes when it was sent before', { sentAt: '2026-03-02T07:59:59.999Z' }, claim],
    ['is dropped when it was sent only since', { sentAt: '2026-03-02T08:00:00.000Z' }, dropped],
    ['goes when it bounced', { state: 'bounced', sentAt: now }, claim],
  ])('of a channel that the other was tried over in vain, the next %s', (_, over, says) => {
    const next = { turn: 1, plannedAt: '2026-03-02T08:00:00.000Z' }
    expect(check(toAnna([{ state: 'sent', ...over }, next]), 'm1')).toEqual(says)
  })

  test('what came in the place of another one is withdrawn when that was sent only since', () => {
    const second = { turn: 1, insteadOf: 'm0', plannedAt: '2026-03-02T08:00:00.000Z' }
    const after = { effect: 'cancel', reason: 'awaited_after_all' }
    expect(check(toAnna([{ state: 'sent', sentAt: now }, second]), 'm1')).toEqual(after)
    const before = { state: 'sent', sentAt: '2026-03-02T07:00:00.000Z' } as const
    expect(check(toAnna([before, second]), 'm1')).toEqual(claim)
  })

  test('the first goes once more, though the second is held, of which nobody knows either', () => {
    const state = toAnna([again, { ...again, state: 'held' }])
    expect(check(state, 'm0')).toEqual(claim)
  })
})

/** What may come of what is with a worker, or of a relation; `nth` of them. */
const happening = fc.oneof(
  { arbitrary: fc.record({ claim: fc.nat(3) }), weight: 5 },
  {
    arbitrary: fc.record({
      ends: fc.constantFrom('sent', 'delivered', 'failed', 'unknown', 'unknown', 'given back'),
    }),
    weight: 4,
  },
  {
    arbitrary: fc.record({
      relation: fc.nat(3),
      state: fc.constantFrom('granted' as const, 'ended' as const),
    }),
    weight: 2,
  },
)
type Happening = typeof happening extends fc.Arbitrary<infer Value> ? Value : never
const copy = fc.record({
  kind: fc.constantFrom<RelationKind>('caregiver', 'parent'),
  duplicate: fc.boolean(),
  turn: fc.constantFrom(0, 0, 1),
})

/** Claims what the check lets go, as workers do, and says what came of it. */
function follow(first: PersonState, happenings: readonly Happening[]): PersonState {
  let state = first
  const set = (intentId: string, change: Partial<Intent>) => {
    const intent = state.intents.get(intentId)
    if (!intent) return
    state = { ...state, intents: new Map(state.intents).set(intentId, { ...intent, ...change }) }
  }
  const sending = () => [...state.intents.values()].find((each) => each.state === 'sending')
  const ends: Readonly<Record<string, (intent: Intent) => Partial<Intent>>> = {
    sent: () => ({ state: 'sent', sentAt: now }),
    delivered: () => ({ state: 'delivered' }),
    failed: () => ({ state: 'failed' }),
    'given back': () => ({ state: 'planned' }),
    unknown: ({ duplicate }) =>
      duplicate ? { state: 'held' } : { state: 'planned', duplicate: true },
  }
  const claimOne = (intentId: string, at = now) => {
    if (state.intents.get(intentId)?.state !== 'planned') return
    const { effect } = check(state, intentId, at)
    if (effect === 'claim') {
      const others = [...state.intents.values()].filter((each) => each.intentId !== intentId)
      // P2: she has not got it, and nobody is about to give it to her.
      expect(
        others.filter(({ state }) => ['sent', 'delivered', 'sending'].includes(state)),
      ).toEqual([])
      set(intentId, { state: 'sending' })
    } else if (effect === 'cancel')
      set(intentId, { state: 'cancelled', reason: 'merged_duplicate' })
    else if (effect === 'skip') set(intentId, { state: 'skipped' })
  }
  const endOne = (end: string) => {
    const intent = sending()
    if (intent) set(intent.intentId, ends[end]?.(intent) ?? {})
  }
  for (const each of happenings) {
    if ('claim' in each) claimOne(`m${each.claim}`)
    else if ('ends' in each) endOne(each.ends)
    else {
      const entry = [...state.relations][each.relation]
      if (!entry) continue
      const [key, relation] = entry
      const relations = new Map(state.relations).set(key, { ...relation, state: each.state })
      state = { ...state, relations }
    }
  }
  for (let round = 0; round <= state.intents.size; round += 1) {
    endOne('delivered')
    for (const id of state.intents.keys()) claimOne(id)
  }
  // Of what is held staff say nothing.
  for (const id of state.intents.keys()) claimOne(id, expiresAt)
  return state
}

test('whatever comes, she gets one, and none is dropped for one that does not go (P1, P2)', () => {
  const came = new Set<string>()
  fc.assert(
    fc.property(
      fc.array(copy, { minLength: 2, maxLength: 4 }),
      fc.array(happening, { maxLength: 16, size: 'max' }),
      (copies, happenings) => {
        const all = copies.map((each) => ({ ...each, unknownOutcome: 'at-least-once' as const }))
        const intents = [...follow(toAnna(all), happenings).intents.values()]
        const ends = intents.map(({ state }) => state)
        for (const end of ends) came.add(end)
        expect(ends).not.toContain('planned')
        const hasOne = ends.some((end) => ['sent', 'delivered', 'held'].includes(end))
        if (ends.includes('cancelled')) expect(hasOne, ends.join()).toBe(true)
      },
    ),
    { numRuns: 2_000 },
  )
  expect([...came].sort()).toEqual(['cancelled', 'delivered', 'failed', 'held', 'sent', 'skipped'])
})
