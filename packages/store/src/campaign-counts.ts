import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { ReasonCode } from '@wegwijs/campaign/reasons'
import { sql } from 'kysely'
import type { Store } from './database.ts'
import { fileIfReadable } from './stored-definition.ts'
import { query } from './transaction.ts'

/** A version of a campaign as it was published; `file` is null where it cannot be read. */
export type KnownVersion = { version: number; file: CampaignFile | null }

/** Every version of a campaign, the oldest first; none when it was never published. */
export async function versionsOf(store: Store, campaignId: string): Promise<KnownVersion[]> {
  return query(async () => {
    const rows = await store.db
      .selectFrom('campaign_version')
      .select(['version', 'content'])
      .where('campaign_id', '=', campaignId)
      .orderBy('version')
      .execute()
    return rows.map(({ version, content }) => ({ version, file: fileIfReadable(content) }))
  })
}

/**
 * One count of people: of whom `state` entered and are now, of whom `step` was reached, by `arm`, waits
 * there now, or got a message that is in `state`.
 */
export type CampaignCount = {
  kind: 'entered' | 'came' | 'arm' | 'waits' | 'message'
  step: string | null
  /** A state, or an arm: its index or its label; `*` is who gave no answer, or for whom a task was not done. */
  what: string | null
  people: number
}

/** Why somebody goes on from a question or a task by `otherwise`: nothing was heard of it, or it was not to be. */
const unheard: readonly ReasonCode[] = [
  'not_answered',
  'task_not_done',
  'consent_missing',
  'consent_withdrawn',
  'recipient_by_age',
  'moment_passed',
  'moment_unknown',
  'quiet_hours_outlast',
  'sending_window_outlast',
]

/**
 * How many people came where in these versions of a campaign: one statement, however many there are. It
 * reads everything that was decided, so it is for somebody who asks, and for nothing that runs by itself.
 */
export async function countsOf(
  store: Store,
  campaignId: string,
  versions: readonly number[],
): Promise<CampaignCount[]> {
  return query(async () => {
    const { rows } = await sql<CampaignCount & { people: string }>`
      with noted as (
        select person_id, detail ->> 'step' as step,
          -- Any other reason took back what was asked because the whole run ended: they went no way.
          case when reason = any(${[...unheard]}::text[]) and (detail ? 'question' or detail ? 'task') then '*'
            else detail ->> 'arm' end as arm
        from decided
        where campaign_id = ${campaignId} and version = any(${[...versions]}::integer[])
          -- Where somebody goes on who is moved: named as its author does, and not come to by a decision.
          and detail ? 'step' and reason <> 'moved_to_version'
      ), messages as (
        select person_id, step, state from intent
        where campaign_id = ${campaignId} and version = any(${[...versions]}::integer[])
      ), runs as (
        select person_id, state, step from enrolment
        where campaign_id = ${campaignId} and version = any(${[...versions]}::integer[])
      )
      select 'entered' as kind, null as step, state as what, count(distinct person_id) as people
        from runs group by state
      union all
      select 'came', step, null, count(distinct person_id)
        from (select person_id, step from noted union all select person_id, step from messages) as came
        group by step
      union all
      select 'arm', step, arm, count(distinct person_id)
        from noted where arm is not null group by step, arm
      union all
      select 'message', step, state, count(distinct person_id) from messages group by step, state
      union all
      select 'waits', step, null, count(distinct person_id)
        from runs where state = 'running' and step is not null group by step
      order by 1, 2, 3`.execute(store.db)
    return rows.map((row) => ({ ...row, people: Number(row.people) }))
  })
}
