import { parseJson } from './json.ts'
import {
  assembleEvent,
  type Decoded,
  formatEvent,
  maxEventBytes,
  parseEvent,
  type Rejection,
  type RejectionClass,
  reject,
  type TouchpointEvent,
  tooLarge,
} from './touchpoint-event.ts'

/**
 * CloudEvents 1.0 over HTTP (http-protocol-binding 1.0.2): binary and structured with one event,
 * and batched. `refused` is said of the whole request, where there are no events to answer for.
 */
export type DecodedRequest =
  | { kind: 'single' | 'batch'; items: Decoded[] }
  | { kind: 'refused'; status: 400 | 413 | 415; rejection: Rejection }

/** Headers by lower-case name; a list says that one came more than once. */
export type IncomingHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

export const maxBatchEvents = 500
export const maxBatchBytes = 4 * 1024 * 1024

/** The answer that each class gets over HTTP; 503 and 429 are not about the event. */
export const httpStatusOf = {
  not_json: 400,
  not_a_cloudevent: 400,
  too_large: 413,
  forbidden_key: 400,
  forbidden_character: 400,
  no_subject: 400,
  unknown_type: 400,
  data_invalid: 400,
  time_in_future: 400,
  older_than_inbox: 400,
  source_not_allowed: 403,
  type_not_allowed: 403,
  signature_invalid: 403,
  apply_failed: 400,
} as const satisfies Record<RejectionClass, 400 | 403 | 413>

const EVENT = 'application/cloudevents+json'
const BATCH = 'application/cloudevents-batch+json'

/**
 * Reads one request. Give `headers` from Node's `message.headersDistinct`: in `message.headers` a
 * header that came twice has become one value with a comma in it. Never throws.
 */
export function decodeRequest(
  contentType: string | undefined,
  headers: IncomingHeaders,
  body: Buffer,
): DecodedRequest {
  const mediaType = contentType?.split(';', 1)[0]?.trim().toLowerCase()
  if (contentType !== undefined && !isUtf8Charset(contentType)) {
    return refuse(415, 'not_a_cloudevent', 'the charset is not UTF-8')
  }
  if (mediaType === BATCH) return decodeBatch(body)
  if (mediaType === EVENT) return single(decodeStructured(body))
  if (Object.keys(headers).some((name) => name.startsWith('ce-'))) {
    return single(decodeBinary(contentType, headers, body))
  }
  return mediaType === 'application/json'
    ? refuse(400, 'not_a_cloudevent', `JSON without ce- headers; an event is ${EVENT}`)
    : refuse(415, 'not_a_cloudevent', `takes ${EVENT}, ${BATCH}, or ce- headers with JSON`)
}

/** One event in structured mode, or several as a batch. */
export function encodeRequest(events: readonly TouchpointEvent[]): {
  contentType: string
  body: string
} {
  const [first, ...more] = events
  return first !== undefined && more.length === 0
    ? { contentType: EVENT, body: JSON.stringify(formatEvent(first)) }
    : { contentType: BATCH, body: JSON.stringify(events.map(formatEvent)) }
}

function decodeStructured(body: Buffer): Decoded {
  if (body.length > maxEventBytes) return tooLarge()
  const parsed = parseJson(body)
  if (parsed === undefined) return reject('not_json', 'the body is not JSON in UTF-8')
  return parseEvent(parsed.value, body.length)
}

function decodeBatch(body: Buffer): DecodedRequest {
  if (body.length > maxBatchBytes) {
    return refuse(413, 'too_large', `larger than ${maxBatchBytes} bytes`)
  }
  const parsed = parseJson(body)
  if (parsed === undefined) return refuse(400, 'not_json', 'the body is not JSON in UTF-8')
  if (!Array.isArray(parsed.value)) {
    return refuse(400, 'not_a_cloudevent', 'a batch is a JSON array of events')
  }
  if (parsed.value.length > maxBatchEvents) {
    return refuse(413, 'too_large', `more than ${maxBatchEvents} events`)
  }
  // An event cannot be larger than the text it came in, so most batches need no measuring.
  const bytes = body.length <= maxEventBytes ? body.length : undefined
  return { kind: 'batch', items: parsed.value.map((item) => parseEvent(item, bytes)) }
}

function decodeBinary(
  contentType: string | undefined,
  headers: IncomingHeaders,
  body: Buffer,
): Decoded {
  if (body.length > maxEventBytes) return tooLarge()
  const { attributes, rejection } = readHeaders(headers)
  if (rejection) return { rejection }
  const envelope = { ...attributes, datacontenttype: contentType }
  if (body.length === 0) return assembleEvent(envelope, undefined)
  const parsed = parseJson(body)
  if (parsed === undefined) return reject('not_json', 'the body is not JSON in UTF-8', 'data')
  return assembleEvent(envelope, parsed.value)
}

type Attributes = Record<string, string>
type ReadHeaders =
  | { attributes: Attributes; rejection?: undefined }
  | { rejection: Rejection; attributes?: undefined }

function readHeaders(headers: IncomingHeaders): ReadHeaders {
  const attributes: Attributes = Object.create(null)
  for (const [name, given] of Object.entries(headers)) {
    if (!name.startsWith('ce-') || given === undefined) continue
    const [value = '', ...more] = typeof given === 'string' ? [given] : given
    const text = decodeHeader(value)
    const reason = more.length > 0 ? 'the header came more than once' : 'not percent-encoded'
    if (more.length > 0 || text === undefined) {
      return { rejection: { errorClass: 'not_a_cloudevent', reason, path: name } }
    }
    attributes[name.slice('ce-'.length)] = text
  }
  return { attributes }
}

const QUOTED = /^"((?:[^"\\]|\\.)*)"$/
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/

/** Unquotes, then undoes one round of percent-encoding (§3.1.3.2); undefined when it is none. */
function decodeHeader(value: string): string | undefined {
  const unquoted = QUOTED.exec(value)?.[1]?.replace(/\\(.)/g, '$1') ?? value
  if (!PRINTABLE_ASCII.test(unquoted)) return undefined
  try {
    return decodeURIComponent(unquoted)
  } catch {
    return undefined
  }
}

function isUtf8Charset(contentType: string): boolean {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1]
  return charset === undefined || /^utf-?8$/i.test(charset)
}

function single(item: Decoded): DecodedRequest {
  return { kind: 'single', items: [item] }
}

function refuse(
  status: 400 | 413 | 415,
  errorClass: RejectionClass,
  reason: string,
): DecodedRequest {
  return { kind: 'refused', status, rejection: { errorClass, reason } }
}
