import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { LogMapping } from '@wegwijs/definition/log-mapping-schema'
import type { JsonObject } from '@wegwijs/wire/json'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { Temporal } from 'temporal-polyfill'
import { inventPerson, profileOf } from './invented-person.ts'
import { createCellReader, type FieldCells } from './log-cells.ts'
import { type LogRow, type RowFault, readRows } from './log-rows.ts'
import { logTime } from './log-time.ts'
import { createRandom } from './random.ts'

/** What a command line says instead of the mapping. `attributes` is field to column. */
export type LogOverrides = Partial<
  Pick<LogMapping, 'case' | 'activity' | 'time' | 'timeFormat' | 'zone' | 'delimiter'>
> & { attributes?: Readonly<Record<string, string>> }

export type LogOptions = {
  mapping: LogMapping
  /** Says of which type the cells of a field are. */
  definition: Pick<DefinitionBundle, 'touchpoints' | 'attributes'>
  overrides?: LogOverrides
}

/**
 * A log of another system as touchpoint events, in the order of their time and then of their row.
 * Before the first event of each case stands a `person.upserted.v1` with an invented contact that
 * is marked as a test: the log's own people are never written to. Ids come from row numbers, so the
 * same log gives the same events. What cannot be read is in `faults`, by line.
 *
 * @throws WEGWIJS_LOG_UNREADABLE
 */
export async function readLog(
  file: string,
  options: LogOptions,
): Promise<{ events: TouchpointEvent[]; people: number; faults: RowFault[] }> {
  const mapping = withOverrides(options.mapping, options.overrides ?? {})
  const faults: RowFault[] = []
  const read = createRowReader(mapping, options.definition)
  const cases = new Map<string, CaseFacts>()
  const found: { atMs: number; line: number; event: TouchpointEvent }[] = []
  const rows = readRows(file, {
    delimiter: mapping.delimiter,
    columns: columnsOf(mapping),
    onFault: (fault) => faults.push(fault),
  })
  for await (const row of rows) {
    const result = read(row)
    if ('reason' in result) {
      faults.push({ line: row.line, reason: result.reason })
      continue
    }
    found.push({ ...result, line: row.line })
    noteFacts(cases, result, mapping, row)
  }
  found.sort((a, b) => a.atMs - b.atMs || a.line - b.line)
  const events = found.flatMap(({ event }) => {
    const facts = cases.get(event.subject)
    if (facts === undefined || facts.introduced) return [event]
    facts.introduced = true
    return [introduce(event, facts, mapping, options.definition), event]
  })
  faults.sort((a, b) => a.line - b.line)
  return { events, people: cases.size, faults }
}

function withOverrides(mapping: LogMapping, overrides: LogOverrides): LogMapping {
  const { attributes, ...columns } = overrides
  const person = mapping.person ?? { attributes: {}, invented: {} }
  return {
    ...mapping,
    ...columns,
    ...(attributes === undefined
      ? {}
      : { person: { ...person, attributes: { ...person.attributes, ...attributes } } }),
  }
}

function columnsOf(mapping: LogMapping): string[] {
  const { birthYearFromAge, attributes = {} } = mapping.person ?? {}
  const data = Object.values(mapping.activities).flatMap((activity) =>
    Object.values(activity.data).filter((source) => typeof source === 'string'),
  )
  const named = [
    mapping.case,
    mapping.activity,
    mapping.time,
    ...Object.values(attributes),
    ...data,
  ]
  return [...new Set(birthYearFromAge === undefined ? named : [...named, birthYearFromAge])]
}

type Reading = { atMs: number; event: TouchpointEvent }
type RowReader = (row: LogRow) => Reading | { reason: string }

function createRowReader(mapping: LogMapping, definition: LogOptions['definition']): RowReader {
  const timeOf = logTime(mapping.timeFormat, mapping.zone)
  const cellsByActivity = new Map<string, FieldCells>()
  for (const [name, activity] of Object.entries(mapping.activities)) {
    const { touchpoints } = definition.touchpoints
    const fields = touchpoints.find((touchpoint) => touchpoint.type === activity.type)?.data ?? {}
    cellsByActivity.set(name, createCellReader(fields, activity.data, mapping.zone))
  }
  return (row) => {
    const caseId = row.cell(mapping.case)
    if (caseId === '') return { reason: `has no ${mapping.case}` }
    const activity = row.cell(mapping.activity)
    const cells = cellsByActivity.get(activity)
    const type = mapping.activities[activity]?.type
    if (cells === undefined || type === undefined) {
      return { reason: `the mapping does not know the activity "${activity}"` }
    }
    const atMs = timeOf(row.cell(mapping.time))
    if (atMs === undefined) {
      return { reason: `"${row.cell(mapping.time)}" is not a time like ${mapping.timeFormat}` }
    }
    const data = cells(row)
    if ('reason' in data) return { reason: data.reason }
    const event: TouchpointEvent = {
      id: `row-${row.line}`,
      source: mapping.source,
      type,
      subject: mapping.subjectPrefix + caseId,
      time: new Date(atMs).toISOString(),
      data: data.values,
    }
    return { atMs, event }
  }
}

/** What the rows of one case tell about its person. */
type CaseFacts = { introduced: boolean; age: string; cells: Record<string, string> }

function noteFacts(
  cases: Map<string, CaseFacts>,
  { event }: Reading,
  mapping: LogMapping,
  row: LogRow,
): void {
  const known = cases.get(event.subject)
  const facts = known ?? { introduced: false, age: '', cells: {} }
  if (known === undefined) cases.set(event.subject, facts)
  const { birthYearFromAge, attributes = {} } = mapping.person ?? {}
  if (birthYearFromAge !== undefined) facts.age ||= row.cell(birthYearFromAge)
  for (const [field, column] of Object.entries(attributes)) {
    facts.cells[field] ||= row.cell(column)
  }
}

function introduce(
  first: TouchpointEvent,
  facts: CaseFacts,
  mapping: LogMapping,
  definition: LogOptions['definition'],
): TouchpointEvent {
  const random = createRandom(mapping.source, first.subject)
  const texts = { ...facts.cells }
  for (const [field, weights] of Object.entries(mapping.person?.invented ?? {})) {
    texts[field] ||= random.weighted(weights)
  }
  const read = createCellReader(
    definition.attributes.person,
    Object.fromEntries(Object.keys(texts).map((field) => [field, field])),
    mapping.zone,
  )
  const attributes = read({ cell: (field) => texts[field] ?? '' })
  const birthYear = birthYearOf(facts.age, first.time, mapping.zone)
  const person = inventPerson({
    handle: handleOf(first.subject),
    random,
    ...(birthYear === undefined ? {} : { birthYear }),
    // An attribute that cannot be read is not worth a person: it is left out.
    attributes: 'values' in attributes ? attributes.values : ({} satisfies JsonObject),
  })
  return {
    id: `person-${first.id}`,
    source: mapping.source,
    type: 'person.upserted.v1',
    subject: first.subject,
    time: first.time,
    data: profileOf(person),
  }
}

function birthYearOf(age: string, time: string, zone: string): number | undefined {
  if (!/^\d{1,3}$/.test(age)) return undefined
  return Temporal.Instant.from(time).toZonedDateTimeISO(zone).year - Number(age)
}

/** The local part of an address; what it cannot hold becomes '-'. */
function handleOf(subject: string): string {
  const plain = subject
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return plain.slice(0, 60) || 'person'
}
