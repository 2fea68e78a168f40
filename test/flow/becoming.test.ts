import { compileDraft } from '@wegwijs/dry-run/draft'
import { type MessageLine, MessageLines } from '@wegwijs/dry-run/lines'
import { alwaysDelivered } from '@wegwijs/dry-run/outcome-model'
import { sendingOf } from '@wegwijs/dry-run/sending'
import { Simulation } from '@wegwijs/dry-run/simulation'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { expect, onTestFinished, test } from 'vitest'
import { answered, arrives, discharged, happen, monday } from './src/clinic.ts'
import { openFlow, openGround } from './src/flow.ts'
import { readLiveLines } from './src/live-lines.ts'

const step = 'PT15M'
const survey = 'care.survey.answered.v1'

const clinic = smallHospital([
  campaign({
    id: 'away',
    entry: 'every-time',
    trigger: {
      becomes: {
        all: [
          { not: { happened: { touchpoint: survey, within: 'P5D' } } },
          { happened: { touchpoint: survey, within: 'P40D' } },
        ],
      },
    },
    steps: [message('hello', { send: { at: '10:00', on: 'any-day' } })],
  }),
  campaign({
    id: 'often',
    entry: 'every-time',
    trigger: {
      becomes: { happened: { touchpoint: survey, within: 'P9D', times: { atLeast: 3 } } },
    },
    steps: [message('later')],
  }),
  campaign({
    id: 'alone',
    entry: { again: 'P9D' },
    trigger: {
      becomes: {
        all: [
          { happened: { touchpoint: 'care.discharge.completed.v1', within: 'P9D' } },
          { not: { field: 'person.hasCarer', op: 'eq', value: true } },
        ],
      },
    },
    steps: [message('hello')],
  }),
])

const day = (days: number, hours = 0) =>
  new Date(Date.parse(monday) + days * 86_400_000 + hours * 3_600_000).toISOString()

/** Answers of 18 people, discharges, profiles that change, records that become one. */
function journeys(): TouchpointEvent[] {
  const events = Array.from({ length: 18 }, (_, index) => {
    const subject = `p${index}`
    const answersOn = [0, 2, 3, 11, 12, 13, 30].filter((each) => (each + index) % 4 !== 0)
    const profile = (hasCarer: boolean, time: string) =>
      happen('person.upserted.v1', subject, { time, data: { attributes: { hasCarer } } })
    return [
      arrives(subject),
      ...answersOn.map((each) => answered(subject, { time: day(each, index % 15) })),
      ...(index % 3 === 0 ? [discharged(subject, { time: day(4) })] : []),
      ...(index % 2 === 0 ? [profile(true, day(1)), profile(false, day(6, index))] : []),
      ...(index % 6 === 1
        ? [
            happen('person.merged.v1', subject, {
              time: day(14, 2),
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
    definition: compileDraft(clinic),
    sending: sendingOf(clinic),
    outcomes: alwaysDelivered,
    step,
    onMessage: (told) => lines.add(told),
  })
  for (const event of events) simulation.take(event)
  simulation.finish()
  return lines.sorted(simulation.people)
}

test('campaigns that begin when a condition begins to hold decide the same live and in a simulation', async () => {
  const events = journeys()
  const { store } = await openGround(clinic, events[0]?.time ?? '')
  onTestFinished(store.close)
  const flow = await openFlow({ store, settings: { sandbox: { rates: alwaysDelivered } } })
  await flow.play(events, step)
  const lines = simulate(events)
  expect(await readLiveLines(store)).toEqual(lines)
  for (const id of ['away', 'often', 'alone'])
    expect(lines.filter(({ campaign: own }) => own === id).length, id).toBeGreaterThan(3)
  await flow.close()
})
