import { mergePeople } from '@wegwijs/campaign/merge'
import { campaign, message } from '@wegwijs/test-support/small-hospital'
import { describe, expect, test } from 'vitest'
import { definitionOf, nobody, person } from './given.ts'

type Steps = Parameters<typeof campaign>[0]['steps']

const twoWeeksOn = {
  until: 'person.operationOn',
  offset: 'P14D',
  at: '10:00',
  on: 'any-day' as const,
}

function patientOf(steps: Steps, operationOn: string | null = '2026-03-10') {
  const definition = definitionOf([campaign({ id: 'care', entry: 'every-time', steps })])
  const patient = person(definition)
  const operated = (on: string | null, more: object = {}) =>
    patient.happens('person.upserted.v1', {
      data: { attributes: { operationOn: on }, ...more } as never,
    })
  if (operationOn !== null) operated(operationOn)
  patient.happens('care.discharge.completed.v1')
  return { patient, operated, due: () => patient.timers().map(({ dueAt }) => dueAt) }
}

const told = ({ patient }: ReturnType<typeof patientOf>) =>
  patient.intents().map(({ state, reason, dueAt }) => `${state} ${reason} ${dueAt}`)

describe('a wait for a date of the person', () => {
  test.each([
    ['2026-03-10', '2026-03-24T09:00:00.000Z'],
    ['2026-03-15', '2026-03-29T08:00:00.000Z'],
    ['2026-10-11', '2026-10-25T09:00:00.000Z'],
  ])('after %s is %s', (on, dueAt) => {
    expect(patientOf([{ wait: twoWeeksOn }, message('hello')], on).due()).toEqual([dueAt])
  })

  test.each([
    // A time that no clock shows in the first night, and one that they show twice in the second.
    ['2026-03-15', '2026-03-29T01:30:00.000Z'],
    ['2026-10-11', '2026-10-25T00:30:00.000Z'],
  ])('in a night in which the clocks change, after %s, is %s', (on, dueAt) => {
    const wait = { ...twoWeeksOn, at: '02:30' }
    expect(patientOf([{ wait }, message('hello')], on).due()).toEqual([dueAt])
  })

  test('is on the clocks of the person', () => {
    const { patient, due } = patientOf([{ wait: twoWeeksOn }, message('hello')], null)
    expect(patient.intents()).toHaveLength(1)
    patient.happens('person.upserted.v1', {
      data: { attributes: { operationOn: '2026-03-10' }, timeZone: 'America/New_York' } as never,
    })
    patient.happens('care.discharge.completed.v1')
    expect(due()).toEqual(['2026-03-24T14:00:00.000Z'])
  })

  test('moves with it, at once', () => {
    const { patient, operated, due } = patientOf([{ wait: twoWeeksOn }, message('hello')])
    operated('2026-03-12')
    expect(due()).toEqual(['2026-03-26T09:00:00.000Z'])
    operated('2026-01-12')
    expect(due()).toEqual([])
    expect(patient.intents()).toMatchObject([{ state: 'planned' }])
  })

  test('stays as it was when the date is taken away, and moves when it is back', () => {
    const { patient, operated, due } = patientOf([{ wait: twoWeeksOn }, message('hello')])
    operated(null)
    expect(due()).toEqual(['2026-03-24T09:00:00.000Z'])
    expect(patient.intents()).toEqual([])
    operated('2026-03-11')
    expect(due()).toEqual(['2026-03-25T09:00:00.000Z'])
  })

  test('does not wait for what is not known', () => {
    const { patient } = patientOf([{ wait: twoWeeksOn }, message('hello')], null)
    expect(patient.reasons).toContain('moment_unknown')
    expect(patient.intents()).toHaveLength(1)
  })
})

describe('a message at a date of the person', () => {
  test.each(['planned', 'queued'] as const)('that is %s is planned again', (state) => {
    const one = patientOf([message('hello', { send: twoWeeksOn })])
    one.patient.message(one.patient.intents()[0]?.intentId ?? '', { state })
    one.operated('2026-03-12')
    expect(told(one)).toEqual([
      'cancelled date_changed 2026-03-24T09:00:00.000Z',
      'planned null 2026-03-26T09:00:00.000Z',
    ])
  })

  test('is withdrawn when the date is taken away, and planned again when it is back', () => {
    const one = patientOf([message('hello', { send: twoWeeksOn })])
    one.operated(null)
    expect(told(one)).toEqual(['cancelled date_changed 2026-03-24T09:00:00.000Z'])
    one.operated('2026-03-10')
    expect(told(one).slice(1)).toEqual(['planned null 2026-03-24T09:00:00.000Z'])
  })

  test('that went out is told again for a date ahead, and not for one that has passed', () => {
    const one = patientOf([message('hello', { send: twoWeeksOn })])
    one.patient.message(one.patient.intents()[0]?.intentId ?? '', { state: 'sent' })
    one.operated('2026-01-12')
    expect(one.patient.intents()).toHaveLength(1)
    one.operated('2026-03-12')
    expect(told(one).slice(1)).toEqual(['planned null 2026-03-26T09:00:00.000Z'])
  })

  test('is left alone by what else a profile says', () => {
    const one = patientOf([message('hello', { send: twoWeeksOn })])
    one.operated('2026-03-10', { locale: 'en' })
    expect(one.patient.intents()).toHaveLength(1)
  })

  test('ends when the day is over, and with another day later', () => {
    const one = patientOf([message('hello', { until: 'person.operationOn' })], '2026-03-03')
    const ends = () => one.patient.intents().map(({ expiresAt }) => expiresAt)
    expect(ends()).toEqual(['2026-03-03T23:00:00.000Z'])
    one.operated('2026-03-02')
    expect(ends()[1]).toBe('2026-03-02T23:00:00.000Z')
  })

  test('is planned again when the record becomes one with another that knows another date', () => {
    const one = patientOf([message('hello', { send: twoWeeksOn })])
    const other = nobody('person-2')
    const into = { ...other, person: { ...other.person, fields: { operationOn: '2026-03-12' } } }
    const merged = mergePeople(into, one.patient.state, one.patient.context())
    expect([...merged.state.intents.values()]).toMatchObject([
      { state: 'cancelled', reason: 'date_changed' },
      { state: 'planned', dueAt: '2026-03-26T09:00:00.000Z' },
    ])
  })
})

test('a question that was answered is not asked again', () => {
  const answers = ['yes', 'no'].map((answer) => ({
    answer,
    says: { nl: answer, en: answer },
    words: { nl: [answer], en: [answer] },
  }))
  const one = patientOf([
    {
      ask: {
        id: 'hello',
        template: 'hello',
        send: twoWeeksOn,
        question: { nl: 'Komt u?', en: 'Will you come?' },
        within: 'P3D',
        answers,
      },
    },
  ])
  const [asked] = one.patient.intents()
  one.patient.message(asked?.intentId ?? '', { state: 'sent' })
  one.patient.comes('2026-03-24T09:00:00.000Z')
  one.operated('2026-03-12')
  expect(one.due()).toEqual(['2026-03-29T08:00:00.000Z'])
  expect(one.patient.intents()).toHaveLength(2)
  one.patient.comes('2026-03-30T08:00:00.000Z')
  one.operated('2026-03-20')
  expect(one.patient.intents().filter(({ state }) => state === 'planned')).toHaveLength(0)
})
