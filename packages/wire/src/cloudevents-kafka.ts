import { isUtf8 } from 'node:buffer'
import { parseJson } from './json.ts'
import {
  assembleEvent,
  type Decoded,
  formatAttributes,
  maxEventBytes,
  parseEvent,
  type Rejection,
  reject,
  type TouchpointEvent,
  tooLarge,
} from './touchpoint-event.ts'

/**
 * CloudEvents 1.0 over Kafka (kafka-protocol-binding 1.0.2). Wegwijs writes binary mode: attributes
 * in `ce_` headers, data as the value, the subject as the key. It reads binary and structured mode;
 * the binding has no batch mode.
 */
export type EncodedRecord = { key: string; value: Buffer; headers: Record<string, string> }

type HeaderValue = Buffer | string

/** A header that came more than once is an array. The key plays no part in reading. */
export type IncomingRecord = {
  readonly key?: Buffer | string | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, HeaderValue | readonly HeaderValue[] | undefined>>
}

export function encodeRecord(event: TouchpointEvent): EncodedRecord {
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  for (const [name, value] of Object.entries(formatAttributes(event))) {
    headers[`ce_${name}`] = String(value)
  }
  return { key: event.subject, value: Buffer.from(JSON.stringify(event.data)), headers }
}

/** Never throws: what cannot be read is a rejection, and the partition goes on. */
export function decodeRecord(record: IncomingRecord): Decoded {
  if (record.value !== null && record.value.length > maxEventBytes) return tooLarge()
  const { attributes, rejection } = readHeaders(record.headers)
  if (rejection) return { rejection }
  const mediaType = attributes.datacontenttype
  return mediaType !== undefined && CLOUDEVENTS.test(mediaType)
    ? decodeStructured(record.value, mediaType)
    : decodeBinary(record.value, attributes)
}

const CLOUDEVENTS = /^application\/cloudevents/i
const CLOUDEVENTS_JSON = /^application\/cloudevents\+json\s*(?:;|$)/i

function decodeStructured(value: Buffer | null, mediaType: string): Decoded {
  if (!CLOUDEVENTS_JSON.test(mediaType)) {
    return reject('not_a_cloudevent', 'not in the JSON format of CloudEvents', 'content-type')
  }
  const parsed = value === null ? undefined : parseJson(value)
  if (parsed === undefined) return reject('not_json', 'the value is not JSON in UTF-8')
  return parseEvent(parsed.value, value?.length)
}

function decodeBinary(value: Buffer | null, attributes: Attributes): Decoded {
  if (value === null || value.length === 0) return assembleEvent(attributes, undefined)
  const parsed = parseJson(value)
  if (parsed === undefined) return reject('not_json', 'the value is not JSON in UTF-8', 'data')
  return assembleEvent(attributes, parsed.value)
}

type Attributes = { [Name in (typeof attributeNames)[number]]?: string }
type ReadHeaders =
  | { attributes: Attributes; rejection?: undefined }
  | { rejection: Rejection; attributes?: undefined }

/** The attributes that are read; `datacontenttype` is the header `content-type` (§3.2.1). */
const attributeNames = [
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'entity',
  'version',
  'traceparent',
  'wegwijssignature',
  'datacontenttype',
] as const

const attributeOf: ReadonlyMap<string, keyof Attributes> = new Map(
  attributeNames.map((name) => [name === 'datacontenttype' ? 'content-type' : `ce_${name}`, name]),
)

function readHeaders(headers: IncomingRecord['headers']): ReadHeaders {
  const attributes: Attributes = {}
  for (const header of Object.keys(headers)) {
    // Some publishers write header names as HTTP does.
    const name = attributeOf.get(header) ?? attributeOf.get(header.toLowerCase())
    const given = headers[header]
    if (name === undefined || given === undefined || given === null) continue
    if (!isOne(given) || attributes[name] !== undefined) {
      return refuse('the header came more than once', name)
    }
    const text = readText(given)
    if (text === undefined) return refuse('the header is not UTF-8', name)
    attributes[name] = text
  }
  return { attributes }
}

function isOne(given: HeaderValue | readonly HeaderValue[]): given is HeaderValue {
  return !Array.isArray(given)
}

/** Undefined when the bytes are not UTF-8: two subjects would become one by their replacement. */
function readText(given: HeaderValue): string | undefined {
  if (typeof given === 'string') return given
  const text = given.toString('utf8')
  return text.includes('\ufffd') && !isUtf8(given) ? undefined : text
}

function refuse(reason: string, path: string): ReadHeaders {
  return { rejection: { errorClass: 'not_a_cloudevent', reason, path } }
}
