import { createApiKey } from '@wegwijs/store/api-keys'
import { topicsOf } from '@wegwijs/wire/topics'
import { formatEvent, type TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { arrives, clinic, discharged, happen, monday } from './src/clinic.ts'
import {
  type Answer,
  expectLedgerHolds,
  type Flow,
  openFlow,
  openGround,
  until,
} from './src/flow.ts'

/** What bad input gets: the same events over HTTP, where they are refused, and over Kafka. */
let flow: Flow
let key: string
let close: () => Promise<void>

beforeAll(async () => {
  const { store } = await openGround(clinic, monday)
  flow = await openFlow({ store })
  const made = await createApiKey(store.db, {
    label: 'test',
    idSpace: 'ehr',
    sources: ['urn:test:ehr'],
    types: ['care.*', 'person.*', 'consent.*'],
  })
  key = made.key
  close = async () => {
    await flow.close()
    await store.close()
  }
})
afterAll(() => close())

type Bad = {
  name: string
  /** What is wrong with an event that is good otherwise. */
  over?: Record<string, unknown>
  /** Its JSON, with the fault that JSON alone can hold. */
  text?: (json: string) => string
  status: number
  errorClass: string
  /** Over Kafka, where that differs. */
  deadLetter?: string
}

const bad: Bad[] = [
  { name: 'not JSON', text: (json) => json.slice(1), status: 400, errorClass: 'not_json' },
  {
    name: 'not a CloudEvent',
    text: (json) => json.replace('"specversion"', '"version"'),
    status: 400,
    errorClass: 'not_a_cloudevent',
  },
  {
    name: 'a type that nobody knows',
    over: { type: 'care.unknown.v1' },
    status: 400,
    errorClass: 'unknown_type',
  },
  {
    name: 'data against its schema',
    over: { data: { ward: 7 } },
    status: 400,
    errorClass: 'data_invalid',
  },
  { name: 'no subject', over: { subject: '' }, status: 400, errorClass: 'no_subject' },
  {
    name: 'larger than 256 kB',
    over: { data: { ward: 'x'.repeat(257 * 1024) } },
    status: 413,
    errorClass: 'too_large',
  },
  {
    name: 'a __proto__ key',
    text: (json) => json.replace('"data":{', '"data":{"__proto__":{"a":1},'),
    status: 400,
    errorClass: 'forbidden_key',
  },
  {
    name: '\\u0000 in a string',
    over: { data: { ward: 'C\u00003' } },
    status: 400,
    errorClass: 'forbidden_character',
  },
  {
    name: 'more than five minutes ahead',
    over: { time: '2026-03-02T09:05:01.000Z' },
    status: 400,
    errorClass: 'time_in_future',
  },
  {
    name: 'older than what we remember',
    over: { time: '2025-09-01T09:00:00.000Z' },
    status: 400,
    errorClass: 'older_than_inbox',
  },
  {
    name: 'a source that the credential, or the definition, does not name',
    over: { source: 'urn:test:nobody' },
    status: 403,
    errorClass: 'source_not_allowed',
  },
  {
    name: 'a type that is ours alone',
    over: { type: 'message.delivered.v1' },
    status: 403,
    errorClass: 'type_not_allowed',
  },
  {
    name: 'one that says it is from us',
    over: { type: 'message.delivered.v1', source: 'urn:wegwijs:receipts:smtp' },
    status: 403,
    errorClass: 'type_not_allowed',
    deadLetter: 'signature_invalid',
  },
]

function textOf({ over = {}, text = (json) => json }: Bad, subject: string): string {
  const event = formatEvent(discharged(subject, { data: { ward: 'C3' } }))
  return text(JSON.stringify({ ...event, ...over }))
}

const structured = { 'content-type': 'application/cloudevents+json' }

function post(body: string): Promise<Answer> {
  return flow.call('/v1/events', {
    headers: { authorization: `Bearer ${key}`, ...structured },
    body,
  })
}

function send(event: TouchpointEvent): Promise<Answer> {
  return post(JSON.stringify(formatEvent(event)))
}

const deadLetters = () =>
  flow.store.db
    .selectFrom('dead_letter')
    .select(['error_class', 'value', 'record_offset', 'reason'])
    .orderBy('record_offset')
    .execute()

const intentsOf = async (subject: string) =>
  flow.store.db
    .selectFrom('intent')
    .innerJoin('person_identity', 'person_identity.person_id', 'intent.person_id')
    .select(['campaign_id', 'intent.state', 'intent.reason'])
    .where('external_id', '=', subject)
    .execute()

const outcomesOf = async (subject: string) =>
  (
    await flow.store.db
      .selectFrom('event')
      .select('outcome')
      .where('subject', '=', subject)
      .orderBy('record_offset')
      .execute()
  ).map(({ outcome }) => outcome)

describe('over HTTP', () => {
  test.each(bad)('$name: $status', async (each) => {
    const answer = await post(textOf(each, 'http-bad'))
    expect(answer).toMatchObject({
      status: each.status,
      json: { code: 'WEGWIJS_EVENT_REFUSED', errorClass: each.errorClass },
    })
    const { touchpoints } = topicsOf(flow.store.namespace)
    expect(flow.broker.records(touchpoints)).toEqual([])
  })

  test('without a key, with a wrong one, or in another format', async () => {
    const body = textOf({ name: '', status: 0, errorClass: '' }, 'http-bad')
    const wrong = { authorization: `Bearer ${key.slice(0, -1)}x`, ...structured }
    const other = { authorization: `Bearer ${key}`, 'content-type': 'text/plain' }
    const statuses = [{ ...structured }, wrong, other].map(
      async (headers) => (await flow.call('/v1/events', { headers, body })).status,
    )
    expect(await Promise.all(statuses)).toEqual([401, 401, 415])
  })
})

describe('over Kafka', () => {
  test('each becomes a dead letter with its class and its bytes, and the partition goes on', async () => {
    const { touchpoints: topic, deadLetters: dlq } = topicsOf(flow.store.namespace)
    const key = 'kafka-bad'
    const raw = bad.map((each) => Buffer.from(textOf(each, key)))
    await flow.broker.publisher.publish(
      raw.map((value) => ({ topic, key, value, headers: structured })),
      { deadlineMs: 5_000 },
    )
    await flow.publish(arrives(key), discharged(key))
    const letters = await deadLetters()
    expect(letters.map((letter) => letter.error_class)).toEqual(
      bad.map(({ errorClass, deadLetter }) => deadLetter ?? errorClass),
    )
    expect(letters.map((letter) => letter.value)).toEqual(raw)
    expect(letters.filter(({ reason }) => !reason)).toEqual([])
    expect(await outcomesOf(key)).toEqual(['applied', 'applied'])
    await until(() =>
      expect(
        flow.broker.records(dlq).map(({ headers, value }) => ({
          errorClass: String(headers['dlq-error-class']),
          from: `${headers['dlq-original-topic']}`,
          value,
        })),
      ).toEqual(
        letters.map(({ error_class, value }) => ({ errorClass: error_class, from: topic, value })),
      ),
    )
    await until(async () =>
      expect(await intentsOf(key)).toMatchObject([{ campaign_id: 'care', state: 'delivered' }]),
    )
  })
})

describe('what comes again counts once (P2)', () => {
  test('over HTTP, over Kafka, and over both', async () => {
    const event = discharged('again')
    await flow.publish(arrives('again'))
    expect((await send(event)).status).toBe(202)
    expect((await send(event)).status).toBe(202)
    await flow.publish(event, { ...event, time: '2026-03-02T08:00:00.000Z' })
    expect(await intentsOf('again')).toHaveLength(1)
  })

  test('a stop over HTTP and over Kafka', async () => {
    const no = happen('consent.withdrawn.v1', 'again', {
      data: { purpose: 'care', origin: 'person' },
    })
    expect((await send(no)).status).toBe(202)
    await flow.publish(no)
    const stops = await flow.store.db.selectFrom('person_stop').selectAll().execute()
    expect(stops).toHaveLength(1)
    await until(async () =>
      expect((await outcomesOf('again')).filter((each) => each === 'applied')).toHaveLength(3),
    )
  })

  test('the whole topic, read from offset 0', async () => {
    const before = {
      letters: await deadLetters(),
      intents: await flow.store.db.selectFrom('intent').select('intent_id').execute(),
    }
    await flow.pipe.stop('journey')
    await flow.store.db.updateTable('consumer_position').set({ next_offset: '0' }).execute()
    await flow.pipe.start('journey')
    await flow.read()
    expect({
      letters: await deadLetters(),
      intents: await flow.store.db.selectFrom('intent').select('intent_id').execute(),
    }).toEqual(before)
    await expectLedgerHolds(flow)
  })

  test('the whole topic, published once more', async () => {
    const { touchpoints: topic } = topicsOf(flow.store.namespace)
    const before = await flow.store.db.selectFrom('intent').select('intent_id').execute()
    const good = flow.broker.records(topic).filter(({ headers }) => headers.ce_id)
    await flow.broker.publisher.publish(
      good.map(({ key, value, headers }) => ({ topic, key: String(key), value, headers })),
      { deadlineMs: 5_000 },
    )
    await flow.read()
    expect(await flow.store.db.selectFrom('intent').select('intent_id').execute()).toEqual(before)
    await expectLedgerHolds(flow)
  })
})

describe('what is older than what we know is stored and not applied', () => {
  test('an older version of an appointment, an older profile', async () => {
    const told = (version: number, day: string) =>
      happen('care.appointment.moved.v1', 'older', {
        entity: 'appointment/older',
        version,
        data: { startsAt: `2026-03-${day}T09:00:00.000Z` },
      })
    await flow.publish(
      arrives('older'),
      told(3, '20'),
      told(2, '18'),
      told(3, '19'),
      arrives('older', { email: 'old@example.org' }, { time: '2026-03-01T09:00:00.000Z' }),
    )
    expect(await outcomesOf('older')).toEqual([
      'applied',
      'applied',
      'entity_not_newer',
      'entity_not_newer',
      'profile_not_newer',
    ])
    const entity = await flow.store.db.selectFrom('entity').selectAll().executeTakeFirst()
    expect(entity).toMatchObject({ version: 3, data: { startsAt: '2026-03-20T09:00:00.000Z' } })
    const { contacts } = await flow.store.db
      .selectFrom('person')
      .innerJoin('person_identity', 'person_identity.person_id', 'person.person_id')
      .select('contacts')
      .where('external_id', '=', 'older')
      .executeTakeFirstOrThrow()
    expect(contacts).toMatchObject({ email: { address: 'older@example.org' } })
  })

  test('a consent from before the own withdrawal, and an imported one from after it', async () => {
    const say = (kind: 'granted' | 'withdrawn', time: string, origin = 'person') =>
      happen(`consent.${kind}.v1`, 'no', {
        time: `2026-03-${time}:00.000Z`,
        data: { purpose: 'marketing', origin },
      })
    await flow.publish(arrives('no'), say('withdrawn', '01T12:00'))
    await flow.publish(
      say('granted', '01T11:00'),
      say('granted', '01T12:00'),
      say('granted', '02T08:00', 'import'),
      happen('care.admission.started.v1', 'no'),
    )
    expect((await outcomesOf('no')).toSorted()).toEqual([
      'applied',
      'applied',
      'applied',
      'consent_import_yields',
      'consent_not_newer',
      'consent_not_newer',
    ])
    await until(async () =>
      expect(await intentsOf('no')).toEqual([
        { campaign_id: 'offer', state: 'skipped', reason: 'consent_withdrawn' },
      ]),
    )
  })
})

describe('while a server is away', () => {
  test('Kafka: events get 503 and Retry-After, stops are taken and hold (P3)', async () => {
    await flow.publish(arrives('away'))
    flow.broker.unavailable(true)
    const refused = await send(discharged('away'))
    expect(refused).toMatchObject({ status: 503, json: { code: 'WEGWIJS_UNAVAILABLE' } })
    expect(refused.headers['retry-after']).toMatch(/^\d+$/)
    const no = happen('consent.withdrawn.v1', 'away', {
      data: { purpose: 'all', origin: 'person' },
    })
    expect((await send(no)).status).toBe(202)
    flow.broker.unavailable(false)
    expect((await send(discharged('away'))).status).toBe(202)
    await until(async () =>
      expect(await intentsOf('away')).toEqual([
        { campaign_id: 'care', state: 'skipped', reason: 'consent_withdrawn' },
      ]),
    )
    await until(async () => expect(await outcomesOf('away')).toHaveLength(3))
  })

  test('Redis: what is due waits, and goes when it is back', async () => {
    flow.queue.unavailable(true)
    await flow.publish(arrives('queue-away'), discharged('queue-away'))
    await until(async () =>
      expect(await intentsOf('queue-away')).toMatchObject([{ state: 'queued' }]),
    )
    flow.queue.unavailable(false)
    await until(async () =>
      expect(await intentsOf('queue-away')).toMatchObject([{ state: 'delivered' }]),
    )
  })
})

test('at the end the ledger holds (P1, P2)', async () => {
  await flow.read()
  await until(() => expectLedgerHolds(flow))
})
