import { createHash } from 'node:crypto'
import { type DestinationStream, type Logger as Lines, pino } from 'pino'
import { systemClock } from './clock.ts'
import { WegwijsError } from './failure.ts'

/**
 * JSON log lines in which personal data has no place to sit (P7). Nothing is removed afterwards by
 * looking for what is secret; only what is known to be harmless gets in:
 *
 * - the message is a constant of the code: the compiler refuses a computed one, and at run time a
 *   text with digits, '@' or capitals that are not in our vocabulary is withheld;
 * - a field has a name from `fieldKinds`, and a value of the shape which that kind has; a lower-case
 *   word does look like a code, so a `code` is one that the code or the definition chose;
 * - a foreign error is its type, its code and its stack frames, never its message: pg puts row
 *   values in `detail`, zod the input in its issues, nodemailer the address in its text.
 */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

type Kind = 'uuid' | 'foreignId' | 'code' | 'words' | 'number' | 'endpoint' | 'flag' | 'error'

/** The fields there are, in alphabetical order. Whoever has something new to tell adds a line. */
export const fieldKinds = {
  active: 'number',
  attempt: 'number',
  bytes: 'number',
  campaign: 'code',
  channel: 'code',
  code: 'code',
  component: 'code',
  count: 'number',
  deadlineMs: 'number',
  decisions: 'number',
  dependency: 'words',
  discarded: 'number',
  durationMs: 'number',
  enrolmentId: 'uuid',
  error: 'error',
  errorClass: 'code',
  eventId: 'foreignId',
  events: 'number',
  exitCode: 'number',
  failed: 'number',
  field: 'code',
  group: 'code',
  host: 'endpoint',
  intentId: 'uuid',
  intents: 'number',
  job: 'code',
  jobId: 'code',
  lag: 'number',
  lane: 'code',
  migration: 'code',
  namespace: 'code',
  offset: 'number',
  partition: 'number',
  people: 'number',
  personId: 'uuid',
  phase: 'words',
  pid: 'number',
  port: 'number',
  position: 'number',
  provider: 'code',
  queue: 'code',
  ready: 'flag',
  reason: 'code',
  reference: 'foreignId',
  retryInMs: 'number',
  sent: 'number',
  signal: 'code',
  source: 'foreignId',
  state: 'code',
  status: 'number',
  step: 'code',
  subject: 'foreignId',
  template: 'code',
  topic: 'code',
  type: 'code',
  version: 'number',
  waitedMs: 'number',
  waiting: 'number',
} as const satisfies Record<string, Kind>

type ValueOfKind = {
  uuid: string
  foreignId: string
  code: string
  words: string
  number: number | bigint
  endpoint: string
  flag: boolean
  error: unknown
}

export type LogFields = {
  readonly [Name in keyof typeof fieldKinds]?: ValueOfKind[(typeof fieldKinds)[Name]] | undefined
}

/**
 * Turns a text that is not written in the code as it stands into `never`: `string` and template
 * literals with a `string` in them make an index signature here, and a literal does not.
 */
type Constant<Text extends string> =
  Record<never, never> extends Record<Text, unknown> ? never : Text

type Write = <Text extends string>(message: Text & Constant<Text>, fields?: LogFields) => void

export type Logger = {
  readonly debug: Write
  readonly info: Write
  readonly warn: Write
  readonly error: Write
  /** The same log with these fields on every line. */
  child(fields: LogFields): Logger
}

/**
 * A logger for one service. Lines go to standard output, or to `destination` (`{ write(line) }`).
 * Call it `log.info('what happens in lower case', { count: 3 })`.
 */
export function createLogger(
  service: string,
  level: LogLevel = 'info',
  destination?: DestinationStream,
): Logger {
  const options = {
    level,
    base: { service },
    messageKey: 'message',
    timestamp: () => `,"time":"${systemClock.instant()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  // Synchronous, or the last lines before an exit, which say why, would be lost.
  const lines = pino(options, destination ?? pino.destination({ dest: 1, sync: true }))
  return wrap(lines, {})
}

/** Takes every line and keeps none: for tests and for code that is run without a service. */
export const silentLogger: Logger = createLogger('silent', 'silent', { write: () => {} })

function wrap(lines: Lines, bound: LogFields): Logger {
  const writeAt =
    (level: Exclude<LogLevel, 'silent'>): Write =>
    (message, fields) => {
      if (!lines.isLevelEnabled(level)) return
      lines[level](admitFields({ ...bound, ...fields }), ourWords(message))
    }
  return {
    debug: writeAt('debug'),
    info: writeAt('info'),
    warn: writeAt('warn'),
    error: writeAt('error'),
    child: (fields) => wrap(lines, { ...bound, ...fields }),
  }
}

const WITHHELD = 'withheld'
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const CODE = /^(?:[a-z][A-Za-z0-9_.:-]{0,119}|[A-Z][A-Z0-9_]{1,59})$/
const ENDPOINT =
  /^(?:[a-z][a-z0-9.-]{0,99}|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:]{2,45}\])(?::\d{1,5})?$/
const LOWER_CASE_WORDS = /^[a-z][a-z' ,;:()-]{0,199}$/
const PROPER_NOUNS =
  /\b(?:BullMQ|CloudEvents|HTTP|JSON|Kafka|LISTEN|NOTIFY|PostgreSQL|Redis|SIGINT|SIGTERM|SMS|SMTP|URL|Wegwijs)\b/g

/** True for a text that can only be ours: lower-case words, and names from our own vocabulary. */
export function isOurWords(text: string): boolean {
  return LOWER_CASE_WORDS.test(text.replaceAll(PROPER_NOUNS, 'it'))
}

function ourWords(text: string): string {
  return isOurWords(text) ? text : WITHHELD
}

function admitFields(fields: LogFields): Record<string, unknown> {
  const admitted: Record<string, unknown> = {}
  let withheld = 0
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue
    if (!Object.hasOwn(fieldKinds, name)) withheld += 1
    else admitted[name] = admitValue(fieldKinds[name as keyof typeof fieldKinds], value)
  }
  if (withheld > 0) admitted.withheldFields = withheld
  return admitted
}

function admitValue(kind: Kind, value: unknown): unknown {
  switch (kind) {
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : WITHHELD
    case 'flag':
      return typeof value === 'boolean' ? value : WITHHELD
    case 'uuid':
      return matching(UUID, value)
    case 'code':
      return matching(CODE, value)
    case 'words':
      return typeof value === 'string' ? ourWords(value) : WITHHELD
    case 'endpoint':
      return matching(ENDPOINT, value)
    case 'foreignId':
      return admitForeignId(value)
    case 'error':
      return reduceError(value)
  }
}

function matching(shape: RegExp, value: unknown): string {
  return typeof value === 'string' && shape.test(value) ? value : WITHHELD
}

/**
 * An id that a publisher chose may hold anything, a patient number too. A UUID is shown; of another
 * one a short hash, which is the same for the same id, so that lines can be brought together.
 */
function admitForeignId(value: unknown): string {
  if (typeof value !== 'string') return WITHHELD
  if (UUID.test(value)) return value
  return `sha256:${createHash('sha256').update(value).digest('hex').slice(0, 16)}`
}

export type ReducedError = {
  type: string
  code?: string
  constraint?: string
  message?: string
  whatToDo?: string
  stack?: string[]
  cause?: ReducedError
  errors?: ReducedError[]
}

const ERROR_CODE = /^[A-Z][A-Z0-9_]{1,59}$|^[0-9A-Z]{5}$|^\d{1,5}$/
const CONSTRAINT = /^[a-z][a-z0-9_]{0,62}$/
const FRAME_LINE = /^\s+at /
const PLACE = /^\s+at (?:[^()]+ \()?((?:file:\/\/|node:|\/)[^\s()]+:\d+:\d+)\)?$/
const ABOVE_OUR_FOLDERS = /^.*\/(?=node_modules\/)|^.*?\/(?=(?:packages|services|infra|test)\/)/
const MAX_FRAMES = 12
const MAX_NESTED = 5

/** What may be told of an error: type, code, where it happened, and the same of what caused it. */
export function reduceError(error: unknown, depth = 0): ReducedError {
  if (!(error instanceof Error)) return { type: typeof error }
  const reduced: ReducedError = { type: typeName(error), ...errorCode(error) }
  // Its text is ours, made of details that are ours; every other text may quote the data (P7).
  if (error instanceof WegwijsError) {
    reduced.message = error.message
    reduced.whatToDo = error.whatToDo
  }
  reduced.stack = places(error)
  if (depth === MAX_NESTED) return reduced
  if (error.cause !== undefined) reduced.cause = reduceError(error.cause, depth + 1)
  if (error instanceof AggregateError) {
    reduced.errors = error.errors.slice(0, MAX_NESTED).map((one) => reduceError(one, depth + 1))
  }
  return reduced
}

/** The name of the class: `error.name` can be set to anything. */
function typeName(error: Error): string {
  return Object.getPrototypeOf(error).constructor.name
}

/** PostgreSQL's `23505` says little without the name of the constraint, which is in our schema. */
function errorCode(error: Error): Pick<ReducedError, 'code' | 'constraint'> {
  const { code, constraint } = error as { code?: unknown; constraint?: unknown }
  return {
    ...(code !== undefined && { code: matching(ERROR_CODE, String(code)) }),
    ...(constraint !== undefined && { constraint: matching(CONSTRAINT, constraint) }),
  }
}

/**
 * Where it happened, without the names of functions and of folders above ours. The message stands
 * before the frames and may hold lines that look like some, so it is cut off first, and of the rest
 * only the frames at the very end count.
 */
function places(error: Error): string[] {
  const stack = String(error.stack)
  const messageAt = stack.indexOf(error.message)
  const lines = stack.slice(messageAt < 0 ? 0 : messageAt + error.message.length).split('\n')
  const first = lines.findLastIndex((line) => !FRAME_LINE.test(line)) + 1
  return lines
    .slice(first)
    .map((line) => PLACE.exec(line)?.[1])
    .filter((place) => place !== undefined)
    .map((place) => place.replace(ABOVE_OUR_FOLDERS, ''))
    .slice(0, MAX_FRAMES)
}
