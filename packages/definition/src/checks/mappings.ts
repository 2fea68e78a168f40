import type { AttributesFile } from '@wegwijs/campaign/definition/attributes'
import type { Field } from '@wegwijs/campaign/definition/field'
import type { TouchpointsFile } from '@wegwijs/campaign/definition/touchpoints'
import { type Complaint, type Fault, unknownName } from '../fault.ts'
import type { LogMapping } from '../log-mapping-schema.ts'
import { unlike } from '../schema-faults.ts'
import type { Path } from '../yaml-source.ts'
import { complaintAboutValue } from './condition.ts'
import { about, aboutKey, type Loaded } from './parts.ts'
import { mayTell } from './publishers.ts'

/** What a mapping is held against; a file that could not be read is missing. */
export type MappingSources = {
  touchpoints: TouchpointsFile | undefined
  attributes: AttributesFile | undefined
}

/**
 * `mappings/*.yaml` against the publisher that it speaks for, the touchpoints that it tells of and the
 * fields that it fills. A mapping with a fault gives events that are refused, each of them.
 */
export function checkMapping(
  mapping: Loaded<LogMapping>,
  { touchpoints, attributes }: MappingSources,
): Fault[] {
  return [
    ...(touchpoints ? checkPublisher(mapping, touchpoints) : []),
    ...(touchpoints
      ? Object.keys(mapping.value.activities).flatMap((name) =>
          checkActivity(mapping, name, touchpoints),
        )
      : []),
    ...(attributes ? checkPerson(mapping, attributes) : []),
  ]
}

/** Each case of a log is introduced by a profile, so its publisher must be allowed to tell that, too. */
const introduction = 'person.upserted.v1'

function checkPublisher(mapping: Loaded<LogMapping>, file: TouchpointsFile): Fault[] {
  const { publishers } = file
  const { source } = mapping.value
  const publisher = publishers.find((each) => each.source === source)
  if (!publisher) {
    const known = publishers.map((each) => each.source)
    return [about(mapping, ['source'], unknownName('publisher', source, known))]
  }
  if (mayTell(publisher, introduction, file)) return []
  const message = `"${source}" may not tell ${introduction}, by which each case of a log is introduced`
  return [about(mapping, ['source'], { message, found: source, hangsOn: 'publisher' })]
}

function checkActivity(mapping: Loaded<LogMapping>, name: string, file: TouchpointsFile): Fault[] {
  const { publishers, touchpoints } = file
  const { source, activities } = mapping.value
  const { type = '', data = {} } = activities[name] ?? {}
  const path = ['activities', name]
  const touchpoint = touchpoints.find((each) => each.type === type)
  if (!touchpoint) {
    const known = touchpoints.map((each) => each.type)
    return [about(mapping, [...path, 'type'], unknownName('touchpoint', type, known))]
  }
  const publisher = publishers.find((each) => each.source === source)
  const complain = (message: string, more: { hangsOn?: string } = {}) =>
    about(mapping, [...path, 'type'], { message, found: type, ...more })
  const given = checkFields(mapping, [...path, 'data'], data, touchpoint.data)
  // A key that is misspelt is one mistake.
  const meant = new Set(given.map(({ nearest }) => nearest))
  const missing = Object.entries(touchpoint.data)
    .filter(([key, { required }]) => required && !Object.hasOwn(data, key) && !meant.has(key))
    .map(([key]) => complain(`${type} is missing its "${key}"`))
  return [
    ...(publisher && !mayTell(publisher, type, file)
      ? [complain(`"${source}" may not tell ${type}`, { hangsOn: 'publisher' })]
      : []),
    ...(touchpoint.entity === undefined
      ? []
      : [complain(`${type} is about an entity (${touchpoint.entity}), and a log tells of none`)]),
    ...given,
    ...missing,
  ]
}

function checkPerson(mapping: Loaded<LogMapping>, { person }: AttributesFile): Fault[] {
  const { attributes = {}, invented = {} } = mapping.value.person ?? {}
  return [
    ...checkFields(mapping, ['person', 'attributes'], attributes, person),
    ...checkFields(mapping, ['person', 'invented'], invented, person),
    ...Object.entries(invented).flatMap(([name, weights]) => {
      const field = own(person, name)
      return Object.keys(weights).flatMap((value) => {
        const complaint = field && complaintAboutCell(value, field)
        return complaint ? [aboutKey(mapping, ['person', 'invented', name, value], complaint)] : []
      })
    }),
  ]
}

/** Fields that there are, and of what is the same for every row a value that they may have. */
function checkFields(
  mapping: Loaded<LogMapping>,
  path: Path,
  given: Readonly<Record<string, unknown>>,
  known: Readonly<Record<string, Field>>,
): Fault[] {
  return Object.entries(given).flatMap(([name, from]) => {
    const field = own(known, name)
    if (!field)
      return [aboutKey(mapping, [...path, name], unknownName('field', name, Object.keys(known)))]
    if (typeof from !== 'object' || from === null || !('value' in from)) return []
    const complaint = complaintAboutCell(from.value, field)
    return complaint ? [about(mapping, [...path, name, 'value'], complaint)] : []
  })
}

/** As a log is read: a text may stand for a number, or for true and false. */
function complaintAboutCell(value: unknown, field: Field): Complaint | undefined {
  switch (field.type) {
    case 'number':
      return Number.isFinite(Number(value)) ? undefined : unlike('a number', value)
    case 'boolean':
      return /^(true|false)$/i.test(String(value)) ? undefined : unlike('true or false', value)
    case 'instant':
      return undefined
    default:
      return complaintAboutValue(String(value), field)
  }
}

function own(fields: Readonly<Record<string, Field>>, name: string): Field | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}
