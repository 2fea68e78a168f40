import { compileDraft } from '@wegwijs/dry-run/draft'
import { type MessageLine, MessageLines } from '@wegwijs/dry-run/lines'
import { alwaysDelivered } from '@wegwijs/dry-run/outcome-model'
import { sendingOf } from '@wegwijs/dry-run/sending'
import { Simulation } from '@wegwijs/dry-run/simulation'
import { applyDefinition } from '@wegwijs/store/definitions'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { arrives, happen, monday } from './src/clinic.ts'
import { openFlow, openGround } from './src/flow.ts'
import { readLiveLines } from './src/live-lines.ts'

const step = 'PT15M'
const wait = { wait: { for: 'PT5H', on: 'any-day' as const } }

const dated = smallHospital([
  campaign({
    id: 'evening',
    entry: 'every-time',
    trigger: { date: { entity: 'appointment', field: 'startsAt', before: 'P1D', at: '18:00' } },
    steps: [
      message('hello', { until: 'entity.startsAt' }),
      wait,
      message('later', { send: { for: 'PT18H', on: 'any-day' } }),
    ],
  }),
  campaign({
    id: 'birthday',
    entry: 'every-time',
    trigger: { date: { field: 'person.bornOn', at: '09:00', every: 'year' } },
    steps: [message('hello')],
  }),
  campaign({
    id: 'year',
    trigger: {
      date: { field: 'person.operationOn', after: 'P1Y', at: '10:00', on: 'working-day' },
    },
    audience: { where: { field: 'person.age', op: 'gte', value: 60 } },
    steps: [message('hello'), wait, message('later')],
  }),
  campaign({
    id: 'check-up',
    trigger: { touchpoint: 'care.appointment.booked.v1' },
    steps: [
      message('hello'),
      { wait: { until: 'person.operationOn', offset: 'P15M', at: '02:30', on: 'working-day' } },
      message('later'),
    ],
  }),
])

const day = (days: number, hours = 0) =>
  new Date(Date.parse(monday) + days * 86_400_000 + hours * 3_600_000).toISOString()

/** Appointments of 24 people that move and are cancelled, dates that are corrected, records that become one. */
function journeys(): TouchpointEvent[] {
  const events = Array.from({ length: 24 }, (_, index) => {
    const subject = `p${index}`
    const entity = `appointment/A-${index}`
    const about = (type: string, version: number, time: string, startsAt?: string) =>
      happen(`care.appointment.${type}.v1`, subject, {
        entity,
        version,
        time,
        data: startsAt === undefined ? {} : { startsAt },
      })
    const attributes = (said: Record<string, string | null>, time: string) =>
      happen('person.upserted.v1', subject, { time, data: { attributes: said } })
    const month = String((index % 12) + 1).padStart(2, '0')
    const bornOn = `1950-${month}-${index % 5 === 0 ? '28' : '14'}`
    return [
      happen('person.upserted.v1', subject, {
        data: {
          birthYear: 1950 + index,
          contacts: { email: `${subject}@example.org` },
          attributes: { bornOn, operationOn: `2025-${month}-20` },
        },
      }),
      about('booked', 1, monday, day(10 + (index % 4), index)),
      ...(index % 2 === 0 ? [about('moved', 2, day(5), day(20, index))] : []),
      // After the evening of the first date.
      ...(index % 3 === 0 ? [about('moved', 3, day(10, 12 + (index % 12)), day(30, index))] : []),
      ...(index % 7 === 0 ? [about('cancelled', 4, day(15))] : []),
      // Back at the first date, which had begun.
      ...(index % 6 === 3
        ? [about('moved', 4, day(10, 13 + (index % 12)), day(10 + (index % 4), index))]
        : []),
      ...(index % 5 === 0 ? [attributes({ operationOn: `2025-${month}-25` }, day(40))] : []),
      ...(index % 11 === 0 ? [attributes({ operationOn: null }, day(50))] : []),
      ...(index === 4
        ? [
            attributes({ operationOn: '2025-04-10' }, day(60)),
            attributes({ operationOn: '2025-04-20' }, day(61)),
          ]
        : []),
      ...(index % 8 === 1
        ? [
            happen('person.merged.v1', subject, {
              time: day(60),
              data: { idSpace: 'ehr', externalId: `p${index - 1}` },
            }),
          ]
        : []),
    ]
  })
  return events.flat().toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
}

function simulate(events: readonly TouchpointEvent[]): MessageLine[] {
  const lines = new MessageLines()
  const simulation = new Simulation({
    definition: compileDraft(dated),
    sending: sendingOf(dated),
    outcomes: alwaysDelivered,
    step,
    onMessage: (told) => lines.add(told),
  })
  for (const event of events) simulation.take(event)
  simulation.finish()
  return lines.sorted(simulation.people)
}

test('campaigns that a date starts decide the same live and in a simulation, for two years', async () => {
  const events = journeys()
  const { store } = await openGround(dated, events[0]?.time ?? '')
  onTestFinished(store.close)
  const flow = await openFlow({ store, settings: { sandbox: { rates: alwaysDelivered } } })
  await flow.play(events, step)
  const lines = simulate(events)
  expect(await readLiveLines(store)).toEqual(lines)
  const told = (id: string, outcome: string) =>
    lines.filter((line) => line.campaign === id && line.outcome === outcome).length
  // Every kind of ending is among them, or the test would show little.
  for (const id of ['evening', 'birthday', 'year', 'check-up'])
    expect(told(id, 'delivered')).toBeGreaterThan(5)
  // One was told of another date meanwhile, and of the other the date was taken away.
  const waited = (person: string) =>
    lines.find(
      (line) => line.campaign === 'check-up' && `${line.step} ${line.person}` === `later ${person}`,
    )
  expect(waited('ehr:p5')?.plannedFor).toBe('2026-09-25T00:30:00.000Z')
  expect(waited('ehr:p11')?.plannedFor).toBe('2027-03-22T01:30:00.000Z')
  expect(lines.some(({ reason }) => reason === 'date_moved')).toBe(true)
  const { rows } = await sql`select from event e
    where e.decisions::text like '%date_after_all%'`.execute(store.db)
  expect(rows.length).toBeGreaterThan(0)
  await flow.close()
})

test('a date that is known when its campaign is published comes as for anybody else', async () => {
  const { store } = await openGround({ ...dated, campaigns: [] }, monday)
  onTestFinished(store.close)
  const flow = await openFlow({ store })
  await flow.play([
    arrives('known'),
    happen('care.appointment.booked.v1', 'known', {
      entity: 'appointment/A-1',
      version: 1,
      data: { startsAt: day(10) },
    }),
  ])
  await applyDefinition(store, dated, 'test')
  await flow.play([arrives('other', {}, { time: day(1) })])
  expect((await flow.emails()).map(({ to, intentId }) => `${to} ${typeof intentId}`)).toEqual([
    'known@example.org string',
    'known@example.org string',
  ])
  await flow.close()
})
