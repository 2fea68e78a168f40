import { type RawBuilder, sql } from 'kysely'
import { columnTypes } from './column-types.ts'
import type { Querying } from './database.ts'
import type { Schema } from './schema.ts'
import { send } from './transaction.ts'

type Row<Table extends keyof Schema, Column extends keyof Schema[Table]> = {
  [Name in Column]: unknown
}

/**
 * `select columns from` the rows, typed as the table's own columns. The text of the statement, and so its
 * plan, is the same for one row and for five hundred (P8).
 *
 * @throws TypeError for a text that PostgreSQL would not give back as it is
 */
export function rowsOf<Table extends keyof Schema, Column extends keyof Schema[Table] & string>(
  table: Table,
  columns: readonly Column[],
  rows: readonly Row<Table, Column>[],
): RawBuilder<unknown> {
  return typedRows(typesOf(table, columns), rows)
}

/** What PostgreSQL calls the types of these columns. */
export function typesOf<Table extends keyof Schema, Column extends keyof Schema[Table] & string>(
  table: Table,
  columns: readonly Column[],
): Readonly<Record<Column, string>> {
  const types = columns.map((name): [Column, string] => [name, typeOf(table, name)])
  return Object.fromEntries(types) as Record<Column, string>
}

/**
 * The same for rows of these columns, whose types PostgreSQL knows. Each column is an array: PostgreSQL takes
 * twice as long to read rows as JSON.
 */
export function typedRows<Column extends string>(
  types: Readonly<Record<Column, string>>,
  rows: readonly { [Name in Column]: unknown }[],
): RawBuilder<unknown> {
  return rowsOfArrays(types, arraysOf(types, rows))
}

/** The columns of these rows, each as an array of PostgreSQL. */
export function arraysOf<Column extends string>(
  types: Readonly<Record<Column, string>>,
  rows: readonly { [Name in Column]: unknown }[],
): Record<Column, string> {
  const columns = Object.entries<string>(types) as [Column, string][]
  const arrays = columns.map(([name, type]) => [name, arrayOf(rows, name, type)])
  return Object.fromEntries(arrays) as Record<Column, string>
}

/** The rows again, from such arrays or their places. */
export function rowsOfArrays<Column extends string>(
  types: Readonly<Record<Column, string>>,
  arrays: Readonly<Record<NoInfer<Column>, unknown>>,
): RawBuilder<unknown> {
  const columns = Object.entries<string>(types) as [Column, string][]
  const read = columns.map(
    ([name, type]) => sql`${sql.ref(name)}${isList(type) ? sql.raw(`::${type}`) : sql``}`,
  )
  const given = columns.map(
    ([name, type]) => sql`${arrays[name]}::${sql.raw(isList(type) ? 'text' : type)}[]`,
  )
  return sql`select ${sql.join(read)} from unnest(${sql.join(given)})
      as given (${sql.join(columns.map(([name]) => sql.ref(name)))})`
}

function typeOf(table: string, column: string): string {
  const types: Readonly<Record<string, string>> = columnTypes
  const type = types[`${table}.${column}`] ?? types[column]
  if (type === undefined) throw new TypeError(`of which type is ${table}.${column}?`)
  return type
}

/** Lists in a list would be one level of it: they are texts there. */
function isList(type: string): boolean {
  return type.endsWith('[]')
}

/** One column as an array of PostgreSQL. Shorter ones are filled up with nulls: none of nothing but nulls. */
function arrayOf<Name extends string>(
  rows: readonly { [Key in Name]: unknown }[],
  name: Name,
  type: string,
): string {
  if (rows.every((row) => row[name] === null || row[name] === undefined)) return '{}'
  return `{${rows.map((row) => elementOf(row[name], type)).join(',')}}`
}

function elementOf(value: unknown, type: string): string {
  if (value === null || value === undefined) return 'NULL'
  // JSON has no line breaks or other controls left: quoted as JSON once more it is what an array takes, in a
  // quarter of the time.
  if (type === 'jsonb') return JSON.stringify(JSON.stringify(value))
  if (Array.isArray(value))
    return quoted(`{${value.map((each) => elementOf(each, 'text')).join(',')}}`)
  return typeof value === 'string' ? quoted(value) : String(value)
}

/** Half a character would be written as another one, and what it names never be found again. */
function quoted(text: string): string {
  if (!text.isWellFormed()) throw new TypeError('a text with half a character')
  return `"${needsEscape.test(text) ? text.replaceAll(escaped, '\\$&') : text}"`
}

const needsEscape = /["\\]/
const escaped = /["\\]/g

/**
 * Inserts the rows; columns that are not named get their defaults. Does nothing for no rows. Within a
 * transaction nobody need wait for it (`send`).
 */
export function insertRows<Table extends keyof Schema, Column extends keyof Schema[Table] & string>(
  tx: Querying,
  table: Table,
  columns: readonly Column[],
  rows: readonly Row<Table, Column>[],
): Promise<unknown> {
  if (rows.length === 0) return Promise.resolve()
  return send(
    tx,
    sql`insert into ${sql.table(table)} (${sql.join(columns.map((column) => sql.ref(column)))})
    ${rowsOf(table, columns, rows)}`,
  )
}

/** Inserts the rows, or gives the row of that `key` its new values, as {@link insertRows} does. */
export function upsertRows<Table extends keyof Schema, Column extends keyof Schema[Table] & string>(
  tx: Querying,
  table: Table,
  key: readonly Column[],
  columns: readonly Column[],
  rows: readonly Row<Table, Column>[],
): Promise<unknown> {
  if (rows.length === 0) return Promise.resolve()
  const changed = columns.filter((column) => !key.includes(column))
  return send(
    tx,
    sql`insert into ${sql.table(table)} (${sql.join(columns.map((column) => sql.ref(column)))})
    ${rowsOf(table, columns, rows)}
    on conflict (${sql.join(key.map((column) => sql.ref(column)))}) do update set ${sql.join(
      changed.map((column) => sql`${sql.ref(column)} = excluded.${sql.ref(column)}`),
    )}`,
  )
}
