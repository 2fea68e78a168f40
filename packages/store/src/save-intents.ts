import type { Intent } from '@wegwijs/campaign/state'
import { sql } from 'kysely'
import type { Querying } from './database.ts'
import { appendOutbox } from './outbox.ts'
import { isTold, type MessageOutcome, outcomeRecords } from './outcome-events.ts'
import { insertRows, rowsOf } from './rows.ts'
import type { StateChange } from './save-states.ts'
import type { IntentState } from './schema.ts'
import { entityColumns } from './state-rows.ts'
import { send } from './transaction.ts'

export async function saveIntents(
  tx: Querying,
  namespace: string,
  changes: readonly StateChange[],
): Promise<void> {
  const changed = changes.flatMap(({ before, after }) =>
    [...after.intents.values()]
      .filter((intent) => before.intents.get(intent.intentId) !== intent)
      .map((intent) => ({
        personId: after.person.personId,
        intent,
        isNew: !before.intents.has(intent.intentId),
      })),
  )
  insertIntents(
    tx,
    changed.filter((each) => each.isNew),
  )
  const known = changed.filter((each) => !each.isNew).map((each) => each.intent)
  keepAnswers(
    tx,
    known.filter((intent) => intent.answer !== null),
  )
  const moved = await moveIntents(tx, known)
  reseatIntents(tx, changes)
  void appendOutbox(tx, outcomeRecords(namespace, moved))
}

/** In the version to which somebody was moved the step of a message may stand elsewhere. */
function reseatIntents(tx: Querying, changes: readonly StateChange[]): void {
  const reseated = changes.flatMap(({ before, after }) =>
    [...after.intents.values()].filter(({ intentId, step }) => {
      const known = before.intents.get(intentId)
      return known !== undefined && known.step !== step
    }),
  )
  if (reseated.length === 0) return
  void send(
    tx,
    sql`update intent set step = seat.step
      from unnest(${reseated.map(({ intentId }) => intentId)}::uuid[],
        ${reseated.map(({ step }) => step)}::text[]) as seat (intent_id, step)
      where intent.intent_id = seat.intent_id`,
  )
}

function insertIntents(
  tx: Querying,
  planned: readonly { personId: string; intent: Intent }[],
): void {
  void insertRows(
    tx,
    'intent',
    [
      'person_id',
      'intent_id',
      'enrolment_id',
      'campaign_id',
      'version',
      'message_id',
      'step',
      'class',
      'lane',
      'unknown_outcome',
      'template_id',
      'template_hash',
      'question',
      'channels',
      'state',
      'reason',
      'entity_type',
      'entity_id',
      'entity_version',
      'instead_of',
      'turn',
      'part_of',
      'recipient_id',
      'recipient_as',
      'recipient_scope',
      'recipient_ways',
      'by_age',
      'sending_window',
      'planned_at',
      'planned_for',
      'due_at',
      'expires_at',
      'traceparent',
    ],
    planned.map(({ personId, intent }) => ({
      person_id: personId,
      intent_id: intent.intentId,
      enrolment_id: intent.enrolmentId,
      campaign_id: intent.campaignId,
      version: intent.version,
      message_id: intent.messageId,
      step: intent.step,
      class: intent.class,
      lane: intent.lane,
      unknown_outcome: intent.unknownOutcome,
      template_id: intent.templateId,
      template_hash: intent.templateHash,
      question: intent.question,
      channels: intent.channels,
      state: intent.state,
      reason: intent.reason,
      ...entityColumns(intent.entity),
      instead_of: intent.insteadOf,
      turn: intent.turn ?? 0,
      part_of: intent.partOf ?? null,
      recipient_id: intent.recipient?.personId ?? null,
      recipient_as: intent.recipient?.kind ?? null,
      recipient_scope: intent.recipient?.scope ?? null,
      recipient_ways: intent.recipient?.ways ?? null,
      by_age: intent.byAge ?? false,
      sending_window: intent.window ?? null,
      planned_at: intent.plannedAt,
      planned_for: intent.dueAt,
      due_at: intent.dueAt,
      expires_at: intent.expiresAt,
      traceparent: intent.traceparent,
    })),
  )
}

/** The first that is written stays. */
function keepAnswers(tx: Querying, answered: readonly Intent[]): void {
  if (answered.length === 0) return
  const rows = answered.map((intent) => ({ intent_id: intent.intentId, answer: intent.answer }))
  void send(
    tx,
    sql`update intent set answer = given.answer, touched_at = clock_timestamp()
    from (${rowsOf('intent', ['intent_id', 'answer'], rows)}) as given
    where intent.intent_id = given.intent_id
      and intent.intent_id = any(${rows.map((row) => row.intent_id)}::uuid[])
      and intent.answer is null`,
  )
}

/**
 * Withdraws messages and notes what receipts say. Guarded by the state in the table, not by the one
 * that was loaded: what a worker has claimed since can no longer be withdrawn, and a receipt only
 * ever moves a message up. Returns those that moved. Rows are locked in the order in which everybody locks them.
 */
async function moveIntents(tx: Querying, intents: readonly Intent[]): Promise<MessageOutcome[]> {
  if (intents.length === 0) return []
  const rows = intents.map((intent) => ({
    intent_id: intent.intentId,
    state: intent.state,
    reason: intent.reason,
  }))
  const ids = sql`${rows.map((row) => row.intent_id)}::uuid[]`
  const moved = await sql<Omit<MessageOutcome, 'state'> & { state: IntentState }>`
    with wanted as (${rowsOf('intent', ['intent_id', 'state', 'reason'], rows)}),
    locked as (
      select intent_id from intent where intent_id = any(${ids})
      order by intent_id for update
    )
    update intent set state = wanted.state, reason = wanted.reason,
      settled_at = business_now(), touched_at = clock_timestamp()
    from wanted join locked using (intent_id)
    where intent.intent_id = wanted.intent_id and intent.intent_id = any(${ids}) and (
      (wanted.state = 'cancelled' and intent.state in ('planned', 'queued'))
      or (wanted.state = 'delivered' and intent.state <> all('{delivered, bounced}'))
      or (wanted.state = 'bounced' and intent.state <> 'bounced')
    )
    returning intent.intent_id as "intentId", intent.person_id as "personId",
      intent.campaign_id as "campaignId", intent.version, intent.message_id as "messageId",
      intent.channels[intent.channel_index + 1] as channel, intent.provider, intent.state,
      intent.reason, intent.fence, intent.settled_at as at`.execute(tx)
  return moved.rows.flatMap(({ state, ...outcome }) =>
    isTold(state) ? [{ ...outcome, state }] : [],
  )
}
