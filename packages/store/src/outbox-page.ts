import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { LocaleName } from '@wegwijs/campaign/definition/words'
import { isReasonCode, reasons } from '@wegwijs/campaign/reasons'
import { sql } from 'kysely'
import { receiverOf } from './contact-budgets.ts'
import type { Querying } from './database.ts'
import { currentRevision, latestBundle } from './definitions.ts'
import { query } from './transaction.ts'

/**
 * What the sandbox's outbox page shows beyond what the sandbox itself was handed: who the people are, what
 * happened to them and what they got, in business time. Names are shown, so it is for people who do not exist.
 * Nothing is written.
 */
export type OutboxPage = {
  /** Those with the latest message first; names of personas in `language`. */
  people(limit: number, language: LocaleName): Promise<OutboxPerson[]>
  /** Null when there is no such person. All but what people were sent is in `language`. */
  timeline(personId: string, language: LocaleName): Promise<OutboxTimeline | null>
}

export type OutboxPerson = {
  personId: string
  /** `Anna de Vries`, or a publisher's id when nameless. */
  name: string
  /** The persona's name. */
  persona?: string
  /** Messages that were sent. */
  counts: { email: number; sms: number; app: number }
  /** Business time of the last message, ISO. */
  lastAt: string
}

export type OutboxTimeline = {
  person: OutboxPerson
  /** IANA zone in which times are shown. */
  timeZone?: string
  /** In order of business time. */
  moments: OutboxMoment[]
}

/** `at` is business time, ISO. */
export type OutboxMoment =
  /** Its name is what people call it, such as `Opgenomen op de afdeling`. */
  | { kind: 'touchpoint'; at: string; name: string; phase?: string }
  | {
      kind: 'message'
      at: string
      intentId: string
      channel: 'email' | 'sms' | 'app'
      /** The campaign's name, or its id where it has a name in another language only. */
      campaign?: string
      /** State of the intent, such as `delivered`. */
      state?: string
      /** The content of an app message; those of the other channels are with who sent them. */
      app?: { title: string; body: string; url?: string }
    }
  /** Something that was planned and not sent, with its reason in words. */
  | { kind: 'skipped'; at: string; campaign: string; reason: string }

export function createOutboxPage(db: Querying): OutboxPage {
  const names = createNames(db)
  return {
    people: async (limit, language) => {
      const { personaName } = await names(language)
      const rows = await readPeople(db, { limit })
      return rows.map((row) => personOf(row, personaName))
    },
    timeline: async (personId, language) => {
      if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(personId)) return null
      const [row] = await readPeople(db, { personId, limit: 1 })
      if (!row) return null
      const known = await names(language)
      const moments = [
        ...(await readTouchpoints(db, personId, known.touchpointName)),
        ...(await readMessages(db, personId, known.campaignName)),
        ...(await readUnsent(db, personId, known.campaignName, language)),
      ].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
      const zone = known.timeZone === undefined ? {} : { timeZone: known.timeZone }
      return { person: personOf(row, known.personaName), ...zone, moments }
    },
  }
}

type Names = {
  timeZone?: string
  personaName(id: string | null): string | undefined
  touchpointName(type: string): { name: string; phase?: string } | undefined
  campaignName(id: string): string
}

type NamesIn = (language: LocaleName) => Names

/** Read again when another revision is in force. */
function createNames(db: Querying): (language: LocaleName) => Promise<Names> {
  let known: { revision: number | null; names: NamesIn } | undefined
  return async (language) => {
    const revision = await query(() => currentRevision(db))
    if (known?.revision === revision) return known.names(language)
    const latest = await query(() => latestBundle(db))
    known = { revision, names: latest ? namesOf(latest.bundle) : () => withoutDefinition }
    return known.names(language)
  }
}

const withoutDefinition: Names = {
  personaName: () => undefined,
  touchpointName: () => undefined,
  campaignName: (id) => id,
}

/** Types of our own that a reader of somebody's story should see. */
const reservedNames: Readonly<Record<string, Readonly<Record<LocaleName, string>>>> = {
  'consent.granted.v1': { nl: 'Toestemming gegeven', en: 'Gave consent' },
  'consent.withdrawn.v1': { nl: 'Wil dit niet meer ontvangen', en: 'Does not want this any more' },
  'person.deceased.v1': { nl: 'Overleden', en: 'Has died' },
  'person.enrolled.v1': { nl: 'In een campagne gezet', en: 'Put into a campaign' },
  'person.merged.v1': { nl: 'Twee dossiers werden één', en: 'Two records became one' },
}

function namesOf(bundle: DefinitionBundle): NamesIn {
  const inEach = { nl: namesIn(bundle, 'nl'), en: namesIn(bundle, 'en') }
  return (language) => inEach[language]
}

function namesIn(
  { policies, personas, touchpoints, journeys, campaigns }: DefinitionBundle,
  locale: LocaleName,
): Names {
  const types = new Map(touchpoints.touchpoints.map((touchpoint) => [touchpoint.type, touchpoint]))
  const phaseName = (journey: string | undefined, phase: string | undefined) =>
    journeys.journeys.find((each) => each.id === journey)?.phases.find((each) => each.id === phase)
      ?.name[locale]
  return {
    timeZone: policies.timeZone,
    personaName: (id) => personas.personas.find((persona) => persona.id === id)?.name[locale],
    // A campaign has one name, in the organisation's own language.
    campaignName: (id) =>
      (locale === policies.locale && campaigns.find((campaign) => campaign.id === id)?.name) || id,
    touchpointName: (type) => {
      const reserved = reservedNames[type]?.[locale]
      if (reserved !== undefined) return { name: reserved }
      const touchpoint = types.get(type)
      if (!touchpoint) return undefined
      const phase = phaseName(touchpoint.journey, touchpoint.phase)
      return { name: touchpoint.name[locale], ...(phase === undefined ? {} : { phase }) }
    },
  }
}

type PersonRow = {
  person_id: string
  given_name: string | null
  family_name: string | null
  external_id: string | null
  persona: string | null
  email: number
  sms: number
  app: number
  last_at: string | null
}

async function readPeople(
  db: Querying,
  { personId, limit }: { personId?: string; limit: number },
): Promise<PersonRow[]> {
  const { rows } = await query(() =>
    sql<PersonRow>`
      with sent as (
        select person_id, max(business_at) as last_at,
          (count(distinct intent_id) filter (where channel = 'email'))::int as email,
          (count(distinct intent_id) filter (where channel = 'sms'))::int as sms,
          (count(distinct intent_id) filter (where channel = 'app'))::int as app
        from attempt where outcome = 'accepted' and ${personId === undefined ? sql`true` : sql`person_id = ${personId}`}
        group by person_id
      )
      select p.person_id, p.fields ->> 'givenName' as given_name,
        p.fields ->> 'familyName' as family_name, p.persona, sent.last_at,
        coalesce(sent.email, 0) as email, coalesce(sent.sms, 0) as sms, coalesce(sent.app, 0) as app,
        (select min(id_space || ':' || external_id) from person_identity i
          where i.person_id = p.person_id) as external_id
      from person p left join sent using (person_id)
      where ${personId === undefined ? sql`sent.last_at is not null` : sql`p.person_id = ${personId}`}
      order by sent.last_at desc, p.person_id limit ${limit}
    `.execute(db),
  )
  return rows
}

function personOf(row: PersonRow, personaName: Names['personaName']): OutboxPerson {
  const name = [row.given_name, row.family_name].filter((part) => part !== null).join(' ')
  const persona = personaName(row.persona)
  return {
    personId: row.person_id,
    name: name || row.external_id || row.person_id,
    ...(persona === undefined ? {} : { persona }),
    counts: { email: row.email, sms: row.sms, app: row.app },
    lastAt: row.last_at ?? '',
  }
}

async function readTouchpoints(
  db: Querying,
  personId: string,
  touchpointName: Names['touchpointName'],
): Promise<OutboxMoment[]> {
  const { rows } = await query(() =>
    sql<{ at: string; type: string }>`
      select time as at, type from event where person_id = ${personId} and outcome = 'applied'
      order by time, recorded_at`.execute(db),
  )
  return rows.flatMap(({ at, type }): OutboxMoment[] => {
    const named = touchpointName(type)
    return named ? [{ kind: 'touchpoint', at, ...named }] : []
  })
}

type MessageRow = {
  at: string
  intent_id: string
  channel: 'email' | 'sms' | 'app'
  campaign_id: string
  state: string
  title: string | null
  body: string | null
  url: string | null
}

async function readMessages(
  db: Querying,
  personId: string,
  campaignName: Names['campaignName'],
): Promise<OutboxMoment[]> {
  const { rows } = await query(() =>
    sql<MessageRow>`
      select a.business_at as at, a.intent_id, a.channel, i.campaign_id, i.state,
        m.title, m.body, m.url
      from attempt a join intent i using (person_id, intent_id)
      left join app_message m on a.channel = 'app' and m.person_id = ${receiverOf('i')}
        and m.intent_id = a.intent_id
      where a.person_id = ${personId} and a.outcome = 'accepted'
      order by a.business_at, a.recorded_at`.execute(db),
  )
  return rows.map((row) => ({
    kind: 'message',
    at: row.at,
    intentId: row.intent_id,
    channel: row.channel,
    campaign: campaignName(row.campaign_id),
    state: row.state,
    ...(row.title === null
      ? {}
      : {
          app: {
            title: row.title,
            body: row.body ?? '',
            ...(row.url === null ? {} : { url: row.url }),
          },
        }),
  }))
}

async function readUnsent(
  db: Querying,
  personId: string,
  campaignName: Names['campaignName'],
  language: LocaleName,
): Promise<OutboxMoment[]> {
  const { rows } = await query(() =>
    sql<{ at: string; campaign_id: string; reason: string | null }>`
      select coalesce(settled_at, due_at) as at, campaign_id, reason from intent
      where person_id = ${personId}
        and state in ('skipped', 'cancelled', 'expired', 'failed', 'held')
      order by 1, intent_id`.execute(db),
  )
  return rows.map(({ at, campaign_id, reason }) => ({
    kind: 'skipped',
    at,
    campaign: campaignName(campaign_id),
    reason: isReasonCode(reason) ? reasons[reason].text[language] : noReason[language],
  }))
}

const noReason = { nl: 'er is geen reden bekend', en: 'no reason is known' }
