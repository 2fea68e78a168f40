import { compileDefinition } from '@wegwijs/campaign/compile'
import { channelNames } from '@wegwijs/campaign/definition/words'
import type { JourneyEvent } from '@wegwijs/campaign/state'
import { answerBy } from '@wegwijs/campaign/steps/ask'
import { stepsSchema } from '@wegwijs/campaign/steps/registry'
import type { Step } from '@wegwijs/campaign/steps/step'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { describe, expect, test } from 'vitest'
import { wordOf } from '../../src/reply-word.ts'
import { definitionOf, person } from '../given.ts'

const booked = 'care.appointment.booked.v1'
const moved = 'care.appointment.moved.v1'
const cancelled = 'care.appointment.cancelled.v1'

const says = (text: string) => ({ nl: text, en: text })

/** `confirm`, `move` and nothing within two days, each with a message of its own. */
function asking(over: object = {}): Step {
  return {
    ask: {
      id: 'coming',
      template: 'hello',
      question: says('Komt u?'),
      within: 'P2D',
      answers: [
        {
          answer: 'confirm',
          says: says('Ja'),
          words: { nl: ['ja', 'ik kom'], en: ['yes'] },
          steps: [
            message('later', {
              id: 'see-you',
              send: { until: 'entity.startsAt', offset: '-PT2H', on: 'any-day' },
            }),
          ],
        },
        { answer: 'move', says: says('Anders'), steps: [message('later', { id: 'other-day' })] },
      ],
      otherwise: [message('later', { id: 'we-call' })],
      ...over,
    },
  }
}

const appointment = (version: number, startsAt: string): Partial<JourneyEvent> => ({
  entity: { type: 'appointment', id: 'A-1', version },
  data: { startsAt },
})

/** Somebody with an appointment on the 20th, asked at once, in a campaign of these steps. */
function asked(steps: readonly Step[] = [asking()]) {
  const definition = definitionOf([
    campaign({
      id: 'appointment',
      entry: 'once-per-entity',
      trigger: { touchpoint: booked },
      exit: [{ touchpoint: cancelled, entity: 'same' }],
      steps: [...steps],
    }),
  ])
  const patient = person(definition)
  patient.happens(booked, appointment(1, '2026-03-20T09:00:00.000Z'))
  for (const { intentId } of patient.intents()) patient.message(intentId, { state: 'sent' })
  const answers = (answer: string, intent = patient.intents()[0]) =>
    patient.happens('message.answered.v1', {
      data: { intentId: intent?.intentId ?? '', answer, by: 'link' },
    })
  const planned = () =>
    patient
      .intents()
      .filter(({ state }) => state === 'planned')
      .map(({ messageId }) => messageId)
  return { ...patient, patient, answers, planned }
}

describe('a question', () => {
  test('is a message that keeps what it asked, and waits from when it is due', () => {
    const { patient } = asked()
    expect(patient.intents()).toMatchObject([
      { messageId: 'coming', answer: null, question: { text: says('Komt u?') } },
    ])
    expect(patient.timers()).toMatchObject([{ dueAt: '2026-03-04T09:00:00.000Z' }])
  })

  test('goes the way of its answer at once, and only once', () => {
    const { patient, answers, planned } = asked()
    expect(answers('confirm')).toBe('answered')
    expect(planned()).toEqual(['see-you'])
    expect(patient.intents()[0]).toMatchObject({ answer: 'confirm' })
    expect(answers('confirm')).toBe('answer_repeated')
    expect(answers('move')).toBe('answer_repeated')
    expect(planned()).toEqual(['see-you'])
    expect(patient.timers()).toEqual([])
  })

  test('knows no other answers than its own', () => {
    const { answers, planned } = asked()
    expect(answers('maybe')).toBe('answer_unknown')
    expect(planned()).toEqual([])
  })

  test('is over when nobody has answered in time: a late answer changes nothing', () => {
    const { patient, answers, planned } = asked()
    patient.comes('2026-03-04T09:00:00.000Z')
    expect(patient.reasons).toContain('not_answered')
    expect(planned()).toEqual(['we-call'])
    expect(answers('confirm')).toBe('answer_too_late')
    expect(planned()).toEqual(['we-call'])
    expect(patient.intents()[0]?.answer).toBeNull()
  })

  test('that has not gone out when its time is over is taken back', () => {
    const { patient } = asked()
    patient.message(patient.intents()[0]?.intentId ?? '', { state: 'planned' })
    patient.comes('2026-03-04T09:00:00.000Z')
    expect(patient.intents()[0]).toMatchObject({ state: 'cancelled', reason: 'not_answered' })
  })

  test('that was put off has its time from when it is due', () => {
    const { patient, planned } = asked()
    const dueAt = '2026-03-03T09:00:00.000Z'
    patient.message(patient.intents()[0]?.intentId ?? '', { dueAt })
    patient.comes('2026-03-04T09:00:00.000Z')
    expect(planned()).toEqual([])
    expect(patient.timers()).toMatchObject([{ dueAt: '2026-03-05T09:00:00.000Z' }])
  })

  test('that cannot be asked any more is not waited for', () => {
    const { planned, patient } = asked([asking({ until: 'entity.endsAt' })])
    // It has not gone unanswered: nobody was asked.
    expect(patient.reasons).toEqual(['enrolled', 'moment_unknown', 'message_planned', 'completed'])
    expect(planned()).not.toContain('coming')
    expect(patient.timers()).toEqual([])
  })

  test('ends with its campaign', () => {
    const { patient, answers } = asked()
    patient.happens(cancelled, appointment(2, '2026-03-20T09:00:00.000Z'))
    expect(answers('confirm')).toBe('answer_too_late')
  })

  test('can be asked after by later conditions', () => {
    const branch: Step = {
      branch: [
        {
          when: { field: 'enrolment.coming.answer', op: 'eq', value: 'move' },
          steps: [message('later', { id: 'moved' })],
        },
      ],
    }
    const { answers, planned } = asked([asking({ otherwise: undefined }), branch])
    answers('move')
    expect(planned()).toEqual(['other-day', 'moved'])
  })
})

describe('when the appointment moves', () => {
  test('what waits for an answer is asked again, and the older answer does not count', () => {
    const { patient, answers, planned } = asked()
    patient.comes('2026-03-03T09:00:00.000Z')
    patient.happens(moved, appointment(2, '2026-03-25T09:00:00.000Z'))
    const [older, newer] = patient.intents()
    expect(newer).toMatchObject({ messageId: 'coming', state: 'planned', entity: { version: 2 } })
    expect(patient.timers()).toMatchObject([{ dueAt: '2026-03-05T09:00:00.000Z' }])
    expect(answers('confirm', older)).toBe('answer_of_older')
    expect(answers('confirm', newer)).toBe('answered')
    expect(planned()).toContain('see-you')
  })

  test('what was answered is asked again when its moment hangs on it, and what followed is taken back', () => {
    const send = { until: 'entity.startsAt', offset: '-P3D', on: 'any-day' }
    const { patient, answers, planned } = asked([asking({ send })])
    const [first] = patient.intents()
    patient.message(first?.intentId ?? '', { state: 'delivered' })
    answers('confirm', first)
    expect(planned()).toEqual(['see-you'])
    expect(patient.enrolments()).toMatchObject([{ state: 'completed' }])
    patient.happens(moved, appointment(2, '2026-03-25T09:00:00.000Z'))
    expect(planned()).toEqual(['coming'])
    expect(patient.enrolments()).toMatchObject([{ state: 'running', endedAt: null }])
    expect(patient.timers()).toMatchObject([{ dueAt: '2026-03-24T09:00:00.000Z' }])
    answers(
      'move',
      patient.intents().findLast(({ messageId }) => messageId === 'coming'),
    )
    expect(planned()).toEqual(['coming', 'other-day'])
  })

  test.each([
    { state: 'bounced', reason: 'bounced' },
    { state: 'skipped', reason: 'no_usable_channel' },
    { state: 'cancelled', reason: 'not_answered' },
  ] as const)('what reached nobody ($state, $reason) is asked again, too (P1)', (change) => {
    const send = { until: 'entity.startsAt', offset: '-P3D', on: 'any-day' }
    const { patient, planned } = asked([asking({ send })])
    patient.message(patient.intents()[0]?.intentId ?? '', change)
    patient.comes('2026-03-19T09:00:00.000Z')
    expect(planned()).toEqual(['we-call'])
    patient.happens(moved, appointment(2, '2026-03-25T09:00:00.000Z'))
    expect(planned()).toEqual(['coming'])
    expect(patient.enrolments()).toMatchObject([{ state: 'running', step: '0' }])
    expect(patient.timers()).toMatchObject([{ dueAt: '2026-03-24T09:00:00.000Z' }])
  })

  test('what could not be asked at first is asked, and what followed is taken back (P1)', () => {
    const send = { until: 'entity.startsAt', offset: '-P3D', on: 'any-day' } as const
    const definition = definitionOf([
      campaign({
        id: 'appointment',
        entry: 'once-per-entity',
        trigger: { touchpoint: booked },
        steps: [asking({ send })],
      }),
    ])
    const patient = person(definition)
    patient.happens(booked, { ...appointment(1, ''), data: {} })
    const seen = () => patient.intents().map(({ messageId, state }) => `${messageId} ${state}`)
    expect(seen()).toEqual(['we-call planned'])
    patient.happens(moved, appointment(2, '2026-03-25T09:00:00.000Z'))
    expect(seen()).toEqual(['we-call cancelled', 'coming planned'])
    expect(patient.enrolments()).toMatchObject([{ state: 'running', step: '0' }])
    expect(patient.timers()).toMatchObject([{ dueAt: '2026-03-24T09:00:00.000Z' }])
  })

  describe('the first of its questions is asked again', () => {
    const before = (offset: string) => ({
      until: 'entity.startsAt',
      offset,
      on: 'any-day' as const,
    })
    const cascade = {
      channels: { cascade: channelNames.slice(0, 2), after: 'PT2H' },
      send: before('-P1D'),
    }
    const second = asking({ id: 'second', send: before('-P1D') })
    const answer = (steps: readonly Step[]) => ({ answer: 'confirm', says: says('Ja'), steps })
    test.each<[string, object]>([
      [
        'a cascade in one of its ways',
        { answers: [answer([message('later', { id: 'eve', ...cascade })])] },
      ],
      ['a question in one of its ways', { answers: [answer([second])] }],
    ])('with %s', (_, over) => {
      const first = asking({ send: before('-P3D'), ...over })
      const { patient, answers, planned } = asked([first])
      const coming = () => patient.intents().findLast(({ messageId }) => messageId === 'coming')
      answers('confirm', coming())
      patient.happens(moved, appointment(2, '2026-03-25T09:00:00.000Z'))
      expect(planned()).toEqual(['coming'])
      patient.message(coming()?.intentId ?? '', { state: 'delivered' })
      expect(answers('confirm', coming())).toBe('answered')
      expect(planned()).toHaveLength(1)
    })

    test('with a question for whoever says nothing', () => {
      const { patient, answers, planned } = asked([
        asking({ send: before('-P15D'), otherwise: [second] }),
      ])
      const coming = () => patient.intents().findLast(({ messageId }) => messageId === 'coming')
      patient.comes('2026-03-07T09:00:00.000Z')
      expect(planned()).toEqual(['second'])
      patient.happens(moved, appointment(2, '2026-03-25T09:00:00.000Z'))
      expect(planned()).toEqual(['coming'])
      patient.message(coming()?.intentId ?? '', { state: 'delivered' })
      expect(answers('confirm', coming())).toBe('answered')
      expect(planned()).toEqual(['see-you'])
    })
  })

  test.each([
    ['is withdrawn', {}],
    ['went out', { state: 'sent' as const }],
  ])(
    'what follows another answer than the last one, and %s, is not told of any later version',
    (_, change) => {
      const before = (offset: string) => ({
        until: 'entity.startsAt',
        offset,
        on: 'any-day' as const,
      })
      const answer = (id: string, messageId: string) => ({
        answer: id,
        says: says(id),
        steps: [message('later', { id: messageId, send: before('-PT2H') })],
      })
      const { patient, answers, planned } = asked([
        asking({
          send: before('-P3D'),
          answers: [answer('confirm', 'see-you'), answer('move', 'other-day')],
        }),
      ])
      const newest = (id: string) => patient.intents().findLast(({ messageId }) => messageId === id)
      answers('confirm', newest('coming'))
      patient.message(newest('see-you')?.intentId ?? '', change)
      patient.happens(moved, appointment(2, '2026-03-25T09:00:00.000Z'))
      expect(planned()).toEqual(['coming'])
      patient.message(newest('coming')?.intentId ?? '', { state: 'delivered' })
      answers('move', newest('coming'))
      expect(planned()).toEqual(['other-day'])
      patient.comes('2026-03-23T10:00:00.000Z')
      patient.happens(moved, appointment(3, '2026-03-26T09:00:00.000Z'))
      expect(planned()).toEqual(['other-day'])
      expect(newest('other-day')).toMatchObject({ entity: { version: 3 } })
    },
  )

  test('what could not be planned behind the newer answer is told of a later version (P1)', () => {
    const before = (until: string, offset: string) => ({ until, offset, on: 'any-day' as const })
    const home = message('later', { id: 'home', send: before('entity.endsAt', '-PT2H') })
    const { patient, answers, planned } = asked([
      asking({
        send: before('entity.startsAt', '-P3D'),
        answers: [{ answer: 'confirm', says: says('Ja'), steps: [home] }],
      }),
    ])
    const newest = (id: string) => patient.intents().findLast(({ messageId }) => messageId === id)
    const moves = (version: number, startsAt: string, endsAt: string | null) =>
      patient.happens(moved, { ...appointment(version, startsAt), data: { startsAt, endsAt } })
    const confirms = () => {
      patient.message(newest('coming')?.intentId ?? '', { state: 'delivered' })
      answers('confirm', newest('coming'))
    }
    moves(2, '2026-03-20T09:00:00.000Z', '2026-03-20T10:00:00.000Z')
    confirms()
    patient.message(newest('home')?.intentId ?? '', { state: 'sent' })
    moves(3, '2026-03-25T09:00:00.000Z', null)
    confirms()
    expect(patient.reasons).toContain('moment_unknown')
    patient.comes('2026-03-24T09:00:00.000Z')
    moves(4, '2026-03-26T09:00:00.000Z', '2026-03-26T10:00:00.000Z')
    expect(planned()).toEqual(['home'])
  })

  test('what stands behind a question that nobody was led back to is told of a later version (P1)', () => {
    const send = { until: 'entity.startsAt', offset: '-P5D', on: 'any-day' as const }
    const { patient, planned } = asked([
      asking({ until: 'entity.startsAt', otherwise: undefined }),
      message('later', { id: 'eve', send, until: 'entity.startsAt' }),
    ])
    const of = (id: string) => patient.intents().findLast(({ messageId }) => messageId === id)
    patient.message(of('coming')?.intentId ?? '', { state: 'planned' })
    patient.happens(moved, appointment(2, '2026-03-01T09:00:00.000Z'))
    patient.comes('2026-03-05T09:00:00.000Z')
    patient.happens(moved, appointment(3, '2026-03-20T09:00:00.000Z'))
    // Nobody waits for an answer any more.
    expect(planned()).toEqual(['eve'])
    patient.message(of('eve')?.intentId ?? '', { state: 'sent' })
    patient.happens(moved, appointment(4, '2026-03-06T09:00:00.000Z'))
    patient.happens(moved, appointment(5, '2026-03-21T09:00:00.000Z'))
    expect(planned()).toContain('eve')
  })

  test('what was asked at once and answered is not asked again', () => {
    const { patient, answers, planned } = asked()
    answers('move')
    patient.happens(moved, appointment(2, '2026-03-25T09:00:00.000Z'))
    expect(planned()).not.toContain('coming')
    expect(patient.enrolments()).toMatchObject([{ state: 'completed' }])
  })
})

describe('what somebody writes back', () => {
  const { answers } = (asking() as Extract<Step, { ask: object }>).ask
  const question = {
    text: says('Komt u?'),
    answers: answers.map(({ answer, says: own, words = null }) => ({ answer, says: own, words })),
  }

  test.each([
    ['ja', 'confirm'],
    [' JA!! ', 'confirm'],
    ['Ik kom.', 'confirm'],
    ['yes', 'confirm'],
    ['ja maar later', null],
    ['', null],
    ['anders', null],
  ])('%j is %s', (text, answer) => {
    expect(answerBy(text, question)).toBe(answer)
  })

  test('counts without its accents', () => {
    expect(wordOf('Één – JA?')).toBe('een ja')
  })
})

describe('a question that nobody could answer as meant is refused', () => {
  const faultsOf = (answersOf: object[]) =>
    stepsSchema.safeParse([asking({ answers: answersOf })]).error?.issues.length ?? 0
  const answer = (name: string, words?: string[]) => ({
    answer: name,
    says: says(name),
    ...(words ? { words: { nl: words, en: words } } : {}),
  })

  test.each([
    ['the same word under two answers', [answer('a', ['ja']), answer('b', ['JA!'])]],
    ['the same name twice', [answer('a'), answer('a')]],
    ['a word that asks us to stop', [answer('a', ['stop'])]],
    ['a word without a letter', [answer('a', ['?'])]],
    ['no answers', []],
  ])('%s', (_, answersOf) => {
    expect(faultsOf(answersOf)).toBeGreaterThan(0)
  })

  test('any other is not', () => {
    expect(faultsOf([answer('a', ['ja']), answer('b', ['nee'])])).toBe(0)
  })
})

test('who is too young to be written to is not asked, and nobody answers for them', () => {
  const bundle = smallHospital([campaign({ id: 'home', steps: [asking()] })])
  const policies = { ...bundle.policies, ages: [{ under: 12, to: ['parent' as const] }] }
  const [file] = bundle.campaigns
  if (!file) throw new Error('there is no campaign')
  const version = {
    id: 'home',
    version: 1,
    live: true,
    file,
    templates: { hello: 'h', later: 'l' },
  }
  const definition = compileDefinition(1, { ...bundle, policies }, [version])
  for (const [birthYear, asked, reasons] of [
    [2018, [], ['enrolled', 'recipient_by_age', 'no_recipient', 'completed']],
    [1980, ['coming'], ['enrolled', 'message_planned', 'waiting']],
  ] as const) {
    const child = person(definition)
    child.happens('person.upserted.v1', { data: { birthYear } })
    child.happens('care.discharge.completed.v1')
    expect(child.intents().map(({ messageId }) => messageId)).toEqual(asked)
    expect(child.reasons).toEqual(reasons)
  }
})
