import { mergePeople } from '@wegwijs/campaign/merge'
import type { JourneyEvent } from '@wegwijs/campaign/state'
import type { Step } from '@wegwijs/campaign/steps/step'
import { campaign, message } from '@wegwijs/test-support/small-hospital'
import { describe, expect, test } from 'vitest'
import { definitionOf, person } from '../given.ts'

const booked = 'care.appointment.booked.v1'
const moved = 'care.appointment.moved.v1'
const cancelled = 'care.appointment.cancelled.v1'
const says = (text: string) => ({ nl: text, en: text })

/** A call a day before the appointment, within half a day. */
function calling(over: object = {}): Step {
  return {
    task: {
      id: 'call',
      team: 'nurses',
      title: says('Bel'),
      due: { until: 'entity.startsAt', offset: '-P1D', on: 'any-day' },
      within: 'PT12H',
      outcomes: [
        { outcome: 'reached', says: says('Gesproken') },
        { outcome: 'missed', says: says('Niet'), steps: [message('hello')] },
      ],
      otherwise: [message('later')],
      ...over,
    },
  }
}

const appointment = (version: number, startsAt: string): Partial<JourneyEvent> => ({
  entity: { type: 'appointment', id: 'A-1', version },
  data: { startsAt },
})

function planned(steps: readonly Step[] = [calling()]) {
  const definition = definitionOf([
    campaign({
      id: 'preparation',
      entry: 'once-per-entity',
      trigger: { touchpoint: booked },
      exit: [{ touchpoint: 'care.admission.started.v1' }],
      steps: [...steps],
    }),
  ])
  const patient = person(definition)
  patient.happens(booked, appointment(1, '2026-03-20T09:00:00.000Z'))
  const tasks = () => [...patient.state.tasks.values()]
  const done = (outcome: string, taskId = tasks().at(-1)?.taskId ?? '') =>
    patient.happens('task.done.v1', { data: { taskId, outcome } })
  const sent = () => patient.intents().map(({ messageId }) => messageId)
  const say = (outcome: string) => sayOf(patient, outcome)
  return { patient, tasks, done, sent, say }
}

/** Somebody says what came of the task; the event that tells it comes in later. */
function sayOf(patient: ReturnType<typeof person>, said: string): void {
  const tasks = [...patient.state.tasks].map(([id, task]) => [id, { ...task, said }] as const)
  patient.state = { ...patient.state, tasks: new Map(tasks) }
}

describe('a task', () => {
  test('is made for a team, due at its moment, and waited for from then', () => {
    const { patient, tasks } = planned()
    expect(tasks()).toMatchObject([
      { name: 'call', team: 'nurses', state: 'open', dueAt: '2026-03-19T09:00:00.000Z' },
    ])
    expect(patient.timers()).toMatchObject([{ dueAt: '2026-03-19T21:00:00.000Z' }])
  })

  test('goes the way of what came of it; the first word counts', () => {
    const { patient, tasks, done, sent } = planned()
    expect(done('missed')).toBe('task_done')
    expect(tasks()).toMatchObject([{ state: 'done', outcome: 'missed' }])
    expect(sent()).toEqual(['hello'])
    expect(done('reached')).toBe('task_closed')
    expect(sent()).toEqual(['hello'])
    expect(patient.timers()).toEqual([])
  })

  test('has only its own outcomes, and only there where it is', () => {
    const { tasks, done } = planned()
    expect(done('perhaps')).toBe('task_outcome_unknown')
    expect(done('reached', 'another')).toBe('task_unknown')
    expect(tasks()).toMatchObject([{ state: 'open' }])
  })

  test('that nobody does in time is taken back', () => {
    const { patient, tasks, done, sent } = planned()
    patient.comes('2026-03-19T21:00:00.000Z')
    expect(tasks()).toMatchObject([{ state: 'withdrawn', reason: 'task_not_done' }])
    expect(sent()).toEqual(['later'])
    expect(done('reached')).toBe('task_closed')
    expect(sent()).toEqual(['later'])
  })

  test('is taken back with its campaign', () => {
    const { patient, tasks } = planned()
    patient.happens('care.admission.started.v1')
    expect(tasks()).toMatchObject([{ state: 'withdrawn', reason: 'exit_touchpoint' }])
  })

  test('of somebody who has died is taken back', () => {
    const { patient, tasks } = planned()
    patient.happens('person.deceased.v1')
    expect(tasks()).toMatchObject([{ state: 'withdrawn', reason: 'person_deceased' }])
  })

  test('of which somebody has said what came of it is done, whatever would take it back', () => {
    const before = planned()
    before.say('missed')
    before.patient.comes('2026-03-19T21:00:00.000Z')
    expect(before.tasks()).toMatchObject([{ state: 'done', outcome: 'missed' }])
    expect(before.sent()).toEqual(['hello'])
    // Its event comes in behind that.
    expect(before.done('missed')).toBe('task_done')
    expect(before.sent()).toEqual(['hello'])

    const left = planned()
    left.say('missed')
    left.patient.happens('care.admission.started.v1')
    expect(left.tasks()).toMatchObject([{ state: 'done', outcome: 'missed', reason: 'task_done' }])
    expect(left.patient.reasons).toEqual(['task_done', 'exit_touchpoint'])
    expect(left.sent()).toEqual([])
  })

  test('what is said of one that was taken back is noted, and changes nothing', () => {
    const { patient, tasks, done, sent } = planned()
    patient.happens('care.admission.started.v1')
    const [task] = tasks()
    expect(done('reached')).toBe('task_closed')
    const { enrolmentId, taskId } = task ?? {}
    expect(patient.decisions).toMatchObject([
      {
        enrolmentId,
        reason: 'task_closed',
        detail: { step: '0', task: 'call', taskId, outcome: 'reached' },
      },
    ])
    expect(tasks()).toMatchObject([{ state: 'withdrawn', outcome: null, said: 'reached' }])
    expect(sent()).toEqual([])
  })

  test('of which something was said since counts when the campaign comes back to it', () => {
    const date = { field: 'person.operationOn', before: 'P1D', at: '09:00' }
    const definition = definitionOf([
      campaign({ id: 'preparation', trigger: { date }, steps: [calling({ due: undefined })] }),
    ])
    const patient = person(definition)
    const tells = (operationOn: string) =>
      patient.happens('person.upserted.v1', { data: { attributes: { operationOn } } })
    tells('2026-03-03')
    patient.comes('2026-03-02T09:30:00.000Z')
    const [task] = patient.state.tasks.values()
    tells('2026-04-01')
    expect([...patient.state.tasks.values()]).toMatchObject([{ state: 'withdrawn' }])
    const data = { taskId: task?.taskId ?? '', outcome: 'missed' }
    expect(patient.happens('task.done.v1', { data })).toBe('task_closed')
    tells('2026-03-03')
    expect([...patient.state.tasks.values()]).toMatchObject([{ state: 'done', outcome: 'missed' }])
    expect(patient.intents()).toMatchObject([{ messageId: 'hello', state: 'planned' }])
    expect(patient.enrolments()).toMatchObject([{ state: 'completed' }])
  })

  test('moves along with the appointment', () => {
    const { patient, tasks, done } = planned()
    patient.happens(moved, appointment(2, '2026-03-25T09:00:00.000Z'))
    expect(tasks()).toMatchObject([
      { state: 'open', entity: { version: 2 }, dueAt: '2026-03-24T09:00:00.000Z' },
    ])
    expect(patient.reasons).toContain('task_moved')
    expect(patient.timers()).toMatchObject([{ dueAt: '2026-03-24T21:00:00.000Z' }])
    expect(done('reached')).toBe('task_done')
  })

  test('is taken back when the appointment is cancelled, and made again when it takes place after all', () => {
    const { patient, tasks } = planned()
    patient.happens(cancelled, { ...appointment(2, ''), data: {} })
    expect(tasks()).toMatchObject([{ state: 'withdrawn', reason: 'entity_withdrawn' }])
    patient.happens(moved, appointment(3, '2026-03-25T09:00:00.000Z'))
    expect(tasks()).toMatchObject([
      { state: 'withdrawn' },
      { state: 'open', dueAt: '2026-03-24T09:00:00.000Z' },
    ])
  })

  test('whose moment has passed is due at once', () => {
    const { tasks } = planned([
      calling({ due: { until: 'entity.startsAt', offset: '-P30D', on: 'any-day' } }),
    ])
    expect(tasks()).toMatchObject([{ dueAt: '2026-03-02T09:00:00.000Z' }])
  })

  test('can be asked after by later conditions', () => {
    const branch: Step = {
      branch: [
        {
          when: { field: 'enrolment.call.outcome', op: 'eq', value: 'reached' },
          steps: [message('later', { id: 'thanks' })],
        },
      ],
    }
    const { done, sent } = planned([calling({ otherwise: undefined }), branch])
    done('reached')
    expect(sent()).toEqual(['thanks'])
  })
})

/** A call of a class that asks for a consent, and then what is done when nobody was called. */
function invited(
  over: Partial<Parameters<typeof campaign>[0]> = {},
  { consents = [] as JourneyEvent['data'][], birthYear = 1950, ages = true } = {},
) {
  const own = definitionOf([
    campaign({
      id: 'friends',
      class: 'marketing',
      entry: 'every-time',
      steps: [calling({ due: undefined }), message('hello', { id: 'after' })],
      ...over,
    }),
  ])
  const definition = ages
    ? { ...own, ages: [{ under: 16, to: ['parent'] as const }], asksForRelations: true }
    : own
  const patient = person(definition)
  patient.happens('person.upserted.v1', { data: { birthYear } })
  for (const data of consents) patient.happens('consent.granted.v1', { data })
  patient.happens('care.discharge.completed.v1')
  const tasks = () => [...patient.state.tasks.values()]
  const sent = () => patient.intents().map(({ messageId }) => messageId)
  return { patient, tasks, sent }
}

const granted = { purpose: 'marketing' }

describe('a task is a contact, like a message', () => {
  test('it is made for whoever agreed to its class, and waits', () => {
    const { tasks, sent } = invited({}, { consents: [granted] })
    expect(tasks()).toMatchObject([{ state: 'open' }])
    expect(sent()).toEqual([])
  })

  test('without a consent that its class asks for it is not made, and otherwise follows at once', () => {
    const { patient, tasks, sent } = invited()
    expect(tasks()).toEqual([])
    expect(sent()).toEqual(['later', 'after'])
    expect(patient.timers()).toEqual([])
    expect(patient.decisions).toContainEqual(
      expect.objectContaining({ reason: 'consent_missing', detail: { step: '0', task: 'call' } }),
    )
  })

  test('a consent for one channel says nothing of a call', () => {
    expect(invited({}, { consents: [{ ...granted, channel: 'email' }] }).tasks()).toEqual([])
  })

  test('a no to its class, or to everything, keeps it from being made; one to a channel or another class does not', () => {
    const after = (...no: JourneyEvent['data'][]) => {
      const { patient, tasks } = invited({ class: 'care' })
      expect(tasks()).toMatchObject([{ state: 'open' }])
      for (const data of no) patient.happens('consent.withdrawn.v1', { data })
      patient.happens('care.discharge.completed.v1', { time: '2026-03-02T09:00:01.000Z' })
      return tasks().map(({ state }) => state)
    }
    expect(after({ purpose: 'marketing' })).toEqual(['open', 'open'])
    expect(after({ purpose: 'all', channel: 'sms' })).toEqual(['open', 'open'])
    expect(after({ purpose: 'care' })).toEqual(['withdrawn'])
    expect(after({ purpose: 'all' })).toEqual(['withdrawn'])
  })

  test('it is taken back when the person says no while it is open; nobody can do it any more', () => {
    const { patient, tasks, sent } = invited({}, { consents: [granted] })
    const [task] = tasks()
    patient.happens('consent.withdrawn.v1', { data: { purpose: 'all' } })
    expect(tasks()).toMatchObject([{ state: 'withdrawn', reason: 'consent_withdrawn' }])
    expect(patient.reasons).toContain('consent_withdrawn')
    expect(sent()).toEqual(['later', 'after'])
    expect(patient.timers()).toEqual([])
    const data = { taskId: task?.taskId ?? '', outcome: 'missed' }
    expect(patient.happens('task.done.v1', { data })).toBe('task_closed')
    expect(sent()).toEqual(['later', 'after'])
  })

  test('what somebody said of it before the no counts, also when the no is read first', () => {
    const { patient, tasks, sent } = invited({}, { consents: [granted] })
    const [task] = tasks()
    sayOf(patient, 'missed')
    patient.happens('consent.withdrawn.v1', { data: { purpose: 'all' } })
    expect(tasks()).toMatchObject([{ state: 'done', outcome: 'missed' }])
    expect(patient.reasons).toContain('task_done')
    expect(sent()).toEqual(['hello', 'after'])
    const data = { taskId: task?.taskId ?? '', outcome: 'missed' }
    expect(patient.happens('task.done.v1', { data })).toBe('task_done')
    expect(sent()).toEqual(['hello', 'after'])
  })

  test('it is taken back when the person turns out to be too young for it, and stays when they are not', () => {
    const { patient, tasks, sent } = invited({}, { consents: [granted] })
    patient.happens('person.upserted.v1', { data: { birthYear: 2010 } })
    expect(tasks()).toMatchObject([{ state: 'open' }])
    patient.happens('person.upserted.v1', { data: { birthYear: 2018 } })
    expect(tasks()).toMatchObject([{ state: 'withdrawn', reason: 'recipient_by_age' }])
    expect(patient.reasons).toContain('recipient_by_age')
    expect(patient.timers()).toEqual([])
    expect(patient.enrolments()).toMatchObject([{ state: 'completed' }])
    // Nobody is written to in its place, either: they have no parent that is known.
    expect(sent()).toEqual([])
  })

  test('about a child in our care it stays open, however young they turn out to be', () => {
    const { patient, tasks } = invited({ class: 'care' })
    patient.happens('person.upserted.v1', { data: { birthYear: 2018 } })
    expect(tasks()).toMatchObject([{ state: 'open' }])
  })

  test('when two records become one, the year of birth of either is asked', () => {
    const { patient, tasks } = invited({}, { consents: [granted], birthYear: null as never })
    const other = person(patient.context().definition, '2026-03-02T09:00:00.000Z', 'p2')
    other.happens('person.upserted.v1', { data: { birthYear: 2018 } })
    expect(tasks()).toMatchObject([{ state: 'open' }])
    patient.state = mergePeople(patient.state, other.state, patient.context()).state
    expect(tasks()).toMatchObject([{ state: 'withdrawn', reason: 'recipient_by_age' }])
  })

  test('whom the rules of age leave out gets none of a class that asks for a consent, at the age at which it is due', () => {
    const consents = [{ purpose: 'marketing' }]
    const child = { birthYear: 2018, consents }
    const { tasks, patient } = invited({ class: 'marketing' }, child)
    expect(tasks()).toEqual([])
    expect(patient.enrolments()).toMatchObject([{ state: 'completed' }])
    expect(patient.reasons).toContain('recipient_by_age')
    expect(invited({ class: 'marketing' }, { ...child, ages: false }).tasks()).toHaveLength(1)
    expect(invited({ class: 'marketing' }, { birthYear: 2010, consents }).tasks()).toHaveLength(1)
  })

  test('a team calls about a child in our care, whoever it is that it calls', () => {
    expect(invited({ class: 'care' }, { birthYear: 2018 }).tasks()).toHaveLength(1)
  })

  test('a no of either record holds for whoever both become', () => {
    const { patient, tasks, sent } = invited({ class: 'care' }, { ages: false })
    const other = person(patient.context().definition, '2026-03-02T09:00:00.000Z', 'p2')
    other.happens('consent.withdrawn.v1', { data: { purpose: 'all' } })
    patient.state = mergePeople(patient.state, other.state, patient.context()).state
    expect(tasks()).toMatchObject([{ state: 'withdrawn', reason: 'consent_withdrawn' }])
    expect(sent()).toEqual(['later', 'after'])
  })

  test('of a version that cannot be read a no takes it back all the same', () => {
    const { patient, tasks } = invited({ class: 'care' }, { ages: false })
    const { definition } = patient.context()
    const unclear = { why: new Error('unreadable') }
    const campaigns = new Map(
      [...definition.campaigns].map(([key, each]) => [key, { ...each, unclear }]),
    )
    patient.use({ ...definition, campaigns } as never)
    expect(patient.happens('consent.withdrawn.v1', { data: { purpose: 'all' } })).toBe('applied')
    expect(tasks()).toMatchObject([{ state: 'withdrawn', reason: 'consent_withdrawn' }])
  })
})
