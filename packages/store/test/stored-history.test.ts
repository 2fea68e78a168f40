import { newUuid } from '@wegwijs/runtime/derived-id'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Store } from '../src/database.ts'
import {
  peopleOf,
  type StoredEvent,
  type StoredPerson,
  storedEvents,
  storedPeople,
  UnreadableRows,
} from '../src/stored-history.ts'

/** Rows that cannot be read, in a history that goes on. */
let store: Store
const [good, noFields, noEntity] = [newUuid(), newUuid(), newUuid()]

beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'history')
  for (const personId of [good, noFields, noEntity])
    await sql`insert into person (person_id) values (${personId})`.execute(store.db)
  await sql`update person set fields = '[]' where person_id = ${noFields}`.execute(store.db)
  for (const id of ['A-1', 'A-2'])
    await sql`insert into entity (person_id, entity_type, entity_id, version, state, data, changed_at, said_in)
      values (${noEntity}, 'visit', ${id}, 1, 'active', '5', now(), '{"fields": {}, "touchpoints": {}}')`.execute(
      store.db,
    )
})
afterAll(() => store.close())

type Row = { personId: string; id: string; data?: string; time?: string; businessAt?: string }

const now = '2026-03-01T09:00:00.000Z'

async function happened({ personId, id, data = '{}', time = now, businessAt = now }: Row) {
  await sql`insert into event (person_id, source, event_id, subject, type, time, business_at, data, outcome,
      topic, partition, record_offset)
    values (${personId}, 'urn:test', ${id}, 'p', 'care.visit.v1', ${time}, ${businessAt}, ${data}::jsonb,
      'applied', 't', 0, 1)`.execute(store.db)
}

test('what cannot be read is left out and named, with all events of a person of whom a row cannot be', async () => {
  await happened({ personId: good, id: 'first' })
  await happened({ personId: noFields, id: 'of-nobody' })
  await happened({ personId: noEntity, id: 'of-nobody-else' })
  await happened({ personId: good, id: 'no-data', data: '"text"' })
  await happened({ personId: good, id: 'no-time', time: 'infinity' })
  await happened({ personId: good, id: 'no-arrival', businessAt: 'infinity' })
  await happened({ personId: good, id: 'last' })

  const unreadable = new UnreadableRows()
  const people: StoredPerson[] = []
  const events: StoredEvent[] = []
  for await (const some of storedPeople(store.db, now, unreadable)) people.push(...some)
  for await (const some of storedEvents(store.db, now, unreadable)) events.push(...some)
  expect(people.map(({ person }) => person.personId)).toEqual([good])
  expect(events.map(({ event }) => event.id)).toEqual(['first', 'last'])
  expect(unreadable.people).toEqual(new Set([noFields, noEntity]))
  expect(unreadable).toMatchObject({
    count: 6,
    first: [
      { column: 'person.fields', id: noFields },
      { column: 'entity.data', id: noEntity },
      { column: 'entity.data', id: noEntity },
      { column: 'event.data', id: 'urn:test/no-data' },
      { column: 'event.time', id: 'urn:test/no-time' },
      { column: 'event.business_at', id: 'urn:test/no-arrival' },
    ],
  })
})

test('who decides about somebody again is told that a row of theirs cannot be read', async () => {
  expect(await peopleOf(store.db, '-infinity', [good])).toHaveLength(1)
  await expect(peopleOf(store.db, '-infinity', [good, noEntity])).rejects.toMatchObject({
    code: 'WEGWIJS_STORED_ROW_UNREADABLE',
    detail: { column: 'entity.data', id: noEntity },
  })
})

test('of a history that cannot be read at all the first rows are named', () => {
  const unreadable = new UnreadableRows()
  for (let row = 0; row < 1_000; row += 1) unreadable.add({ column: 'event.data', id: `e-${row}` })
  expect(unreadable).toMatchObject({ count: 1_000, first: { length: 10, 9: { id: 'e-9' } } })
})
