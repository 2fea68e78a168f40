import { type CompiledDefinition, compileDefinition } from '@wegwijs/campaign/compile'
import { readPartly } from '@wegwijs/campaign/definition/partly-read'
import { channelNames } from '@wegwijs/campaign/definition/words'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { describe, expect, test } from 'vitest'
import { definitionOf, person } from './given.ts'

const why = new Error('it was applied by another version of Wegwijs')
const admitted = 'care.admission.started.v1'
const answered = 'care.survey.answered.v1'
const unknown = { field: 'event.tone', op: 'sounds-like', value: 'angry' }
const read = (over: object) =>
  readPartly({ ...smallHospital([campaign({ id: 'a' })]).campaigns[0], ...over }, 'a', why)

describe('of a version that cannot be read whole', () => {
  test('there is everything that can be', () => {
    const exit = { touchpoint: admitted, entity: 'any' as const }
    const { file, unclear } = read({
      steps: [{ whisper: {} }, message('hello')],
      exit: [exit, { touchpoint: answered, where: unknown }],
      goal: { touchpoint: answered, within: 'P1D', where: unknown },
    })
    expect(file).toMatchObject({
      class: 'care',
      exit: [exit],
      goal: { touchpoint: answered, within: 'P1D', entity: 'same' },
      steps: [{ end: true }, message('hello')],
    })
    expect(unclear).toEqual({
      why,
      steps: new Set([0]),
      trigger: false,
      exits: [{ touchpoint: answered, entity: 'same' }],
      goal: true,
      isHidden: false,
    })
  })

  test.each([
    ['a key that nobody knows', { gossip: [] }],
    ['an exit without a touchpoint', { exit: [{ mood: 'angry' }] }],
    ['exits that are no list', { exit: { touchpoint: admitted } }],
    ['a goal without a touchpoint', { goal: { mood: 'happy' } }],
    ['a trigger that nobody knows', { trigger: { date: { mood: 'soon' } } }],
    ['no trigger at all', { trigger: undefined }],
  ])('what ends it is hidden by %s', (_, over) => {
    expect(read(over).unclear.isHidden).toBe(true)
  })

  test('what is no campaign at all ends by nothing, and tells nothing', () => {
    for (const content of [null, 3, [], {}]) {
      const { file, unclear } = readPartly(content, 'a', why)
      expect([file.id, file.exit, file.steps]).toEqual(['a', [], [{ end: true }]])
      expect(unclear.isHidden).toBe(true)
    }
  })

  test('what asks of a step that cannot be read is not clear', () => {
    const of = (step: string) => ({
      not: { any: [{ field: `enrolment.${step}.status`, op: 'eq', value: 'delivered' }] },
    })
    const parts = (step: string) => ({
      steps: [{ whisper: { id: 'lost' } }, message('hello')],
      exit: [{ touchpoint: admitted, where: of(step) }],
      goal: { touchpoint: answered, within: 'P1D', where: of(step) },
    })
    expect(read(parts('lost'))).toMatchObject({
      file: { exit: [], goal: { touchpoint: answered, within: 'P1D' } },
      unclear: { exits: [{ touchpoint: admitted }], goal: true, isHidden: false },
    })
    expect(read(parts('hello'))).toMatchObject({
      file: { exit: [{ where: of('hello') }], goal: { where: of('hello') } },
      unclear: { exits: [], goal: false },
    })
  })

  test('without its class no step can be told anew', () => {
    const { file, unclear } = read({ class: 'gossip' })
    expect([file.steps, unclear.steps]).toEqual([[{ end: true }], new Set([0])])
  })
})

const booked = 'care.appointment.booked.v1'
const moved = 'care.appointment.moved.v1'
const appointment = (version: number, startsAt: string) => ({
  data: { startsAt },
  entity: { type: 'appointment', id: '1', version },
})

/** The same definition, of which the first step can be read no more. */
function unreadable(
  steps: object[],
  over: object = { audience: { mood: 'angry' } },
): { before: CompiledDefinition; after: CompiledDefinition } {
  const files = [
    campaign({
      id: 'guide',
      trigger: { touchpoint: booked },
      entry: 'once-per-entity',
      steps: steps as never,
    }),
  ]
  const bundle = smallHospital(files)
  const partly = readPartly({ ...bundle.campaigns[0], ...over }, 'guide', why)
  const templates = { hello: 'hello-1', later: 'later-1' }
  const version = { id: 'guide', version: 1, live: false, templates, ...partly }
  return { before: definitionOf(files), after: compileDefinition(2, bundle, [version]) }
}

describe('somebody who is through a version that cannot be read', () => {
  test('is led through it no more when the appointment takes place after all, and it is said', () => {
    const { before, after } = unreadable([{ wait: { for: 'P1D' } }, message('hello')])
    const patient = person(before)
    patient.happens(booked, appointment(1, '2026-03-20T09:00:00.000Z'))
    patient.happens('care.appointment.cancelled.v1', {
      entity: { type: 'appointment', id: '1', version: 2 },
    })
    patient.use(after)
    patient.happens(moved, appointment(3, '2026-03-21T09:00:00.000Z'))
    expect(patient.reasons).toEqual(['version_unreadable'])
    expect(patient.enrolments()).toMatchObject([{ state: 'exited', reason: 'entity_withdrawn' }])
    expect(patient.timers()).toEqual([])
  })

  describe('is told of an appointment that moves', () => {
    const send = { until: 'entity.startsAt', offset: '-P1D', at: '10:00', on: 'any-day' } as const
    const told = (steps: object[], over?: object) => {
      const { before, after } = unreadable(steps, over)
      const patient = person(before)
      patient.happens(booked, appointment(1, '2026-03-20T09:00:00.000Z'))
      const intentId = patient.intents()[0]?.intentId ?? ''
      patient.comes('2026-03-19T09:00:00.000Z')
      patient.message(intentId, { state: 'delivered', channel: 'email' })
      patient.happens('message.delivered.v1', { data: { intentId } })
      patient.use(after)
      patient.happens(moved, appointment(2, '2026-03-25T09:00:00.000Z'))
      return patient
    }

    test('not where what would end it is hidden', () => {
      const patient = told([message('hello', { send })], { exit: [{ mood: 'angry' }] })
      expect(patient.intents()).toMatchObject([{ state: 'delivered' }])
      expect(patient.reasons).toEqual(['version_unreadable'])
    })

    test('over the first channel alone where the next would not come, and it is said', () => {
      const channels = { cascade: channelNames.slice(0, 2), after: 'PT30M' }
      const patient = told([message('hello', { send, channels })])
      expect(patient.intents()).toMatchObject([{ state: 'delivered' }, { state: 'planned' }])
      expect(patient.timers()).toEqual([])
      expect(patient.reasons).toContain('version_unreadable')
    })
  })

  test('began for a date of which nobody can say any more whether it has moved, and it is said', () => {
    const date = { field: 'person.operationOn', before: 'P14D', at: '10:00' }
    const bundle = smallHospital([
      campaign({ id: 'guide', trigger: { date }, entry: 'every-time', steps: [message('hello')] }),
    ])
    const [file] = bundle.campaigns
    const templates = { hello: 'hello-1', later: 'later-1' }
    const partly = readPartly({ ...file, trigger: { moon: 'full' } }, 'guide', why)
    const first = { id: 'guide', version: 1, templates }
    const next = { id: 'guide', version: 2, live: true, templates, file: file as never }
    const patient = person(compileDefinition(1, bundle, [{ ...next, version: 1 }]))
    const operation = (operationOn: string) =>
      patient.happens('person.upserted.v1', { data: { attributes: { operationOn } } })
    operation('2026-03-20')
    patient.comes('2026-03-06T09:00:00.000Z')
    const [hello] = patient.intents()
    patient.message(hello?.intentId ?? '', { state: 'delivered' })
    patient.use(compileDefinition(2, bundle, [{ ...first, live: false, ...partly }, next]))
    operation('2026-03-30')
    expect(patient.reasons).toEqual(['version_unreadable'])
    expect(patient.enrolments()).toMatchObject([{ state: 'completed' }])
    expect(patient.timers()).toMatchObject([{ dueAt: '2026-03-16T09:00:00.000Z' }])
  })

  test('is asked nothing whose answer nobody would wait for', () => {
    const { before, after } = unreadable([message('hello'), message('later')])
    const patient = person(before)
    patient.happens(booked, appointment(1, '2026-03-20T09:00:00.000Z'))
    const [hello] = patient.intents()
    const question = { text: { nl: 'Komt u?', en: 'Do you come?' }, answers: [] }
    patient.message(hello?.intentId ?? '', { question })
    patient.use(after)
    patient.happens(moved, appointment(2, '2026-03-21T09:00:00.000Z'))
    expect(
      patient.intents().map(({ messageId, state, reason }) => [messageId, state, reason]),
    ).toEqual([
      ['hello', 'cancelled', 'version_unreadable'],
      ['later', 'cancelled', 'entity_superseded'],
      ['later', 'planned', null],
    ])
  })

  test('stops whoever decides when they are under way after all', () => {
    const { before, after } = unreadable([{ wait: { for: 'P1D' } }, message('hello')])
    const patient = person(before)
    patient.happens(booked, appointment(1, '2026-03-20T09:00:00.000Z'))
    patient.use(after)
    expect(() => patient.comes('2026-03-04T09:00:00.000Z')).toThrow(why)
  })
})
