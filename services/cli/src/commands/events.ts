import { mayPublish } from '@wegwijs/campaign/definition/touchpoints'
import { createEventCheck } from '@wegwijs/campaign/event-check'
import { systemClock } from '@wegwijs/runtime/clock'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { fail } from '@wegwijs/runtime/failure'
import { latestBundle } from '@wegwijs/store/definitions'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { isUrgent, topicsOf } from '@wegwijs/wire/topics'
import { parseEvent, type TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import type { Command } from 'commander'
import { readEvents } from '../events-input.ts'
import { type Call, runs, type Shell } from '../shell.ts'

const PUBLISH_DEADLINE_MS = 10_000
const RECORDS_AT_ONCE = 500

type Options = {
  type?: string
  subject?: string
  source?: string
  data: string
  entity?: string
  entityVersion?: string
  unchecked?: boolean
}

/** `wegwijs events send`: touchpoint events straight to Kafka. */
export function addEvents(program: Command, shell: Shell): void {
  program
    .command('events')
    .description('Touchpoint events.')
    .command('send')
    .description(
      'Publish CloudEvents to Kafka: from a file, from standard input (-), or one made of options. Events of one subject keep their order.',
    )
    .argument('[file]', 'one JSON event a line, or an array; - is standard input')
    .option('--type <type>', 'make one event of this type')
    .option('--subject <id>', "the person's id in the publisher's id space")
    .option('--source <urn>', 'the publisher; needed when the definition has several for the type')
    .option('--data <json>', 'its data', '{}')
    .option('--entity <name>', 'what it changes, such as appointment/A-1')
    .option('--entity-version <number>', 'the version of the entity')
    .option('--unchecked', 'do not hold it against the definition first')
    .action(runs(shell, send))
}

async function send(call: Call, options: Options, file?: string): Promise<void> {
  if ((file === undefined) === (options.type === undefined)) {
    throw fail('WEGWIJS_USAGE', { problem: 'name a file (or -), or a --type, and not both' })
  }
  const events =
    file === undefined ? [await makeEvent(call, options)] : await readEvents(file, call.readInput())
  if (!options.unchecked) await checkEvents(call, events)
  const { publisher } = await call.surroundings.kafka()
  const topics = topicsOf(call.surroundings.namespace())
  const sent: { id: string; topic: string; partition: number; offset: string }[] = []
  for (let from = 0; from < events.length; from += RECORDS_AT_ONCE) {
    const chunk = events.slice(from, from + RECORDS_AT_ONCE)
    const records = chunk.map((event) => ({
      topic: isUrgent(event.type) ? topics.urgent : topics.touchpoints,
      ...encodeRecord(event),
    }))
    const places = await publisher.publish(records, { deadlineMs: PUBLISH_DEADLINE_MS })
    for (const [index, { topic, partition, offset }] of places.entries()) {
      sent.push({ id: chunk[index]?.id ?? '', topic, partition, offset: String(offset) })
    }
  }
  call.output.say(`Kafka acknowledged ${sent.length} ${sent.length === 1 ? 'event' : 'events'}`)
  call.output.data(sent, () =>
    sent.map(({ id, topic, partition, offset }) => `${id} ${topic}/${partition}@${offset}`),
  )
}

async function makeEvent(call: Call, options: Options): Promise<TouchpointEvent> {
  const decoded = parseEvent({
    specversion: '1.0',
    id: newUuid(),
    source: options.source ?? (await onlySource(call, options.type ?? '')),
    type: options.type,
    subject: options.subject,
    time: systemClock.instant(),
    data: parseData(options.data),
    ...(options.entity === undefined ? {} : { entity: options.entity }),
    ...(options.entityVersion === undefined ? {} : { version: Number(options.entityVersion) }),
  })
  if (decoded.event) return decoded.event
  const { path, reason } = decoded.rejection
  throw fail('WEGWIJS_EVENTS_INVALID', { faults: [`${path ?? 'the event'}: ${reason}`] })
}

function parseData(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw fail('WEGWIJS_EVENTS_INVALID', { faults: ['--data: not JSON'] })
  }
}

/** The publisher of the definition that may speak of this type, when there is just one. */
async function onlySource(call: Call, type: string): Promise<string> {
  const { db } = await call.surroundings.store()
  const latest = await latestBundle(db)
  const publishers = latest?.bundle.touchpoints.publishers ?? []
  const may = publishers.filter(({ types }) => mayPublish(types, type))
  const [first, second] = may
  if (first && !second) return first.source
  const known = publishers.map((publisher) => publisher.source).join(', ')
  const problem = first
    ? `several publishers may say ${type}; name one with --source: ${may.map((each) => each.source).join(', ')}`
    : `no publisher of the definition may say ${type}; known are ${known || 'none: apply a definition first'}`
  throw fail('WEGWIJS_USAGE', { problem })
}

async function checkEvents(call: Call, events: readonly TouchpointEvent[]): Promise<void> {
  const { db } = await call.surroundings.store()
  const latest = await latestBundle(db)
  if (latest === null) {
    throw fail('WEGWIJS_USAGE', { problem: 'no definition has been applied; see `wegwijs apply`' })
  }
  const check = createEventCheck(latest.bundle)
  const faults = events.flatMap((event, index) => {
    const found = check(event)
    if (!('errorClass' in found)) return []
    return [
      `event ${index + 1}: ${found.path === undefined ? '' : `${found.path}: `}${found.reason}`,
    ]
  })
  if (faults.length > 0) throw fail('WEGWIJS_EVENTS_INVALID', { faults: faults.slice(0, 20) })
}
