import { compileDefinition } from '@wegwijs/campaign/compile'
import type { Step } from '@wegwijs/campaign/steps/step'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { expect, test } from 'vitest'
import { definitionOf, person } from './given.ts'

const discharge = 'care.discharge.completed.v1'
const says = (text: string) => ({ nl: text, en: text })
const toSeniors: Step = {
  branch: [
    { when: { field: 'person.persona', op: 'eq', value: 'senior' }, steps: [message('later')] },
  ],
}
const receipt: Step = {
  waitFor: {
    message: 'hello',
    status: ['delivered'],
    within: 'P30D',
    // biome-ignore lint/suspicious/noThenProperty: the word in the file
    then: [toSeniors],
  },
}
const task: Step = {
  task: {
    id: 'call',
    team: 'nurses',
    title: says('Bel'),
    due: { for: 'PT1H', on: 'any-day' },
    within: 'P30D',
    outcomes: [{ outcome: 'reached', says: says('Gesproken'), steps: [toSeniors] }],
  },
}

type Patient = ReturnType<typeof person>

const december = '2026-12-20T09:00:00.000Z'

function arrives(patient: Patient): void {
  const intentId = patient.intents()[0]?.intentId ?? ''
  patient.message(intentId, { state: 'sent', channel: 'email' })
  patient.happens('message.delivered.v1', { data: { intentId } })
}

// Of a campaign that waits for no receipt none need be loaded: what it changes would hang on the batch.
test('a receipt that nobody waits for says nothing of the persona', () => {
  const steps = [message('hello'), { wait: { for: 'P60D', on: 'any-day' } }] satisfies Step[]
  const patient = person(definitionOf([campaign({ id: 'aftercare', steps })]), december)
  patient.happens('person.upserted.v1', { data: { birthYear: 1962 } })
  patient.happens(discharge)
  patient.comes('2027-01-09T10:00:00.000Z')
  arrives(patient)
  expect(patient.state.person.persona).toBe('everybody')
})

// Whoever is born in 1962 is a senior from New Year on, and nothing tells so but the time.
test.each<[string, readonly Step[], (patient: Patient) => void]>([
  ['a wait', [{ wait: { for: 'P20D', on: 'any-day' } }, toSeniors], () => {}],
  ['a receipt', [message('hello', { id: 'hello' }), receipt], arrives],
  [
    'a task that was done',
    [task],
    (patient) => {
      const [open] = patient.state.tasks.values()
      patient.happens('task.done.v1', {
        data: { taskId: open?.taskId ?? '', outcome: 'reached', by: 'nurse' },
      })
    },
  ],
])('after %s the persona is that of then', (_, steps, goesOn) => {
  const definition = definitionOf([campaign({ id: 'aftercare', steps: [...steps] })])
  const patient = person(definition, december)
  patient.happens('person.upserted.v1', { data: { birthYear: 1962 } })
  patient.happens(discharge)
  expect(patient.state.person.persona).toBe('everybody')
  patient.comes('2027-01-09T10:00:00.000Z')
  goesOn(patient)
  expect(patient.state.person.persona).toBe('senior')
  expect(patient.intents().map(({ templateHash }) => templateHash)).toContain('later-1')
})

test('when an appointment moves, what is planned anew goes by the persona of then', () => {
  const byPersona = message('hello', {
    template: { senior: 'later', otherwise: 'hello' },
    send: { until: 'entity.startsAt', offset: '-P1D', on: 'any-day' },
  })
  const trigger = { touchpoint: 'care.appointment.booked.v1' }
  const steps = [byPersona] satisfies Step[]
  const patient = person(definitionOf([campaign({ id: 'aftercare', trigger, steps })]), december)
  const appointment = (version: number, startsAt: string) => ({
    entity: { type: 'appointment', id: 'A-1', version },
    data: { startsAt },
  })
  patient.happens('person.upserted.v1', { data: { birthYear: 1962 } })
  patient.happens(trigger.touchpoint, appointment(1, '2027-01-20T09:00:00.000Z'))
  patient.comes('2027-01-09T10:00:00.000Z')
  patient.happens('care.appointment.moved.v1', appointment(2, '2027-01-22T09:00:00.000Z'))
  expect(patient.intents()).toMatchObject([
    { templateHash: 'hello-1', state: 'cancelled' },
    { templateHash: 'later-1', state: 'planned' },
  ])
})

// Budgets look at what is noted of a person, and at nothing else.
test.each([1, 2])(
  'what happened gives its persona at once, also in version %i of an appointment',
  (version) => {
    const moved = 'care.appointment.moved.v1'
    const { personas, ...bundle } = smallHospital([campaign({ id: 'aftercare' })])
    const [first, ...others] = personas.personas
    if (!first) throw new RangeError('no persona')
    const unsettled = {
      ...first,
      id: 'unsettled',
      when: { happened: { touchpoint: moved, within: 'P30D' } },
    }
    const patient = person(
      compileDefinition(1, { ...bundle, personas: { personas: [unsettled, ...others] } }, []),
    )
    const appointment = (version: number) => ({
      entity: { type: 'appointment', id: 'A-1', version },
      data: { startsAt: '2026-03-20T09:00:00.000Z' },
    })
    patient.happens('care.appointment.booked.v1', appointment(2))
    expect(patient.state.person.persona).toBe('everybody')
    expect(patient.happens(moved, appointment(version))).toBe('entity_not_newer')
    expect(patient.state.person.persona).toBe('unsettled')
  },
)
