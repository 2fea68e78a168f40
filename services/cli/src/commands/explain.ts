import { campaignFieldsOf, everyFieldOf } from '@wegwijs/campaign/catalogue'
import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import type { CompiledCampaign } from '@wegwijs/campaign/compiled-campaign'
import type { LeafTrace } from '@wegwijs/campaign/condition'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { Field } from '@wegwijs/campaign/definition/field'
import { type LocaleName, localeNames } from '@wegwijs/campaign/definition/words'
import { createWords, isLeafHidden } from '@wegwijs/campaign/explain/language'
import { reservedNames } from '@wegwijs/campaign/explain/reserved-names'
import type { InEachLanguage, Words } from '@wegwijs/campaign/explain/words'
import { consentKey, entityKey } from '@wegwijs/campaign/state'
import { type PersonRecord, type ReplayedMoment, replay } from '@wegwijs/dry-run/replay'
import { fail, type WegwijsError } from '@wegwijs/runtime/failure'
import type { Store } from '@wegwijs/store/database'
import { definitionsAt } from '@wegwijs/store/definition-history'
import { definitionToTellBy } from '@wegwijs/store/definitions'
import {
  type CampaignFacts,
  type PersonFacts,
  readCampaignFacts,
  readPersonFacts,
} from '@wegwijs/store/explain'
import { isUnreadable } from '@wegwijs/store/stored-definition'
import { readStoredLife, type StoredLife } from '@wegwijs/store/stored-life'
import { verdictsOf } from '@wegwijs/store/verdicts'
import { type Command, Option } from 'commander'
import { explainCampaign } from '../explanation/campaign.ts'
import {
  campaignLines,
  headLines,
  headOf,
  notesOf,
  shown,
  type ToldCampaign,
  withoutHealth,
} from '../explanation/report.ts'
import { explanationSpeeches } from '../explanation/speech.ts'
import { unknownName } from '../known-names.ts'
import { personIdOf } from '../person.ts'
import { type Call, runs, type Shell } from '../shell.ts'
import { formatStory, localTime, tellStory } from '../story.ts'

export type Options = {
  campaign?: string
  event?: string
  locale: LocaleName
  health?: boolean
  story?: boolean
}

/** `wegwijs explain`: why did, or didn't, this person get this? (P4) */
export function addExplain(program: Command, shell: Shell): void {
  program
    .command('explain')
    .summary("why a person did, or didn't, get something")
    .description(
      "Why a person did, or didn't, get something: for each campaign everything that was decided, in its order and in sentences, down to what each condition saw; also of a campaign that never looked at them. What is not stored with a decision is worked out again on what is on record, and where that gives something else, it says so.",
    )
    .argument('<person>', 'idSpace:externalId, or our own id')
    .option('--campaign <id>', 'of this campaign only, with every condition leaf by leaf')
    .option('--event <source/id>', 'of this event only, also what has nothing to do with it')
    .addOption(
      new Option('--locale <language>', 'in which language').choices(localeNames).default('en'),
    )
    .option('--health', 'show what tells of health, which is left out otherwise')
    .option('--story', 'everything that happened, line by line')
    .action(runs(shell, explain))
}

async function explain(call: Call, options: Options, reference = ''): Promise<void> {
  const store = await call.surroundings.store()
  const { db } = store
  const facts = await readPersonFacts(db, await personIdOf(db, reference))
  if (facts === null) throw fail('WEGWIJS_PERSON_UNKNOWN')
  const campaigns = selected(await readCampaignFacts(db), options.campaign)
  let unread: string[] = []
  const telling = await tellingOf(store, facts, options).catch((error: unknown) => {
    if (!isUnreadable(error)) throw error
    unread = [(error as WegwijsError).message]
    return null
  })
  const told = telling
    ? campaigns.flatMap((each) => toldCampaign(each, facts, telling, options))
    : []
  const verdicts = campaigns
    .flatMap((campaign) => verdictsOf(facts, campaign))
    .map((verdict) => withoutHealth(verdict, telling))
  const zone = telling?.timeZone ?? 'UTC'
  const story = options.story
    ? tellStory(facts, {
        timeZone: zone,
        definition: telling && {
          campaigns: telling.definition.campaigns,
          wordsFor: telling.wordsForStory,
        },
      })
    : []
  const speech = explanationSpeeches[options.locale]
  const notes = told.length > 0 && telling ? notesOf(told, telling, speech) : unread
  call.output.data(
    {
      ...headOf(facts),
      locale: options.locale,
      campaigns: told.map(({ explained, ...campaign }) => ({
        ...campaign,
        explained: explained.map((each) => shown(each, telling)),
      })),
      notes,
      verdicts,
      ...(options.story ? { story } : {}),
    },
    () => [
      ...headLines(facts, speech, (at) => localTime(at, zone)),
      ...told.flatMap((each) => ['', ...campaignLines(each, telling, options)]),
      ...(notes.length > 0 ? ['', ...notes] : []),
      ...(options.story ? ['', ...formatStory(story, zone)] : []),
    ],
  )
}

function selected(campaigns: readonly CampaignFacts[], id: string | undefined): CampaignFacts[] {
  if (id === undefined) return [...campaigns]
  const found = campaigns.find((campaign) => campaign.campaignId === id)
  if (found) return [found]
  const known = campaigns.map((campaign) => campaign.campaignId)
  throw unknownName('there never was a campaign', id, known)
}

/** All that explanations are made of; null when no definition was ever applied. */
export type Telling = {
  bundle: DefinitionBundle
  definition: CompiledDefinition
  /** Null where a definition by which something was decided cannot be read. */
  moments: readonly ReplayedMoment[] | null
  /** Why what is in force cannot be read; it is told by the one before. */
  unreadable: WegwijsError | null
  timeZone: string
  onlyEvent: { source: string; id: string } | null
  isHidden(leaf: LeafTrace): boolean
  wordsFor(campaign: CompiledCampaign, eventType?: string): Words
  wordsForStory(campaign: CompiledCampaign): Words
}

async function tellingOf(
  store: Store,
  facts: PersonFacts,
  { locale, health, event }: Options,
): Promise<Telling | null> {
  const known = await definitionToTellBy(store)
  if (known === null) return null
  const { bundle, definition, unreadable } = known
  const life = await readStoredLife(store.db, facts.personId)
  const timeZone = life?.before.person.timeZone ?? bundle.policies.timeZone
  const touchpoints = namesOfEvents(bundle)
  const showsHealth = health === true
  const every = everyFieldOf(
    bundle,
    [...definition.campaigns.values()].map(({ file }) => file),
  )
  const fieldsFor = (campaign: CompiledCampaign, eventType?: string) => {
    const { file } = campaign
    const about = eventType === undefined ? [] : campaignFieldsOf(bundle, file, eventType)
    return new Map(
      [...campaignFieldsOf(bundle, file), ...about].map(([name, field]): [string, Field] => [
        name,
        { ...field, sensitivity: every.get(name)?.sensitivity ?? field.sensitivity },
      ]),
    )
  }
  const wordsIn = (language: LocaleName, campaign: CompiledCampaign, eventType?: string) =>
    createWords(language, {
      timeZone,
      fields: fieldsFor(campaign, eventType),
      touchpoints,
      showsHealth,
    })
  return {
    bundle,
    definition,
    moments: life ? await momentsOf(store, facts, life) : [],
    unreadable,
    timeZone,
    onlyEvent: event === undefined ? null : namedEvent(facts, event),
    isHidden: (leaf) => isLeafHidden(leaf, { fields: every, showsHealth }),
    wordsFor: (campaign, eventType) => wordsIn(locale, campaign, eventType),
    // A story is told in English, like the rest of the command line.
    wordsForStory: (campaign) => wordsIn('en', campaign),
  }
}

function namesOfEvents({ touchpoints }: DefinitionBundle): Map<string, InEachLanguage<string>> {
  return new Map([
    ...Object.entries(reservedNames),
    ...touchpoints.touchpoints.map(({ type, name }): [string, InEachLanguage<string>] => [
      type,
      name,
    ]),
  ])
}

/** `source/id`, or the id alone where only one event of the person has it. */
function namedEvent({ events }: PersonFacts, name: string): { source: string; id: string } {
  const found = events.filter(({ source, id }) => `${source}/${id}` === name || id === name)
  const [event] = found
  if (event && found.length === 1) return { source: event.source, id: event.id }
  const problem =
    found.length > 1
      ? `several events of the person are called "${name}"; name it with its source: ${found.map(({ source, id }) => `${source}/${id}`).join(', ')}`
      : `no event "${name}" of the person is on record`
  throw fail('WEGWIJS_USAGE', { problem })
}

async function momentsOf(
  store: Store,
  facts: PersonFacts,
  { before, events, relations, others, named }: StoredLife,
): Promise<ReplayedMoment[] | null> {
  const timers = facts.decisions
    .filter(({ source }) => source === null)
    .map(({ enrolmentId, campaignId, businessAt }) => ({ enrolmentId, campaignId, at: businessAt }))
  const record: PersonRecord = {
    before: {
      person: before.person,
      entities: new Map(before.entities.map((entity) => [entityKey(entity), entity])),
      consents: new Map(before.consents.map((consent) => [consentKey(consent), consent])),
      relations,
      tasks: new Map(),
      enrolments: new Map(),
      timers: new Map(),
      intents: new Map(),
      entries: new Map(),
    },
    events,
    timers,
    messages: facts.messages.map(({ attempts, ...message }) => ({
      ...message,
      attempts: attempts.map(({ businessAt, ...attempt }) => ({ ...attempt, at: businessAt })),
    })),
    others,
    named,
    until: facts.businessNow,
  }
  const instants = [...events, ...timers].map(({ at }) => at)
  const inForce = definitionsAt(store.db, [...instants, facts.businessNow])
  const definitionAt = await inForce.catch((error: unknown) => {
    if (isUnreadable(error)) return null
    throw error
  })
  return definitionAt && replay(record, definitionAt)
}

function toldCampaign(
  { campaignId, versions }: CampaignFacts,
  facts: PersonFacts,
  telling: Telling,
  { locale, campaign: asked }: Options,
): ToldCampaign[] {
  const { definition, moments, onlyEvent, wordsFor } = telling
  const newest = definition.campaigns.get(`${campaignId}@${versions.at(-1)?.version}`)
  if (!newest) return []
  const explained = explainCampaign({
    facts,
    // What it decided by what cannot be read would be missing, and another one would begin in its place.
    moments: versions.some(({ unclear }) => unclear) ? null : moments,
    campaignId,
    versions: definition.campaigns,
    newest,
    onlyEvent,
    locale,
    wordsFor,
  })
  const met = new Set(
    [...facts.decisions, ...facts.enrolments, ...facts.messages]
      .filter((each) => each.campaignId === campaignId)
      .map((each) => each.version),
  )
  const unreadable = versions.flatMap(({ version, unclear }) => {
    const isMeant = asked !== undefined || met.has(version) || version === newest.version
    return unclear && isMeant ? [{ version, problem: unclear.why.message }] : []
  })
  return [{ campaignId, name: newest.file.name, explained, unreadable }]
}
