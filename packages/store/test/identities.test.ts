import { newUuid } from '@wegwijs/runtime/derived-id'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Store } from '../src/database.ts'
import { findOrCreatePeople, linkIdentities } from '../src/identities.ts'
import { inTransaction } from '../src/transaction.ts'

let store: Store
beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'identities')
})
afterAll(() => store.close())

const find = (identities: { idSpace: string; externalId: string }[]) =>
  inTransaction(store.db, (tx) => findOrCreatePeople(tx, identities))
const ehr = (externalId: string) => ({ idSpace: 'ehr', externalId })

test('the same id is the same person, in the order in which it was asked', async () => {
  const [a, b] = await find([ehr('A'), ehr('B')])
  expect(a).not.toBe(b)
  expect(await find([ehr('B'), ehr('A'), ehr('B')])).toEqual([b, a, b])
  const [other] = await find([{ idSpace: 'crm', externalId: 'A' }])
  expect(other).not.toBe(a)
  expect(await find([])).toEqual([])
})

test('an id is not split up and put together as another', async () => {
  const [one, other] = await find([
    { idSpace: 'a', externalId: 'b,c' },
    { idSpace: 'a,b', externalId: 'c' },
  ])
  expect(one).not.toBe(other)
})

test('many who meet the same new people at once, in any order, agree on who they are', async () => {
  const ids = Array.from({ length: 100 }, (_, index) => ehr(`race-${index}`))
  const answers = await Promise.all(
    Array.from({ length: 8 }, async (_, turn) => {
      const order = turn % 2 === 0 ? ids : ids.toReversed()
      const found = await find(order)
      return turn % 2 === 0 ? found : found.toReversed()
    }),
  )
  expect(new Set(answers.map((answer) => answer.join())).size).toBe(1)
  const people = await store.db
    .selectFrom('person')
    .innerJoin('person_identity', 'person_identity.person_id', 'person.person_id')
    .where('external_id', 'like', 'race-%')
    .selectAll()
    .execute()
  expect(people).toHaveLength(100)
})

test('whoever creates and then fails leaves nothing, and the next one creates', async () => {
  const failing = inTransaction(store.db, async (tx) => {
    await findOrCreatePeople(tx, [ehr('undone')])
    throw new RangeError('undone')
  })
  await expect(failing).rejects.toThrow('undone')
  const [person] = await find([ehr('undone')])
  expect(person).toEqual(expect.any(String))
})

test('in our own id space people are found and never made', async () => {
  const [person] = await find([ehr('ours')])
  const own = (externalId: string) => ({ idSpace: 'wegwijs', externalId })
  expect(await find([own(person ?? ''), own(newUuid()), own('no uuid'), ehr('ours')])).toEqual([
    person,
    null,
    null,
    person,
  ])
})

test('a further id that somebody has already stays theirs', async () => {
  const [a, b] = await find([ehr('link-a'), ehr('link-b')])
  await inTransaction(store.db, (tx) =>
    linkIdentities(tx, [
      { personId: a ?? '', idSpace: 'crm', externalId: 'link' },
      { personId: a ?? '', ...ehr('link-b') },
    ]),
  )
  expect(await find([{ idSpace: 'crm', externalId: 'link' }, ehr('link-b')])).toEqual([a, b])
})
