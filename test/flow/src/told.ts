import type { Store } from '@wegwijs/store/database'
import {
  findPerson,
  type MessageFact,
  readCampaignFacts,
  readPersonFacts,
} from '@wegwijs/store/explain'
import { type Verdict, verdictsOf } from '@wegwijs/store/verdicts'
import type { Flow } from './flow.ts'
import { localOf } from './story.ts'

/** What a message said first: the subject of an e-mail, the title of an app message, all of an SMS. */
export type Headlines = ReadonlyMap<string, string>

/** By intent, as the provider or the app's inbox has it. */
export async function readHeadlines(flow: Flow): Promise<Headlines> {
  const app = await flow.store.db.selectFrom('app_message').select(['intent_id', 'title']).execute()
  return new Map([
    ...(await flow.emails()).map((mail) => [mail.intentId ?? '', mail.subject] as const),
    ...(await flow.sms()).map((sms) => [sms.intentId, sms.text] as const),
    ...app.map((row) => [row.intent_id, row.title] as const),
  ])
}

/**
 * What a campaign came to for one person, from stored facts and from what the provider holds, one
 * line a message or refusal, in local time:
 *
 *   03-02 14:05 app welcome sent "Welkom bij ons"
 *   03-02 14:05 welcome skipped no_usable_channel (app contact_missing, email contact_missing)
 *   03-02 21:00 left exit_touchpoint
 *   03-03 02:00 not enrolled event_too_old
 */
export async function tell(
  store: Store,
  about: { subject: string; campaign: string; idSpace?: string },
  headlines: Headlines,
): Promise<string[]> {
  const identity = { idSpace: about.idSpace ?? 'ehr', externalId: about.subject }
  const personId = await findPerson(store.db, identity)
  const facts = personId === null ? null : await readPersonFacts(store.db, personId)
  const campaigns = await readCampaignFacts(store.db)
  const campaign = campaigns.find((each) => each.campaignId === about.campaign)
  if (!facts || !campaign) throw new RangeError(`nobody or nothing known: ${about.subject}`)
  return verdictsOf(facts, campaign).flatMap((verdict) => linesOf(verdict, headlines))
}

function linesOf({ outcome, reason, event, enrolment, messages }: Verdict, headlines: Headlines) {
  if (outcome !== 'enrolled') {
    return event ? [`${localOf(event.businessAt)} not enrolled ${reason}`] : []
  }
  const lines = messages.map((message) => messageLine(message, headlines))
  if (enrolment?.state === 'exited') {
    lines.push(`${localOf(enrolment.endedAt ?? '')} left ${enrolment.reason}`)
  }
  return lines
}

function messageLine(message: MessageFact, headlines: Headlines): string {
  const { messageId, state, reason, channel, attempts, dueAt, settledAt } = message
  const accepted = attempts.find((attempt) => attempt.outcome === 'accepted')
  const headline = headlines.get(message.intentId)
  if (accepted) {
    return `${localOf(accepted.businessAt)} ${channel} ${messageId} ${state} "${headline}"`
  }
  const tried = (message.detail?.channels ?? {}) as Record<string, string>
  const faults = message.channels
    .filter((name) => tried[name] !== undefined)
    .map((name) => `${name} ${tried[name]}`)
    .join(', ')
  const detail = faults === '' ? '' : ` (${faults})`
  return `${localOf(settledAt ?? dueAt)} ${messageId} ${state} ${reason}${detail}`
}
