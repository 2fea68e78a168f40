import type { Happened } from '@wegwijs/campaign/happened'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { simulateArrivals } from './simulate.ts'

const answered = 'care.survey.answered.v1'
const discharge = 'care.discharge.completed.v1'

const forWhom = (id: string, trigger: string, happened: Happened) =>
  campaign({
    id,
    entry: 'every-time',
    trigger: { touchpoint: trigger, maxAge: 'P30D' },
    audience: { where: { happened } },
    steps: [message('hello')],
  })

const hospital = smallHospital([
  forWhom('often', answered, { touchpoint: answered, within: 'P5D', times: { atLeast: 2 } }),
  forWhom('seldom', answered, { touchpoint: discharge, within: 'P9D', times: { atMost: 1 } }),
  forWhom('west', discharge, {
    touchpoint: discharge,
    within: 'P20D',
    times: { exactly: 2 },
    where: { field: 'event.ward', op: 'eq', value: 'west' },
  }),
])

type Told = { subject: string; type: string; hour: number; lateDays: number; ward: string }
const told: fc.Arbitrary<Told> = fc.record({
  subject: fc.constantFrom('p1', 'p2', 'p3'),
  type: fc.constantFrom(answered, discharge),
  hour: fc.nat(400),
  lateDays: fc.constantFrom(0, 0, 0, 1, 4),
  ward: fc.constantFrom('west', 'east'),
})

const start = Date.UTC(2026, 2, 2, 9)
const at = (hours: number) => new Date(start + hours * 3_600_000).toISOString()

type Arrival = { event: TouchpointEvent; arrivedAt: string }

/** In the order in which they are heard of; of equal moments as they were given. */
function arrivalsOf(all: readonly Told[]): Arrival[] {
  return all
    .map(({ subject, type, hour, lateDays, ward }, index) => ({
      event: {
        id: `e${index}`,
        source: 'urn:test:ehr',
        type,
        subject,
        time: at(hour),
        data: type === discharge ? { ward } : {},
      },
      arrivedAt: at(hour + lateDays * 24),
    }))
    .sort((a, b) => (a.arrivedAt < b.arrivedAt ? -1 : a.arrivedAt > b.arrivedAt ? 1 : 0))
}

const introductions: Arrival[] = ['p1', 'p2', 'p3'].map((subject) => ({
  event: {
    id: `known-${subject}`,
    source: 'urn:test:ehr',
    type: 'person.upserted.v1',
    subject,
    time: at(-1),
    data: { contacts: { email: `${subject}@example.org` }, test: true },
  },
  arrivedAt: at(-1),
}))

const linesOf = (arrivals: readonly Arrival[], mostAwake?: number) =>
  simulateArrivals(hospital, [...introductions, ...arrivals], mostAwake ? { mostAwake } : {}).lines

test('whoever else there is, and however often a thing is told, everybody gets the same', () => {
  let sent = 0
  fc.assert(
    fc.property(
      fc.array(told, { maxLength: 25 }),
      fc.array(fc.record({ index: fc.nat(24), after: fc.nat(24) }), { maxLength: 10 }),
      (all, repeats) => {
        const arrivals = arrivalsOf(all)
        const lines = linesOf(arrivals)
        sent += lines.length
        for (const subject of ['p1', 'p2', 'p3']) {
          const alone = linesOf(arrivals.filter(({ event }) => event.subject === subject))
          expect(lines.filter(({ person }) => person === `ehr:${subject}`)).toEqual(alone)
        }
        // Told again, at once or behind what came since.
        const again = [...arrivals]
        for (const { index, after } of repeats) {
          const first = arrivals[index]
          const place = Math.min(index + after, arrivals.length - 1)
          const beside = arrivals[place]
          if (!first || !beside) continue
          again.splice(again.indexOf(beside) + 1, 0, { ...first, arrivedAt: beside.arrivedAt })
        }
        expect(linesOf(again)).toEqual(lines)
        // Who is put to rest between two events is counted for as before.
        expect(linesOf(arrivals, 1)).toEqual(lines)
      },
    ),
  )
  expect(sent).toBeGreaterThan(100)
})
