import { describe, expect, expectTypeOf, it } from 'vitest'
import {
  exitCodes,
  type Failure,
  fail,
  failures,
  isFailure,
  isRetryable,
  WegwijsError,
} from '../src/failure.ts'

const entries = Object.entries<Failure>(failures)

/** Stands in for any detail: every property is a list with the property's name in it. */
const anyDetail = new Proxy({}, { get: (_, name) => [`<${String(name)}>`] }) as never
const noDetail = new Proxy({}, { get: () => undefined }) as never

describe('the catalogue of failures, as data', () => {
  it('is in alphabetical order, so that two people add to different places', () => {
    const codes = entries.map(([code]) => code)
    expect(codes).toEqual([...codes].sort())
  })

  it.each(entries)('%s says what happened, what to do, and how a command ends', (code, failure) => {
    expect(code).toMatch(/^WEGWIJS_[A-Z]+(_[A-Z]+)*$/)
    expect(String(failure.message(anyDetail))).toMatch(/\S/)
    expect(String(failure.message(anyDetail))).not.toContain('undefined')
    expect(failure.whatToDo).toMatch(/^\S.{10,}\.$/s)
    expect(Object.values(exitCodes)).toContain(failure.exitCode)
  })

  it.each(
    entries.filter(([code]) =>
      [
        'WEGWIJS_BROKER_UNAVAILABLE',
        'WEGWIJS_DATABASE_UNAVAILABLE',
        'WEGWIJS_QUEUE_UNAVAILABLE',
      ].includes(code),
    ),
  )('%s needs no detail', (_, failure) => {
    expect(failure.message(noDetail)).not.toContain('undefined')
  })

  it('ends a command with "unavailable" or "temporary" wherever trying again can help', () => {
    const { unavailable, temporary } = exitCodes
    for (const [code, { retryable, exitCode }] of entries) {
      if (retryable)
        expect([code, [unavailable, temporary].includes(exitCode as 69)]).toEqual([code, true])
    }
  })
})

describe('fail', () => {
  it('makes an error that carries code, detail and cause, and what the catalogue says', () => {
    const cause = new Error('ECONNREFUSED')
    const error = fail('WEGWIJS_BROKER_UNAVAILABLE', { brokers: 'kafka:9092' }, cause)
    expect(error).toBeInstanceOf(WegwijsError)
    expect(error).toMatchObject({
      name: 'WegwijsError',
      code: 'WEGWIJS_BROKER_UNAVAILABLE',
      message: 'Kafka does not answer at kafka:9092',
      detail: { brokers: 'kafka:9092' },
      retryable: true,
      exitCode: 69,
      cause,
    })
    expect(error.whatToDo).toContain('WEGWIJS_KAFKA_BROKERS')
    expect(Object.isFrozen(error.detail)).toBe(true)
  })

  it('has no cause property when there was no cause', () => {
    expect('cause' in fail('WEGWIJS_QUEUE_UNAVAILABLE')).toBe(false)
  })

  it('tells one fault from several', () => {
    expect(fail('WEGWIJS_DEFINITION_INVALID', { faults: ['a:1 x'] }).message).toBe(
      'the definition has 1 fault:\n  a:1 x',
    )
    expect(fail('WEGWIJS_DEFINITION_INVALID', { faults: ['a:1 x', 'b:2 y'] }).message).toBe(
      'the definition has 2 faults:\n  a:1 x\n  b:2 y',
    )
  })

  it('demands the details that the message needs', () => {
    expectTypeOf(fail<'WEGWIJS_REDIS_EVICTS'>)
      .parameter(0)
      .toEqualTypeOf<'WEGWIJS_REDIS_EVICTS'>()
    // @ts-expect-error the policy is missing
    expect(() => fail('WEGWIJS_REDIS_EVICTS')).not.toThrow()
    // @ts-expect-error there is no such code
    expect(() => fail('WEGWIJS_NO_SUCH_THING')).toThrow()
  })
})

describe('isFailure and isRetryable', () => {
  it('know the code, and hold an error without a code for a defect', () => {
    const error = fail('WEGWIJS_PUBLISH_DEADLINE', { deadlineMs: 5_000 })
    expect(isFailure(error)).toBe(true)
    expect(isFailure(error, 'WEGWIJS_PUBLISH_DEADLINE')).toBe(true)
    expect(isFailure(error, 'WEGWIJS_USAGE')).toBe(false)
    expect(isRetryable(error)).toBe(true)
    expect(isRetryable(fail('WEGWIJS_USAGE', { problem: 'no such command' }))).toBe(false)
    for (const other of [new Error('x'), 'x', null, undefined, { retryable: true }]) {
      expect(isFailure(other)).toBe(false)
      expect(isRetryable(other)).toBe(false)
    }
  })
})
