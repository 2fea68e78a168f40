import type { Field } from '@wegwijs/campaign/definition/field'
import type { JourneysFile } from '@wegwijs/campaign/definition/journeys'
import type { TouchpointsFile } from '@wegwijs/campaign/definition/touchpoints'
import { allowsSensitivity } from '@wegwijs/campaign/definition/words'
import { hasReservedName } from '@wegwijs/campaign/reserved-types'
import { type Fault, unknownName } from '../fault.ts'
import { about, aboutKey, isMended, type Loaded, type Parts, repeated } from './parts.ts'
import { checkPublishers } from './publishers.ts'

/** `touchpoints.yaml`: publishers, touchpoints, and what they say about journeys and entities. */
export function checkTouchpoints({ touchpoints: loaded, journeys }: Parts): Fault[] {
  if (!loaded) return []
  return [
    ...repeated(
      loaded,
      'publisher',
      loaded.value.publishers.map(({ source }, index) => ({
        name: source,
        path: ['publishers', index, 'source'],
      })),
    ),
    ...repeated(
      loaded,
      'touchpoint',
      loaded.value.touchpoints.map(({ type }, index) => ({
        name: type,
        path: ['touchpoints', index, 'type'],
      })),
    ),
    ...checkPublishers(loaded),
    ...loaded.value.touchpoints.flatMap((_, index) => [
      ...checkTouchpoint(loaded, index),
      ...(journeys ? checkPlace(loaded, index, journeys.value) : []),
    ]),
    ...entitiesOfTwoMinds(loaded),
    ...checkEmitted(loaded),
  ]
}

/** What other systems are told must be told apart from what is ours, and bear no more than it says. */
function checkEmitted(loaded: Loaded<TouchpointsFile>): Fault[] {
  const { emits } = loaded.value
  const names = emits.map(({ type }, index) => ({ name: type, path: ['emits', index, 'type'] }))
  return [
    ...repeated(loaded, 'type', names),
    ...names
      .filter(({ name }) => hasReservedName(name))
      .map(({ name, path }) => {
        const message = `names such as "${name}" are those of Wegwijs itself`
        return about(loaded, path, { message, found: name })
      }),
    ...emits.flatMap((told) => comesBackAsLess(loaded, told)),
    ...emits.flatMap(({ type, sensitivity, data }, index) =>
      Object.entries(data)
        .filter(([, field]) => !allowsSensitivity(sensitivity, field.sensitivity))
        .map(([name, field]) => {
          const message = `${name} is ${field.sensitivity}, and "${type}" bears at most ${sensitivity}`
          const path = ['emits', index, 'data', name, 'sensitivity']
          return about(loaded, path, { message, found: field.sensitivity })
        }),
    ),
  ]
}

/** What is told as health and comes in again is health still. */
function comesBackAsLess(
  loaded: Loaded<TouchpointsFile>,
  { type, sensitivity }: TouchpointsFile['emits'][number],
): Fault[] {
  const index = loaded.value.touchpoints.findIndex((each) => each.type === type)
  const touchpoint = loaded.value.touchpoints[index]
  if (!touchpoint || sensitivity !== 'health' || touchpoint.sensitivity === 'health') return []
  const message = `"${type}" is told to others as health, and comes in again as less: declare it "sensitivity: health" here, too`
  return [about(loaded, ['touchpoints', index, 'type'], { message, found: type })]
}

function checkTouchpoint(loaded: Loaded<TouchpointsFile>, index: number): Fault[] {
  const touchpoint = loaded.value.touchpoints[index]
  if (!touchpoint) return []
  const path = ['touchpoints', index]
  const { type, journey, phase, starts, withdraws } = touchpoint
  const faults: Fault[] = []
  const complain = (key: keyof typeof touchpoint, message: string) =>
    faults.push(about(loaded, [...path, key], { message, found: String(touchpoint[key]) }))
  if (hasReservedName(type)) complain('type', `"${type}" has a meaning of its own in Wegwijs`)
  if (phase !== undefined && journey === undefined) complain('phase', 'a phase needs a journey')
  if (starts && journey === undefined) complain('starts', '"starts" needs a journey')
  if (withdraws && touchpoint.entity === undefined)
    complain('withdraws', '"withdraws" needs an entity')
  for (const [name, field] of Object.entries(touchpoint.data))
    faults.push(...checkField(loaded, [...path, 'data', name], field))
  return faults
}

/**
 * Only texts can be listed: `values` on anything else would never match. Only numbers count something,
 * and a label of a value that there is not would never be read.
 */
export function checkField(
  loaded: Loaded<unknown>,
  path: (string | number)[],
  field: Field,
): Fault[] {
  const { type, values, valueLabels = {} } = field
  const misplaced = (key: 'values' | 'unit', only: Field['type']) => {
    if (field[key] === undefined || type === only) return []
    const message = `"${key}" is for fields of type ${only}, this one is a ${type}`
    return [aboutKey(loaded, [...path, key], { message, found: key })]
  }
  const labelled = isMended(loaded, path) ? {} : valueLabels
  return [
    ...misplaced('values', 'text'),
    ...misplaced('unit', 'number'),
    ...Object.keys(labelled)
      .filter((value) => !(values ?? []).includes(value))
      .map((value) =>
        aboutKey(
          loaded,
          [...path, 'valueLabels', value],
          unknownName('value', value, values ?? []),
        ),
      ),
  ]
}

function checkPlace(
  loaded: Loaded<TouchpointsFile>,
  index: number,
  { journeys }: JourneysFile,
): Fault[] {
  const { journey: name, phase } = loaded.value.touchpoints[index] ?? {}
  if (name === undefined) return []
  const journey = journeys.find((known) => known.id === name)
  const path = ['touchpoints', index]
  if (!journey) {
    const complaint = unknownName(
      'journey',
      name,
      journeys.map((known) => known.id),
    )
    return [about(loaded, [...path, 'journey'], complaint)]
  }
  const phases = journey.phases.map((known) => known.id)
  if (phase === undefined || phases.includes(phase)) return []
  const complaint = unknownName(`phase of ${name}`, phase, phases)
  return [about(loaded, [...path, 'phase'], complaint)]
}

/**
 * Touchpoints that share an entity share its fields: what "booked" calls an instant cannot be a
 * text in "moved", or a message would change its meaning when the appointment moves.
 */
function entitiesOfTwoMinds(loaded: Loaded<TouchpointsFile>): Fault[] {
  const first = new Map<string, { field: Field; type: string }>()
  const faults: Fault[] = []
  loaded.value.touchpoints.forEach((touchpoint, index) => {
    if (touchpoint.entity === undefined) return
    for (const [name, field] of Object.entries(touchpoint.data)) {
      if (isMended(loaded, ['touchpoints', index, 'data', name])) continue
      const key = `${touchpoint.entity} ${name}`
      const known = first.get(key)
      if (!known) first.set(key, { field, type: touchpoint.type })
      else if (!isSameField(known.field, field))
        faults.push(
          aboutKey(loaded, ['touchpoints', index, 'data', name], {
            message: `"${name}" of entity "${touchpoint.entity}" is another field in ${known.type}`,
            found: name,
          }),
        )
    }
  })
  return faults
}

function isSameField(a: Field, b: Field): boolean {
  return (
    a.type === b.type &&
    a.sensitivity === b.sensitivity &&
    (a.values ?? []).join('\n') === (b.values ?? []).join('\n')
  )
}
