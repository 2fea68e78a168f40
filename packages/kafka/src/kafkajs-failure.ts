import { fail, isFailure, type WegwijsError } from '@wegwijs/runtime/failure'

/** What errors of kafkajs may carry; its classes are not exported in a way that Node can import. */
type KafkajsError = { readonly type?: unknown; readonly cause?: unknown; readonly errors?: unknown }

const MAX_DEPTH = 5

/**
 * The name of the Kafka protocol error behind an error of kafkajs, such as
 * UNKNOWN_TOPIC_OR_PARTITION. kafkajs wraps the one it met in others, as their cause.
 */
export function protocolErrorOf(error: unknown, depth = 0): string | undefined {
  if (!(error instanceof Error) || depth > MAX_DEPTH) return undefined
  const { type, cause, errors } = error as KafkajsError
  if (typeof type === 'string') return type
  return protocolErrorOf(Array.isArray(errors) ? errors[0] : cause, depth + 1)
}

/** Protocol errors which a record or a topic meets again however often it is tried. */
const REFUSALS: ReadonlySet<string> = new Set([
  'CLUSTER_AUTHORIZATION_FAILED',
  'CORRUPT_MESSAGE',
  'INVALID_CONFIG',
  'INVALID_PARTITIONS',
  'INVALID_RECORD',
  'INVALID_REPLICATION_FACTOR',
  'INVALID_TIMESTAMP',
  'INVALID_TOPIC_EXCEPTION',
  'MESSAGE_TOO_LARGE',
  'POLICY_VIOLATION',
  'RECORD_LIST_TOO_LARGE',
  'TOPIC_AUTHORIZATION_FAILED',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
])

/** What an error of kafkajs means: no such topic, a definite no, or Kafka being away. */
export function toFailure(error: unknown, topic: string | undefined): WegwijsError {
  if (isFailure(error)) return error
  const type = protocolErrorOf(error)
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION' && topic !== undefined) {
    return fail('WEGWIJS_TOPIC_UNKNOWN', { topic }, error)
  }
  if (type !== undefined && REFUSALS.has(type)) {
    return fail('WEGWIJS_PUBLISH_REFUSED', { ...(topic && { topic }), reason: type }, error)
  }
  return fail('WEGWIJS_BROKER_UNAVAILABLE', type === undefined ? {} : { reason: type }, error)
}
