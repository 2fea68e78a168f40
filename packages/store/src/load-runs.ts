import { type RawBuilder, type Selectable, sql } from 'kysely'
import type { Querying } from './database.ts'
import type { EnrolmentKey, StateScope } from './load-states.ts'
import type { Schema } from './schema.ts'

/** See `hasOpen` and `exitByTouchpoint` of the core. */
const isAlive = sql`(run.state = 'running' or run.reason in ('entity_withdrawn', 'date_moved') or exists (
  select from intent i where i.person_id = run.person_id and i.enrolment_id = run.enrolment_id
    and i.state in ('planned', 'queued', 'sending', 'held')))`

export async function loadEnrolments(
  tx: Querying,
  personIds: string[],
  scope: StateScope,
): Promise<Selectable<Schema['enrolment']>[]> {
  const { wholePeople, mergedPeople, touchedCampaignIds, campaignIds, entities, resumed } = scope
  const { dated, redatedCampaignIds } = scope
  const told = scope.receiptCampaignIds.length > 0 ? scope.intentIds : []
  const { goals } = scope
  const reasons = [
    wholePeople,
    mergedPeople,
    touchedCampaignIds,
    redatedCampaignIds,
    goals,
    entities,
    resumed,
    told,
    scope.taskIds,
  ]
  if (reasons.every((some) => some.length === 0)) return []
  const ofPeople = sql`run.person_id = any(${personIds}::uuid[])`
  const { rows } = await sql<Selectable<Schema['enrolment']>>`
    select * from enrolment run where run.person_id = any(${[...wholePeople]}::uuid[]) and ${isAlive}
    union
    select * from enrolment run where run.person_id = any(${[...mergedPeople]}::uuid[])
      and run.campaign_id = any(${[...campaignIds]}::text[])
    union
    select * from enrolment run where ${ofPeople}
      and run.campaign_id = any(${[...touchedCampaignIds]}::text[]) and ${isAlive}
    union
    select * from enrolment run where run.person_id = any(${[...dated]}::uuid[])
      and run.campaign_id = any(${[...redatedCampaignIds]}::text[])
    union
    select run.* from unnest(${goals.map(({ campaignId }) => campaignId)}::text[],
        ${goals.map(({ enteredSince }) => enteredSince)}::timestamptz[]) as goal (campaign_id, since)
      join enrolment run on run.campaign_id = goal.campaign_id and run.entered_at >= goal.since
      where ${ofPeople} and run.goal_at is null
    union
    select * from enrolment run where ${ofPeople} and (run.entity_type, run.entity_id) in (
      select * from unnest(${entities.map((entity) => entity.type)}::text[],
        ${entities.map((entity) => entity.id)}::text[]))
    union
    select own.* from unnest(${[...told]}::uuid[]) as told (intent_id) cross join lateral (
      select e.* from intent i join enrolment e using (person_id, enrolment_id)
      where i.intent_id = told.intent_id and i.campaign_id = any(${[...scope.receiptCampaignIds]}::text[])
        and (e.state = 'running' or exists (
          -- Of a cascade that has run through the last one may wait still, and is taken back by a late receipt.
          select from intent n where n.person_id = e.person_id and n.enrolment_id = e.enrolment_id
            and n.state in ('planned', 'queued') and n.turn > i.turn)) offset 0
    ) as own
    union
    select own.* from unnest(${[...scope.taskIds]}::uuid[]) as done (task_id) cross join lateral (
      select e.* from task t join enrolment e using (person_id, enrolment_id)
      where t.task_id = done.task_id and e.state = 'running' offset 0
    ) as own
    union
    select own.* from ${runsOf(resumed)} cross join lateral (
      select * from enrolment e
      where e.person_id = run.person_id and e.enrolment_id = run.enrolment_id offset 0
    ) as own`.execute(tx)
  return rows
}

/** The enrolments, as rows of `run (person_id, enrolment_id)`. */
function runsOf(enrolments: readonly EnrolmentKey[]): RawBuilder<unknown> {
  return sql`unnest(${enrolments.map((row) => row.person_id)}::uuid[],
    ${enrolments.map((row) => row.enrolment_id)}::uuid[]) as run (person_id, enrolment_id)`
}

export async function loadTimers(
  tx: Querying,
  enrolments: readonly EnrolmentKey[],
): Promise<Selectable<Schema['timer']>[]> {
  if (enrolments.length === 0) return []
  const { rows } = await sql<Selectable<Schema['timer']>>`
    select own.* from ${runsOf(enrolments)} cross join lateral (
      select * from timer t
      where t.person_id = run.person_id and t.enrolment_id = run.enrolment_id offset 0
    ) as own`.execute(tx)
  return rows
}

/** Those without a run; a person has one for each date that is still to come. */
export async function loadDateTimers(
  tx: Querying,
  personIds: readonly string[],
): Promise<Selectable<Schema['timer']>[]> {
  if (personIds.length === 0) return []
  const { rows } = await sql<Selectable<Schema['timer']>>`
    select * from timer where person_id = any(${[...personIds]}::uuid[])
      and enrolment_id is null`.execute(tx)
  return rows
}

/**
 * Locks them too, in the order in which everybody does: what is decided to be pending is pending
 * until it is written, and no worker claims in between what a newer version replaces (P3).
 */
export async function loadIntents(
  tx: Querying,
  enrolments: readonly EnrolmentKey[],
  intentIds: readonly string[],
): Promise<Selectable<Schema['intent']>[]> {
  if (enrolments.length === 0 && intentIds.length === 0) return []
  const { rows } = await sql<Selectable<Schema['intent']>>`
    select * from intent where intent_id = any(array(
      select own.intent_id from ${runsOf(enrolments)} cross join lateral (
        select intent_id from intent i
        where i.person_id = run.person_id and i.enrolment_id = run.enrolment_id offset 0
      ) as own
    ) || ${[...intentIds]}::uuid[]) order by intent_id for update`.execute(tx)
  return rows
}

/** Of campaigns that give nobody work there is none to be looked for. */
export async function loadTasks(
  tx: Querying,
  enrolments: readonly Selectable<Schema['enrolment']>[],
  { taskIds, taskCampaignIds }: StateScope,
): Promise<Selectable<Schema['task']>[]> {
  const own = enrolments.filter((row) => taskCampaignIds.includes(row.campaign_id))
  if (own.length === 0 && taskIds.length === 0) return []
  const { rows } = await sql<Selectable<Schema['task']>>`
    select * from task where task_id = any(array(
      select mine.task_id from ${runsOf(own)} cross join lateral (
        select task_id from task t
        where t.person_id = run.person_id and t.enrolment_id = run.enrolment_id offset 0
      ) as mine
    ) || ${[...taskIds]}::uuid[]) order by task_id for update`.execute(tx)
  return rows
}

type Entry = { person_id: string; campaign_id: string; entry_key: string; entered_at: string }

export async function loadEntries(
  tx: Querying,
  personIds: string[],
  campaignIds: readonly string[],
): Promise<Entry[]> {
  if (campaignIds.length === 0) return []
  const { rows } = await sql<Entry>`
    select person_id, campaign_id, entry_key, max(entered_at) as entered_at from enrolment
    where person_id = any(${personIds}::uuid[]) and campaign_id = any(${[...campaignIds]}::text[])
    group by person_id, campaign_id, entry_key`.execute(tx)
  return rows
}
