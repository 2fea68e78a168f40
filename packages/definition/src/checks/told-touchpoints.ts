import type { Field } from '@wegwijs/campaign/definition/field'
import type { Happening } from '@wegwijs/campaign/definition/happening'
import type { Touchpoint } from '@wegwijs/campaign/definition/touchpoints'
import { type Complaint, type Fault, unknownName } from '../fault.ts'
import type { Path } from '../yaml-source.ts'
import { complaintAboutValue } from './condition.ts'
import { about, aboutKey, isMended, type Loaded, type Parts } from './parts.ts'
import { mayTell } from './publishers.ts'
import type { Looked } from './specifications.ts'
import { complaintAboutMoment } from './told-moments.ts'

export function hasPublisher({ touchpoints }: Parts, type: string): boolean {
  const file = touchpoints?.value
  return file?.publishers.some((publisher) => mayTell(publisher, type, file)) ?? true
}

export function noPublisher(type: string, found: string): Complaint {
  const message = `no publisher of touchpoints.yaml may tell ${type}`
  return { message, found, hangsOn: 'publisher' }
}

type TouchpointHappening = Pick<
  Extract<Happening, { happens: string }>,
  'happens' | 'data' | 'entity' | 'version'
>

export function checkTouchpoint(
  looked: Looked,
  happening: TouchpointHappening,
  path: Path,
): Fault[] {
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

export function checkData(
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
  { loaded, specification, parts, path: at }: Looked,
  happening: TouchpointHappening,
  touchpoint: Touchpoint,
  path: Path,
): { name: string; fault: Fault }[] {
  if (isMended(loaded, at)) return []
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
      // An event about the same entity may have said it.
      return { name, fault: about(loaded, where, { message, hangsOn: 'entity' }) }
    })
}
