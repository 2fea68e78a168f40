import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import type { CompiledCampaign } from '@wegwijs/campaign/compiled-campaign'
import { keysOf } from '@wegwijs/campaign/counts'
import { decideDates } from '@wegwijs/campaign/decide'
import type { DecideContext, Decision } from '@wegwijs/campaign/draft'
import { subtractDuration } from '@wegwijs/campaign/instant'
import { moveRuns, stepMapOf } from '@wegwijs/campaign/move'
import { campaignKey, type PersonState } from '@wegwijs/campaign/state'
import { triggerPartsOf } from '@wegwijs/campaign/triggers/registry'
import { closedSince } from '@wegwijs/campaign/working-days'
import { derivedUuid } from '@wegwijs/runtime/derived-id'
import { businessNow } from '@wegwijs/store/business-clock'
import type { DatabaseTransaction } from '@wegwijs/store/database'
import { keepTimerDecisions } from '@wegwijs/store/decisions'
import { currentRevision } from '@wegwijs/store/definitions'
import { publishEmitted } from '@wegwijs/store/emitted-events'
import { loadOthers, loadStates, type StateScope } from '@wegwijs/store/load-states'
import { lockPeople } from '@wegwijs/store/person-locks'
import {
  advanceRollout,
  type DatedField,
  endRollout,
  forgetDateTimers,
  holdDefinition,
  peopleToMove,
  peopleWithCounts,
  peopleWithDates,
  type Rollout,
  restartRollout,
  takeRollout,
} from '@wegwijs/store/rollouts'
import { saveStates } from '@wegwijs/store/save-states'
import { isUnreadable } from '@wegwijs/store/stored-definition'
import { inTransaction, isTransient } from '@wegwijs/store/transaction'
import { type Wake, wake } from '@wegwijs/store/wake'
import type { TimerDependencies } from './timers.ts'
import { wakesOf } from './wakes.ts'

/** People of one transaction. */
const mostPeople = 200

type Done = { wakes: readonly Wake[] } | 'nothing' | 'definition_changed'

/**
 * Does what publishing a campaign has still to do for people who are there already: a bounded number of
 * them in one transaction, under their locks, and notes how far it has come in the same one. So whatever
 * is killed, everybody has their turn, and nobody a second one that changes anything. Returns whether
 * there may be more.
 *
 * Somebody for whom it fails for a reason of its own does not hold up the others: they are passed over,
 * and it is said in the log.
 */
export async function rollOut(deps: TimerDependencies): Promise<boolean> {
  try {
    return await rollOutWith(deps, mostPeople)
  } catch (error) {
    if (isTransient(error) || isUnreadable(error)) throw error
    deps.log.error('a rollout failed, goes on with one person', { error })
    return rollOutOne(deps)
  }
}

async function rollOutOne(deps: TimerDependencies): Promise<boolean> {
  let turn: Turn | undefined
  try {
    return await rollOutWith(deps, 1, (taken) => {
      turn = taken
    })
  } catch (error) {
    if (isTransient(error) || isUnreadable(error) || !turn) throw error
    deps.metrics.error('rollout_failed')
    await passOver(deps, turn)
    deps.log.error('a person was passed over by a rollout', { personId: turn.last, error })
    return true
  }
}

/** Whose turn it is in a rollout, up to the last of them. */
type Turn = { rollout: Rollout; last: string }

/** Tells `onTaken` whose turn it is before it does anything with them. */
async function rollOutWith(
  deps: TimerDependencies,
  limit: number,
  onTaken: (turn: Turn) => void = () => undefined,
): Promise<boolean> {
  const definition = await deps.definition.latest()
  const done = await inTransaction(deps.store.db, (tx) =>
    rollOutInTransaction(tx, deps, { definition, limit, onTaken }),
  )
  if (done === 'nothing') return false
  if (done === 'definition_changed') deps.definition.forget()
  else await wake(deps.store.db, deps.store.namespace, done.wakes).catch(() => undefined)
  return true
}

type Work = { definition: CompiledDefinition; limit: number; onTaken: (turn: Turn) => void }

async function rollOutInTransaction(
  tx: DatabaseTransaction,
  { store: { namespace } }: TimerDependencies,
  { definition, limit, onTaken }: Work,
): Promise<Done> {
  holdDefinition(tx, namespace)
  const rollout = await takeRollout(tx)
  if (!rollout) return 'nothing'
  if ((await currentRevision(tx)) !== definition.revision) return 'definition_changed'
  if (rollout.work === 'forget') return forget(tx, rollout, limit)
  const now = await businessNow(tx)
  const context: DecideContext = { definition, now, deriveId: derivedUuid }
  const task = await taskOf(tx, rollout, { context, limit })
  const last = task?.people.at(-1)
  if (!task || last === undefined) {
    // A merge may have taken somebody to where everybody had had their turn.
    if (rollout.work === 'move' && rollout.people > 0) await restartRollout(tx, rollout)
    else await endRollout(tx, rollout)
    return { wakes: [] }
  }
  onTaken({ rollout, last })
  await lockPeople(tx, task.people)
  const { asksForRelations } = definition
  const scope = { ...nothing, relations: asksForRelations, ...task.scope }
  const states = await loadStates(tx, task.people, scope)
  const others = await loadOthers(tx, states.values())
  context.otherOf = (personId) => others.get(personId) ?? null
  const decided = [...states.values()].map((before) => ({ before, ...task.decide(before) }))
  const changes = decided.map(({ before, state }) => ({ before, after: state }))
  await saveStates(tx, namespace, changes)
  publishEmitted(
    tx,
    namespace,
    decided.map(({ before, decisions }) => ({
      personId: before.person.personId,
      at: now,
      decisions,
    })),
  )
  void keepTimerDecisions(
    tx,
    decided.map(({ before, decisions }) => ({
      personId: before.person.personId,
      businessAt: now,
      timerId: `rollout ${rollout.rolloutId}`,
      dueAt: now,
      decisions,
    })),
  )
  await advanceRollout(tx, rollout, last, task.people.length)
  return { wakes: wakesOf(changes, now) }
}

/** The next people of a rollout, and what is decided about each; null when there is nothing to do any more. */
type Task = {
  people: string[]
  scope: Partial<StateScope>
  decide(before: PersonState): { state: PersonState; decisions: readonly Decision[] }
}

async function taskOf(
  tx: DatabaseTransaction,
  rollout: Rollout,
  { context, limit }: { context: DecideContext; limit: number },
): Promise<Task | null> {
  if (rollout.work === 'move') return moveTaskOf(tx, rollout, { context, limit })
  const becoming = context.definition.becoming.byId.get(rollout.campaignId)
  if (becoming) {
    const keys = keysOf(becoming.trigger.asked, context.definition.timeZone)
    const people = await peopleWithCounts(tx, rollout, keys, limit)
    return {
      people,
      scope: { dated: people, redatedCampaignIds: [rollout.campaignId] },
      decide: (before) => decideDates(before, [becoming], context, rollout.since),
    }
  }
  const campaign = context.definition.dates.byId.get(rollout.campaignId)
  const field = campaign && datedFieldOf(campaign, rollout, context)
  if (!field) return null
  const people = await peopleWithDates(tx, rollout, field, limit)
  return {
    people,
    // Who was greeted this morning is not greeted again since a day was closed.
    scope: { dated: people, redatedCampaignIds: [rollout.campaignId] },
    decide: (before) => decideDates(before, [campaign], context, rollout.since),
  }
}

async function moveTaskOf(
  tx: DatabaseTransaction,
  rollout: Rollout,
  { context, limit }: { context: DecideContext; limit: number },
): Promise<Task | null> {
  const { campaignId, version, toVersion } = rollout
  const versionOf = (number: number | null) =>
    context.definition.campaigns.get(campaignKey(campaignId, number ?? 0))
  const [from, to] = [versionOf(version), versionOf(toVersion)]
  if (!from || !to) return null
  const resumed = await peopleToMove(tx, rollout, limit)
  const { steps } = stepMapOf(from.file, to.file)
  return {
    people: [...new Set(resumed.map(({ person_id }) => person_id))].sort(),
    scope: { resumed, taskCampaignIds: [...context.definition.taskCampaigns] },
    decide: (before) => moveRuns(before, { from, to, steps }, context),
  }
}

const nothing: StateScope = {
  wholePeople: [],
  mergedPeople: [],
  touchedCampaignIds: [],
  goals: [],
  entities: [],
  resumed: [],
  dated: [],
  redatedCampaignIds: [],
  intentIds: [],
  receiptCampaignIds: [],
  taskIds: [],
  taskCampaignIds: [],
  campaignIds: [],
  relations: false,
}

/** A date may lie as far back as its moment comes after it, and over all closed days between. */
function datedFieldOf(
  { file: { trigger } }: CompiledCampaign,
  { since: published }: Rollout,
  { definition: { isWorkingDay } }: DecideContext,
): DatedField | null {
  const { date, entity } = triggerPartsOf(trigger)
  if (!date) return null
  const field = date.field.slice(date.field.indexOf('.') + 1)
  // West of UTC it is still the day before.
  const dayBefore = subtractDuration(published, 'P1D', 'UTC').slice(0, 'YYYY-MM-DD'.length)
  const opened = closedSince(dayBefore, isWorkingDay)
  const since = subtractDuration(
    subtractDuration(`${opened}T00:00:00.000Z`, date.latestAfter, 'UTC'),
    // Any day of the week is found within seven, and zones differ by less than another.
    'P10D',
    'UTC',
  ).slice(0, 'YYYY-MM-DD'.length)
  return { entityType: entity?.type ?? null, field, since: date.isYearly ? null : since }
}

async function forget(tx: DatabaseTransaction, rollout: Rollout, limit: number): Promise<Done> {
  const forgotten = await forgetDateTimers(tx, rollout, limit)
  if (forgotten === 0) await endRollout(tx, rollout)
  return { wakes: [] }
}

/** Goes on behind whom it failed for, unless another worker has gone on, or begun anew, since. */
async function passOver(deps: TimerDependencies, { rollout, last }: Turn): Promise<void> {
  await inTransaction(deps.store.db, async (tx) => {
    await advanceRollout(tx, rollout, last, 0)
  })
}
