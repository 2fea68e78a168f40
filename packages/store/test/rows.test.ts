import { newUuid } from '@wegwijs/runtime/derived-id'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { type RawBuilder, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { columnTypes } from '../src/column-types.ts'
import type { Store } from '../src/database.ts'
import { insertRows, rowsOf } from '../src/rows.ts'

let store: Store

beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'rows')
})

afterAll(() => store.close())

/** Every table of which rows are written so. */
const tables = [
  'campaign_version',
  'consent',
  'counted_message',
  'dead_letter',
  'decision',
  'enrolment',
  'entity',
  'event',
  'history_count',
  'inbox',
  'intent',
  'outbox',
  'person',
  'relation',
  'task',
  'timer',
]

describe('rows', () => {
  it('are written with the types that their columns have', async () => {
    const { rows } = await sql<{ table: string; column: string; type: string }>`
      select c.relname as table, a.attname as column, format_type(a.atttypid, null) as type
      from pg_attribute a join pg_class c on c.oid = a.attrelid
      where c.relnamespace = ${store.namespace}::regnamespace and c.relname = any(${tables}::text[])
        and a.attnum > 0 and not a.attisdropped`.execute(store.db)
    const known: Record<string, string> = columnTypes
    const typeOf = ({ table, column }: { table: string; column: string }) =>
      (known[`${table}.${column}`] ?? known[column])?.replace(
        'timestamptz',
        'timestamp with time zone',
      )
    expect(new Set(rows.map(({ table }) => table))).toEqual(new Set(tables))
    const wrong = rows.filter((row) => typeOf(row) !== undefined && typeOf(row) !== row.type)
    expect(wrong).toEqual([])
    const columns = new Set(rows.flatMap(({ table, column }) => [column, `${table}.${column}`]))
    expect(Object.keys(known).filter((column) => !columns.has(column))).toEqual([])
  })

  it('come out as they went in, whatever their texts hold', async () => {
    const texts = [
      '',
      'NULL',
      'null',
      '{}',
      'a,b',
      'say "no"',
      'C:\\data',
      '\\"',
      'patiënt\n',
      "it's 👩‍⚕️",
    ]
    const given = texts.map((text) => ({
      intent_id: newUuid(),
      reason: text,
      channels: [text, 'sms'],
      detail: { [text]: [text, null, 1.5, { deep: text }] },
    }))
    const columns = ['intent_id', 'reason', 'channels', 'detail'] as const
    expect(await read(rowsOf('intent', columns, given))).toEqual(given)
  })

  it('may lack what others have, and all may lack it', async () => {
    const [one, other] = [newUuid(), newUuid()]
    const columns = ['intent_id', 'reason', 'channels', 'turn', 'question', 'by_age'] as const
    const given = [
      { intent_id: one, reason: null, channels: [], turn: 3, question: null, by_age: false },
      {
        intent_id: other,
        reason: 'held',
        channels: null,
        turn: undefined,
        question: null,
        by_age: true,
      },
    ]
    expect(await read(rowsOf('intent', columns, given))).toEqual([
      given[0],
      { ...given[1], turn: null },
    ])
    expect(await read(rowsOf('intent', columns, []))).toEqual([])
  })

  it('are refused with half a character, which would come out as another one', async () => {
    const key = { person_id: newUuid(), source: 'urn:ehr', subject: 'p1' }
    const columns = ['person_id', 'source', 'event_id', 'subject'] as const
    expect(() =>
      insertRows(store.db, 'inbox', columns, [{ ...key, event_id: 'visit \ud83d' }]),
    ).toThrow(TypeError)
  })
})

async function read(rows: RawBuilder<unknown>): Promise<unknown[]> {
  return (await sql`${rows}`.execute(store.db)).rows
}
