import { compileDefinition } from '@wegwijs/campaign/compile'
import type { JsonObject } from '@wegwijs/campaign/json'
import { type Intent, isPending } from '@wegwijs/campaign/state'
import type { Step } from '@wegwijs/campaign/steps/step'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { definitionOf, person } from './given.ts'

type Patient = ReturnType<typeof person>

const anyDay = 'any-day' as const
const discharge = 'care.discharge.completed.v1'
const booked = 'care.appointment.booked.v1'

const appointment = (version: number, startsAt: string) => ({
  entity: { type: 'appointment', id: 'A-1', version },
  data: { startsAt },
})

describe('a campaign starts', () => {
  test.each(['P300000Y', 'P99999999D', 'PT2000000000H'])(
    'also where it says %s: what lies beyond the last year is the end of that',
    (long) => {
      const patient = person(
        definitionOf([
          campaign({
            id: 'aftercare',
            steps: [
              message('hello', { expires: long, send: { on: 'working-day' } }),
              { wait: { for: long, on: 'any-day' } },
            ],
          }),
          campaign({ id: 'other', steps: [{ wait: { for: long, at: '10:00' } } as never] }),
        ]),
      )
      expect(patient.happens(discharge)).toBe('applied')
      const end = '9999-12-31T23:59:59.999Z'
      expect(patient.intents()).toMatchObject([{ expiresAt: end }])
      expect(patient.intents()[0]?.window?.closed.length).toBeLessThan(150)
      expect(patient.timers().map(({ dueAt }) => dueAt)).toEqual([end, end])
    },
  )

  test.each(['P300000Y', 'P99999999D', 'PT2000000000H'])(
    'for dates alone that come within the years that there are: %s before and after',
    (long) => {
      const dates = [
        { entity: 'appointment', field: 'startsAt' },
        { field: 'person.operationOn', at: '10:00' },
        { field: 'person.operationOn', at: '10:00', every: 'year' },
      ]
      const campaigns = dates.flatMap((date, index) =>
        ['before', 'after'].map((side) =>
          campaign({
            id: `${side}-${index}`,
            trigger: { date: { ...date, [side]: long } } as never,
          }),
        ),
      )
      const patient = person(definitionOf(campaigns))
      expect(patient.happens(booked, appointment(1, '2026-05-01T09:00:00.000Z'))).toBe('applied')
      const attributes = { operationOn: '2026-05-01' }
      expect(patient.happens('person.upserted.v1', { data: { attributes } })).toBe('applied')
      const end = '9999-12-31T23:59:59.999Z'
      expect(patient.timers().map(({ dueAt }) => dueAt)).toEqual([end, end, end])
    },
  )

  test('for the touchpoint it waits for, and says so', () => {
    const patient = person(definitionOf([campaign({ id: 'aftercare' })]))
    expect(patient.happens(discharge)).toBe('applied')
    expect(patient.reasons).toEqual(['enrolled', 'message_planned', 'completed'])
    expect(patient.intents()).toMatchObject([
      {
        state: 'planned',
        templateHash: 'hello-1',
        channels: ['email', 'sms'],
        dueAt: '2026-03-02T09:00:00.000Z',
        expiresAt: '2026-03-04T09:00:00.000Z',
      },
    ])
  })

  test('not for an event older than it accepts, which still changes what we know', () => {
    const patient = person(definitionOf([campaign({ id: 'aftercare' })]))
    patient.happens(discharge, { time: '2026-03-01T08:59:59.000Z' })
    expect(patient.reasons).toEqual(['event_too_old'])
    expect(patient.state.person.journeys.stay).toMatchObject({ phase: 'recovery' })
  })

  test('not for a persona outside its audience: the event does not even meet it (P8)', () => {
    const patient = person(
      definitionOf([campaign({ id: 'aftercare', audience: { personas: ['senior'] } })]),
    )
    patient.happens(discharge)
    expect(patient.decisions).toEqual([])
    patient.happens('person.upserted.v1', { data: { birthYear: 1950 } })
    patient.happens(discharge)
    expect(patient.reasons).toContain('enrolled')
  })

  test('not when its condition is false, and tells which leaf and what it saw (P4)', () => {
    const where = {
      all: [
        { field: 'person.age', op: 'gte' as const, value: 18 },
        { field: 'event.ward', op: 'eq' as const, value: 'C3' },
      ],
    }
    const patient = person(definitionOf([campaign({ id: 'aftercare', audience: { where } })]))
    patient.happens('person.upserted.v1', { data: { birthYear: 1990 } })
    patient.happens(discharge, { data: { ward: 'B1' } })
    expect(patient.decisions).toMatchObject([
      {
        reason: 'condition_false',
        detail: {
          leaves: [
            { field: 'person.age', actual: 36, holds: true },
            { field: 'event.ward', expected: 'C3', actual: 'B1', holds: false },
          ],
        },
      },
    ])
  })

  test.each([
    ['once', [true, false, false]],
    ['once-per-journey', [true, false, true]],
    ['every-time', [true, true, true]],
  ] as const)('as often as %s allows', (entry, enrolled) => {
    const patient = person(definitionOf([campaign({ id: 'aftercare', entry })]))
    const seen = [discharge, discharge, 'care.admission.started.v1', discharge].flatMap((type) => {
      patient.happens(type)
      return type === discharge ? [patient.reasons.includes('enrolled')] : []
    })
    expect(seen).toEqual(enrolled)
  })
})

describe('how often somebody enters', () => {
  test('again when so much time has passed since they entered', () => {
    const patient = person(definitionOf([campaign({ id: 'aftercare', entry: { again: 'P30D' } })]))
    const enters = (at: string) => {
      patient.comes(at)
      patient.happens(discharge)
      return patient.reasons[0]
    }
    expect(enters('2026-03-02T09:00:00.000Z')).toBe('enrolled')
    expect(enters('2026-04-01T07:59:59.000Z')).toBe('already_entered')
    // Thirty days on the calendar, over the night in which clocks go forward.
    expect(enters('2026-04-01T08:00:00.000Z')).toBe('enrolled')
    expect(enters('2026-04-02T08:00:00.000Z')).toBe('already_entered')
  })

  test('no more often at the same time than it allows', () => {
    const steps = [{ wait: { for: 'P7D', on: anyDay } }, message('later')]
    const patient = person(
      definitionOf([campaign({ id: 'aftercare', entry: 'every-time', atOnce: 2, steps })]),
    )
    const seen = [1, 2, 3].map(() => {
      patient.happens(discharge)
      return patient.reasons[0]
    })
    expect(seen).toEqual(['enrolled', 'enrolled', 'at_once'])
    patient.comes('2026-03-09T09:00:00.000Z')
    for (const { intentId } of patient.intents()) patient.message(intentId, { state: 'sent' })
    patient.happens(discharge)
    expect(patient.reasons[0]).toBe('enrolled')
  })

  describe('nor while a message of another run may still go out,', () => {
    const enters = (patient: ReturnType<typeof person>) => {
      patient.happens(discharge)
      return patient.reasons[0]
    }
    /** Somebody who is through, and of whom a message is due on the 7th, worth having until the 9th. */
    const through = (over: object = {}) => {
      const steps = [message('later', { send: { for: 'P5D', on: anyDay }, expires: 'P2D' })]
      const patient = person(
        definitionOf([
          campaign({ id: 'aftercare', entry: 'every-time', atOnce: 1, steps, ...over }),
        ]),
      )
      expect(enters(patient)).toBe('enrolled')
      expect(patient.enrolments()).toMatchObject([{ state: 'completed' }])
      const [{ intentId } = { intentId: '' }] = patient.intents()
      return { patient, intentId }
    }

    test.each(['planned', 'queued', 'sending', 'held'] as const)(
      'which it does while it is %s, until it expires',
      (state) => {
        const { patient, intentId } = through()
        patient.message(intentId, { state })
        expect(enters(patient)).toBe('at_once')
        patient.comes('2026-03-09T08:59:59.000Z')
        expect(enters(patient)).toBe('at_once')
        patient.comes('2026-03-09T09:00:00.000Z')
        expect(enters(patient)).toBe('enrolled')
      },
    )

    test('which it does not any more when it is sent', () => {
      const { patient, intentId } = through()
      patient.comes('2026-03-07T09:00:00.000Z')
      patient.message(intentId, { state: 'sent' })
      expect(enters(patient)).toBe('enrolled')
    })

    test('which it does not of a run that was ended', () => {
      const ended = { exit: [{ touchpoint: 'care.survey.answered.v1' }] }
      const { patient, intentId } = through(ended)
      patient.message(intentId, { state: 'held' })
      patient.happens('care.survey.answered.v1')
      expect(patient.enrolments()).toMatchObject([{ state: 'exited' }])
      expect(enters(patient)).toBe('enrolled')
    })
  })
})

describe('quiet hours', () => {
  const quietHours = { from: '21:00', until: '08:00' }
  const inTheEvening = (over: object = {}, start = '2026-03-02T20:30:00.000Z') => {
    const definition = definitionOf([campaign({ id: 'aftercare', ...over })])
    const campaigns = [...definition.campaigns].map(
      ([key, each]) => [key, { ...each, policy: { ...each.policy, quietHours } }] as const,
    )
    const [[, compiled] = []] = campaigns
    const starters = new Map(
      [...definition.starters].map(([type, byPersona]) => [
        type,
        new Map([...byPersona.keys()].map((persona) => [persona, compiled ? [compiled] : []])),
      ]),
    )
    const patient = person({ ...definition, campaigns: new Map(campaigns), starters }, start)
    patient.happens(discharge)
    return patient
  }

  test('plan a message for the moment at which they end, and count its expiry from there', () => {
    expect(inTheEvening().intents()).toMatchObject([
      { dueAt: '2026-03-03T07:00:00.000Z', expiresAt: '2026-03-05T07:00:00.000Z' },
    ])
  })

  test('end at local time, also on the night in which clocks go forward', () => {
    expect(inTheEvening({}, '2026-03-28T21:00:00.000Z').intents()).toMatchObject([
      { dueAt: '2026-03-29T06:00:00.000Z' },
    ])
  })

  test('make nothing new of a reminder that has been delivered (P2)', () => {
    const patient = inTheEvening(
      {
        trigger: { touchpoint: booked },
        journey: 'operation',
        entry: 'once-per-entity',
        steps: [
          message('hello', { send: { until: 'entity.startsAt', offset: '-P1D', on: anyDay } }),
        ],
      },
      '2026-03-02T08:00:00.000Z',
    )
    const startsAt = '2026-03-03T14:00:00.000Z'
    patient.happens(booked, appointment(1, startsAt))
    const [reminder] = patient.intents()
    patient.message(reminder?.intentId ?? '', { state: 'delivered' })
    patient.comes('2026-03-02T21:00:00.000Z')
    patient.happens('care.appointment.moved.v1', appointment(2, startsAt))
    expect(patient.intents()).toHaveLength(1)
  })

  test('plan nothing that is not worth having in the morning', () => {
    const patient = inTheEvening({
      trigger: { touchpoint: booked },
      journey: 'operation',
      entry: 'once-per-entity',
      steps: [message('hello', { until: 'entity.startsAt' })],
    })
    patient.happens(booked, appointment(1, '2026-03-03T06:30:00.000Z'))
    expect(patient.reasons).toContain('quiet_hours_outlast')
    patient.happens(booked, {
      ...appointment(1, '2026-03-03T07:30:00.000Z'),
      entity: { type: 'appointment', id: 'A-2', version: 1 },
    })
    expect(patient.intents()).toMatchObject([{ dueAt: '2026-03-03T07:00:00.000Z' }])
  })
})

describe('a goal', () => {
  const answered = 'care.survey.answered.v1'
  const steps = [message('hello'), { wait: { for: 'P7D', on: anyDay } }, message('later')]
  const survey = (over: object = {}) =>
    definitionOf([
      campaign({ id: 'survey', steps, goal: { touchpoint: answered, within: 'P21D' }, ...over }),
    ])

  test('ends the campaign at once, takes back what was not sent, and is counted once', () => {
    const patient = person(survey())
    patient.happens(discharge)
    patient.happens(answered)
    expect(patient.reasons).toEqual(['goal_reached', 'goal_reached'])
    expect(patient.intents()).toMatchObject([{ state: 'cancelled', reason: 'goal_reached' }])
    expect(patient.enrolments()).toMatchObject([
      { state: 'exited', reason: 'goal_reached', goalAt: '2026-03-02T09:00:00.000Z' },
    ])
    patient.happens(answered)
    expect(patient.reasons).toEqual([])
  })

  test('counts for a run that has ended, as long as its window lasts', () => {
    const patient = person(survey({ steps: [message('hello')] }))
    patient.happens(discharge)
    const [hello] = patient.intents()
    patient.message(hello?.intentId ?? '', { state: 'delivered' })
    patient.comes('2026-03-23T09:00:00.001Z')
    patient.happens(answered)
    expect(patient.reasons).toEqual([])
    patient.happens(answered, { time: '2026-03-23T08:59:59.000Z' })
    expect(patient.reasons).toEqual(['goal_reached'])
    expect(patient.enrolments()).toMatchObject([{ state: 'completed', reason: 'completed' }])
  })

  test('of another appointment is no goal of this one', () => {
    const moved = 'care.appointment.moved.v1'
    const patient = person(
      definitionOf([
        campaign({
          id: 'guide',
          journey: 'operation',
          entry: 'once-per-entity',
          trigger: { touchpoint: booked },
          goal: { touchpoint: moved, within: 'P30D' },
        }),
      ]),
    )
    patient.happens(booked, appointment(1, '2026-03-10T09:00:00.000Z'))
    const other = { ...appointment(2, '2026-03-12T09:00:00.000Z') }
    patient.happens(moved, { ...other, entity: { type: 'appointment', id: 'A-2', version: 2 } })
    expect(patient.reasons).not.toContain('goal_reached')
    patient.happens(moved, other)
    expect(patient.reasons).toContain('goal_reached')
  })

  test('of another appointment counts where the campaign says so, for exits and waits, too', () => {
    const of = (over: object) =>
      person(
        definitionOf([
          campaign({
            id: 'guide',
            journey: 'operation',
            entry: 'once-per-entity',
            trigger: { touchpoint: 'care.appointment.moved.v1' },
            steps: [{ wait: { for: 'P7D', on: anyDay } }, message('later')],
            ...over,
          }),
        ]),
      )
    const again = { touchpoint: booked, entity: 'any' as const }
    const all = [
      [{ goal: { ...again, within: 'P30D' } }, 'goal_reached'],
      [{ exit: [again] }, 'exit_touchpoint'],
      [{ steps: [{ waitFor: { ...again, within: 'P7D' } }] }, 'awaited_came'],
    ] as const
    for (const [over, reason] of all) {
      const patient = of(over)
      patient.happens('care.appointment.moved.v1', appointment(1, '2026-03-10T09:00:00.000Z'))
      const entity = { type: 'appointment', id: 'A-2', version: 1 }
      patient.happens(booked, { ...appointment(1, '2026-03-12T09:00:00.000Z'), entity })
      expect(patient.reasons).toContain(reason)
    }
  })
})

describe('a hold-out', () => {
  const people = Array.from({ length: 300 }, (_, index) => `p-${index}`)
  const heldOut = (over: object, policies: object = {}, by = 'held_out') => {
    const definition = definitionOf([campaign({ id: 'panel', ...over })])
    return people.filter((subject) => {
      const patient = person({ ...definition, ...policies }, undefined, subject)
      patient.happens(discharge)
      const reason = patient.reasons.find((each) => each.startsWith('held_out'))
      expect(patient.intents()).toHaveLength(reason ? 0 : 1)
      expect(patient.enrolments()).toHaveLength(1)
      return reason === by
    })
  }

  test('gets nothing, always the same people, in the proportion that was said', () => {
    const marketing = { class: 'marketing' as const, holdOut: 20 }
    const some = heldOut(marketing)
    expect(heldOut(marketing)).toEqual(some)
    // Six deviations of a fair draw around 60.
    expect(Math.abs(some.length - 60)).toBeLessThan(42)
  })

  test('of all campaigns together is of the classes that were named, and never of care', () => {
    const all = { holdOut: { percent: 50, classes: ['marketing' as const] } }
    const ofAll = heldOut({ class: 'marketing' }, all, 'held_out_of_all')
    expect(ofAll.length).toBeGreaterThan(100)
    expect(heldOut({ class: 'marketing' }, all)).toEqual([])
    // Whoever is held out of a campaign shows its own effect, whatever they are held out of beside it.
    const both = { class: 'marketing', holdOut: 50 }
    const ofOne = heldOut(both, all)
    expect(heldOut(both, all, 'held_out_of_all')).toEqual(
      ofAll.filter((each) => !ofOne.includes(each)),
    )
    for (const by of ['held_out', 'held_out_of_all']) {
      expect(heldOut({ class: 'service' }, all, by)).toEqual([])
      expect(heldOut({ class: 'care', holdOut: 50 }, all, by)).toEqual([])
    }
  })

  test('who was held out and reaches the goal all the same is counted beside the others', () => {
    const goal = { touchpoint: 'care.survey.answered.v1', within: 'P21D' }
    const definition = definitionOf([
      campaign({ id: 'panel', class: 'marketing', holdOut: 50, goal }),
    ])
    const subject = people.find((each) => {
      const patient = person(definition, undefined, each)
      patient.happens(discharge)
      return patient.reasons.includes('held_out')
    })
    const patient = person(definition, undefined, subject)
    patient.happens(discharge)
    patient.happens('care.survey.answered.v1')
    expect(patient.decisions).toMatchObject([
      { reason: 'goal_reached', detail: { after: 'held_out' } },
    ])
    expect(patient.enrolments()).toMatchObject([{ reason: 'held_out', goalAt: expect.any(String) }])
  })
})

describe('steps', () => {
  test('wait for local time on a working day, over the night in which clocks change', () => {
    const steps = [
      { wait: { for: 'P1D', at: '10:00', on: 'working-day' as const } },
      message('later'),
    ]
    const patient = person(
      definitionOf([campaign({ id: 'aftercare', steps })]),
      '2026-03-27T12:00:00.000Z',
    )
    patient.happens(discharge)
    // Friday noon: Saturday 13:00 has passed 10:00, so Sunday, so Monday, at 10:00 summer time.
    expect(patient.timers()).toMatchObject([{ dueAt: '2026-03-30T08:00:00.000Z' }])
    patient.comes('2026-03-30T08:00:00.000Z')
    expect(patient.intents()).toMatchObject([
      { messageId: 'later', dueAt: '2026-03-30T08:00:00.000Z' },
    ])
    expect(patient.timers()).toEqual([])
  })

  test('branch on what became of a message', () => {
    const steps = [
      message('hello'),
      { wait: { for: 'P1D', on: anyDay } },
      {
        branch: [
          {
            when: { field: 'enrolment.hello.status', op: 'eq' as const, value: 'delivered' },
            steps: [message('later')],
          },
          { otherwise: [{ wait: { for: 'P1D', on: anyDay } }] },
        ],
      },
    ]
    const definition = definitionOf([campaign({ id: 'aftercare', steps })])
    const [delivered, lost] = [person(definition), person(definition)]
    for (const patient of [delivered, lost]) patient.happens(discharge)
    const [hello] = delivered.intents()
    delivered.happens('message.delivered.v1', {
      data: { intentId: hello?.intentId ?? '', channel: 'email' },
    })
    for (const patient of [delivered, lost]) patient.comes('2026-03-03T09:00:00.000Z')
    expect(delivered.intents().map((intent) => intent.messageId)).toEqual(['hello', 'later'])
    expect(lost.intents().map((intent) => intent.messageId)).toEqual(['hello'])
    expect(lost.timers()).toHaveLength(1)
    lost.comes('2026-03-04T09:00:00.000Z')
    expect(lost.enrolments()).toMatchObject([{ state: 'completed' }])
  })

  test('end at once with everything pending when an exit happens, also after the last step', () => {
    const steps = [message('hello', { send: { for: 'P3D', on: anyDay } })]
    const patient = person(
      definitionOf([
        campaign({ id: 'aftercare', steps, exit: [{ touchpoint: 'care.admission.started.v1' }] }),
      ]),
    )
    patient.happens(discharge)
    expect(patient.enrolments()).toMatchObject([{ state: 'completed' }])
    patient.happens('care.admission.started.v1')
    expect(patient.intents()).toMatchObject([{ state: 'cancelled', reason: 'exit_touchpoint' }])
    expect(patient.enrolments()).toMatchObject([{ state: 'exited' }])
  })
})

describe('an appointment', () => {
  const send = { until: 'entity.startsAt', offset: '-P1D', at: '18:00', on: anyDay }
  const reminder = campaign({
    id: 'reminder',
    journey: 'operation',
    entry: 'once-per-entity',
    trigger: { touchpoint: booked },
    steps: [message('hello', { send, until: 'entity.startsAt' })],
  })

  test('that moves withdraws what is pending and plans it for the new moment (P3)', () => {
    const patient = person(definitionOf([reminder]))
    patient.happens(booked, appointment(1, '2026-03-14T08:30:00.000Z'))
    patient.happens('care.appointment.moved.v1', appointment(2, '2026-03-20T08:30:00.000Z'))
    expect(patient.intents()).toMatchObject([
      { state: 'cancelled', reason: 'entity_superseded', dueAt: '2026-03-13T17:00:00.000Z' },
      { state: 'planned', dueAt: '2026-03-19T17:00:00.000Z', entity: { version: 2 } },
    ])
  })

  test('that moves before the first run has told it is told by each run, in its newest version', () => {
    const told = (exit: { touchpoint: string }[]) => {
      const tells = campaign({
        id: 'moved',
        entry: 'every-time',
        trigger: { touchpoint: booked },
        exit,
        steps: [message('hello', { until: 'entity.startsAt' })],
      })
      const patient = person(definitionOf([tells]))
      patient.happens(booked, appointment(1, '2026-03-14T08:30:00.000Z'))
      patient.happens(booked, appointment(3, '2026-03-20T08:30:00.000Z'))
      return patient
        .intents()
        .filter(isPending)
        .map(({ entity, enrolmentId }) => [entity?.version, enrolmentId])
    }
    const [first, second, ...none] = told([])
    expect([first?.[0], second?.[0], none]).toEqual([3, 3, []])
    expect(first?.[1]).not.toBe(second?.[1])
    // The exit lets the newest run alone tell it.
    expect(told([{ touchpoint: booked }])).toEqual([second])
  })

  test('that moves after the reminder went out gets another one, if the new moment lies ahead', () => {
    const patient = person(definitionOf([reminder]))
    patient.happens(booked, appointment(1, '2026-03-14T08:30:00.000Z'))
    patient.message(patient.intents()[0]?.intentId ?? '', { state: 'sent' })
    patient.happens('care.appointment.moved.v1', appointment(2, '2026-03-20T08:30:00.000Z'))
    expect(patient.intents().map((intent) => intent.state)).toEqual(['sent', 'planned'])
  })

  test.each([
    { state: 'skipped', reason: 'no_usable_channel' },
    { state: 'skipped', reason: 'consent_withdrawn' },
    { state: 'skipped', reason: 'person_stopped' },
    { state: 'bounced', reason: 'bounced' },
    { state: 'failed', reason: 'provider_refused' },
    { state: 'expired', reason: 'expired' },
    { state: 'held', reason: 'outcome_unknown' },
    { state: 'cancelled', reason: 'awaited_not_in_time' },
  ] as const)(
    'that moves after the reminder reached nobody ($state, $reason) gets another one, once (P1, P2)',
    (change) => {
      const patient = person(definitionOf([reminder]))
      patient.happens(booked, appointment(1, '2026-03-14T08:30:00.000Z'))
      patient.message(patient.intents()[0]?.intentId ?? '', change)
      patient.comes('2026-03-13T19:00:00.000Z')
      const moves = () =>
        patient.happens('care.appointment.moved.v1', appointment(2, '2026-03-20T08:30:00.000Z'))
      moves()
      moves()
      expect(patient.intents()).toMatchObject([
        change,
        { state: 'planned', dueAt: '2026-03-19T17:00:00.000Z', insteadOf: null },
      ])
    },
  )

  test.each([
    { state: 'planned', reason: null },
    { state: 'sent', reason: 'provider_accepted' },
    { state: 'failed', reason: 'provider_refused' },
    { state: 'bounced', reason: 'bounced' },
  ] as const)(
    'that moves when another message came in the place of the reminder ($state) has both, the one in the place of the other (P2)',
    (change) => {
      const before = message('hello', { send, until: 'entity.startsAt' })
      const next = message('later', {
        id: 'next',
        send: { until: 'entity.startsAt', offset: '-PT8H', on: anyDay },
      })
      const waitFor = {
        message: 'hello',
        status: ['delivered' as const],
        within: 'PT1H',
        otherwise: [next],
      }
      const patient = person(definitionOf([{ ...reminder, steps: [before, { waitFor }] }]))
      patient.happens(booked, appointment(1, '2026-03-14T08:30:00.000Z'))
      patient.message(patient.intents()[0]?.intentId ?? '', change)
      patient.comes('2026-03-13T18:00:00.000Z')
      patient.happens('care.appointment.moved.v1', appointment(2, '2026-03-20T08:30:00.000Z'))
      const [hello, other] = patient.intents().filter(({ entity }) => entity?.version === 2)
      expect([hello, other]).toMatchObject([
        { messageId: 'hello', state: 'planned', insteadOf: null },
        { messageId: 'next', state: 'planned', insteadOf: hello?.intentId },
      ])
    },
  )

  describe('that moves when another message came in the place of the reminder', () => {
    const before = message('hello', { send, until: 'entity.startsAt' })
    const ahead = { until: 'entity.startsAt', offset: '-PT8H', on: anyDay }
    const next = message('later', { id: 'next', send: ahead, until: 'entity.startsAt' })
    const inPlaceOf = (awaited: string, step: Step): Step => ({
      waitFor: { message: awaited, status: ['delivered'], within: 'PT1H', otherwise: [step] },
    })
    const told = (...steps: readonly Step[]) => {
      const patient = person(definitionOf([{ ...reminder, steps: [before, ...steps] }]))
      patient.happens(booked, appointment(1, '2026-03-14T08:30:00.000Z'))
      patient.comes('2026-03-13T18:00:00.000Z')
      const newest = (id: string) =>
        patient
          .intents()
          .findLast(({ messageId, state }) => messageId === id && state === 'planned')
      const moves = (version: number, startsAt: string, data = {}) =>
        patient.happens('care.appointment.moved.v1', {
          ...appointment(version, startsAt),
          data: { startsAt, ...data },
        })
      const isInItsPlace = (id: string) => {
        expect(newest('hello')).toBeDefined()
        expect(newest(id)).toMatchObject({ insteadOf: newest('hello')?.intentId })
      }
      return { patient, moves, isInItsPlace }
    }

    test('has it come in its place in whatever order they are kept (P2)', () => {
      const { patient, moves, isInItsPlace } = told(inPlaceOf('hello', next))
      const reversed = new Map([...patient.state.intents].reverse())
      patient.state = { ...patient.state, intents: reversed }
      moves(2, '2026-03-20T08:30:00.000Z')
      isInItsPlace('next')
    })

    test('has it come in its place also when both are due at once by then (P2)', () => {
      const { moves, isInItsPlace } = told(inPlaceOf('hello', next))
      moves(2, '2026-03-20T08:30:00.000Z')
      moves(3, '2026-03-13T22:00:00.000Z')
      isInItsPlace('next')
    })

    test('has it come in its place also when it is a question (P2)', () => {
      const ask = {
        id: 'next',
        template: 'later',
        question: { nl: 'Komt u?', en: 'Are you coming?' },
        send: ahead,
        within: 'PT4H',
        answers: [{ answer: 'yes', says: { nl: 'Ja', en: 'Yes' } }],
      }
      const { moves, isInItsPlace } = told(inPlaceOf('hello', { ask }))
      moves(2, '2026-03-20T08:30:00.000Z')
      isInItsPlace('next')
    })

    test('has it come in its place also when it could not be planned at first (P2)', () => {
      const later = message('later', { id: 'next', send: { ...ahead, until: 'entity.endsAt' } })
      const { moves, isInItsPlace } = told(inPlaceOf('hello', later))
      moves(2, '2026-03-20T08:30:00.000Z', { endsAt: '2026-03-20T09:30:00.000Z' })
      isInItsPlace('next')
    })

    test('has it come in the place of the first where the one between is not told again (P2)', () => {
      const between = [message('later', { id: 'between' }), inPlaceOf('between', next)]
      const { patient, moves, isInItsPlace } = told({
        waitFor: { message: 'hello', status: ['delivered'], within: 'PT1H', otherwise: between },
      })
      const second = patient.intents().find(({ messageId }) => messageId === 'between')
      patient.message(second?.intentId ?? '', { state: 'bounced' })
      patient.comes('2026-03-13T20:00:00.000Z')
      moves(2, '2026-03-20T08:30:00.000Z')
      isInItsPlace('next')
    })
  })

  test.each([
    ['when its moment has passed in the newer version, too', {}, '2026-03-14T10:30:00.000Z'],
    [
      'when staff have closed it',
      { state: 'cancelled', reason: 'closed_by_staff' },
      '2026-03-20T08:30:00.000Z',
    ],
    [
      'when a version of the campaign has withdrawn it',
      { state: 'cancelled', reason: 'moved_to_version' },
      '2026-03-20T08:30:00.000Z',
    ],
    [
      'when the one in whose place it was to come had arrived',
      { state: 'cancelled', reason: 'awaited_after_all' },
      '2026-03-20T08:30:00.000Z',
    ],
  ] as const)('that moves gets no other reminder %s', (_, change, startsAt) => {
    const patient = person(definitionOf([reminder]))
    patient.happens(booked, appointment(1, '2026-03-14T08:30:00.000Z'))
    const refused = { state: 'skipped', reason: 'no_usable_channel', ...change } as const
    patient.message(patient.intents()[0]?.intentId ?? '', refused)
    patient.comes('2026-03-13T19:00:00.000Z')
    patient.happens('care.appointment.moved.v1', appointment(2, startsAt))
    expect(patient.intents()).toMatchObject([refused])
  })

  test.each([
    ['had no data', {}, 'moment_unknown'],
    ['had passed', { startsAt: '2026-03-01T08:30:00.000Z' }, 'moment_passed'],
  ])(
    'whose moment %s when it was booked is told of by a version that has it (P1)',
    (_, data, why) => {
      const patient = person(definitionOf([reminder]))
      patient.happens(booked, { ...appointment(1, ''), data })
      expect(patient.reasons).toEqual(['enrolled', why, 'completed'])
      const moved = 'care.appointment.moved.v1'
      patient.happens(moved, { ...appointment(2, ''), data })
      expect(patient.intents()).toEqual([])
      patient.happens(moved, appointment(3, '2026-03-20T08:30:00.000Z'))
      patient.happens(moved, appointment(3, '2026-03-20T08:30:00.000Z'))
      expect(patient.intents()).toMatchObject([
        { state: 'planned', dueAt: '2026-03-19T17:00:00.000Z', entity: { version: 3 } },
      ])
      patient.happens(moved, appointment(4, '2026-03-21T08:30:00.000Z'))
      expect(patient.intents()).toMatchObject([
        { state: 'cancelled', reason: 'entity_superseded' },
        { state: 'planned', dueAt: '2026-03-20T17:00:00.000Z', entity: { version: 4 } },
      ])
    },
  )

  test('whose moment an older version brings that comes in later is told of, too (P1)', () => {
    const patient = person(definitionOf([reminder]))
    patient.happens(booked, { ...appointment(2, ''), data: {} })
    patient.happens('care.appointment.moved.v1', appointment(1, '2026-03-20T08:30:00.000Z'))
    expect(patient.intents()).toMatchObject([
      { state: 'planned', dueAt: '2026-03-19T17:00:00.000Z', entity: { version: 2 } },
    ])
  })

  test('that moves plans nothing of what the run comes to later, and of what does not hang on it', () => {
    const steps = [
      message('later', { until: 'entity.startsAt' }),
      { wait: { for: 'P2D', on: anyDay } },
      message('hello', { send, until: 'entity.startsAt' }),
    ]
    const patient = person(definitionOf([{ ...reminder, steps }]))
    patient.happens(booked, appointment(1, '2026-03-01T08:30:00.000Z'))
    patient.happens('care.appointment.moved.v1', appointment(2, '2026-03-20T08:30:00.000Z'))
    expect(patient.intents()).toEqual([])
    patient.comes('2026-03-04T09:00:00.000Z')
    expect(patient.intents()).toMatchObject([{ messageId: 'hello', entity: { version: 2 } }])
  })

  test('that moves to where its reminder is not worth having any more says so (P4)', () => {
    const patient = person(definitionOf([reminder]))
    patient.happens(booked, appointment(1, '2026-03-14T08:30:00.000Z'))
    patient.happens('care.appointment.moved.v1', appointment(2, '2026-03-01T08:30:00.000Z'))
    expect(patient.decisions).toMatchObject([
      { reason: 'entity_superseded' },
      { reason: 'moment_passed', detail: { message: 'hello' } },
    ])
  })

  test('a status is that of the newest version, also when both were planned in one moment', () => {
    const steps = [
      message('hello', { send, until: 'entity.startsAt' }),
      { wait: { for: 'P12D', on: anyDay } },
      {
        branch: [
          {
            when: { field: 'enrolment.hello.status', op: 'eq' as const, value: 'delivered' },
            steps: [message('later')],
          },
        ],
      },
    ]
    const patient = person(definitionOf([{ ...reminder, steps }]))
    patient.happens(booked, appointment(1, '2026-03-14T08:30:00.000Z'))
    patient.happens('care.appointment.moved.v1', appointment(2, '2026-03-13T08:30:00.000Z'))
    patient.message(patient.intents()[1]?.intentId ?? '', { state: 'delivered' })
    const [first, second] = patient.intents()
    // As another order of the rows would have it.
    const swapped = [second, first].flatMap((intent) =>
      intent ? [[intent.intentId, intent] as const] : [],
    )
    patient.state = { ...patient.state, intents: new Map(swapped) }
    patient.comes('2026-03-14T09:00:00.000Z')
    expect(patient.intents().map((intent) => intent.messageId)).toContain('later')
  })

  test('a message in a worker’s hand is not taken back', () => {
    const patient = person(definitionOf([reminder]))
    patient.happens(booked, appointment(1, '2026-03-14T08:30:00.000Z'))
    patient.message(patient.intents()[0]?.intentId ?? '', { state: 'sending' })
    patient.happens('care.appointment.cancelled.v1', {
      entity: { type: 'appointment', id: 'A-1', version: 2 },
    })
    expect(patient.intents()).toMatchObject([{ state: 'sending' }])
  })

  test.each(['sending', 'held', 'sent', 'delivered'] as const)(
    'that takes place after all, at another moment, is told again of a message that was %s (P1)',
    (state) => {
      const patient = person(definitionOf([reminder]))
      patient.happens(booked, appointment(1, '2026-03-14T08:30:00.000Z'))
      patient.message(patient.intents()[0]?.intentId ?? '', { state })
      patient.happens('care.appointment.cancelled.v1', appointment(2, ''))
      patient.happens('care.appointment.moved.v1', appointment(3, '2026-03-20T08:30:00.000Z'))
      expect(patient.intents()).toMatchObject([
        { state },
        { state: 'planned', dueAt: '2026-03-19T17:00:00.000Z', entity: { version: 3 } },
      ])
    },
  )

  test('that takes place after all is told of though what came back meanwhile was refused (P1)', () => {
    const patient = person(definitionOf([reminder]))
    patient.happens(booked, appointment(1, '2026-03-14T08:30:00.000Z'))
    const intentId = patient.intents()[0]?.intentId ?? ''
    patient.message(intentId, { state: 'sending' })
    patient.happens('care.appointment.cancelled.v1', appointment(2, ''))
    patient.message(intentId, { state: 'cancelled', reason: 'entity_withdrawn' })
    patient.happens('care.appointment.moved.v1', appointment(3, '2026-03-20T08:30:00.000Z'))
    expect(patient.intents()).toMatchObject([
      { state: 'cancelled' },
      { state: 'planned', dueAt: '2026-03-19T17:00:00.000Z', entity: { version: 3 } },
    ])
  })

  describe('that was cancelled and takes place after all', () => {
    const cancelled = 'care.appointment.cancelled.v1'
    const moved = 'care.appointment.moved.v1'
    const comesBack = (patient: Patient, type = moved) =>
      patient.happens(type, appointment(3, '2026-03-20T08:30:00.000Z'))

    test('is told of as if it had only moved (P1)', () => {
      const patient = person(definitionOf([reminder]))
      patient.happens(booked, appointment(1, '2026-03-14T08:30:00.000Z'))
      patient.happens(cancelled, appointment(2, ''))
      expect(patient.enrolments()).toMatchObject([{ state: 'exited', reason: 'entity_withdrawn' }])
      comesBack(patient)
      expect(patient.enrolments()).toMatchObject([{ state: 'completed', reason: 'completed' }])
      expect(patient.intents()).toMatchObject([
        { state: 'cancelled', reason: 'entity_withdrawn' },
        { state: 'planned', dueAt: '2026-03-19T17:00:00.000Z', entity: { version: 3 } },
      ])
      expect(patient.reasons).toContain('entity_after_all')
    })

    test('goes on at the step at which it waited', () => {
      const waits = {
        ...reminder,
        steps: [{ wait: { until: 'entity.startsAt', on: anyDay } }, message('hello')],
      }
      const patient = person(definitionOf([waits]))
      patient.happens(booked, appointment(1, '2026-03-14T08:30:00.000Z'))
      patient.happens(cancelled, appointment(2, ''))
      expect(patient.timers()).toEqual([])
      comesBack(patient)
      expect(patient.timers()).toMatchObject([{ step: '0', dueAt: '2026-03-20T08:30:00.000Z' }])
      expect(patient.enrolments()).toMatchObject([{ state: 'running' }])
    })

    test('does not, where what says so begins a new run that tells it (P2)', () => {
      const patient = person(definitionOf([{ ...reminder, entry: 'every-time' }]))
      patient.happens(booked, appointment(1, '2026-03-14T08:30:00.000Z'))
      patient.happens(cancelled, appointment(2, ''))
      comesBack(patient, booked)
      const planned = patient.intents().filter(({ state }) => state === 'planned')
      expect(planned).toMatchObject([{ dueAt: '2026-03-19T17:00:00.000Z' }])
    })

    test('does not, when something else ended the campaign meanwhile (P3)', () => {
      const admitted = 'care.admission.started.v1'
      const patient = person(definitionOf([{ ...reminder, exit: [{ touchpoint: admitted }] }]))
      patient.happens(booked, appointment(1, '2026-03-14T08:30:00.000Z'))
      patient.happens(cancelled, appointment(2, ''))
      patient.happens(admitted)
      comesBack(patient)
      expect(patient.intents()).toMatchObject([{ state: 'cancelled' }])
      expect(patient.enrolments()).toMatchObject([{ reason: 'exit_touchpoint' }])
    })
  })

  describe('that moves while a message is under way whose moment does not hang on it', () => {
    const confirmation = campaign({
      id: 'confirmation',
      journey: 'operation',
      entry: 'once-per-entity',
      trigger: { touchpoint: booked },
      steps: [message('hello', { until: 'entity.startsAt' })],
    })
    const isBooked = (patient: Patient, change: Partial<Intent>) => {
      patient.happens(booked, appointment(1, '2026-03-14T08:30:00.000Z'))
      patient.message(patient.intents()[0]?.intentId ?? '', change)
      return patient.intents()[0]?.intentId
    }
    const moves = (patient: Patient, version = 2, startsAt = '2026-03-20T08:30:00.000Z') =>
      patient.happens('care.appointment.moved.v1', appointment(version, startsAt))

    test.each([
      { state: 'sending' },
      { state: 'held' },
      { state: 'planned', duplicate: true },
    ] as const)(
      'has the newer one told of, unless the older one turns out to have been told: $state (P1, P2)',
      (change) => {
        const patient = person(definitionOf([confirmation]))
        const first = isBooked(patient, change)
        moves(patient)
        expect(patient.intents().slice(1)).toMatchObject([
          { state: 'planned', entity: { version: 2 }, insteadOf: first },
        ])
      },
    )

    test('is told of again as soon as it moves again, as long as nobody knows of the first', () => {
      const patient = person(definitionOf([confirmation]))
      const first = isBooked(patient, { state: 'sending' })
      moves(patient)
      moves(patient, 3, '2026-03-21T08:30:00.000Z')
      expect(patient.intents().slice(1)).toMatchObject([
        { state: 'cancelled', reason: 'entity_superseded' },
        { state: 'planned', entity: { version: 3 }, insteadOf: first },
      ])
    })

    test('is not told of again when the first had been told after all', () => {
      const patient = person(definitionOf([confirmation]))
      isBooked(patient, { state: 'sending' })
      moves(patient)
      const [first, second] = patient.intents()
      patient.message(first?.intentId ?? '', { state: 'sent' })
      patient.message(second?.intentId ?? '', { state: 'cancelled', reason: 'older_version_told' })
      moves(patient, 3, '2026-03-21T08:30:00.000Z')
      expect(patient.intents()).toHaveLength(2)
    })

    test('is told of so, too, when the moment to tell has passed in the newer version', () => {
      const patient = person(definitionOf([reminder]), '2026-03-13T17:30:00.000Z')
      const first = isBooked(patient, { state: 'sending' })
      moves(patient, 2, '2026-03-14T10:30:00.000Z')
      expect(patient.intents().slice(1)).toMatchObject([{ state: 'planned', insteadOf: first }])
      // And whatever became of it when the moment lies ahead.
      moves(patient, 3, '2026-03-20T10:30:00.000Z')
      expect(patient.intents().at(-1)).toMatchObject({ state: 'planned', insteadOf: null })
    })
  })

  test('in a version that is not newer changes nothing and starts nothing', () => {
    const patient = person(definitionOf([reminder]))
    patient.happens(booked, appointment(2, '2026-03-14T08:30:00.000Z'))
    expect(patient.happens(booked, appointment(2, '2026-03-15T08:30:00.000Z'))).toBe(
      'entity_not_newer',
    )
    expect(patient.happens('care.appointment.cancelled.v1', appointment(1, ''))).toBe(
      'entity_not_newer',
    )
    expect(patient.intents()).toHaveLength(1)
    expect(patient.decisions).toEqual([])
  })

  describe('whose booking comes in behind its own change', () => {
    const moved = (patient: Patient) =>
      patient.happens('care.appointment.moved.v1', appointment(2, '2026-03-20T08:30:00.000Z'))
    const isBooked = (patient: Patient) =>
      patient.happens(booked, appointment(1, '2026-03-14T08:30:00.000Z'))

    test('is reminded of in its newest version alone (P1, P3)', () => {
      const [inOrder, overtaken] = [
        person(definitionOf([reminder])),
        person(definitionOf([reminder])),
      ]
      isBooked(inOrder)
      moved(inOrder)
      moved(overtaken)
      expect(isBooked(overtaken)).toBe('entity_not_newer')
      expect(overtaken.reasons).toContain('enrolled')
      const pendingOf = (patient: Patient) =>
        patient
          .intents()
          .filter(isPending)
          .map(({ dueAt, entity }) => ({ dueAt, entity }))
      expect(pendingOf(overtaken)).toEqual(pendingOf(inOrder))
      expect(overtaken.state.person.journeys).toEqual(inOrder.state.person.journeys)
      // Told once more under another id, it starts nothing.
      isBooked(overtaken)
      expect(overtaken.reasons).toEqual(['already_entered'])
      expect(overtaken.state.person.journeys).toEqual(inOrder.state.person.journeys)
    })

    test('is not when it was cancelled (P3)', () => {
      const patient = person(definitionOf([reminder]))
      patient.happens('care.appointment.cancelled.v1', appointment(2, ''))
      isBooked(patient)
      expect(patient.reasons).toEqual(['entity_withdrawn'])
      expect(patient.intents()).toEqual([])
    })

    test('starts nothing that may repeat: it may be an old one told anew (P2)', () => {
      const patient = person(definitionOf([{ ...reminder, entry: 'every-time' }]))
      moved(patient)
      isBooked(patient)
      expect(patient.reasons).toEqual(['entity_not_newer'])
    })

    const exits = ['care.appointment.moved.v1', 'care.admission.started.v1']
    const ending = (touchpoint: string) =>
      person(definitionOf([{ ...reminder, exit: [{ touchpoint }] }]))

    test.each(exits)('starts nothing that %s has ended since (P3)', (exit) => {
      const patient = ending(exit)
      moved(patient)
      patient.comes('2026-03-02T10:00:00.000Z')
      if (exit !== 'care.appointment.moved.v1') patient.happens(exit)
      const time = '2026-03-02T09:00:00.000Z'
      patient.happens(booked, { ...appointment(1, '2026-03-14T08:30:00.000Z'), time })
      expect(patient.reasons).toEqual(['exit_touchpoint'])
      expect(patient.intents()).toEqual([])
    })

    test('starts nothing whose goal was reached since (P3)', () => {
      const goal = { touchpoint: 'care.appointment.moved.v1', within: 'P21D' }
      const patient = person(definitionOf([{ ...reminder, goal }]))
      moved(patient)
      isBooked(patient)
      expect(patient.reasons).toEqual(['exit_touchpoint'])
    })

    test('starts what may have ended under a condition of which nobody knows whether it held (P1)', () => {
      const where = { field: 'event.ward', op: 'eq' as const, value: 'C3' }
      const exit = [{ touchpoint: 'care.appointment.moved.v1', where }]
      const patient = person(definitionOf([{ ...reminder, exit }]))
      moved(patient)
      isBooked(patient)
      expect(patient.reasons).toContain('enrolled')
    })

    test('starts what ended before it was booked, or with another appointment (P1)', () => {
      for (const exit of exits) {
        const patient = ending(exit)
        patient.happens('care.admission.started.v1')
        const other = { entity: { type: 'appointment', id: 'B-1', version: 1 } }
        patient.happens('care.appointment.moved.v1', { ...appointment(1, ''), ...other })
        patient.comes('2026-03-02T10:00:00.000Z')
        patient.happens('care.appointment.booked.v1', appointment(2, '2026-03-20T08:30:00.000Z'))
        isBooked(patient)
        expect(patient.reasons).toEqual(['already_entered'])
      }
    })
  })

  describe('that is told of in any order', () => {
    const said = (patient: Patient, version: number, data: JsonObject) =>
      patient.happens(version === 1 ? booked : 'care.appointment.moved.v1', {
        entity: { type: 'appointment', id: 'A-1', version },
        data,
      })
    const known = (patient: Patient) => patient.state.entities.get('appointment/A-1')

    test('is known as if it had been told in order: each field as the newest version says that has it', () => {
      const dataOf = fc.dictionary(fc.constantFrom('ward', 'room', 'doctor'), fc.nat(9), {
        maxKeys: 3,
      })
      fc.assert(
        fc.property(
          fc.array(dataOf, { minLength: 1, maxLength: 5 }).chain((all) => {
            const versions = all.map((data, index) => ({ version: index + 1, data }))
            const order = fc.shuffledSubarray(versions, { minLength: all.length })
            return fc.record({ versions: fc.constant(versions), order })
          }),
          ({ versions, order }) => {
            const [inOrder, anyOrder] = [person(definitionOf([])), person(definitionOf([]))]
            for (const { version, data } of versions) said(inOrder, version, data)
            for (const { version, data } of order) said(anyOrder, version, data)
            expect(known(anyOrder)).toEqual(known(inOrder))
          },
        ),
      )
    })

    test.each([
      { order: [1, 3, 2], name: 'the move comes last' },
      { order: [3, 1, 2], name: 'the newest comes first' },
      { order: [2, 3, 1], name: 'the booking comes last' },
    ])('is reminded of at the moment that holds: $name (P1, P3)', ({ order }) => {
      const all: Record<number, JsonObject> = {
        1: { startsAt: '2026-03-14T08:30:00.000Z' },
        2: { startsAt: '2026-03-20T08:30:00.000Z' },
        3: { room: '7' },
      }
      const patient = person(definitionOf([reminder]))
      for (const version of order) said(patient, version, all[version] ?? {})
      expect(patient.intents().filter(isPending)).toMatchObject([
        { dueAt: '2026-03-19T17:00:00.000Z', entity: { version: 3 } },
      ])
    })

    test('is waited for until the moment that holds', () => {
      const steps = [
        { wait: { until: 'entity.startsAt', offset: '-PT2H', on: anyDay } },
        message('hello'),
      ]
      const patient = person(definitionOf([{ ...reminder, steps }]))
      said(patient, 1, { startsAt: '2026-03-14T08:30:00.000Z' })
      said(patient, 3, { room: '7' })
      said(patient, 2, { startsAt: '2026-03-20T08:30:00.000Z' })
      expect(patient.timers()).toMatchObject([{ dueAt: '2026-03-20T06:30:00.000Z' }])
    })

    test('is told of again when it was at a moment that does not hold (P1)', () => {
      const patient = person(definitionOf([reminder]))
      said(patient, 1, { startsAt: '2026-03-14T08:30:00.000Z' })
      said(patient, 3, { room: '7' })
      patient.message(patient.intents().at(-1)?.intentId ?? '', { state: 'sent' })
      said(patient, 2, { startsAt: '2026-03-20T08:30:00.000Z' })
      expect(patient.intents().filter(isPending)).toMatchObject([
        { dueAt: '2026-03-19T17:00:00.000Z' },
      ])
    })

    test('is left as it is when what comes behind changes no moment of it (P2)', () => {
      const patient = person(definitionOf([reminder]))
      said(patient, 1, { startsAt: '2026-03-14T08:30:00.000Z' })
      said(patient, 3, { room: '7' })
      const before = patient.intents()
      said(patient, 2, { ward: 'B' })
      expect(patient.intents()).toEqual(before)
      expect(known(patient)?.data).toMatchObject({ ward: 'B', room: '7' })
    })
  })

  test('that is waited for is waited for again when it moves', () => {
    const steps = [
      { wait: { until: 'entity.startsAt', offset: '-PT2H', on: anyDay } },
      message('hello'),
    ]
    const patient = person(definitionOf([{ ...reminder, steps }]))
    patient.happens(booked, appointment(1, '2026-03-14T08:30:00.000Z'))
    patient.happens('care.appointment.moved.v1', appointment(2, '2026-03-20T08:30:00.000Z'))
    expect(patient.timers()).toMatchObject([{ dueAt: '2026-03-20T06:30:00.000Z' }])
  })

  test('that moves twice in a row is told of once, and another one is left alone', () => {
    const moved = 'care.appointment.moved.v1'
    const notice = campaign({
      id: 'moved',
      journey: 'operation',
      entry: 'every-time',
      trigger: { touchpoint: moved },
      exit: [{ touchpoint: moved }],
    })
    const patient = person(definitionOf([notice]))
    const other = { type: 'appointment', id: 'B-1', version: 1 }
    patient.happens(moved, { entity: other, data: { startsAt: '2026-03-30T08:30:00.000Z' } })
    patient.happens(moved, appointment(1, '2026-03-14T08:30:00.000Z'))
    patient.happens(moved, appointment(2, '2026-03-20T08:30:00.000Z'))
    const planned = patient.intents().filter((intent) => intent.state === 'planned')
    expect(planned.map((intent) => `${intent.entity?.id} ${intent.entity?.version}`)).toEqual([
      'B-1 1',
      'A-1 2',
    ])
  })

  test('tomorrow morning, booked tonight: the reminder of this evening goes now', () => {
    const patient = person(definitionOf([reminder]), '2026-03-13T20:00:00.000Z')
    patient.happens(booked, appointment(1, '2026-03-14T08:30:00.000Z'))
    expect(patient.intents()).toMatchObject([
      { dueAt: '2026-03-13T20:00:00.000Z', expiresAt: '2026-03-14T08:30:00.000Z' },
    ])
  })

  test('that has begun is not announced any more', () => {
    const patient = person(definitionOf([reminder]), '2026-03-14T09:00:00.000Z')
    patient.happens(booked, appointment(1, '2026-03-14T08:30:00.000Z'))
    expect(patient.intents()).toEqual([])
    expect(patient.reasons).toContain('moment_passed')
  })
})

describe('what is known of a person', () => {
  test('an older profile does not overwrite a newer one; a changed address may be used again', () => {
    const patient = person(definitionOf([]))
    patient.happens('person.upserted.v1', {
      data: { givenName: 'Test', contacts: { email: 'a@example.org' } },
    })
    patient.happens('message.bounced.v1', { data: { intentId: 'x', channel: 'email' } })
    expect(
      patient.happens('person.upserted.v1', {
        time: '2026-03-01T00:00:00.000Z',
        data: { givenName: 'Old' },
      }),
    ).toBe('profile_not_newer')
    expect(patient.state.person.fields).toEqual({ givenName: 'Test' })
  })

  test.each([
    ['marketing', 'seen', 'delivered'],
    ['service', 'not_tracked', 'sent'],
  ] as const)('whoever opens a message of %s: %s', (own, outcome, state) => {
    const patient = person(definitionOf([campaign({ id: 'aftercare', class: own })]))
    patient.happens(discharge)
    const intentId = patient.intents()[0]?.intentId ?? ''
    patient.message(intentId, { state: 'sent' })
    const data = { intentId, channel: 'email' }
    for (const type of ['message.opened.v1', 'message.clicked.v1'])
      expect(patient.happens(type, { data })).toBe(outcome)
    expect(patient.intents()).toMatchObject([{ state }])
  })

  test('who stops tracking stops it also for messages that were sent before', () => {
    const news = [campaign({ id: 'aftercare', class: 'marketing' })]
    const patient = person(definitionOf(news))
    patient.happens(discharge)
    const intentId = patient.intents()[0]?.intentId ?? ''
    patient.message(intentId, { state: 'sent' })
    const bundle = smallHospital(news)
    bundle.policies.classes.marketing.tracking = 'none'
    const versions = [1, 2].flatMap((version) =>
      bundle.campaigns.map((file) => ({
        ...{ id: file.id, version, live: version === 2, file },
        templates: {},
      })),
    )
    patient.use(compileDefinition(2, bundle, versions))
    const data = { intentId, channel: 'email' }
    expect(patient.happens('message.opened.v1', { data })).toBe('not_tracked')
    expect(patient.intents()).toMatchObject([{ state: 'sent' }])
  })

  test('a bounce marks the address until there is another one', () => {
    const patient = person(definitionOf([campaign({ id: 'aftercare' })]))
    patient.happens('person.upserted.v1', { data: { contacts: { email: 'a@example.org' } } })
    patient.happens(discharge)
    const intentId = patient.intents()[0]?.intentId ?? ''
    expect(patient.happens('message.bounced.v1', { data: { intentId, channel: 'email' } })).toBe(
      'bounced',
    )
    expect(patient.state.person.contacts.email?.refusedAt).not.toBeNull()
    expect(patient.happens('message.delivered.v1', { data: { intentId, channel: 'email' } })).toBe(
      'message_status_known',
    )
    patient.happens('person.upserted.v1', { data: { contacts: { email: 'b@example.org' } } })
    expect(patient.state.person.contacts.email).toMatchObject({
      address: 'b@example.org',
      refusedAt: null,
    })
  })

  test.each([
    ['later', '2026-03-02T09:00:00.000Z'],
    ['under the same time, as of a publisher that tells days alone', '2026-03-02T08:00:00.000Z'],
  ])('a bounce of the address before says nothing of the one told %s (P1)', (_, since) => {
    const patient = person(definitionOf([campaign({ id: 'aftercare' })]))
    const email = () => patient.state.person.contacts.email
    const tells = (address: string, time: string) =>
      patient.happens('person.upserted.v1', { data: { contacts: { email: address } }, time })
    tells('a@example.org', '2026-03-02T08:00:00.000Z')
    const addressSince = email()?.since
    patient.happens(discharge)
    tells('b@example.org', since)
    const intentId = patient.intents()[0]?.intentId ?? ''
    const bounces = (since: string | undefined) =>
      patient.happens('message.bounced.v1', {
        data: { intentId, channel: 'email', ...(since !== undefined && { addressSince: since }) },
      })
    expect(bounces(addressSince)).toBe('bounced')
    expect(email()).toMatchObject({ address: 'b@example.org', refusedAt: null })
    bounces(email()?.since)
    expect(email()?.refusedAt).not.toBeNull()
  })

  test.each(['planned', 'queued', 'sending', 'held', 'sent', 'delivered'] as const)(
    'a bounce over a channel that a message has left turns off its address, and nothing of the message that is %s (P1)',
    (state) => {
      const patient = person(definitionOf([campaign({ id: 'aftercare' })]))
      patient.happens('person.upserted.v1', { data: { contacts: { email: 'a@example.org' } } })
      patient.happens(discharge)
      const intentId = patient.intents()[0]?.intentId ?? ''
      patient.message(intentId, { state, channel: 'sms', duplicate: true })
      const bounces = (channel: string) =>
        patient.happens('message.bounced.v1', { data: { intentId, channel } })
      expect(bounces('email')).toBe('message_status_known')
      expect(patient.intents()).toMatchObject([{ state, channel: 'sms' }])
      expect(patient.state.person.contacts.email?.refusedAt).not.toBeNull()
      expect(bounces('sms')).toBe('bounced')
      expect(patient.intents()).toMatchObject([{ state: 'bounced' }])
    },
  )

  test.each(['cancelled', 'skipped', 'expired', 'failed'] as const)(
    'a receipt tells the truth of a message that is %s, if a provider may have it (P4)',
    (state) => {
      const patient = person(definitionOf([campaign({ id: 'aftercare' })]))
      patient.happens(discharge)
      const intentId = patient.intents()[0]?.intentId ?? ''
      const says = (word: string) =>
        patient.happens(`message.${word}.v1`, { data: { intentId, channel: 'email' } })
      patient.message(intentId, { state, reason: 'closed_by_staff' })
      expect(says('delivered')).toBe('message_status_known')
      expect(patient.intents()).toMatchObject([{ state, reason: 'closed_by_staff' }])
      patient.message(intentId, { duplicate: true })
      expect(says('delivered')).toBe('delivered')
      expect(patient.intents()).toMatchObject([{ state: 'delivered', reason: 'delivered' }])
      expect(says('bounced')).toBe('bounced')
      expect(says('delivered')).toBe('message_status_known')
    },
  )

  test('a death ends everything, and nothing starts after it (P3)', () => {
    const patient = person(
      definitionOf([
        campaign({
          id: 'aftercare',
          entry: 'every-time',
          steps: [{ wait: { for: 'P1D', on: anyDay } }, message('hello')],
        }),
      ]),
    )
    patient.happens(discharge)
    patient.happens('person.deceased.v1')
    patient.happens(discharge)
    expect(patient.reasons).toEqual(['person_deceased'])
    patient.comes('2026-04-02T09:00:00.000Z')
    expect(patient.intents()).toEqual([])
  })

  test('an appointment that moves after a death is told to nobody anew (P3)', () => {
    const send = { until: 'entity.startsAt', offset: '-P1D', on: anyDay }
    const patient = person(
      definitionOf([
        campaign({
          id: 'reminder',
          entry: 'once-per-entity',
          trigger: { touchpoint: 'care.appointment.booked.v1' },
          steps: [message('hello', { send })],
        }),
      ]),
    )
    const about = (version: number, startsAt: string) => ({
      entity: { type: 'appointment', id: 'A-1', version },
      data: { startsAt },
    })
    patient.happens('care.appointment.booked.v1', about(1, '2026-03-03T09:00:00.000Z'))
    patient.message(patient.intents()[0]?.intentId ?? '', { state: 'sent' })
    patient.happens('person.deceased.v1')
    patient.happens('care.appointment.moved.v1', about(2, '2026-03-20T09:00:00.000Z'))
    expect(patient.reasons).toEqual([])
    expect(patient.intents()).toHaveLength(1)
  })

  test('STOP in answer to an SMS is a withdrawal by the person', () => {
    const patient = person(definitionOf([campaign({ id: 'aftercare' })]))
    patient.happens(discharge)
    patient.happens('message.replied.v1', {
      data: {
        intentId: patient.intents()[0]?.intentId ?? '',
        channel: 'sms',
        detail: 'Stop please',
      },
    })
    expect([...patient.state.consents.values()]).toMatchObject([
      { purpose: 'all', channel: 'sms', state: 'withdrawn', origin: 'person' },
    ])
  })

  test('a late event does not move somebody back on their journey', () => {
    const patient = person(definitionOf([]))
    patient.happens(discharge)
    patient.happens('care.admission.started.v1', { time: '2026-03-01T09:00:00.000Z' })
    expect(patient.state.person.journeys.stay?.phase).toBe('recovery')
  })
})
