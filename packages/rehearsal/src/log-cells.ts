import type { Field } from '@wegwijs/campaign/definition/field'
import type { JsonObject, JsonValue } from '@wegwijs/wire/json'
import { logTime } from './log-time.ts'

/** Cells of a row as the data of an event, or why they cannot be. */
export type FieldCells = (row: {
  cell(column: string): string
}) => { values: JsonObject } | { reason: string }

/** Where a value comes from: a column, or the same for every row. */
type Source = string | { value: string | number | boolean }

/** An empty cell is no value; a cell that is not of its field's type makes the row unreadable. */
export function createCellReader(
  fields: Readonly<Record<string, Field>>,
  sources: Readonly<Record<string, Source>>,
  zone: string,
): FieldCells {
  const readers = Object.entries(sources).map(([name, source]) => {
    const convert = converterOf(fields[name], zone)
    const read = (row: { cell(column: string): string }) =>
      typeof source === 'string' ? row.cell(source) : source.value
    return { name, required: fields[name]?.required ?? false, convert, read }
  })
  return (row) => {
    const values: JsonObject = {}
    for (const { name, required, convert, read } of readers) {
      const given = read(row)
      if (given === '') {
        if (required) return { reason: `has no value for "${name}", which is required` }
        continue
      }
      const value = convert(given)
      if (value === undefined) return { reason: `its value for "${name}" is not of that type` }
      values[name] = value
    }
    return { values }
  }
}

type Converter = (given: string | number | boolean) => JsonValue | undefined

function converterOf(field: Field | undefined, zone: string): Converter {
  switch (field?.type) {
    case 'number':
      return (given) => (Number.isFinite(Number(given)) ? Number(given) : undefined)
    case 'boolean':
      return (given) => ({ true: true, false: false })[String(given).toLowerCase()]
    case 'instant': {
      const timeOf = logTime('iso', zone)
      return (given) => {
        const atMs = timeOf(String(given))
        return atMs === undefined ? undefined : new Date(atMs).toISOString()
      }
    }
    default:
      return (given) => {
        const text = String(given)
        return field?.values && !field.values.includes(text) ? undefined : text
      }
  }
}
