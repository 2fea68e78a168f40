/**
 * Every way in which Wegwijs says no, as data. A code is added here, one entry in alphabetical
 * order, and nowhere else: what happened (with which value), what to do about it, whether trying
 * again can help, and the exit code of a command that ends on it.
 *
 * Details are written by us and end up in logs: never a name, an address or any value of an event
 * (P7). The foreign error goes into `cause`, which the log reduces to its code and its stack.
 */

type DetailValue = string | number | boolean | bigint | readonly string[]

export type FailureDetail = Readonly<Record<string, DetailValue>>

export type Failure = {
  message: (detail: never) => string
  whatToDo: string
  retryable: boolean
  exitCode: number
}

/** Exit codes of commands and services, after sysexits(3); 0 is done and 1 is "a check said no". */
export const exitCodes = {
  checkFailed: 1,
  usage: 64,
  dataInvalid: 65,
  unavailable: 69,
  internal: 70,
  temporary: 75,
  configuration: 78,
} as const

const { checkFailed, usage, dataInvalid, unavailable, internal, temporary, configuration } =
  exitCodes

export const failures = {
  WEGWIJS_APP_MESSAGE_UNKNOWN: {
    message: () => 'this person has no such message',
    whatToDo: 'Read the list of messages again; ids of messages come from there.',
    retryable: false,
    exitCode: dataInvalid,
  },
  WEGWIJS_BROKER_UNAVAILABLE: {
    message: (detail: { brokers?: string; reason?: string }) =>
      `Kafka does not answer${at(detail.brokers)}${because(detail.reason)}`,
    whatToDo:
      'Check that Kafka runs and that WEGWIJS_KAFKA_BROKERS names it; Wegwijs goes on by itself once it answers.',
    retryable: true,
    exitCode: unavailable,
  },
  WEGWIJS_CAMPAIGN_CLASS_FIXED: {
    message: (detail: { campaign: string; published: string; found: string }) =>
      `campaign ${detail.campaign} was published as "${detail.published}" and cannot become "${detail.found}": nothing has been changed`,
    whatToDo:
      'Give the new campaign an id of its own; consent, caps and queue of whoever is in the old one hang on its class.',
    retryable: false,
    exitCode: dataInvalid,
  },
  WEGWIJS_CLOSE_DEADLINE: {
    message: (detail: { phase: string; deadlineMs: number }) =>
      `closing "${detail.phase}" took longer than its ${detail.deadlineMs} ms and was left behind`,
    whatToDo:
      'Nothing is lost: what was in flight is taken up again at the next start. If it repeats, look at what the phase waits for.',
    retryable: false,
    exitCode: internal,
  },
  WEGWIJS_CLOSING: {
    message: () => 'this process is closing and takes nothing more',
    whatToDo: 'Send the same again; another process takes it, or this one after its restart.',
    retryable: true,
    exitCode: temporary,
  },
  WEGWIJS_CONFIG_INVALID: {
    message: (detail: { faults: readonly string[] }) =>
      `the configuration has ${listed(detail.faults)}`,
    whatToDo: 'Set the variables as docs/reference/configuration.md describes them.',
    retryable: false,
    exitCode: configuration,
  },
  WEGWIJS_CREDENTIAL_INVALID: {
    message: (detail: { reason: string }) => `the request cannot be trusted: ${detail.reason}`,
    whatToDo:
      'Send `Authorization: Bearer` with an API key that has not been revoked; sign receipts with WEGWIJS_SECRET.',
    retryable: false,
    exitCode: configuration,
  },
  WEGWIJS_CREDENTIAL_NOT_ALLOWED: {
    message: (detail: { reason: string }) => `the API key may not do this: ${detail.reason}`,
    whatToDo: 'Use the key that was made for it, or have one made.',
    retryable: false,
    exitCode: configuration,
  },
  WEGWIJS_DATABASE_UNAVAILABLE: {
    message: (detail: { reason?: string }) => `PostgreSQL does not answer${because(detail.reason)}`,
    whatToDo:
      'Check that PostgreSQL runs and that WEGWIJS_DATABASE_URL names it; Wegwijs goes on by itself once it answers.',
    retryable: true,
    exitCode: unavailable,
  },
  WEGWIJS_DEFINITION_INVALID: {
    message: (detail: { faults: readonly string[] }) =>
      `the definition has ${listed(detail.faults)}`,
    whatToDo: 'Correct the named lines and run `wegwijs validate` again; nothing has been changed.',
    retryable: false,
    exitCode: dataInvalid,
  },
  WEGWIJS_DEFINITION_MISSING: {
    message: () => 'no definition has been applied yet',
    whatToDo:
      'Run `wegwijs apply` with the folder of your organisation; services go on by themselves.',
    retryable: true,
    exitCode: temporary,
  },
  WEGWIJS_DEMO_SERVICE_ENDED: {
    message: (detail: { service: string; reason: string; logFile: string }) =>
      `the service ${detail.service} ${detail.reason}\n(log: ${detail.logFile})`,
    whatToDo: 'Read its log: a service says there why it could not go on.',
    retryable: true,
    exitCode: unavailable,
  },
  WEGWIJS_DEPENDENCY_DEADLINE: {
    message: (detail: { dependency: string; deadlineMs: number }) =>
      `${detail.dependency} did not answer within ${detail.deadlineMs} ms`,
    whatToDo: 'Nothing: it is asked again. If it lasts, look at the network between the two.',
    retryable: true,
    exitCode: unavailable,
  },
  WEGWIJS_EVENTS_INVALID: {
    message: (detail: { faults: readonly string[] }) =>
      `not every event can be sent, so none was:\n${detail.faults.map((fault) => `  ${fault}`).join('\n')}`,
    whatToDo:
      'Correct the named events; `touchpoints.yaml` of the definition says what each type takes.',
    retryable: false,
    exitCode: dataInvalid,
  },
  WEGWIJS_EVENT_REFUSED: {
    message: (detail: { errorClass: string; reason: string }) =>
      `the event is not taken (${detail.errorClass}): ${detail.reason}`,
    whatToDo:
      'Correct what `path` points at and send the event again; the same event is refused every time.',
    retryable: false,
    exitCode: dataInvalid,
  },
  WEGWIJS_INTERNAL: {
    message: () => 'something went wrong that should not be able to',
    whatToDo: 'Send the same again. If it repeats, the log of the service says where it happened.',
    retryable: false,
    exitCode: internal,
  },
  WEGWIJS_JOB_ID_INVALID: {
    message: (detail: { jobId: string }) => `"${detail.jobId}" cannot be the id of a job`,
    whatToDo: "A job id is not empty, has no ':' and is not made of digits only.",
    retryable: false,
    exitCode: internal,
  },
  WEGWIJS_LEDGER_BROKEN: {
    message: (detail: { rules: readonly string[] }) =>
      `the ledger check found rules that do not hold: ${detail.rules.join(', ')}`,
    whatToDo:
      'Do not restart or clean anything yet; `wegwijs ledger check --json` names the rows, docs/runbook says what each rule means.',
    retryable: false,
    exitCode: checkFailed,
  },
  WEGWIJS_LOG_UNREADABLE: {
    message: (detail: { reason: string }) => `the log cannot be read: ${detail.reason}`,
    whatToDo:
      'Check the path, and hold the mapping (`--mapping`, `--case`, `--activity`, `--time`) against the first line of the file.',
    retryable: false,
    exitCode: dataInvalid,
  },
  WEGWIJS_MEDIA_TYPE_UNKNOWN: {
    message: (detail: { reason: string }) =>
      `the body cannot be read as it was sent: ${detail.reason}`,
    whatToDo:
      'Send application/cloudevents+json, application/cloudevents-batch+json, or ce- headers with JSON; not compressed, in UTF-8.',
    retryable: false,
    exitCode: usage,
  },
  WEGWIJS_MOVE_INCOMPLETE: {
    message: (detail: { campaign: string; problem: string }) =>
      `campaign ${detail.campaign} cannot take people along: ${detail.problem}. Nothing has been changed`,
    whatToDo:
      'Say in `move` of the campaign at which step people go on from each step at which they may wait, or `end`. A question or a task that keeps its id keeps its answers and outcomes.',
    retryable: false,
    exitCode: dataInvalid,
  },
  WEGWIJS_NOT_MIGRATED: {
    message: (detail: { expected: string; found?: string }) =>
      `the database schema is at ${detail.found ?? 'nothing'}, this version needs ${detail.expected}`,
    whatToDo: 'Run `wegwijs migrate`; services wait until it is done.',
    retryable: true,
    exitCode: temporary,
  },
  WEGWIJS_OUTBOX_STUCK: {
    message: (detail: { topic: string; code: string; reason?: string }) =>
      `Kafka refuses the oldest record of the outbox for topic ${detail.topic} (${detail.reason ?? detail.code})`,
    whatToDo:
      'Correct what the code names, such as a missing topic. What is for that topic waits in its order and nothing of it is lost; the relay tries again by itself, and goes on with the other topics meanwhile.',
    retryable: true,
    exitCode: temporary,
  },
  WEGWIJS_OVERLOADED: {
    message: () => 'as many requests are being handled as there is room for',
    whatToDo:
      'Send the same again after the seconds in Retry-After; fewer requests at once, more events in each.',
    retryable: true,
    exitCode: temporary,
  },
  WEGWIJS_PERSON_UNKNOWN: {
    message: () => 'there is nobody with this id',
    whatToDo:
      'Name the person as idSpace:externalId, with the id space of the publisher (`ehr:P-1`), or by our own id.',
    retryable: false,
    exitCode: usage,
  },
  WEGWIJS_PLAN_OUTDATED: {
    message: (detail: { changed: string; expected: string; found: string }) =>
      `${detail.changed} has changed since the plan ${detail.expected} was made (it would be ${detail.found} now): nothing has been changed`,
    whatToDo: 'Run `wegwijs plan` again, read what it shows, and apply that plan.',
    retryable: false,
    exitCode: dataInvalid,
  },
  WEGWIJS_POSITION_IN_USE: {
    message: (detail: { topic: string; members: number }) =>
      `${detail.topic} is being read: its group has ${detail.members} ${detail.members === 1 ? 'member' : 'members'}`,
    whatToDo:
      'Stop the journey service and run it again; after a crash Kafka counts a member for some ten seconds more.',
    retryable: true,
    exitCode: temporary,
  },
  WEGWIJS_POSITION_LOST: {
    message: (detail: {
      topic: string
      partition: number
      position: bigint | string
      low: bigint | string
      high: bigint | string
    }) =>
      `position ${detail.position} of ${detail.topic}/${detail.partition} is outside what Kafka holds (${detail.low} to ${detail.high})`,
    whatToDo:
      'Events may have been removed before they were read, or the topic was made anew. See docs/runbook; `wegwijs positions reset` reads on from what there is, it is never done by itself.',
    retryable: false,
    exitCode: internal,
  },
  WEGWIJS_PUBLISH_DEADLINE: {
    message: (detail: { topic?: string; deadlineMs: number }) =>
      `Kafka did not acknowledge within ${detail.deadlineMs} ms${detail.topic === undefined ? '' : ` on ${detail.topic}`}`,
    whatToDo:
      'Send the same events again with the same ids: those that did arrive count once. Check the brokers if it lasts.',
    retryable: true,
    exitCode: temporary,
  },
  WEGWIJS_PUBLISH_REFUSED: {
    message: (detail: { topic?: string; reason: string }) =>
      `Kafka refused a record${detail.topic === undefined ? '' : ` for ${detail.topic}`}: ${detail.reason}`,
    whatToDo:
      'The reason is the name of a Kafka protocol error; look it up, the same record will be refused again.',
    retryable: false,
    exitCode: internal,
  },
  WEGWIJS_QUEUE_UNAVAILABLE: {
    message: (detail: { reason?: string }) => `Redis does not answer${because(detail.reason)}`,
    whatToDo:
      'Check that Redis runs and that WEGWIJS_REDIS_URL names it; queues are rebuilt from PostgreSQL once it answers.',
    retryable: true,
    exitCode: unavailable,
  },
  WEGWIJS_RATE_LIMITED: {
    message: (detail: { perSecond: number }) =>
      `this API key sends more than ${detail.perSecond} events a second`,
    whatToDo: 'Send the same again after the seconds in Retry-After.',
    retryable: true,
    exitCode: temporary,
  },
  WEGWIJS_REACH_UNKNOWN: {
    message: (detail: { campaign: string }) =>
      `no live campaign "${detail.campaign}" says how far it reaches`,
    whatToDo: '`wegwijs reach` lists those that do; the others are not held.',
    retryable: false,
    exitCode: usage,
  },
  WEGWIJS_REDIS_EVICTS: {
    message: (detail: { policy: string }) =>
      `Redis runs with maxmemory-policy ${detail.policy} and may drop jobs when its memory is full`,
    whatToDo: 'Set `maxmemory-policy noeviction` in the Redis configuration and start again.',
    retryable: false,
    exitCode: configuration,
  },
  WEGWIJS_REHEARSAL_ON_REAL_CHANNEL: {
    message: (detail: { channels: readonly string[] }) =>
      `a rehearsal is set, but these channels do not lead to a sandbox: ${detail.channels.join(', ')}`,
    whatToDo:
      'Point WEGWIJS_SMTP_URL and WEGWIJS_SMS_URL at the sandbox, or end the rehearsal with `wegwijs rehearse --end`.',
    retryable: false,
    exitCode: configuration,
  },
  WEGWIJS_REHEARSAL_REFUSED: {
    message: (detail: { reason: string }) => `the rehearsal does not start: ${detail.reason}`,
    whatToDo:
      'Rehearse in a namespace of its own (WEGWIJS_NAMESPACE), or end the earlier rehearsal with `wegwijs rehearse --end`.',
    retryable: false,
    exitCode: usage,
  },
  WEGWIJS_REHEARSAL_STALLED: {
    message: (detail: { waitingFor: readonly string[]; seconds: number }) =>
      `nothing has moved for ${detail.seconds} s while the rehearsal waits for: ${detail.waitingFor.join('; ')}`,
    whatToDo:
      'Check that every service runs and is ready (`wegwijs status`); the same command goes on from where it stood.',
    retryable: true,
    exitCode: temporary,
  },
  WEGWIJS_REHEARSAL_UNREAD: {
    message: (detail: { events: number }) =>
      `Kafka holds ${detail.events} events of the rehearsal that have not been read`,
    whatToDo:
      'Let the services run until `wegwijs status` shows no lag, then end it: read later, these events would count as real.',
    retryable: false,
    exitCode: temporary,
  },
  WEGWIJS_REQUEST_INVALID: {
    message: (detail: { reason: string }) => `the request cannot be read: ${detail.reason}`,
    whatToDo: 'Correct what `path` points at; docs/reference/http.md describes every request.',
    retryable: false,
    exitCode: usage,
  },
  WEGWIJS_REQUEST_TOO_LARGE: {
    message: (detail: { reason: string }) => `the request is too large: ${detail.reason}`,
    whatToDo: 'Send fewer events in one request.',
    retryable: false,
    exitCode: usage,
  },
  WEGWIJS_REQUEST_TOO_SLOW: {
    message: (detail: { deadlineMs: number }) =>
      `the request did not arrive whole within ${detail.deadlineMs} ms`,
    whatToDo: 'Send the same again, over a better line or in smaller parts.',
    retryable: true,
    exitCode: temporary,
  },
  WEGWIJS_REVISION_UNKNOWN: {
    message: (detail: { revision: number }) => `no revision ${detail.revision} was ever applied`,
    whatToDo: '`wegwijs status` tells the revision in force; those before it have lower numbers.',
    retryable: false,
    exitCode: usage,
  },
  WEGWIJS_ROUTE_UNKNOWN: {
    message: () => 'there is nothing at this address, or not for this method',
    whatToDo: 'docs/reference/http.md lists what there is.',
    retryable: false,
    exitCode: usage,
  },
  WEGWIJS_SANDBOX_SILENT: {
    message: (detail: { url: string }) => `the sandbox at ${detail.url} does not answer`,
    whatToDo:
      'Start services/sandbox, or name its page with --sandbox; a rehearsal waits for its receipts.',
    retryable: true,
    exitCode: unavailable,
  },
  WEGWIJS_STACK_DOWNLOAD_FAILED: {
    message: (detail: { what: string; reason: string }) =>
      `${detail.what} could not be downloaded: ${detail.reason}`,
    whatToDo:
      'Check the network and the settings of Maven and try again, or point WEGWIJS_KAFKA_BROKERS at a server you have.',
    retryable: true,
    exitCode: unavailable,
  },
  WEGWIJS_STACK_GIVEN_SERVER_SILENT: {
    message: (detail: { server: string; variable: string }) =>
      `the ${detail.server} that ${detail.variable} names does not answer`,
    whatToDo: 'Start that server, or unset the variable to have a local one started.',
    retryable: true,
    exitCode: unavailable,
  },
  WEGWIJS_STACK_MISSING_PIECE: {
    message: (detail: { pieces: readonly string[] }) =>
      `the local stack needs what this machine does not have: ${detail.pieces.join(', ')}`,
    whatToDo:
      'Install the named pieces, or point WEGWIJS_KAFKA_BROKERS, WEGWIJS_DATABASE_URL and WEGWIJS_REDIS_URL at servers you have; `npm run demo -- --embedded` needs neither Kafka nor Redis.',
    retryable: false,
    exitCode: unavailable,
  },
  WEGWIJS_STACK_SERVER_FAILED: {
    message: (detail: { server: string; reason: string; logFile: string }) =>
      `the local ${detail.server} ${detail.reason} (log: ${detail.logFile})`,
    whatToDo:
      'Read the log. `npm run wegwijs -- stack reset` starts again with empty servers; their data is lost.',
    retryable: true,
    exitCode: unavailable,
  },
  WEGWIJS_STORED_DEFINITION_UNREADABLE: {
    message: (detail: { what: string; problem: string }) =>
      `${detail.what} is stored in a form that this version of Wegwijs does not read: ${detail.problem}`,
    whatToDo:
      'Run `wegwijs migrate`. If it stays, `wegwijs plan` and `wegwijs apply` a definition that is right. A version of a campaign that people are in is read by the Wegwijs that applied it: go on with that one. Nothing was decided meanwhile, and nothing is lost.',
    retryable: false,
    exitCode: dataInvalid,
  },
  WEGWIJS_STORED_ROW_UNREADABLE: {
    message: (detail: { column: string; id: string }) =>
      `${detail.column} of ${detail.id} is stored in a form that this version of Wegwijs does not read`,
    whatToDo:
      'Nothing is decided by this row; the others go on. Go on with the Wegwijs that wrote it, or mend the row; then replay what was put aside (`wegwijs dead-letters`).',
    retryable: false,
    exitCode: dataInvalid,
  },
  WEGWIJS_TEMPLATE_CONTENT_MISSING: {
    message: (detail: { template: string; channel: string; locale: string }) =>
      `template ${detail.template} has no ${detail.channel} message in "${detail.locale}" or the default language`,
    whatToDo: 'Add the message to the template, or take the channel out of the campaign.',
    retryable: false,
    exitCode: dataInvalid,
  },
  WEGWIJS_TEMPLATE_INVALID: {
    message: (detail: { template: string; faults: readonly string[] }) =>
      `template ${detail.template} has ${listed(detail.faults)}`,
    whatToDo:
      'Correct the named lines; docs/reference/definition.md#template-texts lists what a template may use.',
    retryable: false,
    exitCode: dataInvalid,
  },
  WEGWIJS_TEMPLATE_OUTPUT_REFUSED: {
    message: (detail: { template: string; reason: string; variable?: string }) =>
      `template ${detail.template} cannot be sent with this data: ${detail.reason}${detail.variable === undefined ? '' : ` ({{${detail.variable}}})`}`,
    whatToDo: 'Correct the value at the publisher, or the template; nothing was sent.',
    retryable: false,
    exitCode: dataInvalid,
  },
  WEGWIJS_TEMPLATE_VARIABLE_MISSING: {
    message: (detail: { template: string; variable: string }) =>
      `template ${detail.template} needs {{${detail.variable}}}, and this person or event does not have it`,
    whatToDo:
      'Guard the variable with {{#if}} in the template, or make the field required in the touchpoint.',
    retryable: false,
    exitCode: dataInvalid,
  },
  WEGWIJS_TOPICS_MISSING: {
    message: (detail: { topic: string }) => `Kafka has no topic ${detail.topic} yet`,
    whatToDo: 'Run `wegwijs migrate`, which makes the topics; services wait until it is done.',
    retryable: true,
    exitCode: temporary,
  },
  WEGWIJS_TOPIC_REPLACED: {
    message: (detail: {
      topic: string
      partition: number
      offset: bigint | string
      appliedOf: string
    }) =>
      `the record at ${detail.offset} of ${detail.topic}/${detail.partition} is not the one of ${detail.appliedOf} that was applied last`,
    whatToDo:
      'The topic was made anew, and reading on would skip its first events. See docs/runbook; `wegwijs positions reset` accepts the new topic, it is never done by itself.',
    retryable: false,
    exitCode: internal,
  },
  WEGWIJS_TOPIC_UNKNOWN: {
    message: (detail: { topic: string; partition?: number }) =>
      `Kafka has no topic ${detail.topic}${detail.partition === undefined ? '' : ` with a partition ${detail.partition}`}`,
    whatToDo:
      'Run `wegwijs migrate`, which makes the topics, or make it as docs/production.md describes.',
    retryable: false,
    exitCode: configuration,
  },
  WEGWIJS_UNAVAILABLE: {
    message: (detail: { dependency: string }) =>
      `${detail.dependency} does not answer, so this cannot be taken now`,
    whatToDo:
      'Send the same again, with the same ids, after the seconds in Retry-After; what did arrive counts once.',
    retryable: true,
    exitCode: temporary,
  },
  WEGWIJS_URGENT_BEHIND: {
    message: (detail: { partition: number }) =>
      `stops of partition ${detail.partition} have not all been applied yet`,
    whatToDo: 'Nothing: other events are read as soon as the stops are known.',
    retryable: true,
    exitCode: temporary,
  },
  WEGWIJS_USAGE: {
    message: (detail: { problem: string }) => detail.problem,
    whatToDo: 'See `wegwijs --help`, or `--help` after the command.',
    retryable: false,
    exitCode: usage,
  },
} as const satisfies Record<`WEGWIJS_${string}`, Failure>

export type FailureCode = keyof typeof failures

type DetailOf<Code extends FailureCode> =
  Parameters<(typeof failures)[Code]['message']> extends [infer Detail]
    ? Detail & FailureDetail
    : FailureDetail

type FailArguments<Code extends FailureCode> =
  Record<never, never> extends DetailOf<Code>
    ? [detail?: DetailOf<Code>, cause?: unknown]
    : [detail: DetailOf<Code>, cause?: unknown]

/** The only error class of the code base; its code is its identity, never its text. */
export class WegwijsError extends Error {
  override readonly name = 'WegwijsError'
  readonly code: FailureCode
  readonly detail: FailureDetail

  constructor(code: FailureCode, detail: FailureDetail, cause?: unknown) {
    const write: (detail: never) => string = failures[code].message
    super(write(detail as never), cause === undefined ? undefined : { cause })
    this.code = code
    this.detail = detail
  }

  get retryable(): boolean {
    return failures[this.code].retryable
  }

  get exitCode(): number {
    return failures[this.code].exitCode
  }

  get whatToDo(): string {
    return failures[this.code].whatToDo
  }
}

/** Makes the coded error; the caller throws it: `throw fail('WEGWIJS_USAGE', { problem })`. */
export function fail<Code extends FailureCode>(
  code: Code,
  ...[detail, cause]: FailArguments<Code>
): WegwijsError {
  return new WegwijsError(code, Object.freeze({ ...detail }), cause)
}

/** True for a coded error, and with `code` for that code alone. */
export function isFailure(error: unknown, code?: FailureCode): error is WegwijsError {
  return error instanceof WegwijsError && (code === undefined || error.code === code)
}

/** True when trying the same again can help. An error without a code is a defect, and is not. */
export function isRetryable(error: unknown): boolean {
  return error instanceof WegwijsError && error.retryable
}

function listed(faults: readonly string[]): string {
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`
  return `${count}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`
}

function at(where: string | undefined): string {
  return where === undefined ? '' : ` at ${where}`
}

function because(reason: string | undefined): string {
  return reason === undefined ? '' : `: ${reason}`
}
