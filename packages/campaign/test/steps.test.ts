import { messageTemplatesOf } from '@wegwijs/campaign/catalogue'
import { partsOf, stepKinds } from '@wegwijs/campaign/steps/registry'
import type { Step } from '@wegwijs/campaign/steps/step'
import { campaign, message } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { definitionOf, person } from './given.ts'

const discharge = 'care.discharge.completed.v1'
const admission = 'care.admission.started.v1'
const answered = 'care.survey.answered.v1'
const monday = '2026-03-02T09:00:00.000Z'

/** Somebody who has just been discharged, in a campaign of these steps. */
function discharged(
  steps: Parameters<typeof campaign>[0]['steps'],
  start = monday,
  subject = 'p1',
) {
  const patient = person(definitionOf([campaign({ id: 'aftercare', steps })]), start, subject)
  patient.happens(discharge)
  return patient
}

const messages = (patient: ReturnType<typeof person>) =>
  patient.intents().map(({ messageId }) => messageId)

describe('every kind of step', () => {
  test('stands under a key of its own and says what it means', () => {
    expect(new Set(stepKinds.map(({ key }) => key)).size).toBe(stepKinds.length)
    for (const { meaning } of stepKinds) expect(meaning).toMatch(/^[A-Z].*\.$/)
  })
})

describe('a wait', () => {
  const waits = (wait: object, start: string) =>
    discharged([{ wait } as Step, message('later')], start).timers()[0]?.dueAt

  test.each([
    ['for the next time that clocks show ten', { at: '10:00' }, '2026-03-02T09:00:00.000Z'],
    ['which may be tomorrow', { at: '09:00' }, '2026-03-03T08:00:00.000Z'],
    ['for a weekday', { on: ['thursday'] }, '2026-03-05T09:00:00.000Z'],
    ['for a weekday and a time', { on: ['monday'], at: '09:30' }, '2026-03-09T08:30:00.000Z'],
    [
      'for some time and then a part of the day',
      { for: 'PT10H', between: ['09:00', '17:00'] },
      '2026-03-03T08:00:00.000Z',
    ],
    [
      'into a part of the day of a working day',
      { for: 'P5D', between: ['09:00', '17:00'], on: 'working-day' },
      '2026-03-09T08:00:00.000Z',
    ],
  ])('%s', (_, wait, due) => {
    // A Monday, 10:00 in Amsterdam.
    const start = due === '2026-03-02T09:00:00.000Z' ? '2026-03-02T08:00:00.000Z' : monday
    expect(waits(wait, start)).toBe(due)
  })

  test('for a part of the day in which it is already goes on at once', () => {
    const patient = discharged([
      { wait: { between: ['09:00', '17:00'], on: 'any-day' } },
      message('later'),
    ])
    expect(messages(patient)).toEqual(['later'])
  })

  test('for a time that clocks show twice is for the first, and for one that they skip an hour later', () => {
    expect(waits({ for: 'PT1H', at: '02:30' }, '2026-10-24T18:00:00.000Z')).toBe(
      '2026-10-25T00:30:00.000Z',
    )
    expect(waits({ for: 'PT1H', at: '02:30' }, '2026-03-28T19:00:00.000Z')).toBe(
      '2026-03-29T01:30:00.000Z',
    )
  })

  test('keeps to local time over the night in which clocks go back', () => {
    expect(waits({ for: 'P1D', at: '10:00' }, '2026-10-24T07:00:00.000Z')).toBe(
      '2026-10-25T09:00:00.000Z',
    )
  })
})

describe('waiting for a touchpoint', () => {
  const steps: Step[] = [
    message('hello'),
    {
      waitFor: {
        touchpoint: answered,
        within: 'P3D',
        // biome-ignore lint/suspicious/noThenProperty: the word in the file
        then: [{ end: true }],
        otherwise: [message('later', { id: 'reminder' })],
      },
    },
    message('later'),
  ]

  test('goes on at once when it comes, and never looks at the clock again', () => {
    const patient = discharged(steps)
    expect(patient.timers()).toMatchObject([{ dueAt: '2026-03-05T09:00:00.000Z' }])
    patient.comes('2026-03-03T12:00:00.000Z')
    patient.happens(answered)
    expect(patient.reasons).toEqual(['awaited_came', 'completed'])
    expect(patient.timers()).toEqual([])
    patient.comes('2026-04-01T00:00:00.000Z')
    expect(messages(patient)).toEqual(['hello'])
  })

  test('takes the other way when it does not come in time, and then what is behind', () => {
    const patient = discharged(steps)
    patient.comes('2026-03-05T09:00:00.000Z')
    expect(patient.reasons).toContain('awaited_not_in_time')
    expect(messages(patient)).toEqual(['hello', 'reminder', 'later'])
    patient.happens(answered)
    expect(patient.reasons).toEqual([])
  })

  test('only for one whose data fits', () => {
    const awaited: Step = {
      waitFor: {
        touchpoint: discharge,
        where: { field: 'event.ward', op: 'eq', value: 'C3' },
        within: 'P3D',
      },
    }
    const patient = discharged([awaited, message('later')])
    patient.happens(discharge, { data: { ward: 'B1' } })
    expect(patient.reasons).toEqual(['already_entered'])
    patient.happens(discharge, { data: { ward: 'C3' } })
    expect(patient.reasons).toContain('awaited_came')
    expect(messages(patient)).toEqual(['later'])
  })

  test('ends with its campaign, when that ends first', () => {
    const definition = definitionOf([
      campaign({ id: 'aftercare', steps, exit: [{ touchpoint: admission }] }),
    ])
    const patient = person(definition)
    patient.happens(discharge)
    patient.happens(admission)
    expect(patient.reasons).toContain('exit_touchpoint')
    patient.happens(answered)
    expect(patient.reasons).toEqual([])
  })
})

describe('a message that names no channels', () => {
  const channelsOf = (
    preferredChannel: string | null,
    over: Parameters<typeof message>[1] = {},
  ) => {
    const steps = [message('hello', over)]
    const patient = person(definitionOf([campaign({ id: 'aftercare', steps })]))
    patient.happens('person.upserted.v1', { data: { preferredChannel } })
    patient.happens(discharge)
    return patient.intents()[0]?.channels
  }

  test('goes over the preferred one first, and then in the order of the persona', () => {
    expect(channelsOf(null)).toEqual(['email', 'sms'])
    expect(channelsOf('sms')).toEqual(['sms', 'email'])
    expect(channelsOf('email')).toEqual(['email', 'sms'])
  })

  test('goes over none that the persona has not', () => {
    expect(channelsOf('app')).toEqual(['email', 'sms'])
  })

  test('an order that is named is kept', () => {
    expect(channelsOf('sms', { channels: ['email', 'sms'] })).toEqual(['email', 'sms'])
  })
})

describe('a message with a template for each persona', () => {
  const steps = [message('hello', { template: { senior: 'later', otherwise: 'hello' } })]

  test('is of the template of who they are when it is planned, with the texts of their version', () => {
    const patient = discharged(steps)
    expect(patient.intents()).toMatchObject([{ templateId: 'hello', templateHash: 'hello-1' }])
    const senior = person(definitionOf([campaign({ id: 'aftercare', steps })]))
    senior.state = { ...senior.state, person: { ...senior.state.person, persona: 'senior' } }
    senior.happens('person.upserted.v1', { data: { birthYear: 1940 } })
    senior.happens(discharge)
    expect(senior.state.person.persona).toBe('senior')
    expect(senior.intents()).toMatchObject([{ templateId: 'later', templateHash: 'later-1' }])
  })

  test('takes all of them along when it is published', () => {
    expect(messageTemplatesOf(steps)).toEqual(['later', 'hello'])
  })
})

describe('waiting for what became of a message', () => {
  const cascade: Step[] = [
    message('hello'),
    {
      waitFor: {
        message: 'hello',
        status: ['delivered'],
        within: 'PT30M',
        otherwise: [message('later', { id: 'next', channels: ['sms'] })],
      },
    },
  ]
  const receipt = (type: string, intentId: string) =>
    [type, { data: { intentId, channel: 'email' } }] as const

  test('sends the next one only when it was not delivered in time', () => {
    const patient = discharged(cascade)
    patient.comes('2026-03-02T09:30:00.000Z')
    expect(messages(patient)).toEqual(['hello', 'next'])
  })

  test('sends no other one when it was delivered, and none when that is told later', () => {
    const patient = discharged(cascade)
    const [hello] = patient.intents()
    patient.message(hello?.intentId ?? '', { state: 'sent' })
    patient.happens(...receipt('message.delivered.v1', hello?.intentId ?? ''))
    expect(patient.reasons).toEqual(['awaited_came', 'completed'])
    patient.comes('2026-03-02T10:00:00.000Z')
    expect(messages(patient)).toEqual(['hello'])

    const late = discharged(cascade)
    const [first] = late.intents()
    late.message(first?.intentId ?? '', { state: 'sent' })
    late.comes('2026-03-02T09:30:00.000Z')
    late.happens(...receipt('message.delivered.v1', first?.intentId ?? ''))
    expect(messages(late)).toEqual(['hello', 'next'])
  })

  test('gives a message its time from when it is due, wherever that has moved', () => {
    const later: Step[] = [
      message('hello', { send: { for: 'P1D', on: 'any-day' } }),
      ...cascade.slice(1),
    ]
    const patient = discharged(later)
    expect(patient.timers()).toMatchObject([{ dueAt: '2026-03-03T09:30:00.000Z' }])
    const [hello] = patient.intents()
    // Put off since, by quiet hours or by a provider that had no time.
    patient.message(hello?.intentId ?? '', { dueAt: '2026-03-03T12:00:00.000Z' })
    patient.comes('2026-03-03T09:30:00.000Z')
    expect(messages(patient)).toEqual(['hello'])
    expect(patient.timers()).toMatchObject([{ dueAt: '2026-03-03T12:30:00.000Z' }])
  })

  test('takes back what has not gone out, when the next one comes in its place (P2)', () => {
    const patient = discharged(cascade)
    patient.comes('2026-03-02T09:30:00.000Z')
    expect(patient.intents()).toMatchObject([
      { messageId: 'hello', state: 'cancelled', reason: 'awaited_not_in_time' },
      { messageId: 'next', state: 'planned' },
    ])
  })

  test.each(['sending', 'held', 'sent'] as const)(
    'sends the next one only if the first turns out not to have arrived: %s (P2)',
    (state) => {
      const patient = discharged([...cascade, message('later')])
      const [hello] = patient.intents()
      patient.message(hello?.intentId ?? '', { state })
      patient.comes('2026-03-02T09:30:00.000Z')
      expect(patient.intents()).toMatchObject([
        { messageId: 'hello', state },
        { messageId: 'next', insteadOf: hello?.intentId },
        { messageId: 'later', insteadOf: null },
      ])
    },
  )

  test('sends the third one only if neither of the others arrived (P2)', () => {
    const [hello, second] = cascade as [Step, Extract<Step, { waitFor: unknown }>]
    const third: Step = {
      waitFor: {
        message: 'next',
        status: ['delivered'],
        within: 'PT30M',
        otherwise: [message('later', { id: 'third' })],
      },
    }
    const waits = second.waitFor
    const steps = [
      hello,
      { waitFor: { ...waits, otherwise: [...(waits.otherwise ?? []), third] } },
    ] as Step[]
    const patient = discharged(steps)
    const [first] = patient.intents()
    patient.message(first?.intentId ?? '', { state: 'held' })
    patient.comes('2026-03-02T09:30:00.000Z')
    patient.comes('2026-03-02T10:00:00.000Z')
    expect(patient.intents()).toMatchObject([
      { messageId: 'hello' },
      { messageId: 'next', state: 'cancelled' },
      { messageId: 'third', insteadOf: first?.intentId },
    ])
    const arrived = discharged(steps)
    arrived.message(arrived.intents()[0]?.intentId ?? '', { state: 'held' })
    arrived.comes('2026-03-02T09:30:00.000Z')
    const next = arrived.intents()[1]?.intentId ?? ''
    arrived.message(next, { state: 'cancelled', reason: 'awaited_after_all' })
    arrived.comes('2026-03-02T10:00:00.000Z')
    expect(messages(arrived)).toEqual(['hello', 'next'])
  })

  test('leaves it alone when nothing comes in its place', () => {
    const [hello, awaited] = cascade as [Step, { waitFor: object }]
    const { otherwise: _, ...waitFor } = awaited.waitFor as { otherwise: unknown }
    const patient = discharged([hello, { waitFor } as unknown as Step, message('later')])
    patient.comes('2026-03-02T09:30:00.000Z')
    expect(patient.intents()).toMatchObject([{ state: 'planned' }, { messageId: 'later' }])
  })

  test('counts what lies in the app as delivered, of which nobody reports', () => {
    const patient = discharged(cascade)
    const [hello] = patient.intents()
    patient.message(hello?.intentId ?? '', { state: 'sent', channel: 'app' })
    patient.comes('2026-03-02T09:30:00.000Z')
    expect(messages(patient)).toEqual(['hello'])
  })

  test('waits on for a receipt of another kind', () => {
    const patient = discharged(cascade)
    const [hello] = patient.intents()
    patient.message(hello?.intentId ?? '', { state: 'sent' })
    patient.happens(...receipt('message.bounced.v1', hello?.intentId ?? ''))
    expect(patient.timers()).toHaveLength(1)
  })
})

describe('a split', () => {
  const split = (weights: readonly number[]): Step => ({
    split: {
      id: 'tone',
      arms: weights.map((weight, index) => ({
        name: `arm${index}`,
        weight,
        ...(index === 0 ? {} : { steps: [message('hello', { id: `hello-${index}` })] }),
      })),
    },
  })

  test('puts the same person into the same arm, every time', () => {
    const subjects = Array.from({ length: 50 }, (_, index) => `person-${index}`)
    const arms = () =>
      subjects.map((subject) => messages(discharged([split([1, 1])], monday, subject)))
    expect(arms()).toEqual(arms())
    expect(new Set(arms().map(String)).size).toBe(2)
  })

  test('keeps to its weights, within what chance allows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(1_000), (weight, salt) => {
        const people = 1_000
        const definition = definitionOf([
          campaign({ id: 'aftercare', steps: [split([10 - weight, weight])] }),
        ])
        let taken = 0
        for (let index = 0; index < people; index += 1) {
          const patient = person(definition, monday, `p${salt}-${index}`)
          patient.happens(discharge)
          taken += patient.intents().length
        }
        const expected = (people * weight) / 10
        // Six times the deviation of a fair draw: once in some hundred million properties.
        const most = 6 * Math.sqrt((people * weight * (10 - weight)) / 100)
        expect(Math.abs(taken - expected)).toBeLessThan(most)
      }),
      { numRuns: 20 },
    )
  })

  test('can be asked for later', () => {
    const steps: Step[] = [
      split([1, 1]),
      {
        branch: [
          {
            when: { field: 'enrolment.tone.arm', op: 'eq', value: 'arm1' },
            steps: [message('later')],
          },
        ],
      },
    ]
    for (let index = 0; index < 20; index += 1) {
      const sent = messages(discharged(steps, monday, `p-${index}`))
      expect(sent).toEqual(sent.length === 0 ? [] : ['hello-1', 'later'])
    }
  })
})

test('an end goes no further, and takes nothing back', () => {
  const patient = discharged([message('hello'), { end: true }, message('later')])
  expect(messages(patient)).toEqual(['hello'])
  expect(patient.intents()[0]?.state).toBe('planned')
  expect(patient.enrolments()).toMatchObject([{ state: 'completed', reason: 'completed' }])
})

test('what a step names is found wherever it stands', () => {
  const inside = message('hello')
  const steps: Step[] = [
    {
      branch: [
        { otherwise: [{ waitFor: { touchpoint: answered, within: 'P1D', otherwise: [inside] } }] },
      ],
    },
  ]
  expect(partsOf(steps[0] as Step).arms?.[0]?.steps).toHaveLength(1)
  expect(definitionOf([campaign({ id: 'aftercare', steps })]).listeners.get(answered)).toEqual(
    new Set(['aftercare']),
  )
})
