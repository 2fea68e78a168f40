import { compileDefinition } from '@wegwijs/campaign/compile'
import { mergePeople } from '@wegwijs/campaign/merge'
import { moveRuns, stepMapOf } from '@wegwijs/campaign/move'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { definitionOf, person } from './given.ts'

type Campaign = Parameters<typeof campaign>[0]

const on = 'any-day' as const
const start = '2026-03-02T09:00:00.000Z'
const before = { until: 'person.expectedOn', offset: '-P14D', at: '10:00', on }
const waiting = (wait: object = before, over: Partial<Campaign> = {}) =>
  campaign({
    id: 'course',
    entry: 'every-time',
    steps: [message('hello'), { wait: { on, ...wait } as typeof before }, message('later')],
    ...over,
  })

const plain = definitionOf([waiting()])

/** Somebody who has entered, with this date, on 2 March. */
function parentOf(expectedOn: string | null, wait: object = before, over: Partial<Campaign> = {}) {
  const isPlain = wait === before && Object.keys(over).length === 0
  const parent = person(isPlain ? plain : definitionOf([waiting(wait, over)]), start)
  const expects = (day: string | null, more: object = {}) =>
    parent.happens('person.upserted.v1', {
      data: { attributes: { expectedOn: day }, ...more } as never,
    })
  if (expectedOn !== null) expects(expectedOn)
  parent.happens('care.discharge.completed.v1')
  return {
    parent,
    expects,
    due: () => parent.timers().map(({ dueAt }) => dueAt),
    told: () => parent.intents().map(({ messageId }) => messageId),
  }
}

describe('a wait for a date of the person', () => {
  test.each([
    ['2026-04-10', before, '2026-03-27T09:00:00.000Z'],
    // Counted over the night in which the clocks go forward, and back.
    ['2026-04-20', before, '2026-04-06T08:00:00.000Z'],
    ['2026-11-02', { ...before, offset: '-P7D' }, '2026-10-26T09:00:00.000Z'],
    // A time that no clock shows in the first night, and one that they show twice in the second.
    ['2026-04-12', { ...before, at: '02:30' }, '2026-03-29T01:30:00.000Z'],
    ['2026-11-08', { ...before, at: '02:30' }, '2026-10-25T00:30:00.000Z'],
    // The 6th is Easter Monday: the working day before.
    ['2026-04-20', { ...before, on: 'working-day' }, '2026-04-03T08:00:00.000Z'],
    ['2026-03-10', { until: 'person.expectedOn', at: '08:00', on }, '2026-03-10T07:00:00.000Z'],
    ['2026-04-10T12:15:00+02:00', { ...before, at: undefined }, '2026-03-27T11:15:00.000Z'],
    ['2026-04-10T12:15:00+02:00', before, '2026-03-27T09:00:00.000Z'],
  ])('of %s, %o, is %s', (day, wait, dueAt) => {
    expect(parentOf(day, wait).due()).toEqual([dueAt])
  })

  test('of a day that stands for none, at the end of what calendars know, comes never', () => {
    const { due, told } = parentOf('9999-12-31', { ...before, offset: 'P14D' })
    expect(due()).toEqual(['9999-12-31T23:59:59.999Z'])
    expect(told()).toEqual(['hello'])
  })

  test('is on the clocks of the person, and moves when they move to another zone', () => {
    const { expects, due } = parentOf('2026-04-10')
    expects('2026-04-10', { timeZone: 'America/New_York' })
    expect(due()).toEqual(['2026-03-27T14:00:00.000Z'])
  })

  test('moves with it, at once, both ways, and has begun when it began', () => {
    const { parent, expects, due, told } = parentOf('2026-04-10')
    parent.comes('2026-03-05T09:00:00.000Z')
    expects('2026-05-10')
    expect(due()).toEqual(['2026-04-26T08:00:00.000Z'])
    expects('2026-04-01')
    expect(parent.timers()).toMatchObject([{ dueAt: '2026-03-18T09:00:00.000Z', beganAt: start }])
    expect(parent.decisions).toMatchObject([
      { reason: 'waiting', detail: { until: '2026-03-18T09:00:00.000Z' } },
    ])
    parent.comes('2026-03-18T09:00:00.000Z')
    expect(told()).toEqual(['hello', 'later'])
    expect(parent.enrolments()).toMatchObject([{ state: 'completed' }])
  })

  test('is over at once when the new moment has passed', () => {
    const { parent, expects, due, told } = parentOf('2026-04-10')
    expects('2026-03-12')
    expect(due()).toEqual([])
    expect(told()).toEqual(['hello', 'later'])
    expects('2026-06-12')
    expect(told()).toEqual(['hello', 'later'])
    expect(parent.reasons).toEqual([])
  })

  test('stays as it was when the date is taken away, and moves when it is back', () => {
    const { parent, expects, due } = parentOf('2026-04-10')
    expects(null)
    expects(null, { timeZone: 'America/New_York' })
    expect(due()).toEqual(['2026-03-27T09:00:00.000Z'])
    expect(parent.intents()).toHaveLength(1)
    expects('2026-04-11', { timeZone: null })
    expect(due()).toEqual(['2026-03-28T09:00:00.000Z'])
  })

  test.each([
    ['for one that is not known', null],
    ['for what is no date', 'soon'],
  ])('there is none %s', (_, day) => {
    const { parent, told } = parentOf(day)
    expect(parent.reasons).toContain('moment_unknown')
    expect(told()).toEqual(['hello', 'later'])
  })

  test('is left alone by what else a profile says, and by an older one', () => {
    const { parent, expects, due } = parentOf('2026-04-10')
    parent.comes('2026-03-05T09:00:00.000Z')
    expects('2026-04-10', { locale: 'en' })
    expect(parent.reasons).toEqual([])
    parent.happens('person.upserted.v1', {
      time: '2026-03-04T09:00:00.000Z',
      data: { attributes: { expectedOn: '2026-05-10' } },
    })
    expect(due()).toEqual(['2026-03-27T09:00:00.000Z'])
  })

  test('takes nothing back that was planned, queued or sent', () => {
    const { parent, expects } = parentOf('2026-04-10')
    const [hello] = parent.intents()
    for (const state of ['planned', 'queued', 'sending', 'sent'] as const) {
      parent.message(hello?.intentId ?? '', { state })
      const was = parent.state.intents
      expects('2026-05-10')
      expects('2026-04-10')
      expect(parent.state.intents).toBe(was)
    }
  })

  test.each(['care.admission.started.v1', 'person.deceased.v1'])(
    'is over for good when %s has ended the run',
    (type) => {
      const exit = [{ touchpoint: 'care.admission.started.v1' }]
      const { parent, expects, due } = parentOf('2026-04-10', before, { exit })
      parent.happens(type)
      const was = parent.enrolments()
      expects('2026-03-12')
      expects('2026-05-12')
      expect(due()).toEqual([])
      expect(parent.enrolments()).toEqual(was)
    },
  )

  test('moves in every run that waits for it, and enters nobody again', () => {
    const { parent, expects, due } = parentOf('2026-04-10')
    parent.happens('care.discharge.completed.v1')
    expects('2026-04-11')
    expect(due()).toEqual(['2026-03-28T09:00:00.000Z', '2026-03-28T09:00:00.000Z'])
    expect(parent.enrolments()).toHaveLength(2)
  })

  test('stays where it is when an appointment moves', () => {
    const { parent, due } = parentOf('2026-04-10', before, {
      journey: 'operation',
      entry: 'once-per-entity',
      trigger: { touchpoint: 'care.appointment.booked.v1' },
    })
    const about = (version: number, startsAt: string) => ({
      entity: { type: 'appointment', id: 'A-1', version },
      data: { startsAt },
    })
    parent.happens('care.appointment.booked.v1', about(1, '2026-03-14T08:30:00.000Z'))
    const [dueAt] = due()
    parent.happens('care.appointment.moved.v1', about(2, '2026-03-20T08:30:00.000Z'))
    expect(due()).toEqual([dueAt])
    expect(dueAt).toBe('2026-03-27T09:00:00.000Z')
  })
})

describe('in two versions at once', () => {
  const later = { ...before, offset: '-P7D' }
  function versions(second: object, first: object = before, attributes: object = {}) {
    const files = [waiting(first), waiting(second, { move: { from: 1, steps: { '2': '2' } } })]
    const compile = (newest: number) => {
      const bundle = smallHospital(files.slice(newest - 1, newest))
      const stored = smallHospital(files).campaigns.map((file, index) => ({
        id: 'course',
        version: index + 1,
        live: index + 1 === newest,
        file,
        templates: { hello: 'hello-1', later: 'later-1' },
      }))
      return compileDefinition(newest, bundle, stored)
    }
    const parent = person(compile(1), start)
    const expects = (day: string | null) =>
      parent.happens('person.upserted.v1', {
        data: { attributes: { ...attributes, expectedOn: day } },
      })
    const due = () => parent.timers().map(({ dueAt }) => dueAt)
    const publish = () => parent.use(compile(2))
    const move = () => {
      const { campaigns } = compile(2)
      const [from, to] = [campaigns.get('course@1'), campaigns.get('course@2')]
      if (!from || !to) throw new RangeError('a version is missing')
      const { steps } = stepMapOf(from.file, to.file)
      parent.state = moveRuns(parent.state, { from, to, steps }, parent.context()).state
    }
    expects('2026-04-10')
    parent.happens('care.discharge.completed.v1')
    return { parent, expects, due, publish, move }
  }

  test('each waits as its own version says, also when the newest waits for no date', () => {
    const { parent, expects, due, publish } = versions({ for: 'P1D' })
    publish()
    parent.happens('care.discharge.completed.v1')
    expects('2026-04-12')
    expect(due().sort()).toEqual(['2026-03-03T09:00:00.000Z', '2026-03-29T08:00:00.000Z'])
  })

  test('whoever is moved waits as the new one says, and moves on with the date', () => {
    const { expects, due, publish, move } = versions(later)
    publish()
    move()
    expect(due()).toEqual(['2026-04-03T08:00:00.000Z'])
    expects('2026-04-12')
    expect(due()).toEqual(['2026-04-05T08:00:00.000Z'])
  })

  test('whoever is moved while the date is taken away waits until the last one that was known', () => {
    const { parent, expects, due, publish, move } = versions(later)
    publish()
    expects(null)
    move()
    move()
    expect(due()).toEqual(['2026-03-27T09:00:00.000Z'])
    expect(parent.intents()).toHaveLength(1)
  })

  test.each([
    ['some time', { for: 'P30D' }],
    ['another date', { ...before, until: 'person.bornOn', offset: 'P50Y' }],
  ])(
    'whoever waits for %s and is moved to an unknown date goes on, as who arrives there',
    (_, first) => {
      const { parent, expects, due, publish, move } = versions(later, first, {
        bornOn: '1976-06-01',
      })
      expects(null)
      expect(due()).toHaveLength(1)
      publish()
      move()
      expect(due()).toEqual([])
      expect(parent.intents().map(({ messageId }) => messageId)).toEqual(['hello', 'later'])
      expect(parent.enrolments()).toMatchObject([{ version: 2, state: 'completed' }])
    },
  )
})

describe('when two records become one person', () => {
  /** Two who have entered, each with a date of their own, and the person whom they become. */
  function merged(own: string | null, other: string | null, over: Partial<Campaign> = {}) {
    const definition = definitionOf([waiting(before, over)])
    const [into, from] = [own, other].map((day, index) => {
      const parent = person(definition, start, `p${index + 1}`)
      if (day !== null)
        parent.happens('person.upserted.v1', { data: { attributes: { expectedOn: day } } })
      return parent
    })
    if (!into || !from) throw new RangeError('somebody is missing')
    return {
      into,
      from,
      merge: () => mergePeople(into.state, from.state, into.context()).state,
    }
  }
  const due = ({ timers }: ReturnType<ReturnType<typeof merged>['merge']>) =>
    [...timers.values()].map(({ dueAt }) => dueAt)

  test.each([
    ['the one that stays', '2026-04-12', '2026-04-10', '2026-03-29T08:00:00.000Z'],
    ['the other, where that one has none', null, '2026-04-10', '2026-03-27T09:00:00.000Z'],
  ])('it counts from the date of %s', (_, own, other, dueAt) => {
    const { from, merge } = merged(own, other)
    from.happens('care.discharge.completed.v1')
    expect(due(merge())).toEqual([dueAt])
  })

  test('it counts on the clocks of the one that stays', () => {
    const { into, from, merge } = merged('2026-04-10', '2026-04-10')
    into.happens('person.upserted.v1', { data: { timeZone: 'America/New_York' } })
    from.happens('care.discharge.completed.v1')
    expect(due(merge())).toEqual(['2026-03-27T14:00:00.000Z'])
  })

  test.each(['once', 'once-per-journey'] as const)(
    'of two runs that are one entry (%s) one goes on, and tells once what comes at once',
    (entry) => {
      const { into, from, merge } = merged('2026-03-12', '2026-04-10', { entry })
      from.happens('care.discharge.completed.v1')
      into.happens('care.discharge.completed.v1')
      const later = [...merge().intents.values()].filter(({ messageId }) => messageId === 'later')
      expect(later.filter(({ state }) => state === 'planned')).toHaveLength(1)
    },
  )

  test('somebody who has died waits for nothing', () => {
    const { into, from, merge } = merged('2026-03-12', '2026-04-10')
    from.happens('care.discharge.completed.v1')
    into.happens('person.deceased.v1')
    const { timers, intents } = merge()
    expect(timers.size).toBe(0)
    expect([...intents.values()].map(({ messageId }) => messageId)).toEqual(['hello'])
  })
})

type Saying =
  | { hours: number; says: 'date'; day: number | null; lateHours: number }
  | { hours: number; says: 'zone'; zone: string | null; lateHours: number }
  | { hours: number; says: 'other'; lateHours: number }
const hours = fc.nat(72)
const lateHours = fc.constantFrom(0, 0, 0, 30)
const zone = fc.constantFrom(null, 'America/New_York', 'Pacific/Auckland')
const day = fc.option(fc.integer({ min: -20, max: 40 }), { freq: 6 })
const saying: fc.Arbitrary<Saying> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ hours, says: fc.constant('date'), day, lateHours }) },
  { weight: 1, arbitrary: fc.record({ hours, says: fc.constant('zone'), zone, lateHours }) },
  { weight: 1, arbitrary: fc.record({ hours, says: fc.constant('other'), lateHours }) },
)
const later = (instant: string, by: number) =>
  new Date(Date.parse(instant) + by * 3_600_000).toISOString()
/** Days from the 20th of March, over the night in which the clocks change. */
const dayOf = (days: number) => Temporal.PlainDate.from('2026-03-20').add({ days }).toString()
const momentOf = (date: string, timeZone: string | null) =>
  Temporal.PlainDate.from(date)
    .subtract({ days: 14 })
    .toZonedDateTime({ timeZone: timeZone ?? 'Europe/Amsterdam', plainTime: '10:00' })
    .toInstant()
    .toString({ fractionalSecondDigits: 3 })

test('ends at the moment of the last date that is known, once, whatever is said in which order', () => {
  fc.assert(
    fc.property(fc.array(saying, { maxLength: 12 }), (sayings) => {
      const { parent, told } = parentOf('2026-04-10')
      let known = { day: '2026-04-10' as string | null, zone: null as string | null, at: start }
      let ends: string | null = momentOf('2026-04-10', null)
      let now = start
      const comeTo = (instant: string) => {
        if (ends !== null && ends <= instant) {
          const justBefore = later(ends, -1 / 3_600_000)
          if (justBefore > now) parent.comes(justBefore)
          expect(told()).toEqual(['hello'])
          parent.comes(ends > now ? ends : now)
          ends = null
        }
        parent.comes(instant)
        now = instant
        expect(told()).toEqual(ends === null ? ['hello', 'later'] : ['hello'])
      }
      for (const each of sayings) {
        comeTo(later(now, each.hours))
        const time = later(now, -each.lateHours)
        const data = {
          ...(each.says === 'date'
            ? { attributes: { expectedOn: each.day === null ? null : dayOf(each.day) } }
            : {}),
          ...(each.says === 'zone' ? { timeZone: each.zone } : {}),
        }
        parent.happens('person.upserted.v1', { time, data })
        if (time >= known.at) {
          known = { ...known, at: time }
          if (each.says === 'date') known.day = each.day === null ? null : dayOf(each.day)
          if (each.says === 'zone') known.zone = each.zone
          if (ends !== null && known.day !== null) ends = momentOf(known.day, known.zone)
        }
        if (ends !== null && ends <= now) ends = null
        expect(told()).toEqual(ends === null ? ['hello', 'later'] : ['hello'])
        expect(parent.timers().map(({ dueAt }) => dueAt)).toEqual(ends === null ? [] : [ends])
      }
      comeTo('2026-12-01T09:00:00.000Z')
      expect(told()).toEqual(['hello', 'later'])
    }),
  )
})

test('profiles that come in any order leave the wait of the newest one', () => {
  const profile = fc.record({ day: fc.integer({ min: 10, max: 60 }), zone })
  fc.assert(
    fc.property(
      fc.array(profile, { minLength: 1, maxLength: 6 }).chain((profiles) => {
        const dated = profiles.map((each, index) => ({ ...each, time: later(start, index) }))
        return fc.shuffledSubarray(dated, { minLength: dated.length })
      }),
      (profiles) => {
        const { parent, due } = parentOf('2026-04-10')
        parent.comes('2026-03-02T20:00:00.000Z')
        for (const { day: days, zone: timeZone, time } of profiles)
          parent.happens('person.upserted.v1', {
            time,
            data: { attributes: { expectedOn: dayOf(days) }, timeZone },
          })
        const newest = profiles.toSorted((a, b) => (a.time < b.time ? 1 : -1))[0]
        expect(due()).toEqual([momentOf(dayOf(newest?.day ?? 0), newest?.zone ?? null)])
      },
    ),
  )
})
