import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type AttemptedIntent,
  type AttemptOutcome,
  afterAttempt,
  retryAt,
} from '../src/delivery.ts'
import { millisecondsBetween } from '../src/instant.ts'
import { reasons } from '../src/reasons.ts'

const now = '2026-03-14T08:30:00.000Z'

const first: AttemptedIntent = {
  intentId: '0190c0de-0000-8000-8000-000000000001',
  channels: ['app', 'email'],
  channelIndex: 0,
  attempts: 1,
  dueAt: '2026-03-14T08:29:00.000Z',
  expiresAt: '2026-03-14T20:30:00.000Z',
  unknownOutcome: 'at-most-once',
  idempotent: false,
  duplicate: false,
}
const last: AttemptedIntent = { ...first, channelIndex: 1 }
const refused: AttemptOutcome = { kind: 'refused', reason: 'mailbox_unknown' }
const deferred: AttemptOutcome = { kind: 'deferred', reason: 'busy' }
const unknown: AttemptOutcome = { kind: 'unknown', reason: 'no_answer' }

describe('after an attempt', () => {
  it('is sent when the provider accepted', () => {
    expect(afterAttempt(first, { kind: 'accepted' }, now)).toEqual({
      state: 'sent',
      reason: 'provider_accepted',
      channelIndex: 0,
      attempts: 1,
      dueAt: first.dueAt,
      duplicate: false,
      fault: null,
    })
  })

  it('takes the next channel at once when the provider refused', () => {
    expect(afterAttempt(first, refused, now)).toMatchObject({
      state: 'planned',
      reason: 'provider_refused',
      channelIndex: 1,
      attempts: 0,
      dueAt: now,
      fault: { channel: 'app', reason: 'mailbox_unknown' },
    })
  })

  it('is held when the channel that staff had it resent over refuses: the first may have arrived (P2)', () => {
    expect(afterAttempt({ ...first, duplicate: true }, refused, now)).toMatchObject({
      state: 'held',
      reason: 'outcome_unknown',
      channelIndex: 0,
    })
  })

  it('has failed when the last channel refused', () => {
    expect(afterAttempt(last, refused, now)).toMatchObject({
      state: 'failed',
      reason: 'provider_refused',
      fault: { channel: 'email', reason: 'mailbox_unknown' },
    })
  })

  it('has failed when its text cannot be made for any channel', () => {
    const outcome: AttemptOutcome = { kind: 'unrenderable', reason: 'template_variable_missing' }
    expect(afterAttempt(first, outcome, now)).toMatchObject({ state: 'planned', channelIndex: 1 })
    expect(afterAttempt(last, outcome, now)).toMatchObject({
      state: 'failed',
      reason: 'template_error',
    })
  })

  it('waits when the provider deferred, on the same channel', () => {
    const next = afterAttempt(first, deferred, now)
    expect(next).toMatchObject({
      state: 'planned',
      reason: 'provider_deferred',
      channelIndex: 0,
      attempts: 1,
    })
    expect(next.dueAt > now).toBe(true)
  })

  it('takes the next channel when the retry would come after its expiry, else expires', () => {
    const expiresAt = '2026-03-14T08:30:01.000Z'
    expect(afterAttempt({ ...first, expiresAt }, deferred, now)).toMatchObject({
      state: 'planned',
      reason: 'provider_unavailable',
      channelIndex: 1,
      dueAt: now,
    })
    expect(afterAttempt({ ...last, expiresAt }, deferred, now)).toMatchObject({
      state: 'expired',
      reason: 'provider_unavailable',
    })
  })

  it('honours what the provider asks', () => {
    const retryAfterMs = 3_600_000
    const next = afterAttempt(first, { ...deferred, retryAfterMs }, now)
    expect(millisecondsBetween(now, next.dueAt)).toBeGreaterThanOrEqual(retryAfterMs)
  })

  it('is planned as before when it was not started', () => {
    const outcome: AttemptOutcome = { kind: 'not_started', reason: 'lease_passed' }
    expect(afterAttempt({ ...first, attempts: 3 }, outcome, now)).toEqual({
      state: 'planned',
      reason: null,
      channelIndex: 0,
      attempts: 2,
      dueAt: first.dueAt,
      duplicate: false,
      fault: null,
    })
  })

  // P2, by class and channel.
  it.each([
    ['at-most-once', false, false, 'held', false],
    ['at-least-once', false, false, 'planned', true],
    ['at-least-once', false, true, 'held', true],
    ['at-most-once', true, false, 'planned', true],
    ['at-least-once', true, true, 'planned', true],
  ] as const)(
    'an unknown outcome of %s, idempotent %s, duplicate %s: %s',
    (unknownOutcome, idempotent, duplicate, state, marked) => {
      const next = afterAttempt({ ...first, unknownOutcome, idempotent, duplicate }, unknown, now)
      expect(next).toMatchObject({
        state,
        reason: 'outcome_unknown',
        channelIndex: 0,
        duplicate: marked,
      })
    },
  )

  it('is held, not sent over another channel, when its repeats come to nothing', () => {
    const expiresAt = '2026-03-14T08:30:01.000Z'
    const repeated = { ...first, idempotent: true, duplicate: true, expiresAt }
    expect(afterAttempt(repeated, deferred, now)).toMatchObject({
      state: 'held',
      reason: 'outcome_unknown',
    })
  })

  it('is held, not sent over another channel, when our own check refuses a repeat of it', () => {
    const repeated = { ...first, idempotent: true, duplicate: true }
    const outcome: AttemptOutcome = { kind: 'refused', reason: 'number_invalid', unasked: true }
    expect(afterAttempt(repeated, outcome, now)).toMatchObject({
      state: 'held',
      reason: 'outcome_unknown',
      fault: { channel: 'app', reason: 'number_invalid' },
    })
    expect(afterAttempt(repeated, refused, now)).toMatchObject({
      state: 'planned',
      channelIndex: 1,
    })
  })

  it('is held when the resend would come after its expiry', () => {
    const intent = {
      ...first,
      unknownOutcome: 'at-least-once' as const,
      expiresAt: '2026-03-14T08:30:01.000Z',
    }
    expect(afterAttempt(intent, unknown, now)).toMatchObject({ state: 'held', duplicate: false })
  })
})

const instants = fc
  .date({
    min: new Date('2026-01-01T00:00:00Z'),
    max: new Date('2027-01-01T00:00:00Z'),
    noInvalidDate: true,
  })
  .map((date) => date.toISOString())

const intents: fc.Arbitrary<AttemptedIntent> = fc
  .record({
    intentId: fc.uuid(),
    channels: fc.shuffledSubarray(['app', 'email', 'sms'] as const, { minLength: 1 }),
    index: fc.nat(),
    attempts: fc.integer({ min: 1, max: 2_000 }),
    dueAt: instants,
    expiresAt: instants,
    unknownOutcome: fc.constantFrom('at-most-once' as const, 'at-least-once' as const),
    idempotent: fc.boolean(),
    duplicate: fc.boolean(),
  })
  .map(({ index, ...rest }) => ({ ...rest, channelIndex: index % rest.channels.length }))

const outcomes: fc.Arbitrary<AttemptOutcome> = fc.oneof(
  fc.record({ kind: fc.constant('accepted' as const) }),
  fc.record(
    {
      kind: fc.constant('refused' as const),
      reason: fc.string(),
      unasked: fc.boolean(),
    },
    { requiredKeys: ['kind', 'reason'] },
  ),
  fc.record({ kind: fc.constant('unrenderable' as const), reason: fc.string() }),
  fc.record(
    {
      kind: fc.constant('deferred' as const),
      reason: fc.string(),
      retryAfterMs: fc.oneof(fc.double({ min: 0 }), fc.constant(Number.POSITIVE_INFINITY)),
    },
    { requiredKeys: ['kind', 'reason'] },
  ),
  fc.record({ kind: fc.constant('unknown' as const), reason: fc.string() }),
)

/** Which channel's provider may have the message. A no to the same key says there was no yes before. */
function holderAfter(outcome: AttemptOutcome, intent: AttemptedIntent, before: number | null) {
  if (outcome.kind === 'unknown' || outcome.kind === 'accepted') return intent.channelIndex
  return outcome.kind === 'refused' && !outcome.unasked ? null : before
}

describe('whatever the attempt was', () => {
  it('gives the same answer each time, with a reason from the list', () => {
    fc.assert(
      fc.property(intents, outcomes, instants, (intent, outcome, at) => {
        const next = afterAttempt(intent, outcome, at)
        expect(afterAttempt(intent, outcome, at)).toEqual(next)
        expect(Object.keys(reasons)).toContain(next.reason)
      }),
    )
  })

  it('plans nothing for a moment at or past its expiry (P3)', () => {
    fc.assert(
      fc.property(intents, outcomes, instants, (intent, outcome, at) => {
        const next = afterAttempt(intent, outcome, at)
        if (next.state === 'planned') expect(next.dueAt < intent.expiresAt).toBe(true)
      }),
    )
  })

  it('moves to another channel only after a definite no (P2)', () => {
    fc.assert(
      fc.property(intents, outcomes, instants, (intent, outcome, at) => {
        const next = afterAttempt(intent, outcome, at)
        const moved = next.channelIndex - intent.channelIndex
        expect(moved === 0 || moved === 1).toBe(true)
        if (moved === 1) expect(['refused', 'unrenderable', 'deferred']).toContain(outcome.kind)
        expect(next.channelIndex).toBeLessThan(intent.channels.length)
      }),
    )
  })

  it('gives an at-most-once message to one provider, whatever comes one after the other (P2)', () => {
    const steps = fc.array(fc.tuple(outcomes, fc.boolean()), { maxLength: 30 })
    fc.assert(
      fc.property(intents, steps, (drawn, attempts) => {
        const start = { unknownOutcome: 'at-most-once', channelIndex: 0, duplicate: false } as const
        let intent: AttemptedIntent = { ...drawn, ...start }
        let mayHave: number | null = null
        for (const [outcome, idempotent] of attempts) {
          if (mayHave === null) intent = { ...intent, idempotent }
          else expect(intent).toMatchObject({ channelIndex: mayHave, idempotent: true })
          mayHave = holderAfter(outcome, intent, mayHave)
          const next = afterAttempt(intent, outcome, now)
          if (next.state !== 'planned') return
          const { channelIndex, duplicate } = next
          intent = { ...intent, channelIndex, duplicate, attempts: next.attempts + 1 }
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('resends at most once over a channel that does not fold repeats, and marks it (P2)', () => {
    fc.assert(
      fc.property(intents, instants, (drawn, at) => {
        const intent = { ...drawn, idempotent: false }
        const next = afterAttempt(intent, unknown, at)
        if (next.state !== 'planned') return
        expect(next.duplicate).toBe(true)
        expect(afterAttempt({ ...intent, duplicate: next.duplicate }, unknown, at).state).toBe(
          'held',
        )
      }),
    )
  })
})

describe('the time of a retry', () => {
  it('lies within the bound that doubles, and never inside what the provider asked', () => {
    fc.assert(
      fc.property(
        fc.uuid(),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 0, max: 86_400_000 }),
        (intentId, attempts, askedMs) => {
          const waitMs = millisecondsBetween(now, retryAt(intentId, attempts, now, askedMs))
          const bound = Math.min(900_000, 10_000 * 2 ** (attempts - 1))
          expect(waitMs).toBeGreaterThanOrEqual(Math.max(1_000, askedMs))
          expect(waitMs).toBeLessThan(Math.max(1_000, askedMs) + bound)
        },
      ),
    )
  })

  it('spreads what was turned away together', () => {
    const ids = Array.from({ length: 1_000 }, (_, index) => `0190c0de-0000-8000-8000-${index}`)
    const waits = ids.map((id) => millisecondsBetween(now, retryAt(id, 4, now)) - 1_000)
    const eighths = Array.from({ length: 8 }, (_, eighth) =>
      waits.filter((wait) => Math.floor(wait / 10_000) === eighth),
    )
    for (const each of eighths) expect(each.length).toBeGreaterThan(75)
  })
})
