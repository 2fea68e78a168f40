import { fail } from '@wegwijs/runtime/failure'
import { describe, expect, it } from 'vitest'
import { protocolErrorOf, toFailure } from '../src/kafkajs-failure.ts'

/** kafkajs does not export its error classes; what counts of them is these properties. */
const protocolError = (type: string) => Object.assign(new Error(type), { type })
const wrapped = (cause: unknown) => new Error('retries exceeded', { cause })

describe('an error of kafkajs', () => {
  it('is known by the protocol error in it, however it is wrapped', () => {
    const error = protocolError('NOT_LEADER_FOR_PARTITION')
    expect(protocolErrorOf(error)).toBe('NOT_LEADER_FOR_PARTITION')
    expect(protocolErrorOf(wrapped(wrapped(error)))).toBe('NOT_LEADER_FOR_PARTITION')
    expect(protocolErrorOf(Object.assign(new Error(), { errors: [error] }))).toBe(
      'NOT_LEADER_FOR_PARTITION',
    )
    expect(protocolErrorOf(new Error('connect ECONNREFUSED'))).toBeUndefined()
    const circle = new Error('itself')
    circle.cause = circle
    expect(protocolErrorOf(circle)).toBeUndefined()
  })

  it.each([
    ['UNKNOWN_TOPIC_OR_PARTITION', 'WEGWIJS_TOPIC_UNKNOWN', false],
    ['MESSAGE_TOO_LARGE', 'WEGWIJS_PUBLISH_REFUSED', false],
    ['TOPIC_AUTHORIZATION_FAILED', 'WEGWIJS_PUBLISH_REFUSED', false],
    ['NOT_ENOUGH_REPLICAS', 'WEGWIJS_BROKER_UNAVAILABLE', true],
    ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'WEGWIJS_BROKER_UNAVAILABLE', true],
    ['COORDINATOR_LOAD_IN_PROGRESS', 'WEGWIJS_BROKER_UNAVAILABLE', true],
  ])('%s is %s', (type, code, retryable) => {
    expect(toFailure(wrapped(protocolError(type)), 'touchpoints')).toMatchObject({
      code,
      retryable,
    })
  })

  it('that has no protocol error means that Kafka is away', () => {
    expect(toFailure(new Error('connect ECONNREFUSED'), 'touchpoints')).toMatchObject({
      code: 'WEGWIJS_BROKER_UNAVAILABLE',
    })
  })

  it('of our own stays as it is', () => {
    const error = fail('WEGWIJS_PUBLISH_DEADLINE', { deadlineMs: 1 })
    expect(toFailure(error, undefined)).toBe(error)
  })
})
