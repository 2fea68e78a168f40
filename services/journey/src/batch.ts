import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import { isOwn } from '@wegwijs/campaign/event-check'
import type { JourneyEvent } from '@wegwijs/campaign/state'
import type { BatchOutcome, RecordBatch } from '@wegwijs/kafka/port'
import { markOf } from '@wegwijs/kafka/record-mark'
import type { Clock } from '@wegwijs/runtime/clock'
import { isFailure } from '@wegwijs/runtime/failure'
import type { Logger } from '@wegwijs/runtime/log'
import type { ComponentMetrics } from '@wegwijs/runtime/metrics'
import type { DatabaseTransaction, Store } from '@wegwijs/store/database'
import { keepDeadLetters } from '@wegwijs/store/dead-letter-intake'
import { publishEmitted } from '@wegwijs/store/emitted-events'
import { type EventRow, keepEvents, rememberEvents } from '@wegwijs/store/inbox'
import { advancePosition, type BatchTally, lockPosition } from '@wegwijs/store/positions'
import { holdDefinition } from '@wegwijs/store/rollouts'
import { isUnreadable } from '@wegwijs/store/stored-definition'
import { inTransaction, isTransient } from '@wegwijs/store/transaction'
import { keepWhatForbids } from '@wegwijs/store/unapplied-events'
import { type Wake, wake } from '@wegwijs/store/wake'
import type { Rejection } from '@wegwijs/wire/touchpoint-event'
import type { CurrentDefinition } from './current-definition.ts'
import { type DecidedEvent, PeopleInHand } from './decide-batch.ts'
import { type Accepted, type Rejected, takeIn } from './intake.ts'
import { type Addressed, addressEvents, loadPeople } from './people-of-batch.ts'
import { wakesOf } from './wakes.ts'

/** Records of one transaction: more would hold locks longer without going faster. */
const mostRecords = 500
/** While a rehearsal holds events it is looked ever less often whether it still does: most are held for a moment. */
const heldPausesMs = { first: 5, longest: 100 }

export type BatchDependencies = {
  store: Store
  definition: CurrentDefinition
  secret: string
  log: Logger
  metrics: ComponentMetrics
  clock: Clock
}

type Applied = BatchOutcome & { tally?: BatchTally; wakes?: readonly Wake[] }

/**
 * Applies a batch of records, each exactly once (P1, P2), in one transaction:
 *
 *   position compared and locked → records read → people found and locked → inbox → decide
 *   → people, messages, timers, decisions, dead letters, outbox → position moved → commit
 *
 * Whoever finds another position than the one it read from changes nothing and goes there. A batch
 * that fails for a reason of its own is cut in two until the one record at fault stands alone; that
 * one becomes a dead letter, and the partition goes on.
 *
 * @throws WEGWIJS_STORED_DEFINITION_UNREADABLE, of which no record is the reason: none is put aside
 */
export async function applyBatch(
  batch: RecordBatch,
  deps: BatchDependencies,
  isCurrent: () => boolean = () => true,
): Promise<BatchOutcome> {
  for (const part of partsOf(batch, mostRecords)) {
    const outcome = await applyPart(part, { ...deps, isCurrent })
    if (outcome.kind === 'seek') return outcome
  }
  return { kind: 'done' }
}

type PartDependencies = BatchDependencies & { isCurrent: () => boolean }

async function applyPart(part: RecordBatch, deps: PartDependencies): Promise<BatchOutcome> {
  try {
    return await applyWith(part, deps, null)
  } catch (error) {
    if (isTransient(error) || isUnreadable(error)) throw error
    deps.metrics.error('apply_failed')
    if (part.records.length <= 1) {
      const { topic, partition } = part
      deps.log.error('a record could not be applied', {
        topic,
        partition,
        offset: part.readFrom,
        error,
      })
      return putAside(part, deps, failureOf(error))
    }
    for (const half of partsOf(part, Math.ceil(part.records.length / 2))) {
      const outcome = await applyPart(half, deps)
      if (outcome.kind === 'seek') return outcome
    }
    return { kind: 'done' }
  }
}

/** With what the record forbids, unless that is what cannot be written. */
async function putAside(
  part: RecordBatch,
  deps: PartDependencies,
  rejection: Rejection,
): Promise<BatchOutcome> {
  try {
    return await applyWith(part, deps, { rejection, forbids: true })
  } catch (error) {
    if (isTransient(error) || isUnreadable(error)) throw error
    deps.log.error('what a record forbids could not be kept', { topic: part.topic, error })
    return applyWith(part, deps, { rejection, forbids: false })
  }
}

/** Why records are put aside, and whether what they forbid is kept all the same. */
type Fault = { rejection: Rejection; forbids: boolean }

/**
 * Applies in one transaction; with `fault`, puts all records of the part aside for that reason. Once more for as
 * long as it was decided by an older definition, or a rehearsal holds its events.
 */
async function applyWith(
  part: RecordBatch,
  deps: PartDependencies,
  fault: Fault | null,
): Promise<BatchOutcome> {
  let pauseMs = heldPausesMs.first
  for (;;) {
    const definition = await deps.definition.latest()
    const applied = await inTransaction(deps.store.db, (tx) =>
      applyInTransaction(tx, part, deps, { definition, fault }),
    )
    if (applied === 'definition_changed') {
      deps.definition.forget()
    } else if (applied === 'held') {
      if (!deps.isCurrent()) return { kind: 'seek', offset: part.readFrom }
      await deps.clock.sleep(pauseMs)
      pauseMs = Math.min(pauseMs * 2, heldPausesMs.longest)
    } else {
      if (applied.tally) count(deps.metrics, part, applied.tally)
      // A lost wake-up costs the sweep's interval and nothing else.
      await wake(deps.store.db, deps.store.namespace, applied.wakes ?? []).catch(() => undefined)
      return applied.kind === 'seek' ? applied : { kind: 'done' }
    }
  }
}

async function applyInTransaction(
  tx: DatabaseTransaction,
  part: RecordBatch,
  deps: BatchDependencies,
  { definition, fault }: { definition: CompiledDefinition; fault: Fault | null },
): Promise<Applied | 'definition_changed' | 'held'> {
  holdDefinition(tx, deps.store.namespace)
  const position = await lockPosition(tx, part.topic, part.partition, part.readFrom)
  if (position.next !== part.readFrom) return { kind: 'seek', offset: position.next }
  if (position.held) return 'held'
  if (position.revision !== definition.revision || position.counts !== definition.counts.mark)
    return 'definition_changed'
  const { now, stands } = position
  const context = { definition, now, stands, secret: deps.secret }
  if (fault?.forbids) {
    const told = part.records.map((record) => takeIn(record, context))
    await keepWhatForbids(
      tx,
      told.filter((each): each is Accepted => 'event' in each),
      definition.touchpoints,
    )
  }
  const taken = part.records.map((record) =>
    fault ? { record, rejection: fault.rejection } : takeIn(record, context),
  )
  const rejected = taken.filter((each): each is Rejected => 'rejection' in each)
  const { addressed, unknown } = await addressEvents(
    tx,
    taken.filter((each): each is Accepted => 'event' in each),
  )
  rejected.push(...unknown.map(({ record, path }) => ({ record, rejection: { ...nobody, path } })))
  const fresh = await freshOf(tx, addressed)
  const { decided, wakes } = await decideAll(tx, fresh, {
    namespace: deps.store.namespace,
    definition,
    now,
  })
  const told = publishEmitted(
    tx,
    deps.store.namespace,
    decided.map(({ personId, decisions }) => ({ personId, at: now, decisions })),
  )
  void keepEvents(
    tx,
    decided.map((each) => eventRowOf(each, now)),
  )
  const put = await keepDeadLetters(
    tx,
    deps.store.namespace,
    rejected.map(({ record, rejection }) => ({ ...record, rejection })),
  )
  const tally = {
    applied: fresh.length,
    duplicates: addressed.length - fresh.length + rejected.length - put,
    deadLettered: put,
  }
  const lastRecord = part.records.at(-1)
  const last = lastRecord === undefined ? null : markOf(lastRecord)
  void advancePosition(tx, { ...part, records: part.records.length, last }, tally)
  return { kind: 'done', tally, wakes: put + told > 0 ? [...wakes, 'outbox'] : wakes }
}

/** Those that did not count before (P2). */
async function freshOf(
  tx: DatabaseTransaction,
  addressed: readonly Addressed[],
): Promise<Addressed[]> {
  const fresh = await rememberEvents(
    tx,
    addressed.map(({ personId, event }) => ({
      personId,
      source: event.source,
      eventId: event.id,
      subject: subjectOf(event, personId),
    })),
  )
  return addressed.filter((_, index) => fresh[index])
}

async function decideAll(
  tx: DatabaseTransaction,
  events: readonly Addressed[],
  {
    namespace,
    definition,
    now,
  }: { namespace: string; definition: CompiledDefinition; now: string },
): Promise<{ decided: DecidedEvent[]; wakes: Wake[] }> {
  if (events.length === 0) return { decided: [], wakes: [] }
  const people = new PeopleInHand(
    tx,
    namespace,
    await loadPeople(tx, events, { definition, now }),
    {
      definition,
      now,
    },
  )
  const decided: DecidedEvent[] = []
  for (const event of events) decided.push(await people.decide(event))
  const changes = await people.save()
  const settled = decided.map((each) => ({ ...each, personId: people.survivorOf(each.personId) }))
  return { decided: settled, wakes: wakesOf(changes, now) }
}

/**
 * Part of an event's identity. A receipt names a person of ours, who may have become another one
 * since: it is the same receipt under either id (P2).
 */
function subjectOf({ source, subject }: JourneyEvent, personId: string): string {
  return isOwn(source) ? personId : subject
}

function eventRowOf(decided: DecidedEvent, now: string): EventRow {
  const { record, event, personId, persona, outcome, decisions } = decided
  return {
    person_id: personId,
    source: event.source,
    event_id: event.id,
    subject: subjectOf(event, personId),
    type: event.type,
    time: event.time,
    business_at: now,
    // Names and addresses rest in the person's row only (P7).
    data: event.type === 'person.upserted.v1' ? {} : event.data,
    entity: event.entity ? `${event.entity.type}/${event.entity.id}` : null,
    entity_version: event.entity?.version ?? null,
    traceparent: event.traceparent,
    persona,
    outcome,
    decisions: decisions.length > 0 ? decisions : null,
    topic: record.topic,
    partition: record.partition,
    record_offset: String(record.offset),
    appended_at: event.appendedAt ?? null,
  }
}

const nobody: Rejection = { errorClass: 'data_invalid', reason: 'nobody has this id' }

/** The error's own text may quote data, so only its name goes with the dead letter (P7); of a row its place does. */
function failureOf(error: unknown): Rejection {
  if (isFailure(error, 'WEGWIJS_STORED_ROW_UNREADABLE'))
    return { errorClass: 'apply_failed', reason: `${error.code} ${error.message}` }
  const code = error instanceof Error && 'code' in error ? ` ${String(error.code)}` : ''
  return {
    errorClass: 'apply_failed',
    reason: `${error instanceof Error ? error.name : 'error'}${code}`,
  }
}

/** The batch in parts of at most `size` records; the offsets between them belong to one of the two. */
function partsOf(batch: RecordBatch, size: number): RecordBatch[] {
  if (batch.records.length <= size) return [batch]
  const parts: RecordBatch[] = []
  let readFrom = batch.readFrom
  for (let index = 0; index < batch.records.length; index += size) {
    const nextOffset = batch.records[index + size]?.offset ?? batch.nextOffset
    parts.push({
      ...batch,
      readFrom,
      nextOffset,
      records: batch.records.slice(index, index + size),
    })
    readFrom = nextOffset
  }
  return parts
}

function count(metrics: ComponentMetrics, part: RecordBatch, tally: BatchTally): void {
  metrics.received(part.records.length)
  metrics.sent(tally.applied)
  metrics.discarded('duplicate', tally.duplicates)
  metrics.discarded('dead_letter', tally.deadLettered)
}
