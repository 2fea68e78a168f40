import type { Expectation } from '@wegwijs/campaign/definition/expectation'
import type { Field } from '@wegwijs/campaign/definition/field'
import type { Happening } from '@wegwijs/campaign/definition/happening'
import type { Specification, SpecificationsFile } from '@wegwijs/campaign/definition/specification'
import { mayPublish, type Touchpoint } from '@wegwijs/campaign/definition/touchpoints'
import {
  instantOf,
  isLocalMoment,
  resolveLocalMoment,
} from '@wegwijs/campaign/specification/local-moment'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import { type Complaint, type Fault, unknownName } from '../fault.ts'
import { unlike } from '../schema-faults.ts'
import type { Path } from '../yaml-source.ts'
import { complaintAboutValue } from './condition.ts'
import { about, aboutKey, type Loaded, type Parts, repeated } from './parts.ts'
import { checkGivenAnswers, checkToldAnswer } from './told-answers.ts'
import { checkOthersNamed } from './told-others.ts'
import { checkTaskDone, checkTaskNamed } from './told-tasks.ts'
import { stepsOf } from './walk.ts'

type SpecificationsLoaded = Loaded<SpecificationsFile>

/** `campaigns/*.test.yaml` against everything that they name: what is left can be played. */
export function checkSpecifications(parts: Parts): Fault[] {
  return parts.specifications.flatMap((loaded) => [
    ...checkCampaign(loaded),
    ...repeated(
      loaded,
      'specification',
      loaded.value.specifications.map(({ name }, index) => ({
        name,
        path: ['specifications', index, 'name'],
      })),
    ),
    ...loaded.value.specifications.flatMap((specification, index) =>
      checkSpecification({ loaded, parts, specification, path: ['specifications', index] }),
    ),
  ])
}

/** Whoever takes a campaign away need not take its specifications away first; they are played no more. */
export function warnOfSpecifications(parts: Parts): Fault[] {
  if (!parts.everyCampaignIsRead) return []
  const known = parts.campaigns.map(({ value }) => value.id)
  return parts.specifications
    .filter(({ value }) => !known.includes(value.campaign))
    .map((loaded) =>
      about(loaded, ['campaign'], unknownName('campaign', loaded.value.campaign, known)),
    )
}

function checkCampaign(loaded: SpecificationsLoaded): Fault[] {
  const { campaign } = loaded.value
  const nearest = /([^/]+)\.test\.yaml$/.exec(loaded.source.file)?.[1]
  if (nearest === undefined || nearest === campaign) return []
  const message = `the campaign "${campaign}" is not in the name of the file`
  return [about(loaded, ['campaign'], { message, found: campaign, nearest })]
}

type Looked = {
  loaded: SpecificationsLoaded
  parts: Parts
  specification: Specification
  path: Path
}

function checkSpecification(looked: Looked): Fault[] {
  const { parts, specification, path } = looked
  const { given, when, then } = specification
  const timeZone = parts.policies?.value.timeZone
  const moments = timeZone === undefined ? [] : checkMoments(looked, timeZone)
  return [
    ...moments,
    ...(timeZone === undefined || moments.length > 0 ? [] : checkOrder(looked, timeZone)),
    ...checkPerson(looked, given, [...path, 'given']),
    ...checkOthers(looked),
    ...(given['happened before'] ?? []).flatMap((happening, index) =>
      checkTouchpoint(looked, happening, [...path, 'given', 'happened before', index]),
    ),
    ...Object.keys(given['provider tells'] ?? {}).flatMap((name) =>
      checkMessage(looked, name, [...path, 'given', 'provider tells', name], aboutKey),
    ),
    ...checkGivenAnswers(looked, given, [...path, 'given']),
    ...when.flatMap((happening, index) =>
      checkHappening(looked, happening, [...path, 'when', index]),
    ),
    ...checkExpectations(looked, then, [...path, 'then']),
  ]
}

function checkMoments({ loaded, specification, path }: Looked, timeZone: string): Fault[] {
  const past = specification.given['happened before']
  return [
    ...momentsOf(past, [...path, 'given', 'happened before']),
    ...momentsOf(specification, path),
  ].flatMap(({ text, path: where }) => {
    const complaint = complaintAboutMoment(text, timeZone)
    return complaint ? [about(loaded, where, complaint)] : []
  })
}

const momentKeys = [
  'at',
  'heard at',
  'planned for',
  'due',
  'for',
  'entered',
  'waits until',
  'goal reached',
  'until',
]

/** Every moment under `path`, but for the ones in the data of events: which those are their fields say. */
function momentsOf(value: unknown, path: Path): { text: string; path: Path }[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = [...path, Array.isArray(value) ? Number(key) : key]
    if (key === 'data' || key === 'fields' || key === 'given') return []
    return momentKeys.includes(key) && typeof inner === 'string'
      ? [{ text: inner, path: here }]
      : momentsOf(inner, here)
  })
}

/** In the nights in which the clocks change a time may come twice, or not at all. */
function complaintAboutMoment(value: unknown, timeZone: string): Complaint | undefined {
  if (typeof value !== 'string' || !isLocalMoment(value)) {
    return unlike('a moment such as "2026-03-14 09:30"', value)
  }
  const resolved = resolveLocalMoment(value, timeZone)
  if ('instant' in resolved) return undefined
  const ways = resolved.ways.map((way) => `"${way}"`).join(' or ')
  const does = resolved.fault === 'skipped' ? `skip ${value}` : `show ${value} twice`
  return { message: `the clocks of ${timeZone} ${does}; expected ${ways}`, found: value }
}

/** What is heard of earlier stands earlier. */
function checkOrder({ loaded, specification, path }: Looked, timeZone: string): Fault[] {
  const { given, when, until } = specification
  const past = (given['happened before'] ?? []).map(({ at: text }, index) => ({
    path: ['given', 'happened before', index, 'at'],
    text,
    at: instantOf(text, timeZone),
  }))
  const lines = when.map((happening, index) => {
    const late = 'heard at' in happening ? happening['heard at'] : undefined
    const key = late === undefined ? 'at' : 'heard at'
    const text = late ?? happening.at
    const [at, happened] = [text, happening.at].map((each) => instantOf(each, timeZone))
    return { path: ['when', index, key], text, at: at ?? '', happened: happened ?? '' }
  })
  const last =
    until === undefined ? [] : [{ path: ['until'], text: until, at: instantOf(until, timeZone) }]
  const all: { path: Path; text: string; at: string; happened?: string }[] = [
    ...past,
    ...lines,
    ...last,
  ]
  return all.flatMap(({ path: where, text, at, happened = at }, index) => {
    const complain = (message: string) => [
      about(loaded, [...path, ...where], { message, found: text }),
    ]
    if (at < happened) return complain('nobody hears of it before it happens')
    const before = all[index - 1]?.at ?? ''
    return at < before ? complain('this is before what stands above it') : []
  })
}

function checkPerson(
  { loaded, parts }: Looked,
  person: Pick<Specification['given'], 'persona' | 'fields'>,
  path: Path,
): Fault[] {
  const { personas, attributes, policies } = parts
  const known = personas?.value.personas.map(({ id }) => id)
  const { persona, fields = {} } = person
  const faults =
    persona !== undefined && known && !known.includes(persona)
      ? [about(loaded, [...path, 'persona'], unknownName('persona', persona, known))]
      : []
  if (!attributes || !policies) return faults
  return [
    ...faults,
    ...checkData(loaded, fields, attributes.value.person, {
      path: [...path, 'fields'],
      timeZone: policies.value.timeZone,
    }),
  ]
}

/** Who stands to the person, and whoever else is named. */
function checkOthers(looked: Looked): Fault[] {
  const { loaded, parts, specification, path } = looked
  const others = Object.entries(specification.given.with ?? {})
  const at = [...path, 'given', 'with']
  const type = 'relation.granted.v1'
  return [
    ...(others.length > 0 && !hasPublisher(parts, type)
      ? [aboutKey(loaded, at, noPublisher(type, 'with'))]
      : []),
    ...others.flatMap(([name, other]) => checkPerson(looked, other, [...at, name])),
    ...checkOthersNamed(looked),
  ]
}

function checkHappening(looked: Looked, happening: Happening, path: Path): Fault[] {
  return [
    ...('happens' in happening
      ? checkTouchpoint(looked, happening, path)
      : checkVoice(looked, happening, path)),
    ...('becomes' in happening ? checkPerson(looked, happening.becomes, [...path, 'becomes']) : []),
    ...('provider tells' in happening ? checkMessage(looked, happening.of, [...path, 'of']) : []),
    ...('is done' in happening ? checkTaskDone(looked, happening, path) : []),
    ...('they answer' in happening
      ? checkAnswered(looked, happening['they answer'], happening.to, {
          path,
          key: 'they answer',
          isWord: true,
        })
      : []),
    ...('enrolled in' in happening
      ? checkCampaignName(looked, happening['enrolled in'], [...path, 'enrolled in'])
      : []),
    ...('then' in happening && happening.then
      ? checkExpectations(looked, happening.then, [...path, 'then'])
      : []),
  ]
}

function checkAnswered(
  looked: Looked,
  told: string,
  to: string | undefined,
  at: { path: Path; key: string; isWord: boolean },
): Fault[] {
  const unknown = to === undefined ? [] : checkMessage(looked, to, [...at.path, 'to'])
  return unknown.length > 0 ? unknown : checkToldAnswer(looked, { told, to }, at)
}

function checkCampaignName({ loaded, parts }: Looked, name: string, path: Path): Fault[] {
  const known = parts.campaigns.map(({ value }) => value.id)
  if (!parts.everyCampaignIsRead || known.includes(name)) return []
  return [about(loaded, path, unknownName('campaign', name, known))]
}

/** What is told of people must have somebody who may tell it. */
function checkVoice({ loaded, parts }: Looked, happening: Happening, path: Path): Fault[] {
  const told: readonly [string, string][] = [
    ['becomes', 'person.upserted.v1'],
    ['dies', 'person.deceased.v1'],
    ['enrolled in', 'person.enrolled.v1'],
    ['consents to', 'consent.granted.v1'],
    ['opts out of', 'consent.withdrawn.v1'],
    ['may hear', 'relation.granted.v1'],
    ['may hear no more', 'relation.ended.v1'],
  ]
  return told.flatMap(([key, type]) =>
    key in happening && !hasPublisher(parts, type)
      ? [aboutKey(loaded, [...path, key], noPublisher(type, key))]
      : [],
  )
}

function hasPublisher({ touchpoints }: Parts, type: string): boolean {
  return touchpoints?.value.publishers.some(({ types }) => mayPublish(types, type)) ?? true
}

function noPublisher(type: string, found: string): Complaint {
  return { message: `no publisher of touchpoints.yaml may tell ${type}`, found }
}

type TouchpointHappening = Pick<
  Extract<Happening, { happens: string }>,
  'happens' | 'data' | 'entity' | 'version'
>

function checkTouchpoint(looked: Looked, happening: TouchpointHappening, path: Path): Fault[] {
  const { loaded, parts } = looked
  const { touchpoints, policies } = parts
  if (!touchpoints || !policies) return []
  const known = touchpoints.value.touchpoints
  const touchpoint = known.find(({ type }) => type === happening.happens)
  if (!touchpoint) {
    const complaint = unknownName(
      'touchpoint',
      happening.happens,
      known.map(({ type }) => type),
    )
    return [about(loaded, [...path, 'happens'], complaint)]
  }
  if (!hasPublisher(parts, touchpoint.type)) {
    return [about(loaded, [...path, 'happens'], noPublisher(touchpoint.type, touchpoint.type))]
  }
  const data = checkData(loaded, happening.data ?? {}, touchpoint.data, {
    path: [...path, 'data'],
    timeZone: policies.value.timeZone,
  })
  // A key that is misspelt is one mistake.
  const meant = new Set(data.map(({ nearest }) => nearest))
  return [
    ...checkEntity(looked, happening, touchpoint, path),
    ...data,
    ...missingData(looked, happening, touchpoint, path).flatMap(({ name, fault }) =>
      meant.has(name) ? [] : [fault],
    ),
  ]
}

function checkEntity(
  { loaded }: Looked,
  { entity, version }: TouchpointHappening,
  touchpoint: Touchpoint,
  path: Path,
): Fault[] {
  if (touchpoint.entity === undefined) {
    const message = `${touchpoint.type} is about no entity`
    return [
      ...(entity === undefined
        ? []
        : [aboutKey(loaded, [...path, 'entity'], { message, found: 'entity' })]),
      ...(version === undefined
        ? []
        : [aboutKey(loaded, [...path, 'version'], { message, found: 'version' })]),
    ]
  }
  if (entity === undefined || entity.startsWith(`${touchpoint.entity}/`)) return []
  const message = `${touchpoint.type} is about an entity such as "${touchpoint.entity}/A-1", found "${entity}"`
  return [about(loaded, [...path, 'entity'], { message, found: entity })]
}

function checkData(
  loaded: Loaded<unknown>,
  data: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, Field>>,
  { path, timeZone }: { path: Path; timeZone: string },
): Fault[] {
  return Object.entries(data).flatMap(([name, value]) => {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (!field) {
      return [aboutKey(loaded, [...path, name], unknownName('field', name, Object.keys(fields)))]
    }
    const complaint =
      field.type === 'instant'
        ? complaintAboutMoment(value, timeZone)
        : complaintAboutValue(value, field)
    return complaint ? [about(loaded, [...path, name], complaint)] : []
  })
}

/** What is required was said here, or of the same entity before. */
function missingData(
  { loaded, specification, parts }: Looked,
  happening: TouchpointHappening,
  touchpoint: Touchpoint,
  path: Path,
): { name: string; fault: Fault }[] {
  const entityOf = (each: TouchpointHappening) => each.entity ?? touchpoint.entity
  const touchpoints = parts.touchpoints?.value.touchpoints ?? []
  const { given, when } = specification
  const all: readonly TouchpointHappening[] = [
    ...(given['happened before'] ?? []),
    ...when.filter((each) => 'happens' in each),
  ]
  const earlier = all
    .slice(0, all.indexOf(happening))
    .filter(
      (each) =>
        touchpoint.entity !== undefined &&
        entityOf(each) === entityOf(happening) &&
        touchpoints.some(
          ({ type, entity }) => type === each.happens && entity === touchpoint.entity,
        ),
    )
  const said = new Set([...earlier, happening].flatMap(({ data = {} }) => Object.keys(data)))
  return Object.entries(touchpoint.data)
    .filter(([name, { required }]) => required && !said.has(name))
    .map(([name]) => {
      const where = happening.data === undefined ? [...path, 'happens'] : [...path, 'data']
      const message = `${touchpoint.type} is missing its "${name}"`
      return { name, fault: about(loaded, where, { message }) }
    })
}

function checkMessage(
  { loaded, parts }: Looked,
  name: string,
  path: Path,
  complain: typeof about = about,
): Fault[] {
  const [message = '', campaignId = loaded.value.campaign] = name.split('/').reverse()
  const campaign = parts.campaigns.find(({ value }) => value.id === campaignId)
  const ids = parts.campaigns.map(({ value }) => value.id)
  if (!campaign) {
    return parts.everyCampaignIsRead && name.includes('/')
      ? [complain(loaded, path, unknownName('campaign', campaignId, ids))]
      : []
  }
  const known = stepsOf(campaign.value.steps).flatMap(({ step }) => partsOf(step).message?.id ?? [])
  if (known.includes(message)) return []
  const { nearest, ...complaint } = unknownName('message', message, known)
  const prefix = name.includes('/') ? `${campaignId}/` : ''
  return [
    complain(loaded, path, {
      ...complaint,
      found: name,
      ...(nearest === undefined ? {} : { nearest: `${prefix}${nearest}` }),
    }),
  ]
}

function checkExpectations(
  looked: Looked,
  expectations: readonly Expectation[],
  path: Path,
): Fault[] {
  const { loaded, parts } = looked
  const personas = parts.personas?.value.personas.map(({ id }) => id)
  return expectations.flatMap((expectation, index) => {
    const here = [...path, index]
    if (expectation === 'nothing' && expectations.some((each) => isAboutMessages(each))) {
      const message = '"nothing" and a message; expected "nothing else"'
      return [about(loaded, here, { message, found: expectation, nearest: 'nothing else' })]
    }
    if (typeof expectation === 'string') return []
    if ('task' in expectation) return checkTaskNamed(looked, expectation.task, [...here, 'task'])
    if ('task taken back' in expectation) {
      return checkTaskNamed(looked, expectation['task taken back'], [...here, 'task taken back'])
    }
    if ('answered' in expectation) {
      const { answered, to } = expectation
      return checkAnswered(looked, answered, to, { path: here, key: 'answered', isWord: false })
    }
    if ('persona' in expectation) {
      const { persona } = expectation
      return personas && !personas.includes(persona)
        ? [about(loaded, [...here, 'persona'], unknownName('persona', persona, personas))]
        : []
    }
    return Object.entries(expectation).flatMap(([key, name]) =>
      messageKeys.includes(key) ? checkMessage(looked, String(name), [...here, key]) : [],
    )
  })
}

const messageKeys = ['sent', 'withdrawn', 'not sent', 'planned']

function isAboutMessages(expectation: Expectation): boolean {
  return typeof expectation !== 'string' && messageKeys.some((key) => key in expectation)
}
