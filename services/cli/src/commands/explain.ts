import { type ReasonCode, reasons } from '@wegwijs/campaign/reasons'
import { withNearest } from '@wegwijs/definition/fault'
import { fail } from '@wegwijs/runtime/failure'
import { latestBundle } from '@wegwijs/store/definitions'
import {
  type CampaignFacts,
  type PersonFacts,
  readCampaignFacts,
  readPersonFacts,
} from '@wegwijs/store/explain'
import { type Verdict, verdictsOf } from '@wegwijs/store/verdicts'
import type { Command } from 'commander'
import { personIdOf } from '../person.ts'
import { type Call, runs, type Shell } from '../shell.ts'
import { formatStory, localTime, tellStory } from '../story.ts'

type Options = { campaign?: string; story?: boolean }

/** `wegwijs explain`: why did, or didn't, this person get this? (P4) */
export function addExplain(program: Command, shell: Shell): void {
  program
    .command('explain')
    .summary("why a person did, or didn't, get something")
    .description(
      "Why a person did, or didn't, get something: for each campaign what was decided and why, also when it never looked at them.",
    )
    .argument('<person>', 'idSpace:externalId, or our own id')
    .option('--campaign <id>', 'of this campaign only, event by event')
    .option('--story', 'everything that happened, line by line')
    .action(runs(shell, explain))
}

async function explain(call: Call, options: Options, reference = ''): Promise<void> {
  const { db } = await call.surroundings.store()
  const facts = await readPersonFacts(db, await personIdOf(db, reference))
  if (facts === null) throw fail('WEGWIJS_PERSON_UNKNOWN')
  const campaigns = selected(await readCampaignFacts(db), options.campaign)
  const verdicts = campaigns.flatMap((campaign) => verdictsOf(facts, campaign))
  const zone = (await latestBundle(db))?.bundle.policies.timeZone ?? 'UTC'
  const story = options.story ? tellStory(facts, { timeZone: zone }) : []
  call.output.data({ ...headOf(facts), verdicts, ...(options.story ? { story } : {}) }, () => [
    ...headLines(facts),
    ...campaigns.flatMap((campaign) => {
      const own = verdicts.filter((verdict) => verdict.campaignId === campaign.campaignId)
      const told = options.campaign === undefined ? own.slice(-1) : own
      return ['', ...told.flatMap((verdict) => verdictLines(verdict, zone))]
    }),
    ...(options.story ? ['', ...formatStory(story, zone)] : []),
  ])
}

function selected(campaigns: readonly CampaignFacts[], id: string | undefined): CampaignFacts[] {
  if (id === undefined) return [...campaigns]
  const found = campaigns.find((campaign) => campaign.campaignId === id)
  if (found) return [found]
  const known = campaigns.map((campaign) => campaign.campaignId)
  const { nearest } = withNearest(id, known)
  const hint = nearest === undefined ? `known are ${known.join(', ')}` : `did you mean ${nearest}?`
  throw fail('WEGWIJS_USAGE', { problem: `there never was a campaign "${id}"; ${hint}` })
}

function headOf(facts: PersonFacts) {
  const { personId, identities, persona, deceasedAt, test, businessNow, stops } = facts
  return { personId, identities, persona, deceasedAt, test, businessNow, stops }
}

function headLines(facts: PersonFacts): string[] {
  const names = facts.identities.map(({ idSpace, externalId }) => `${idSpace}:${externalId}`)
  return [
    `person ${facts.personId}${facts.test ? ' (a test)' : ''}`,
    `known as ${names.join(', ') || 'nobody'}`,
    `persona ${facts.persona ?? 'none'}`,
    ...(facts.deceasedAt === null ? [] : [`died ${facts.deceasedAt}`]),
    ...facts.stops.map(
      ({ kind, purpose, channel, reason, at }) =>
        `stopped (${kind}) since ${at}: ${reason}; ${purpose === 'all' ? 'everything' : purpose}${channel === '' ? '' : ` over ${channel}`}`,
    ),
  ]
}

/** What one campaign came to: the decision, then each of its messages with what was tried. */
function verdictLines(verdict: Verdict, zone: string): string[] {
  const { campaignId, version, outcome, reason, event, enrolment } = verdict
  const name = version === null ? campaignId : `${campaignId} (version ${version})`
  const cause =
    event === null ? '' : ` on ${localTime(event.businessAt, zone)} by ${event.type} ${event.id}`
  if (outcome !== 'enrolled') {
    const looked = outcome === 'refused' ? 'did not enter' : 'was not considered'
    return [
      `${name}: ${looked}${cause}`,
      `  because ${reasonOf(reason)}${detailText(verdict)}`,
      `  to do: ${reasons[reason]?.whatToDo.en ?? 'nothing'}`,
    ]
  }
  const lines = [`${name}: entered${cause}`]
  if (enrolment !== null) {
    const until =
      enrolment.waitsUntil === null ? '' : `, waits until ${localTime(enrolment.waitsUntil, zone)}`
    const why = enrolment.reason === null ? '' : `: ${reasonOf(enrolment.reason)}`
    lines.push(`  ${enrolment.state}${why}${until}`)
  }
  for (const message of verdict.messages) lines.push(...messageLines(message, zone))
  return lines
}

function messageLines(message: Verdict['messages'][number], zone: string): string[] {
  const { messageId, state, reason, dueAt, expiresAt, channel, attempts } = message
  const why = reason === null ? '' : `: ${reasonOf(reason)}`
  const waits = state === 'planned' || state === 'queued' || state === 'sending'
  const when = waits
    ? `, due ${localTime(dueAt, zone)}, worth sending until ${localTime(expiresAt, zone)}`
    : ''
  return [
    `  message ${messageId} by ${channel ?? 'no channel'}: ${state}${why}${when}`,
    ...attempts.map((attempt) => {
      const said = attempt.reason === null ? '' : ` (${attempt.reason})`
      const again = attempt.duplicate ? ', marked as sent again' : ''
      return `    ${localTime(attempt.businessAt, zone)} ${attempt.channel} over ${attempt.provider}: ${attempt.outcome}${said}${again}`
    }),
    ...channelLines(message.detail),
  ]
}

function channelLines(detail: Readonly<Record<string, unknown>> | null): string[] {
  const channels = detail?.channels
  if (typeof channels !== 'object' || channels === null) return []
  return Object.entries(channels).map(
    ([channel, reason]) => `    not by ${channel}: ${reasonOf(String(reason))}`,
  )
}

function reasonOf(code: string): string {
  return Object.hasOwn(reasons, code) ? reasons[code as ReasonCode].text.en : code
}

/** What the decision saw: which field was compared with what, or what it waits for. */
function detailText({ detail }: Verdict): string {
  if (detail === null) return ''
  const { leaves, ...rest } = detail
  const compared = Array.isArray(leaves) ? leaves.map((leaf) => JSON.stringify(leaf)) : []
  const others = Object.entries(rest).map(([name, value]) => `${name} ${JSON.stringify(value)}`)
  const all = [...compared, ...others]
  return all.length === 0 ? '' : ` (${all.join('; ')})`
}
