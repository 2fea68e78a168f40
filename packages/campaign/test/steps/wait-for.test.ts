import type { Step } from '@wegwijs/campaign/steps/step'
import { campaign, message } from '@wegwijs/test-support/small-hospital'
import { describe, expect, test } from 'vitest'
import { definitionOf, person } from '../given.ts'
import { admission, answered, discharge, discharged, messages } from './discharged.ts'

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
    // Put off since, by quiet hours.
    patient.message(hello?.intentId ?? '', { dueAt: '2026-03-03T12:00:00.000Z' })
    patient.comes('2026-03-03T09:30:00.000Z')
    expect(messages(patient)).toEqual(['hello'])
    expect(patient.timers()).toMatchObject([{ dueAt: '2026-03-03T12:30:00.000Z' }])
  })

  test('gives what its channel or provider puts off no more time (P1)', () => {
    const patient = discharged(cascade)
    const [hello] = patient.intents()
    const stopped = { dueAt: '2026-03-02T09:40:00.000Z', dueSince: '2026-03-02T09:00:00.000Z' }
    patient.message(hello?.intentId ?? '', { ...stopped, reason: 'channel_stopped' })
    patient.comes('2026-03-02T09:30:00.000Z')
    expect(patient.intents()).toMatchObject([
      { messageId: 'hello', state: 'cancelled', reason: 'awaited_not_in_time' },
      { messageId: 'next', state: 'planned' },
    ])
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
