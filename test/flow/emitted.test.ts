import { type DefinitionBundle, definitionBundleSchema } from '@wegwijs/campaign/definition/bundle'
import { stepBusinessTime } from '@wegwijs/store/business-clock'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { arrives, discharged, monday } from './src/clinic.ts'
import { expectLedgerHolds, type Flow, openFlow, openGround, until } from './src/flow.ts'

/** What campaigns tell other systems and remember of people, through the whole pipe. */
function clinic(): DefinitionBundle {
  const told = { emit: { type: 'told.home.v1', data: { ward: 'event.ward' } } }
  const bundle = smallHospital([
    campaign({
      id: 'aftercare',
      steps: [told, { set: { field: 'person.mood', to: 'well' } }, { wait: { for: 'P1D' } }, told],
    }),
  ])
  const text = { type: 'text', sensitivity: 'health', required: false }
  return definitionBundleSchema.parse({
    ...bundle,
    attributes: { ...bundle.attributes, campaigns: { mood: text } },
    touchpoints: {
      ...bundle.touchpoints,
      emits: [
        {
          type: 'told.home.v1',
          name: { nl: 'Thuis', en: 'Home' },
          sensitivity: 'health',
          data: { ward: text },
        },
      ],
    },
  })
}

type Told = { id: string; subject: string; value: string; isPublished: boolean }

async function toldBy({ store }: Flow): Promise<Told[]> {
  const { rows } = await sql<Told>`
    select headers ->> 'ce_id' as id, headers ->> 'ce_subject' as subject,
      convert_from(value, 'utf8') as value, published_at is not null as "isPublished"
    from outbox where topic = ${`${store.namespace}.emitted`} order by outbox_id`.execute(store.db)
  return rows
}

test('what a campaign tells goes out once, at an event and at a timer, and what it sets stays', async () => {
  const { store } = await openGround(clinic(), monday)
  const flow = await openFlow({ store })
  const event = discharged('p1', { data: { ward: 'B2' } })
  await flow.publish(arrives('p1'), event, event)
  await until(async () =>
    expect(await toldBy(flow)).toMatchObject([{ value: '{"ward":"B2"}', isPublished: true }]),
  )
  await stepBusinessTime(store.db, '2026-03-03T09:00:00.000Z')
  await until(async () => {
    const told = await toldBy(flow)
    expect(told).toHaveLength(2)
    expect(new Set(told.map(({ id }) => id)).size).toBe(2)
    expect(told.every(({ isPublished }) => isPublished)).toBe(true)
  })
  const { rows } = await sql<{ fields: { mood: string }; person_id: string }>`
    select fields, person_id from person`.execute(store.db)
  expect(rows).toMatchObject([{ fields: { mood: 'well', givenName: 'Test' } }])
  // A profile that comes later does not take it away.
  await flow.publish(arrives('p1', {}, { time: '2026-03-03T09:00:00.000Z' }))
  const after = await sql<{ fields: object }>`select fields from person`.execute(store.db)
  expect(after.rows).toMatchObject([{ fields: { mood: 'well' } }])
  expect((await toldBy(flow)).map(({ subject }) => subject)).toEqual([
    rows[0]?.person_id,
    rows[0]?.person_id,
  ])
  await until(() => expectLedgerHolds(flow))
  await flow.close()
  await store.close()
})
