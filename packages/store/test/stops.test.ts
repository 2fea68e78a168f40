import { journeyEventOf } from '@wegwijs/campaign/journey-event'
import type { JsonObject } from '@wegwijs/campaign/json'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { openNamespace } from '@wegwijs/test-support/namespace'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { Kysely, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { createDialect, type Store } from '../src/database.ts'
import { findOrCreatePeople } from '../src/identities.ts'
import type { Schema } from '../src/schema.ts'
import {
  liftOperation,
  liftPerson,
  liftStop,
  listOperationalStops,
  listPersonStops,
  recordStopEvents,
  stopOf,
  stopOperation,
  stopPerson,
} from '../src/stops.ts'
import { inTransaction } from '../src/transaction.ts'
import { keepWhatForbids } from '../src/unapplied-events.ts'

let store: Store
beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'stops')
})
afterAll(() => store.close())

const words = { reason: 'asked for it by telephone', source: 'desk' }
const lifted = { reason: 'asked to go on', source: 'desk' }
const ehr = (externalId: string) => ({ idSpace: 'ehr', externalId })
const personOf = async (externalId: string) => {
  const [id] = await inTransaction(store.db, (tx) => findOrCreatePeople(tx, [ehr(externalId)]))
  return id ?? ''
}
const outbox = () => store.db.selectFrom('outbox').selectAll().orderBy('outbox_id').execute()

let count = 0
const event = (over: Partial<TouchpointEvent> = {}): TouchpointEvent => {
  count += 1
  return {
    id: `e-${count}`,
    source: 'urn:test:ehr',
    type: 'consent.withdrawn.v1',
    subject: `P-${count}`,
    time: '2026-03-01T10:00:00.000Z',
    data: { purpose: 'marketing', origin: 'person' },
    ...over,
  }
}
const toldAs = (told: TouchpointEvent) =>
  journeyEventOf(told, told.data as JsonObject, { touchpoints: new Map() })
const record = (...events: TouchpointEvent[]) =>
  recordStopEvents(
    store,
    events.map((each) => ({ event: each, idSpace: 'ehr' })),
  )

describe('the stop that an event means', () => {
  test.each([
    [
      event({ type: 'person.deceased.v1', data: {} }),
      { kind: 'death', purpose: 'all', channel: '' },
    ],
    [
      event({ data: { purpose: 'care', channel: 'sms', origin: 'import' } }),
      { kind: 'consent', purpose: 'care', channel: 'sms' },
    ],
    [
      event({ type: 'message.complained.v1', data: { channel: 'email' } }),
      { kind: 'consent', purpose: 'marketing', channel: 'email' },
    ],
    [
      event({ type: 'message.replied.v1', data: { channel: 'sms', detail: 'STOP please' } }),
      { kind: 'consent', purpose: 'all', channel: 'sms' },
    ],
    [event({ type: 'message.replied.v1', data: { channel: 'sms', detail: 'thanks' } }), null],
    [event({ type: 'care.discharge.completed.v1' }), null],
  ])('%o', (given, stop) => {
    if (stop === null) expect(stopOf(given)).toBeNull()
    else expect(stopOf(given)).toMatchObject({ ...stop, at: given.time, source: given.source })
  })

  test('has one id, whoever writes it down, and another for another event', () => {
    const one = event()
    expect(stopOf(one)).toEqual(stopOf({ ...one }))
    expect(stopOf(one)?.stopId).not.toBe(stopOf({ ...one, id: 'other' })?.stopId)
    expect(stopOf(one)?.stopId).not.toBe(stopOf({ ...one, subject: 'other' })?.stopId)
  })
})

describe('recording stops of events', () => {
  test('writes them, and what carries them on, once', async () => {
    const before = (await outbox()).length
    const [one, other] = [event(), event()]
    expect(await record(one, other, one)).toEqual([true, true, true])
    expect(await record(one)).toEqual([true])
    const rows = (await outbox()).slice(before)
    expect(rows.map((row) => [row.topic, row.record_key])).toEqual([
      [`${store.namespace}.touchpoints.urgent`, one.subject],
      [`${store.namespace}.touchpoints.urgent`, other.subject],
    ])
    expect(await listPersonStops(store.db, await personOf(one.subject))).toHaveLength(1)
  })

  test('tells what is about nobody of ours, and writes nothing for it', async () => {
    const before = (await outbox()).length
    const known = await recordStopEvents(store, [
      { event: event({ subject: newUuid() }), idSpace: 'wegwijs' },
      { event: event(), idSpace: 'ehr' },
    ])
    expect(known).toEqual([false, true])
    expect(await outbox()).toHaveLength(before + 1)
  })

  test('is as of now when its clock is ahead, also of an event that is put aside (P3)', async () => {
    const { rows: clock } = await sql<{ ahead: string }>`
      select to_json(business_now() + interval '4 minutes') #>> '{}' as ahead`.execute(store.db)
    const time = clock[0]?.ahead ?? ''
    const [answered, unapplied] = [event({ time }), event({ time })]
    await record(answered)
    await inTransaction(store.db, (tx) =>
      keepWhatForbids(
        tx,
        [{ event: toldAs(unapplied), identity: ehr(unapplied.subject) }],
        new Map(),
      ),
    )
    const { rows } = await sql<{ ahead: boolean }>`
      select at > business_now() as ahead from person_stop
      where stop_id = any(${[answered, unapplied].map((each) => stopOf(each)?.stopId ?? '')}::uuid[])
    `.execute(store.db)
    expect(rows).toEqual([{ ahead: false }, { ahead: false }])
  })

  test('waits for a merge under way, and stops whom the person became', async () => {
    const [one, survivor] = [event(), newUuid()]
    const personId = await personOf(one.subject)
    await sql`insert into person (person_id) values (${survivor})`.execute(store.db)
    const merging = Promise.withResolvers<void>()
    const locked = Promise.withResolvers<void>()
    const merge = inTransaction(store.db, async (tx) => {
      await sql`select from person where person_id = ${personId} for update`.execute(tx)
      locked.resolve()
      await merging.promise
      await sql`update person set merged_into = ${survivor} where person_id = ${personId}`.execute(
        tx,
      )
    })
    await locked.promise
    const recorded = record(one)
    await vi.waitFor(async () => expect(await waitersForLocks()).toBe(1), 15_000)
    merging.resolve()
    await merge
    await recorded
    expect(await listPersonStops(store.db, survivor)).toHaveLength(1)
    expect(await listPersonStops(store.db, personId)).toEqual([])
  })

  test('does not wait for ever: WEGWIJS_DATABASE_UNAVAILABLE, and nothing is written', async () => {
    const one = event()
    const personId = await personOf(one.subject)
    const done = Promise.withResolvers<void>()
    const locked = Promise.withResolvers<void>()
    const holding = inTransaction(store.db, async (tx) => {
      await sql`select from person where person_id = ${personId} for update`.execute(tx)
      locked.resolve()
      await done.promise
    })
    await locked.promise
    await expect(record(one)).rejects.toMatchObject({
      code: 'WEGWIJS_DATABASE_UNAVAILABLE',
      retryable: true,
    })
    done.resolve()
    await holding
    expect(await listPersonStops(store.db, personId)).toEqual([])
  })

  test('about the same people, in any order, at once: each once', async () => {
    const events = Array.from({ length: 60 }, () => event())
    await Promise.all(
      Array.from({ length: 6 }, (_, turn) =>
        record(...(turn % 2 === 0 ? events : events.toReversed())),
      ),
    )
    const rows = await store.db
      .selectFrom('person_stop')
      .where(
        'stop_id',
        'in',
        events.map((each) => stopOf(each)?.stopId ?? ''),
      )
      .selectAll()
      .execute()
    expect(rows).toHaveLength(60)
  })

  test('takes as many statements for two hundred as for one', async () => {
    const statements: string[] = []
    const db = new Kysely<Schema>({
      dialect: createDialect({
        databaseUrl: store.databaseUrl,
        namespace: store.namespace,
        applicationName: 'counting',
      }),
      log: ({ query }) => {
        statements.push(query.sql)
      },
    })
    const counted = async (size: number) => {
      statements.length = 0
      const events = Array.from({ length: size }, () => ({ event: event(), idSpace: 'ehr' }))
      await recordStopEvents({ ...store, db }, events)
      return statements.length
    }
    const one = await counted(1)
    expect(one).toBeGreaterThan(0)
    expect(await counted(200)).toBe(one)
    await db.destroy()
  })
})

describe('stops by staff', () => {
  test('hold a person, known or not yet, until they are lifted', async () => {
    const stopped = await stopPerson(store.db, ehr('new'), words)
    expect(stopped?.personId).toBe(await personOf('new'))
    const list = () => listPersonStops(store.db, stopped?.personId ?? '')
    expect(await list()).toMatchObject([
      { stopId: stopped?.stopId, kind: 'staff', purpose: 'all', channel: '', ...words },
    ])
    expect(await liftStop(store.db, stopped?.stopId ?? '', lifted)).toBe(true)
    expect(await liftStop(store.db, stopped?.stopId ?? '', lifted)).toBe(false)
    expect(await liftStop(store.db, newUuid(), lifted)).toBe(false)
    expect(await list()).toEqual([])
    expect(
      await stopPerson(store.db, { idSpace: 'wegwijs', externalId: newUuid() }, words),
    ).toBeNull()
  })

  test('are lifted together; a death and a withdrawn consent stay', async () => {
    const one = event()
    const personId = await personOf(one.subject)
    await record(one, event({ type: 'person.deceased.v1', data: {}, subject: one.subject }))
    await stopPerson(store.db, ehr(one.subject), words)
    await stopPerson(store.db, ehr(one.subject), words)
    expect(await liftPerson(store.db, personId, lifted)).toHaveLength(2)
    const left = await listPersonStops(store.db, personId)
    expect(left.map(({ kind }) => kind).sort()).toEqual(['consent', 'death'])
  })

  test('hold a part of the system until it is resumed', async () => {
    const email = { scope: 'channel', target: 'email' } as const
    const first = await stopOperation(store.db, email, words)
    const second = await stopOperation(store.db, email, words)
    const other = await stopOperation(store.db, { scope: 'all', target: '' }, words)
    expect(await listOperationalStops(store.db)).toMatchObject([
      { stopId: first, ...email, ...words },
      { stopId: second },
      { stopId: other, scope: 'all' },
    ])
    expect(new Set(await liftOperation(store.db, email, lifted))).toEqual(new Set([first, second]))
    expect(await liftOperation(store.db, email, lifted)).toEqual([])
    expect((await listOperationalStops(store.db)).map(({ stopId }) => stopId)).toEqual([other])
  })
})

async function waitersForLocks(): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from pg_stat_activity
    where application_name = ${store.namespace} and wait_event_type = 'Lock'`.execute(store.db)
  return rows[0]?.count ?? 0
}
