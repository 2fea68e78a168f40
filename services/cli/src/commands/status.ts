import type { KafkajsBroker } from '@wegwijs/kafka/kafkajs'
import type { QueueDepth } from '@wegwijs/queue/port'
import { isFailure } from '@wegwijs/runtime/failure'
import { type PositionStatus, readStatus, type Status } from '@wegwijs/store/status'
import { queueNames } from '@wegwijs/wire/delivery-job'
import { topicsOf } from '@wegwijs/wire/topics'
import type { Command } from 'commander'
import { table } from '../output.ts'
import { type Call, runs, type Shell } from '../shell.ts'
import { reachLines } from './reach.ts'

/** `wegwijs status`: what operations look at first. */
export function addStatus(program: Command, shell: Shell): void {
  program
    .command('status')
    .summary('what is where, what waits, what needs a person')
    .description(
      'States of messages, what waits and for how long, lags, queues, dead letters, stops.',
    )
    .action(runs(shell, show))
}

type Lag = PositionStatus & { lag: number | null }

async function show({ surroundings, output }: Call): Promise<void> {
  const store = await surroundings.store()
  const status = await readStatus(store.db)
  const lags = await orNull(async () => lagsOf(status, store.namespace, await surroundings.kafka()))
  const queues = await orNull(async () => (await surroundings.queue()).depths(queueNames()))
  if (lags === null) output.say('Kafka does not answer: lags are not known')
  if (queues === null) output.say('Redis does not answer: queues are not known')
  output.data({ namespace: store.namespace, ...status, positions: lags, queues }, () => [
    ...headLines(store.namespace, status),
    ...durabilityLines(status),
    ...section('messages', Object.entries(status.messages)),
    ...section('enrolments', Object.entries(status.enrolments)),
    ...unsentLines(status),
    ...waitingLines(status),
    ...lagLines(lags),
    ...queueLines(queues),
    ...section('dead letters to look at', Object.entries(status.deadLetters.byClass)),
    ...section('waiting for a version that was put aside', Object.entries(status.unapplied)),
    ...stopLines(status),
    ...reachSection(status),
  ])
}

/** A server that is away is a part of the answer, not the end of it. */
async function orNull<Result>(ask: () => Promise<Result>): Promise<Result | null> {
  try {
    return await ask()
  } catch (error) {
    if (isFailure(error)) return null
    throw error
  }
}

async function lagsOf(status: Status, namespace: string, kafka: KafkajsBroker): Promise<Lag[]> {
  const { urgent, touchpoints } = topicsOf(namespace)
  const lags: Lag[] = []
  for (const topic of [urgent, touchpoints]) {
    for (const { partition, low, high } of await kafka.admin.endOffsets(topic)) {
      const known = status.positions.find(
        (position) => position.topic === topic && position.partition === partition,
      )
      const position = known ?? unread(topic, partition, String(low))
      lags.push({ ...position, lag: Number(high - BigInt(position.nextOffset)) })
    }
  }
  return lags
}

function unread(topic: string, partition: number, nextOffset: string): PositionStatus {
  const counts = { applied: 0, duplicates: 0, deadLettered: 0 }
  return { topic, partition, nextOffset, ...counts, updatedAt: '' }
}

function headLines(namespace: string, status: Status): string[] {
  const time = status.rehearsal ? `${status.businessNow} (rehearsal)` : status.businessNow
  const revision = status.revision === null ? 'none applied' : `revision ${status.revision}`
  return [
    `namespace   ${namespace}`,
    `time        ${time}`,
    `definition  ${revision}`,
    `people      ${status.people}`,
    `events      ${status.events}`,
    ...status.campaigns.map(
      ({ id, state, version, running, messages }) =>
        `campaign    ${id} ${state === 'live' ? `live, version ${version}` : 'ended'}: ${running} running, ${messages} messages`,
    ),
  ]
}

/** Nothing, when PostgreSQL keeps what it has committed. */
function durabilityLines({ durability: { lax, standbys, synchronous } }: Status): string[] {
  const isBehind = standbys > 0 && !synchronous
  const lines = [
    ...lax,
    ...(isBehind ? [`standbys that follow: ${standbys}, none of them synchronous`] : []),
  ]
  if (lines.length === 0) return []
  return ['', 'PostgreSQL may lose what it has committed', ...lines.map((line) => `  ${line}`)]
}

function section(title: string, counts: readonly (readonly [string, number])[]): string[] {
  if (counts.length === 0) return []
  return [
    '',
    title,
    ...table(
      ['', ''],
      counts.map(([name, count]) => [`  ${name}`, count]),
    ).slice(1),
  ]
}

function unsentLines({ unsent }: Status): string[] {
  if (unsent.length === 0) return []
  const rows = unsent.map(({ state, reason, count }) => [`  ${state}`, reason, count])
  return ['', 'not sent, and why', ...table(['', '', ''], rows).slice(1)]
}

function waitingLines({ waiting }: Status): string[] {
  const rows = waiting
    .filter(({ count }) => count > 0)
    .map(({ stage, lane, topic, count, oldest, seconds }) => [
      `  ${stage}`,
      lane ?? topic,
      count,
      oldest,
      `${Math.round(seconds)} s`,
    ])
  if (rows.length === 0) return ['', 'nothing is due and waits']
  return [
    '',
    'due and waiting',
    ...table(['  STAGE', 'LANE OR TOPIC', 'COUNT', 'OLDEST', 'FOR'], rows),
  ]
}

function lagLines(lags: readonly Lag[] | null): string[] {
  if (lags === null || lags.length === 0) return []
  const rows = lags.map((lag) => [
    `  ${lag.topic}/${lag.partition}`,
    lag.lag,
    lag.applied,
    lag.duplicates,
    lag.deadLettered,
  ])
  return ['', 'Kafka', ...table(['  PARTITION', 'LAG', 'APPLIED', 'DUPLICATES', 'DEAD'], rows)]
}

function queueLines(queues: Readonly<Record<string, QueueDepth>> | null): string[] {
  if (queues === null) return []
  const rows = Object.entries(queues)
    .filter(([, { waiting, active, failed }]) => waiting + active + failed > 0)
    .map(([name, { waiting, active, failed }]) => [`  ${name}`, waiting, active, failed])
  if (rows.length === 0) return ['', 'the queues in Redis are empty']
  return ['', 'Redis', ...table(['  QUEUE', 'WAITING', 'ACTIVE', 'FAILED'], rows)]
}

/** What asks, or is odd; what is within its band is looked up with `wegwijs reach`. */
function reachSection({ reach }: Status): string[] {
  const odd = reach.filter(({ waiting, below }) => waiting > 0 || below)
  return odd.length === 0 ? [] : ['', 'reach', ...reachLines(odd).map((line) => `  ${line}`)]
}

function stopLines({ stops }: Status): string[] {
  if (stops.length === 0) return []
  const rows = stops.map(({ scope, target, recordedAt, source, reason }) => [
    `  ${scope}`,
    target,
    recordedAt,
    source,
    reason,
  ])
  return ['', 'stopped', ...table(['  WHAT', 'WHICH', 'SINCE', 'BY', 'REASON'], rows)]
}
