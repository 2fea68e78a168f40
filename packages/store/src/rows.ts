import { type RawBuilder, sql } from 'kysely'
import type { Querying } from './database.ts'
import type { Schema } from './schema.ts'
import { send } from './transaction.ts'

/**
 * Many rows in one statement with one parameter: the text of the statement, and so its plan, is the
 * same for one row and for five hundred (P8).
 */
type Row<Table extends keyof Schema, Column extends keyof Schema[Table]> = {
  [Name in Column]: unknown
}

/** `select columns from` the rows, typed as the table's own columns. */
export function rowsOf<Table extends keyof Schema, Column extends keyof Schema[Table] & string>(
  table: Table,
  columns: readonly Column[],
  rows: readonly Row<Table, Column>[],
): RawBuilder<unknown> {
  return sql`select ${sql.join(columns.map((column) => sql.ref(column)))}
    from json_populate_recordset(null::${sql.table(table)}, ${JSON.stringify(rows)}::json)`
}

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
