import { STATUS_CODES } from 'node:http'
import { type FailureCode, fail, isFailure, type WegwijsError } from '@wegwijs/runtime/failure'
import { httpStatusOf } from '@wegwijs/wire/cloudevents-http'
import type { Rejection, RejectionClass } from '@wegwijs/wire/touchpoint-event'

/**
 * An error as it goes back to whoever called (RFC 9457). It is made of our codes and sentences and
 * never quotes the request: what was sent may be about a person, and answers end up in logs (P7).
 */
export type Problem = {
  type: string
  title: string
  status: number
  code: FailureCode
  detail: string
  whatToDo: string
  /** On an event that is refused: its class, and where in it the fault is. */
  errorClass?: string
  path?: string
}

export const problemType = 'application/problem+json'

/** The status of each failure that goes back to a caller; an event's depends on its class. */
export const statusOf: Partial<Record<FailureCode, number>> = {
  WEGWIJS_APP_MESSAGE_UNKNOWN: 404,
  WEGWIJS_CLOSING: 503,
  WEGWIJS_CREDENTIAL_INVALID: 401,
  WEGWIJS_CREDENTIAL_NOT_ALLOWED: 403,
  WEGWIJS_DEFINITION_MISSING: 503,
  WEGWIJS_INTERNAL: 500,
  WEGWIJS_MEDIA_TYPE_UNKNOWN: 415,
  WEGWIJS_OVERLOADED: 503,
  WEGWIJS_RATE_LIMITED: 429,
  WEGWIJS_REQUEST_INVALID: 400,
  WEGWIJS_REQUEST_TOO_LARGE: 413,
  WEGWIJS_REQUEST_TOO_SLOW: 408,
  WEGWIJS_ROUTE_UNKNOWN: 404,
  WEGWIJS_UNAVAILABLE: 503,
}

/** What a failure further in is about; a caller is told that, and not where our servers are. */
const dependencyOf: Partial<Record<FailureCode, string>> = {
  WEGWIJS_BROKER_UNAVAILABLE: 'Kafka',
  WEGWIJS_DATABASE_UNAVAILABLE: 'PostgreSQL',
  WEGWIJS_NOT_MIGRATED: 'PostgreSQL',
  WEGWIJS_PUBLISH_DEADLINE: 'Kafka',
  WEGWIJS_PUBLISH_REFUSED: 'Kafka',
  WEGWIJS_TOPIC_UNKNOWN: 'Kafka',
}

/** The failure to answer with, for anything that was thrown. The original becomes its cause. */
export function toFailure(error: unknown): WegwijsError {
  if (isFailure(error)) {
    const dependency = dependencyOf[error.code]
    return dependency ? fail('WEGWIJS_UNAVAILABLE', { dependency }, error) : error
  }
  switch (frameworkStatus(error)) {
    case 400:
      return fail('WEGWIJS_REQUEST_INVALID', { reason: 'it is not well-formed HTTP' }, error)
    case 413:
      return fail('WEGWIJS_REQUEST_TOO_LARGE', { reason: 'the body has too many bytes' }, error)
    case 414:
      return fail('WEGWIJS_REQUEST_INVALID', { reason: 'its address is too long' }, error)
    case 415:
      return fail('WEGWIJS_MEDIA_TYPE_UNKNOWN', { reason: 'its content-type is none' }, error)
    default:
      return fail('WEGWIJS_INTERNAL', {}, error)
  }
}

export function refusalOf(rejection: Rejection): WegwijsError {
  return fail('WEGWIJS_EVENT_REFUSED', { ...rejection })
}

export function problemOf(failure: WegwijsError): Problem {
  const { code, detail } = failure
  const status = httpStatus(failure)
  const { errorClass, path } = detail
  return {
    type: `urn:wegwijs:failure:${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code,
    detail: failure.message,
    whatToDo: failure.whatToDo,
    ...(typeof errorClass === 'string' && { errorClass }),
    ...(typeof path === 'string' && { path }),
  }
}

function httpStatus({ code, detail }: WegwijsError): number {
  if (code === 'WEGWIJS_EVENT_REFUSED') return httpStatusOf[detail.errorClass as RejectionClass]
  return statusOf[code] ?? 500
}

/** Fastify's own errors carry the status that HTTP gives them. */
function frameworkStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined
  return typeof error.statusCode === 'number' ? error.statusCode : undefined
}
