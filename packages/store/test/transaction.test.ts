import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { openNamespace } from '@wegwijs/test-support/namespace'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  PostgresAdapter,
  PostgresQueryCompiler,
  sql,
} from 'kysely'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type Querying, type Store, storeOn } from '../src/database.ts'
import { pipelining } from '../src/pipelining-driver.ts'
import { alone, inTransaction, send } from '../src/transaction.ts'

/** For as long as a busy machine may take. */
const soon = { timeout: 15_000 }

describe('statements that nobody waits for', () => {
  it('go in one trip with the begin and the commit of their transaction', async () => {
    const wire = createWire()
    const store = storeOn(pipelining(wire.dialect), options)
    const done = inTransaction(store.db, async (tx) => {
      void send(tx, sql`first`)
      return { second: send(tx, sql`second`) }
    })
    await expect.poll(() => wire.sent, soon).toEqual(['begin', 'first', 'second', 'commit'])
    wire.answerAll()
    await expect((await done).second).resolves.toMatchObject({ rows: [] })
  })

  it('are all answered before their connection is lent to somebody else', async () => {
    const wire = createWire()
    const store = storeOn(pipelining(wire.dialect), options)
    const failed = inTransaction(store.db, async (tx) => {
      void send(tx, sql`first`)
      throw new RangeError('our own fault')
    })
    await expect.poll(() => wire.sent, soon).toEqual(['begin', 'first', 'rollback'])
    expect(wire.released).toBe(0)
    wire.answerAll()
    await expect(failed).rejects.toThrow('our own fault')
    expect(wire.released).toBe(1)
  })
})

describe('on PostgreSQL', () => {
  let store: Store

  beforeAll(async () => {
    store = await openNamespace(inject('servers').databaseUrl, 'transactions')
    await sql`create table note (id integer primary key)`.execute(store.db)
    await sql`create sequence tries`.execute(store.db)
    await sql`create function at_the_second_try() returns integer language plpgsql as $$
      begin
        if nextval('tries') % 2 = 1 then raise exception 'a conflict' using errcode = '40001'; end if;
        return 1;
      end $$`.execute(store.db)
  })

  afterAll(() => store.close())

  const notes = async () => {
    const { rows } = await sql<{ id: number }>`select id from note order by id`.execute(store.db)
    return rows.map(({ id }) => id)
  }

  it('each sees what those before it did', async () => {
    const counted = await inTransaction(store.db, async (tx) => {
      void send(tx, sql`insert into note values (1)`)
      return { rows: send(tx, sql<{ count: string }>`select count(*) as count from note`) }
    })
    expect((await counted.rows).rows).toEqual([{ count: '1' }])
    expect(await notes()).toEqual([1])
  })

  it('one that fails ends its transaction, with its own error, and nothing after it counts', async () => {
    const failing = inTransaction(store.db, async (tx) => {
      void send(tx, sql`insert into note values (2)`)
      void send(tx, sql`insert into note values (2)`)
      void send(tx, sql`insert into note values (3)`)
    })
    await expect(failing).rejects.toMatchObject({ code: '23505' })
    expect(await notes()).toEqual([1])
  })

  it('one that met a conflict has its transaction run again, though only the commit tells', async () => {
    let runs = 0
    await inTransaction(store.db, async (tx) => {
      runs += 1
      void send(tx, sql`insert into note values (4)`)
      void send(tx, sql`select at_the_second_try()`)
    })
    expect(runs).toBe(2)
    expect(await notes()).toEqual([1, 4])
  })

  it('one that met a conflict does so too when a statement behind it is waited for', async () => {
    let runs = 0
    await inTransaction(store.db, async (tx) => {
      runs += 1
      void send(tx, sql`select at_the_second_try()`)
      await sql`select 1`.execute(tx)
    })
    expect(runs).toBe(2)
  })

  it('what fails behind another is told by the error of the first', async () => {
    const failing = inTransaction(store.db, async (tx) => {
      void send(tx, sql`insert into note values (1)`)
      await send(tx, sql`select 1`)
    })
    await expect(failing).rejects.toMatchObject({ code: '23505' })
  })

  it('what might fail on its way out is refused, and nothing of its transaction counts', async () => {
    const failing = inTransaction(store.db, async (tx) => {
      void send(tx, sql`insert into note values (6)`)
      void send(tx, sql`select ${{ a: 1n }}::json`)
    })
    await expect(failing).rejects.toThrow('a parameter that pg would convert')
    expect(await notes()).not.toContain(6)
  })

  it('nothing is sent for a transaction that is over', async () => {
    const left: Querying[] = []
    await inTransaction(store.db, async (tx) => void left.push(tx))
    expect(() => send(left[0] as Querying, sql`insert into note values (7)`)).toThrow('over')
    expect(await notes()).not.toContain(7)
  })

  it('a connection on which no transaction begins remembers no answers', async () => {
    setFlagsFromString('--expose_gc')
    const collect = runInNewContext('gc') as () => void
    const refer = async () => new WeakRef(await alone(store.db, sql`select 1 as one`))
    const answer = await refer()
    // The last one is still at hand.
    await alone(store.db, sql`select 2`)
    await expect
      .poll(() => {
        collect()
        return answer.deref()
      })
      .toBeUndefined()
  })

  it('a statement alone is a transaction, and runs again after a conflict', async () => {
    await alone(store.db, sql`insert into note select 4 + at_the_second_try()`)
    expect(await notes()).toEqual([1, 4, 5])
  })
})

const options = { databaseUrl: '', namespace: 'nowhere', applicationName: 'nobody' }

/** A server that answers when it is told to. */
function createWire() {
  const sent: string[] = []
  const answers: (() => void)[] = []
  const wire = {
    sent,
    released: 0,
    answerAll: () => {
      for (const answer of answers.splice(0)) answer()
    },
  }
  const ask = (text: string) => {
    sent.push(text)
    return new Promise<{ rows: never[] }>((resolve) => answers.push(() => resolve({ rows: [] })))
  }
  const connection: DatabaseConnection = {
    executeQuery: (query: CompiledQuery) => ask(query.sql),
    streamQuery: () => {
      throw new RangeError('nobody streams')
    },
  }
  const asked = async (text: string) => {
    await ask(text)
  }
  const dialect: Dialect = {
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: () => {
      throw new RangeError('nobody looks')
    },
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createDriver: () => ({
      init: async () => {},
      acquireConnection: async () => connection,
      beginTransaction: () => asked('begin'),
      commitTransaction: () => asked('commit'),
      rollbackTransaction: () => asked('rollback'),
      releaseConnection: async () => {
        wire.released += 1
      },
      destroy: async () => {},
    }),
  }
  return Object.assign(wire, { dialect })
}
