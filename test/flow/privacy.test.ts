import { createApiKey } from '@wegwijs/store/api-keys'
import { encodeRecord } from '@wegwijs/wire/cloudevents-kafka'
import { topicsOf } from '@wegwijs/wire/topics'
import { formatEvent, type TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { clinic, discharged, happen, monday } from './src/clinic.ts'
import { brisk, type Flow, openFlow, openGround, until } from './src/flow.ts'

// P7: what is told about people is found in no job, no log line and no metric, whichever way in it
// took and whatever went wrong with it.
const planted = {
  givenName: 'Wilhelmina',
  familyName: 'van-der-Plantage',
  email: 'w.plantage@example.org',
  phone: '+447700900199',
  app: 'device-token-8f3a',
  street: 'Dorpsstraat-17',
  postcode: '1234AB',
  birthDate: '1949-03-14',
  patientNumber: 'MRN-9988776',
  ward: 'oncologie-4C',
  illness: 'sepsis-antibiotica',
  proof: 'handtekening-gezien',
}
const values = Object.values(planted)
const all = values.join(' ')
const subject = planted.patientNumber

function bodies(): TouchpointEvent[] {
  const { givenName, familyName, email, phone, app } = planted
  return [
    happen('person.upserted.v1', subject, {
      data: { givenName, familyName, contacts: { email, phone, app }, test: true },
    }),
    happen('consent.granted.v1', subject, {
      data: { purpose: 'marketing', origin: 'person', proof: planted.proof },
    }),
    discharged(subject, { data: { ward: planted.ward } }),
    happen('care.survey.answered.v1', subject),
    happen('care.admission.started.v1', subject),
    // And those with which something is wrong, in every place.
    discharged(subject, { data: { ward: all, [planted.illness]: all, deep: { [all]: [all] } } }),
    happen(`care.${planted.illness}.v1`, subject),
    discharged(subject, { source: `urn:${planted.email}` }),
    discharged(subject, { id: all, time: '2099-01-01T00:00:00.000Z' }),
    happen('care.appointment.booked.v1', subject, {
      entity: `appointment/${planted.street}`,
      version: 1,
      data: { startsAt: all },
    }),
    happen('person.upserted.v1', subject, { data: { birthYear: planted.birthDate, locale: all } }),
    happen('person.merged.v1', subject, { data: { idSpace: all, externalId: all } }),
    happen('message.replied.v1', subject, { data: { detail: all } }),
    happen('consent.withdrawn.v1', `${subject}-2`, {
      data: { purpose: 'all', origin: 'person', proof: planted.proof },
    }),
  ]
}

async function sendEverywhere(flow: Flow): Promise<void> {
  const { key } = await createApiKey(flow.store.db, {
    label: 'test',
    idSpace: 'ehr',
    sources: ['urn:test:ehr'],
    types: ['care.*', 'person.*', 'consent.*'],
  })
  const { touchpoints: topic } = topicsOf(flow.store.namespace)
  const records = bodies().map((event) => ({ topic, ...encodeRecord(event) }))
  const broken = { topic, key: subject, value: Buffer.from(all), headers: { ce_id: all } }
  await flow.broker.publisher.publish([...records, broken], { deadlineMs: 5_000 })
  for (const event of bodies()) {
    const sent = [JSON.stringify(formatEvent(event)), `{"${all}`]
    for (const body of sent) {
      await flow.call('/v1/events', {
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/cloudevents+json',
        },
        body,
      })
    }
  }
}

test('twelve planted values are found in no job, no log line, no metric (P7)', async () => {
  expect(values).toHaveLength(12)
  const ground = await openGround(clinic, monday)
  onTestFinished(ground.store.close)
  const jobs: string[] = []
  const flow = await openFlow({
    store: ground.store,
    settings: brisk,
    // One provider quotes what it was given in its refusal, another fails with it.
    channels: (usual) =>
      usual.map((channel) => ({
        ...channel,
        send: async (...[message]: Parameters<typeof channel.send>) => {
          if (channel.name === 'sms') throw new Error(`cannot send to ${message.to}: ${all}`)
          return { kind: 'refused' as const, reason: 'smtp_554' }
        },
      })),
    queueAs: ({ queue, workers }) => ({
      workers,
      queue: {
        ...queue,
        add: async (name, given) => {
          jobs.push(name, JSON.stringify(given))
          await queue.add(name, given)
        },
      },
    }),
  })
  await sendEverywhere(flow)
  await flow.read()
  // A statement that PostgreSQL refuses quotes the row that it was about.
  await sql`alter table event add constraint planted check (subject <> ${sql.lit('quoted')})`.execute(
    ground.store.db,
  )
  await flow.publish(discharged('quoted', { data: { ward: planted.ward } }))
  await until(async () => {
    const { rows } = await sql<{ open: number }>`select count(*)::int as open from intent
      where state in ('planned', 'queued', 'sending') and due_at <= business_now()`.execute(
      ground.store.db,
    )
    expect(rows).toEqual([{ open: 0 }])
  })
  const metrics = await Promise.all(Object.values(flow.pipe.metrics).map((each) => each.text()))
  const letters = await sql<{
    count: number
  }>`select count(*)::int as count from dead_letter`.execute(ground.store.db)
  await flow.close()
  // There was something to be quiet about.
  expect(letters.rows[0]?.count).toBeGreaterThan(6)
  expect(jobs.length).toBeGreaterThan(2)
  expect(flow.logged()).toContain('a channel failed')
  for (const [where, text] of [
    ['a job', jobs.join('\n')],
    ['the log', flow.logged()],
    ['a metric', metrics.join('\n')],
  ] as const) {
    const found = values.filter((value) => text.toLowerCase().includes(value.toLowerCase()))
    expect(found, where).toEqual([])
  }
})
