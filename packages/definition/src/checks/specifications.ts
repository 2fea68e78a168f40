import type { Expectation } from '@wegwijs/campaign/definition/expectation'
import type { Happening } from '@wegwijs/campaign/definition/happening'
import type { Specification, SpecificationsFile } from '@wegwijs/campaign/definition/specification'
import { partsOf } from '@wegwijs/campaign/steps/registry'
import { type Fault, unknownName, withNearest } from '../fault.ts'
import type { Path } from '../yaml-source.ts'
import { about, aboutKey, type Loaded, type Parts, repeated } from './parts.ts'
import { checkGivenAnswers, checkToldAnswer } from './told-answers.ts'
import { checkGroups } from './told-groups.ts'
import { checkMoments, checkOrder } from './told-moments.ts'
import { checkOthersNamed } from './told-others.ts'
import { checkTaskDone, checkTaskNamed } from './told-tasks.ts'
import { checkData, checkTouchpoint, hasPublisher, noPublisher } from './told-touchpoints.ts'
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
  const known = parts.campaignIds
  return parts.specifications
    .filter(({ value }) => !known.includes(value.campaign))
    .map((loaded) =>
      about(loaded, ['campaign'], unknownName('campaign', loaded.value.campaign, known)),
    )
}

function checkCampaign(loaded: SpecificationsLoaded): Fault[] {
  const { campaign } = loaded.value
  const name = /([^/]+)\.test\.yaml$/.exec(loaded.source.file)?.[1]
  if (name === undefined || name === campaign) return []
  const message = `the campaign "${campaign}" is not in the name of the file`
  return [
    about(loaded, ['campaign'], { message, found: campaign, ...withNearest(campaign, [name]) }),
  ]
}

export type Looked = {
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
    ...checkGroups(looked, given, [...path, 'given']),
    ...when.flatMap((happening, index) =>
      checkHappening(looked, happening, [...path, 'when', index]),
    ),
    ...checkExpectations(looked, then, [...path, 'then']),
  ]
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
  if (parts.campaignIds.includes(name)) return []
  return [about(loaded, path, unknownName('campaign', name, parts.campaignIds))]
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

function checkMessage(
  { loaded, parts }: Looked,
  name: string,
  path: Path,
  complain: typeof about = about,
): Fault[] {
  const [message = '', campaignId = loaded.value.campaign] = name.split('/').reverse()
  const campaign = parts.campaigns.find(({ value }) => value.id === campaignId)
  if (!campaign) {
    return name.includes('/') && !parts.campaignIds.includes(campaignId)
      ? [complain(loaded, path, unknownName('campaign', campaignId, parts.campaignIds))]
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
      return [about(loaded, here, { message, found: expectation })]
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
