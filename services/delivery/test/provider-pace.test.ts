import type { Outcome } from '@wegwijs/channels/port'
import { type ManualClock, manualClock } from '@wegwijs/runtime/clock'
import { silentLogger } from '@wegwijs/runtime/log'
import { beforeEach, describe, expect, it } from 'vitest'
import { LONGEST_PAUSE_MS, ProviderPace } from '../src/provider-pace.ts'

const accepted: Outcome = { kind: 'accepted' }
const away: Outcome = { kind: 'deferred', reason: 'sms_connection_refused' }
const unanswered: Outcome = { kind: 'unknown', reason: 'sms_timed_out' }
const wait = (retryAfterMs: number): Outcome => ({
  kind: 'deferred',
  reason: 'sms_429',
  retryAfterMs,
})

let clock: ManualClock
let pace: ProviderPace

function paceWith(chance: () => number): ProviderPace {
  const { signal } = new AbortController()
  return new ProviderPace('sms-http', { clock, log: silentLogger, signal, chance })
}

beforeEach(() => {
  clock = manualClock()
  pace = paceWith(() => 0)
})

/** One call from its begin to its end. */
function call(outcome: Outcome): void {
  expect(pace.take(1)).toBe(1)
  pace.hear(outcome)
  pace.leave(1)
}

function callTimes(count: number, outcome: Outcome): void {
  for (let done = 0; done < count; done += 1) call(outcome)
}

/** How many of forty messages that wait may begin now; they end before anything else. */
function room(): number {
  const places = pace.take(40)
  pace.leave(places)
  return places
}

describe('a provider that says when', () => {
  it('is not called before, and then by one message at first', async () => {
    call(wait(2_000))
    await clock.advance(1_999)
    expect(room()).toBe(0)
    await clock.advance(1)
    expect(room()).toBe(1)
  })

  it('is not called by those whose call comes to its end meanwhile', async () => {
    pace.take(3)
    pace.hear(wait(2_000))
    pace.hear(accepted)
    pace.hear(away)
    pace.leave(3)
    expect(room()).toBe(0)
    expect(pace.pauseMs()).toBe(2_000)
  })

  it('is waited for the longest of what it said, and a quarter of an hour at most', () => {
    pace.take(3)
    pace.hear(wait(5_000))
    pace.hear(wait(1_000))
    expect(pace.pauseMs()).toBe(5_000)
    pace.hear(wait(LONGEST_PAUSE_MS * 4))
    expect(pace.pauseMs()).toBe(LONGEST_PAUSE_MS)
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1])('may say %d', (said) => {
    call(wait(said))
    expect(pace.pauseMs()).toBeLessThanOrEqual(LONGEST_PAUSE_MS)
  })

  it.each([
    [2_000, 3_000],
    [60_000, 72_000],
  ])('finds processes back that come one by one: after %d ms and up to %d', (said, last) => {
    pace = paceWith(() => 1)
    call(wait(said))
    expect(pace.pauseMs()).toBe(last)
  })
})

describe('a provider that is away', () => {
  it.each([['refuses', away] as const, ['does not answer', unanswered] as const])(
    'and %s is left alone after five calls in a row',
    (_, outcome) => {
      callTimes(4, outcome)
      expect(room()).toBe(40)
      call(outcome)
      expect(room()).toBe(0)
      expect(pace.pauseMs()).toBe(1_000)
    },
  )

  it('is asked by one message a pause, each twice as long, up to a minute', async () => {
    callTimes(5, away)
    const pauses: number[] = []
    for (let round = 0; round < 9; round += 1) {
      const pauseMs = pace.pauseMs()
      pauses.push(pauseMs / 1_000)
      await clock.advance(pauseMs)
      expect(room()).toBe(1)
      call(away)
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
  })

  it('is back at full pace after as many answers, and careful again from the first second', async () => {
    callTimes(5, away)
    await clock.advance(1_000)
    call(accepted)
    expect(room()).toBe(2)
    call({ kind: 'refused', reason: 'sms_400' })
    expect(room()).toBe(3)
    callTimes(62, accepted)
    expect(pace.take(1_000)).toBe(1_000)
    pace.leave(1_000)
    callTimes(5, away)
    expect(pace.pauseMs()).toBe(1_000)
  })

  it('counts what is under way when it comes back', async () => {
    callTimes(5, away)
    await clock.advance(1_000)
    call(accepted)
    expect(pace.take(5)).toBe(2)
    expect(pace.take(5)).toBe(0)
    pace.leave(1)
    expect(pace.take(5)).toBe(1)
  })

  it('is not what an answer between failures, or a full mailbox, tells', () => {
    for (let round = 0; round < 20; round += 1) {
      callTimes(4, unanswered)
      call(accepted)
    }
    callTimes(20, { kind: 'deferred', reason: 'smtp_452', about: 'message' })
    expect(room()).toBe(40)
  })
})

describe('our own check, which refused without a call,', () => {
  const unasked: Outcome = { kind: 'refused', reason: 'number_invalid', unasked: true }

  it('does not speak for a provider that is away', () => {
    callTimes(4, away)
    callTimes(20, unasked)
    expect(room()).toBe(40)
    call(away)
    expect(room()).toBe(0)
  })

  it('neither says that it is back nor makes the next pause longer', async () => {
    callTimes(5, away)
    await clock.advance(1_000)
    callTimes(20, unasked)
    expect(room()).toBe(1)
    call(away)
    expect(pace.pauseMs()).toBe(2_000)
  })
})

describe('who waits', () => {
  it('is woken when the pause is over', async () => {
    call(wait(2_000))
    const change = pace.change()
    await clock.untilSleeping()
    await clock.advance(2_000)
    await change
    expect(room()).toBe(1)
  })

  it('is woken by a pause so long that it is better put off', async () => {
    call(wait(2_000))
    expect(pace.putsOff()).toBe(false)
    const change = pace.change()
    pace.hear(wait(31_000))
    await change
    expect(pace.putsOff()).toBe(true)
    expect(room()).toBe(40)
    await clock.advance(1_000)
    expect(pace.putsOff()).toBe(false)
    expect(room()).toBe(0)
  })

  it('is woken when a place comes free', async () => {
    callTimes(5, away)
    await clock.advance(1_000)
    expect(pace.take(1)).toBe(1)
    const change = pace.change()
    pace.leave(1)
    await change
    expect(room()).toBe(1)
  })
})
