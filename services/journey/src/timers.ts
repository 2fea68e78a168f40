import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import { decideTimer } from '@wegwijs/campaign/decide'
import type { PersonState, Timer } from '@wegwijs/campaign/state'
import { derivedUuid } from '@wegwijs/runtime/derived-id'
import type { Logger } from '@wegwijs/runtime/log'
import type { ComponentMetrics } from '@wegwijs/runtime/metrics'
import { businessNow } from '@wegwijs/store/business-clock'
import type { Store } from '@wegwijs/store/database'
import { keepTimerDecisions, type TimerDecisions } from '@wegwijs/store/decisions'
import { currentRevision } from '@wegwijs/store/definitions'
import { publishEmitted } from '@wegwijs/store/emitted-events'
import {
  type EnrolmentKey,
  loadOthers,
  loadStates,
  type StateScope,
} from '@wegwijs/store/load-states'
import {
  forgetTimers,
  lockPeople,
  lockPeopleWithDueTimers,
  postponeTimers,
  readDueTimers,
} from '@wegwijs/store/person-locks'
import { holdDefinition } from '@wegwijs/store/rollouts'
import { type StateChange, saveStates } from '@wegwijs/store/save-states'
import { isUnreadable } from '@wegwijs/store/stored-definition'
import { inTransaction, isTransient } from '@wegwijs/store/transaction'
import { wake } from '@wegwijs/store/wake'
import type { CurrentDefinition } from './current-definition.ts'
import { wakesOf } from './wakes.ts'

/** People of one transaction. */
const mostPeople = 200

export type TimerDependencies = {
  store: Store
  definition: CurrentDefinition
  log: Logger
  metrics: ComponentMetrics
}

/**
 * Fires what is due: the second input of this service. People whose timers have come are locked as
 * for events, skipping those that somebody else holds, and go on with their enrolments. Returns how
 * many people were taken, so that the caller goes on until there are none.
 *
 * A person whose timer fails for a reason of its own must not hold up the others: their timers are
 * put off, and it is said in the log.
 */
export async function fireDueTimers(deps: TimerDependencies): Promise<number> {
  try {
    return await fireWith(deps, mostPeople)
  } catch (error) {
    if (isTransient(error) || isUnreadable(error)) throw error
    deps.log.error('a timer failed, goes one by one', { error })
    return fireOneByOne(deps)
  }
}

async function fireOneByOne(deps: TimerDependencies): Promise<number> {
  let fired = 0
  for (; fired < mostPeople; fired += 1) {
    let personId: string | undefined
    try {
      const first = await fireWith(deps, 1, ([taken]) => {
        personId = taken
      })
      if (first === 0) return fired
    } catch (error) {
      if (isTransient(error) || isUnreadable(error) || personId === undefined) throw error
      deps.metrics.error('timer_failed')
      await putOff(deps.store, personId)
      deps.log.error('the timers of a person were put off', { personId, error })
    }
  }
  return fired
}

/** Tells `onTaken` whom it has taken before it does anything with them. */
async function fireWith(
  deps: TimerDependencies,
  limit: number,
  onTaken: (personIds: readonly string[]) => void = () => undefined,
): Promise<number> {
  const definition = await deps.definition.latest()
  const fired = await inTransaction(deps.store.db, async (tx) => {
    holdDefinition(tx, deps.store.namespace)
    const ids = await lockPeopleWithDueTimers(tx, limit)
    onTaken(ids)
    if (ids.length === 0) return { people: 0, wakes: [] }
    if ((await currentRevision(tx)) !== definition.revision) return 'definition_changed'
    const now = await businessNow(tx)
    const { resumed, begun } = await readDueTimers(tx, ids)
    const states = await loadStates(tx, ids, {
      wholePeople: [],
      mergedPeople: [],
      ...scopeOfBeginning(begun, definition),
      receiptCampaignIds: [],
      taskIds: [],
      taskCampaignIds: [...definition.taskCampaigns],
      goals: [],
      redatedCampaignIds: [],
      entities: [],
      resumed,
      intentIds: [],
      relations: definition.asksForRelations,
    })
    const others = await loadOthers(tx, states.values())
    const isThere = (key: EnrolmentKey) =>
      states.get(key.person_id)?.enrolments.has(key.enrolment_id) ?? false
    await forgetTimers(
      tx,
      resumed.filter((key) => !isThere(key)),
    )
    const fires = [...states.values()].map((state) =>
      firePerson(state, {
        definition,
        now,
        deriveId: derivedUuid,
        otherOf: (personId) => others.get(personId) ?? null,
      }),
    )
    await saveStates(
      tx,
      deps.store.namespace,
      fires.map((fire) => fire.change),
    )
    publishEmitted(
      tx,
      deps.store.namespace,
      fires
        .flatMap((fire) => fire.groups)
        .map(({ personId, decisions }) => ({ personId, at: now, decisions })),
    )
    void keepTimerDecisions(
      tx,
      fires.flatMap((fire) => fire.groups),
    )
    return {
      people: ids.length,
      wakes: wakesOf(
        fires.map((fire) => fire.change),
        now,
      ),
    }
  })
  if (fired === 'definition_changed') {
    deps.definition.forget()
    return fireWith(deps, limit, onTaken)
  }
  deps.metrics.received(fired.people)
  await wake(deps.store.db, deps.store.namespace, fired.wakes).catch(() => undefined)
  return fired.people
}

/** What a campaign asks of somebody for whom it begins, as when an event begins it. */
function scopeOfBeginning(
  begun: readonly { person_id: string; campaign_id: string }[],
  { dates, becoming }: CompiledDefinition,
): Pick<StateScope, 'dated' | 'campaignIds' | 'touchedCampaignIds'> {
  const campaigns = [...new Set(begun.map(({ campaign_id }) => campaign_id))].flatMap(
    (id) => (dates.byId.get(id) ?? becoming.byId.get(id))?.file ?? [],
  )
  return {
    dated: [...new Set(begun.map(({ person_id }) => person_id))],
    campaignIds: campaigns.filter(({ entry }) => entry !== 'every-time').map(({ id }) => id),
    touchedCampaignIds: campaigns.filter(({ atOnce }) => atOnce !== undefined).map(({ id }) => id),
  }
}

function firePerson(
  state: PersonState,
  context: Parameters<typeof decideTimer>[2],
): { change: StateChange; groups: TimerDecisions[] } {
  let after = state
  const groups: TimerDecisions[] = []
  for (const timer of dueTimers(state, context.now)) {
    const decided = decideTimer(after, timer, context)
    after = decided.state
    groups.push({
      personId: state.person.personId,
      businessAt: context.now,
      timerId: timer.timerId,
      dueAt: timer.dueAt,
      decisions: decided.decisions,
    })
  }
  return { change: { before: state, after }, groups }
}

/** In the order in which they are due, so that the order of the rows decides nothing. */
function dueTimers(state: PersonState, now: string): Timer[] {
  return [...state.timers.values()]
    .filter((timer) => timer.dueAt <= now)
    .sort((a, b) => (a.dueAt + a.timerId < b.dueAt + b.timerId ? -1 : 1))
}

/**
 * Of this person alone, whoever is first by now: another worker may have put them off, or an event may have moved their
 * timer, since it failed.
 */
async function putOff(store: Store, personId: string): Promise<void> {
  await inTransaction(store.db, async (tx) => {
    await lockPeople(tx, [personId])
    await postponeTimers(tx, personId)
  })
}
