import { openNamespace } from '@wegwijs/test-support/namespace'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import type { Store } from '../src/database.ts'
import { fixedStatements } from '../src/fixed-statement.ts'
import { inTransaction, send } from '../src/transaction.ts'

let store: Store

beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'fixed-statement')
})

afterAll(() => store.close())

type Shape = { times: number; suffix: string }

function sums() {
  const build = vi.fn(
    ({ times, suffix }: Shape, places: Readonly<Record<'one' | 'other', unknown>>) => {
      const one = sql.join(
        Array.from({ length: times }, () => sql`${places.one}::int`),
        sql` + `,
      )
      return sql<{
        text: string
      }>`select (${one} + ${places.other}::int)::text || ${suffix}::text as text`
    },
  )
  const statement = fixedStatements(['one', 'other'], build)
  const ask = async (shape: Shape, values: { one: number; other: number }) =>
    (await send(store.db, statement(shape, values))).rows[0]?.text
  return { build, statement, ask }
}

describe('fixedStatements', () => {
  it('gives each call its own values, in the places of the text, and makes that once for each shape', async () => {
    const { build, ask } = sums()
    const twice = { times: 2, suffix: ' €' }
    expect(await ask(twice, { one: 2, other: 3 })).toBe('7 €')
    expect(await ask(twice, { one: 20, other: 30 })).toBe('70 €')
    expect(build).toHaveBeenCalledTimes(1)
    expect(await ask({ ...twice, times: 3 }, { one: 2, other: 3 })).toBe('9 €')
    expect(await ask({ ...twice, suffix: ' $' }, { one: 2, other: 3 })).toBe('7 $')
    expect(await ask(twice, { one: 1, other: 1 })).toBe('3 €')
    expect(build).toHaveBeenCalledTimes(3)
  })

  it('goes in the trip of its transaction, like any other', async () => {
    const { statement } = sums()
    const shape = { times: 1, suffix: '' }
    const texts = await inTransaction(store.db, async (tx) =>
      Promise.all([1, 2].map((one) => send(tx, statement(shape, { one, other: 1 })))),
    )
    expect(texts.map(({ rows }) => rows[0]?.text)).toEqual(['2', '3'])
  })

  it('knows no more shapes than are repeated, and forgets them all rather than grow', async () => {
    const { build, ask } = sums()
    for (let times = 1; times <= 150; times += 1) {
      expect(await ask({ times, suffix: '' }, { one: 1, other: 0 })).toBe(`${times}`)
    }
    expect(await ask({ times: 1, suffix: '' }, { one: 1, other: 0 })).toBe('1')
    expect(build).toHaveBeenCalledTimes(151)
  })
})
