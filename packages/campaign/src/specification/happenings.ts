import type { DefinitionBundle } from '../definition/bundle.ts'
import type { Given } from '../definition/given.ts'
import type { Happening } from '../definition/happening.ts'
import type { Specification } from '../definition/specification.ts'
import { mayPublish, type Touchpoint } from '../definition/touchpoints.ts'
import type { ChannelName } from '../definition/words.ts'
import { addDuration, earlierOf, type Instant, yearOf } from '../instant.ts'
import type { IncomingEvent } from '../journey-event.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import { contactKindOf } from '../last-check.ts'
import { instantOf } from './local-moment.ts'

/** An event as its publisher would tell it. */
export type ToldEvent = IncomingEvent & { data: JsonObject }

/** One thing that happens: when we hear of it, and as which event, if any publisher tells it. */
export type Play = {
  /** Index of the line in `when`; null for what was so before. */
  line: number | null
  at: Instant
  event: ToldEvent | null
}

type Definition = Pick<DefinitionBundle, 'touchpoints' | 'policies'>

/**
 * What happens in a specification, as the publishers that may tell it would tell it, in the order in
 * which we hear of it; first, an hour before all of it, who the person is, and then what had happened to
 * them before. Receipts and moments at which we only
 * look are no events of a publisher.
 *
 * `subject` is the person's id in the id space of every publisher. Expects what the checks of a
 * definition have found right; throws RangeError on anything else.
 */
export function playsOf(
  { given, when }: Specification,
  definition: Definition,
  subject: string,
): Play[] {
  const { timeZone } = definition.policies
  const entities: Entities = new Map()
  const firstAt = when.map(({ at }) => instantOf(at, timeZone)).reduce(earlierOf)
  const past = (given['happened before'] ?? []).map((happening, index): Play => {
    const at = instantOf(happening.at, timeZone)
    const told = touchpointOf(happening, definition, entities)
    return {
      line: null,
      at,
      event: toldBy(definition, { ...told, subject, id: `past-${index + 1}`, time: at }),
    }
  })
  const before = addDuration(firstAt, '-PT1H', timeZone)
  const known = past[0] ? addDuration(past[0].at, '-PT1H', timeZone) : before
  const plays = when.map((happening, line): Play => {
    const at = instantOf(happening.at, timeZone)
    const heard = 'heard at' in happening ? happening['heard at'] : undefined
    const told = eventOf(happening, at, { definition, entities, given, subject })
    const own = 'who' in happening && happening.who ? otherSubject(subject, happening.who) : subject
    return {
      line,
      at: heard === undefined ? at : instantOf(heard, timeZone),
      event:
        told && toldBy(definition, { ...told, subject: own, id: `line-${line + 1}`, time: at }),
    }
  })
  const introduction = introductionOf(given, { before, known }, definition, subject)
  return [...introduction, ...past, ...plays]
}

/** The touchpoints that say something of this entity share what is known of it. */
type Entities = Map<string, { version: number; data: JsonObject }>

type Told = Pick<ToldEvent, 'type' | 'data'> & Partial<Pick<ToldEvent, 'entity' | 'version'>>

/** They are as old as is said when it begins, and `known` since before all that happened to them. */
function introductionOf(
  given: Given,
  { before, known: at }: { before: Instant; known: Instant },
  definition: Definition,
  subject: string,
): Play[] {
  const consents = given['consents to'] ?? []
  const told: Told[] = [
    { type: 'person.upserted.v1', data: profileOf(strangerWith(given), before, definition) },
    ...consents.map((purpose) => ({ type: 'consent.granted.v1', data: { purpose } })),
  ]
  const own = told.map((each, index) => ({
    line: null,
    at,
    event: toldBy(definition, { ...each, subject, id: `given-${index + 1}`, time: at }),
  }))
  return [...othersOf(given, { before, known: at }, definition, subject), ...own]
}

/** Id of somebody else, in the id space of every publisher. */
export function otherSubject(subject: string, name: string): string {
  return `${subject}-${name}`
}

/** Who the others are, and then how they stand to the person. */
function othersOf(
  given: Given,
  { before, known: at }: { before: Instant; known: Instant },
  definition: Definition,
  subject: string,
): Play[] {
  return Object.entries(given.with ?? {}).flatMap(([name, other]) => {
    const profile = profileOf(strangerWith(other), before, definition, nameOfOther(name))
    const told: [string, Told][] = [
      [otherSubject(subject, name), { type: 'person.upserted.v1', data: profile }],
      [subject, relationOf('granted', { name, scope: other.may }, { definition, given, subject })],
    ]
    return told.map(([of, each], index) => ({
      line: null,
      at,
      event: toldBy(definition, { ...each, subject: of, id: `${name}-${index + 1}`, time: at }),
    }))
  })
}

function nameOfOther(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}

type Scene = { definition: Definition; given: Given; subject: string }

function relationOf(
  what: 'granted' | 'ended',
  { name, scope }: { name: string; scope?: readonly string[] },
  { definition: { touchpoints }, given, subject }: Scene,
): Told {
  const other = given.with?.[name]
  const [publisher] = touchpoints.publishers
  if (!other || !publisher) throw new RangeError(`nobody is called ${name}`)
  const data = {
    idSpace: publisher.idSpace,
    externalId: otherSubject(subject, name),
    kind: other.is,
    ...(scope && { scope: [...scope] }),
  }
  return { type: `relation.${what}.v1`, data }
}

/** Of whom nothing is said we know a name and every address, or no message could go out. */
function strangerWith<Who extends Profile>(given: Who): Who {
  return { 'reached by': ['app', 'email', 'sms'], ...given }
}

type Profile = Pick<
  Given,
  'persona' | 'age' | 'language' | 'time zone' | 'reached by' | 'prefers' | 'fields'
>

function profileOf(
  person: Profile,
  at: Instant,
  { policies }: Definition,
  givenName = 'Sam',
): JsonObject {
  const { persona, age, language, fields } = person
  const said: Record<string, JsonValue | undefined> = {
    givenName,
    familyName: 'Jansen',
    birthYear: age === undefined ? undefined : yearOf(at, policies.timeZone) - age,
    locale: language,
    timeZone: person['time zone'],
    persona,
    preferredChannel: person.prefers,
    contacts: person['reached by'] && contactsOf(person['reached by']),
    attributes: fields,
    test: true,
  }
  return Object.fromEntries(
    Object.entries(said).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined),
  )
}

const addresses: Readonly<Record<ChannelName, string>> = {
  app: 'app-1',
  email: 'sam.jansen@example.org',
  sms: '+31612345678',
}

function contactsOf(channels: readonly ChannelName[]): JsonObject {
  const contacts = (Object.keys(addresses) as ChannelName[]).map((channel) => [
    contactKindOf[channel],
    channels.includes(channel) ? addresses[channel] : null,
  ])
  return Object.fromEntries(contacts)
}

function eventOf(
  happening: Happening,
  at: Instant,
  { entities, ...scene }: Scene & { entities: Entities },
): Told | null {
  const { definition } = scene
  if ('happens' in happening) return touchpointOf(happening, definition, entities)
  if ('becomes' in happening) {
    const name = happening.who === undefined ? undefined : nameOfOther(happening.who)
    return { type: 'person.upserted.v1', data: profileOf(happening.becomes, at, definition, name) }
  }
  if ('enrolled in' in happening) {
    return { type: 'person.enrolled.v1', data: { campaign: happening['enrolled in'] } }
  }
  if ('may hear' in happening) {
    return relationOf('granted', { name: happening['may hear'], scope: happening.of }, scene)
  }
  if ('may hear no more' in happening) {
    return relationOf('ended', { name: happening['may hear no more'] }, scene)
  }
  if ('dies' in happening) return { type: 'person.deceased.v1', data: {} }
  if ('consents to' in happening) {
    return consentOf('consent.granted.v1', happening['consents to'], happening.over)
  }
  if ('opts out of' in happening) {
    return consentOf('consent.withdrawn.v1', happening['opts out of'], happening.over)
  }
  return null
}

function consentOf(type: string, purpose: string, channel: ChannelName | undefined): Told {
  return { type, data: { purpose, ...(channel === undefined ? {} : { channel }) } }
}

/** Of an entity each touchpoint tells a newer version, and says of it what was said before and it can say. */
function touchpointOf(
  happening: Pick<
    Extract<Happening, { happens: string }>,
    'happens' | 'data' | 'entity' | 'version'
  >,
  definition: Definition,
  entities: Entities,
): Told {
  const type = happening.happens
  const touchpoint = definition.touchpoints.touchpoints.find((each) => each.type === type)
  if (!touchpoint) throw new RangeError(`there is no touchpoint ${type}`)
  const said = dataOf(touchpoint, happening.data ?? {}, definition.policies.timeZone)
  if (touchpoint.entity === undefined) return { type, data: said }
  const entity = happening.entity ?? `${touchpoint.entity}/1`
  const known = entities.get(entity)
  const data = { ...known?.data, ...said }
  const version = happening.version ?? (known?.version ?? 0) + 1
  entities.set(entity, { version: Math.max(version, known?.version ?? 0), data })
  return { type, entity, version, data: pickOwn(data, Object.keys(touchpoint.data)) }
}

function dataOf(
  { data: fields }: Touchpoint,
  data: Readonly<Record<string, string | number | boolean>>,
  timeZone: string,
): JsonObject {
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [
      name,
      fields[name]?.type === 'instant' ? instantOf(String(value), timeZone) : value,
    ]),
  )
}

function pickOwn(data: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(data).filter(([name]) => names.includes(name)))
}

/** As the first publisher tells it that may. */
function toldBy({ touchpoints }: Definition, event: Omit<ToldEvent, 'source'>): ToldEvent {
  const publisher = touchpoints.publishers.find(({ types }) => mayPublish(types, event.type))
  if (!publisher) throw new RangeError(`no publisher may tell ${event.type}`)
  return { ...event, source: publisher.source }
}
