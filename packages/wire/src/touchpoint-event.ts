import { normaliseTime } from './instant.ts'
import {
  findJsonFault,
  isForbiddenKey,
  isJsonObject,
  type JsonFault,
  type JsonObject,
} from './json.ts'

/**
 * One happening of a touchpoint, as every process of Wegwijs passes it on. On the wire it is a
 * CloudEvent 1.0; `entity`, `version`, `traceparent` and `wegwijssignature` are its extension
 * attributes, and other extensions are not carried on. `data` is checked here for what would be
 * harmful anywhere; what a type demands of it is for the catalogue to say.
 */
export type TouchpointEvent = {
  /** With `source` and `subject` the identity of the event: it counts once (P2). */
  id: string
  source: string
  type: string
  /** The person's id in the publisher's id space. */
  subject: string
  /** When it happened: ISO 8601 in UTC with milliseconds, whatever zone the publisher wrote. */
  time: string
  data: JsonObject
  /** What changes, as kind/id, such as `appointment/A-1`. */
  entity?: string
  /** A higher one supersedes a lower one of the same entity. */
  version?: number
  /** W3C Trace Context, carried through to the send. */
  traceparent?: string
  /** On `message.*` only: proof that the event is ours (signature.ts). */
  signature?: string
}

export const rejectionClasses = [
  'not_json',
  'not_a_cloudevent',
  'too_large',
  'forbidden_key',
  'forbidden_character',
  'no_subject',
  'unknown_type',
  'data_invalid',
  'time_in_future',
  'older_than_inbox',
  'source_not_allowed',
  'type_not_allowed',
  'signature_invalid',
  'apply_failed',
] as const

export type RejectionClass = (typeof rejectionClasses)[number]

/**
 * Why an event is not taken. `reason` never quotes the event. `path` says where in it the fault is;
 * it names keys of the publisher, so it may go back to the publisher and never into a log (P7).
 */
export type Rejection = { errorClass: RejectionClass; reason: string; path?: string }

/** Exactly one of the two: after `if (decoded.rejection)` the compiler knows which. */
export type Decoded =
  | { readonly event: TouchpointEvent; readonly rejection?: undefined }
  | { readonly rejection: Rejection; readonly event?: undefined }

/** The largest event, in bytes of its JSON. */
export const maxEventBytes = 256 * 1024

/** Attributes as they came, by CloudEvents name; what is missing is undefined. */
export type Envelope = Readonly<Record<string, unknown>>

/**
 * Reads a CloudEvent in the JSON format, already parsed, and checks its structure. `bytes` is the
 * size of its text where that is known; else it is measured.
 */
export function parseEvent(value: unknown, bytes?: number): Decoded {
  if (!isJsonObject(value)) return reject('not_a_cloudevent', 'not a JSON object')
  const forbidden = Object.keys(value).find(isForbiddenKey)
  if (forbidden !== undefined) {
    return reject('forbidden_key', 'a key that objects keep for themselves', forbidden)
  }
  if (isSet(value.data_base64)) {
    return reject('data_invalid', 'binary data is not taken, send JSON', 'data_base64')
  }
  const decoded = assembleEvent(value, value.data)
  if (decoded.event && (bytes ?? sizeOf(value)) > maxEventBytes) return tooLarge()
  return decoded
}

/** The same event as a CloudEvent in the JSON format. */
export function formatEvent(event: TouchpointEvent): JsonObject {
  return { ...formatAttributes(event), datacontenttype: 'application/json', data: event.data }
}

/** The CloudEvents attributes of an event that has been checked. */
export function formatAttributes(event: TouchpointEvent): Record<string, string | number> {
  const attributes: Record<string, string | number> = {
    specversion: '1.0',
    id: event.id,
    source: event.source,
    type: event.type,
    subject: event.subject,
    partitionkey: event.subject,
    time: event.time,
  }
  if (event.entity !== undefined) attributes.entity = event.entity
  if (event.version !== undefined) attributes.version = event.version
  if (event.traceparent !== undefined) attributes.traceparent = event.traceparent
  if (event.signature !== undefined) attributes.wegwijssignature = event.signature
  return attributes
}

/** Puts together what a codec has taken apart: attributes by their CloudEvents names, and data. */
export function assembleEvent(envelope: Envelope, data: unknown): Decoded {
  const rejection = envelopeFault(envelope)
  if (rejection) return { rejection }
  const time = normaliseTime(envelope.time as string)
  if (time === undefined) return reject('not_a_cloudevent', 'not an RFC 3339 time', 'time')
  // Wegwijs has no use for data that is not there other than as data with nothing in it.
  const given = data ?? {}
  if (!isJsonObject(given)) return reject('data_invalid', 'not a JSON object', 'data')
  const fault = findJsonFault(given, 'data')
  if (fault) return { rejection: fromJsonFault(fault) }
  const event: TouchpointEvent = {
    id: envelope.id as string,
    source: envelope.source as string,
    type: envelope.type as string,
    subject: envelope.subject as string,
    time,
    data: given,
  }
  return addExtensions(event, envelope)
}

function addExtensions(event: TouchpointEvent, envelope: Envelope): Decoded {
  const { entity, version, traceparent, wegwijssignature } = envelope
  if (isSet(entity)) {
    if (!ENTITY.test(entity as string)) {
      return reject('not_a_cloudevent', 'not an entity such as appointment/A-1', 'entity')
    }
    event.entity = entity as string
  }
  if (isSet(version)) {
    const number = readVersion(version)
    if (number === undefined) {
      return reject('not_a_cloudevent', 'not a whole number from 0 to 2147483647', 'version')
    }
    if (!isSet(entity)) {
      return reject('not_a_cloudevent', 'a version needs the entity that it is of', 'entity')
    }
    event.version = number
  }
  // Trace Context asks to go on without a traceparent that is not valid.
  if (typeof traceparent === 'string' && TRACEPARENT.test(traceparent)) {
    event.traceparent = traceparent
  }
  if (isSet(wegwijssignature)) event.signature = wegwijssignature as string
  return { event }
}

type Attribute = { name: string; maxLength: number; missing?: RejectionClass }

/** The attributes that are text, in the order in which faults are told. */
const textAttributes: readonly Attribute[] = [
  { name: 'id', maxLength: 255, missing: 'not_a_cloudevent' },
  { name: 'source', maxLength: 255, missing: 'not_a_cloudevent' },
  { name: 'type', maxLength: 255, missing: 'not_a_cloudevent' },
  { name: 'subject', maxLength: 255, missing: 'no_subject' },
  { name: 'time', maxLength: 64, missing: 'not_a_cloudevent' },
  { name: 'entity', maxLength: 255 },
  { name: 'wegwijssignature', maxLength: 128 },
]

// CloudEvents forbids control characters, lone surrogates and noncharacters in attributes (§3.1).
const FORBIDDEN_IN_ATTRIBUTE = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u
const NOT_IN_URI = /[\s<>"\\^`{|}]/
const ENTITY = /^[a-z][a-z0-9-]*\/./
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/
const JSON_MEDIA_TYPE = /^(?:application|text)\/(?:[\w.-]+\+)?json\s*(?:;|$)/i
const MAX_VERSION = 2_147_483_647

function envelopeFault(envelope: Envelope): Rejection | undefined {
  if (envelope.specversion !== '1.0') {
    return {
      errorClass: 'not_a_cloudevent',
      reason: 'specversion is not 1.0',
      path: 'specversion',
    }
  }
  for (const attribute of textAttributes) {
    const rejection = attributeFault(attribute, envelope[attribute.name])
    if (rejection) return rejection
  }
  if (NOT_IN_URI.test(envelope.source as string)) {
    return { errorClass: 'not_a_cloudevent', reason: 'not a URI reference', path: 'source' }
  }
  const contentType = envelope.datacontenttype
  if (!isSet(contentType) || JSON_MEDIA_TYPE.test(String(contentType))) return undefined
  return { errorClass: 'not_a_cloudevent', reason: 'data is not JSON', path: 'datacontenttype' }
}

function attributeFault(attribute: Attribute, value: unknown): Rejection | undefined {
  const { name: path, maxLength, missing } = attribute
  if (!isSet(value)) {
    return missing && { errorClass: missing, reason: `has no ${path}`, path }
  }
  if (typeof value !== 'string') {
    return { errorClass: 'not_a_cloudevent', reason: 'not a string', path }
  }
  if (value.trim() === '') {
    return { errorClass: missing ?? 'not_a_cloudevent', reason: `has an empty ${path}`, path }
  }
  if (value.length > maxLength) {
    return { errorClass: 'not_a_cloudevent', reason: `longer than ${maxLength} characters`, path }
  }
  if (FORBIDDEN_IN_ATTRIBUTE.test(value)) {
    return { errorClass: 'forbidden_character', reason: 'holds a control character', path }
  }
  return undefined
}

/** In the JSON format of CloudEvents an attribute that is null is one that is not there. */
function isSet(value: unknown): boolean {
  return value !== undefined && value !== null
}

/** A CloudEvents Integer: a number in JSON, digits in a header. */
function readVersion(version: unknown): number | undefined {
  const number =
    typeof version === 'string' && /^\d{1,10}$/.test(version) ? Number(version) : version
  if (typeof number !== 'number' || !Number.isInteger(number)) return undefined
  return number >= 0 && number <= MAX_VERSION ? number : undefined
}

function fromJsonFault(fault: JsonFault): Rejection {
  const errorClass =
    fault.kind === 'too_deep' || fault.kind === 'not_json' ? 'data_invalid' : fault.kind
  return { errorClass, reason: fault.reason, path: fault.path }
}

export function reject(errorClass: RejectionClass, reason: string, path?: string): Decoded {
  return { rejection: path === undefined ? { errorClass, reason } : { errorClass, reason, path } }
}

export function tooLarge(): Decoded {
  return reject('too_large', `larger than ${maxEventBytes} bytes`)
}

/** Without end for what nests so deep that nobody can write it down: an attribute that is not carried on may. */
function sizeOf(value: JsonObject): number {
  try {
    return Buffer.byteLength(JSON.stringify(value))
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
