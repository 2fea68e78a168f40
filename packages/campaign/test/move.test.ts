import { compileDefinition } from '@wegwijs/campaign/compile'
import { moveRuns, stepMapOf } from '@wegwijs/campaign/move'
import { isPending } from '@wegwijs/campaign/state'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { person } from './given.ts'

type Campaign = Parameters<typeof campaign>[0]
type Steps = NonNullable<Campaign['steps']>

const on = 'any-day' as const
const waitFor = (duration: string, id?: string) => ({
  wait: { for: duration, on, ...(id ? { id } : {}) },
})
const survey = (within: string, over: object = {}) => ({
  waitFor: { touchpoint: 'care.survey.answered.v1', entity: 'same' as const, within, ...over },
})

/** Two versions of one campaign: people enter the first; the second moves them. */
function versions(
  first: Steps,
  second: Steps,
  move: Partial<NonNullable<Campaign['move']>> = {},
  over: Partial<Campaign> = {},
) {
  const file = (steps: Steps, more: Partial<Campaign> = {}) =>
    campaign({ id: 'aftercare', entry: 'every-time', steps, ...over, ...more })
  const compile = (newest: number) => {
    const bundle = smallHospital([file(first), file(second, { move: { from: 1, ...move } })])
    const stored = bundle.campaigns.map((each, index) => ({
      id: each.id,
      version: index + 1,
      live: index + 1 === newest,
      file: each,
      templates: { hello: `hello-${index + 1}`, later: `later-${index + 1}` },
    }))
    return compileDefinition(
      newest,
      { ...bundle, campaigns: bundle.campaigns.slice(newest - 1, newest) },
      stored,
    )
  }
  const [before, after] = [compile(1), compile(2)]
  const [from, to] = [after.campaigns.get('aftercare@1'), after.campaigns.get('aftercare@2')]
  if (!from || !to) throw new RangeError('a version is missing')
  const map = stepMapOf(from.file, to.file)
  const patient = person(before)
  return {
    ...map,
    patient,
    /** Moves the person, once or more often; their life goes on in the second version. */
    move(times = 1) {
      const decisions = []
      for (let time = 0; time < times; time += 1) {
        const context = { ...patient.context(), definition: after }
        const moved = moveRuns(patient.state, { from, to, steps: map.steps }, context)
        patient.state = moved.state
        decisions.push(...moved.decisions)
      }
      patient.use(after)
      return decisions.map(({ reason }) => reason)
    },
    due: () => patient.timers().map(({ dueAt }) => dueAt),
  }
}

const says = (text: string) => ({ nl: text, en: text })
const calling = (...outcomes: string[]) => ({
  task: {
    id: 'call',
    team: 'nurses',
    title: says('Bel'),
    within: 'P2D',
    outcomes: outcomes.map((outcome) => ({ outcome, says: says(outcome) })),
    otherwise: [message('later')],
  },
})
const nameOf = (step: ReturnType<typeof asking> | ReturnType<typeof calling>) =>
  'ask' in step ? step.ask.id : step.task.id
const asking = (...answers: string[]) => ({
  ask: {
    id: 'coming',
    template: 'hello',
    question: says('Komt u?'),
    within: 'P2D',
    answers: answers.map((answer) => ({ answer, says: says(answer) })),
    otherwise: [message('later')],
  },
})

describe('where people go on', () => {
  test('not where somebody could give an answer of which nothing follows', () => {
    const asked = [asking('confirm', 'cancel')]
    expect(versions(asked, [asking('cancel', 'confirm', 'move')]).faults).toEqual([])
    expect(versions(asked, [asking('confirm', 'move')]).faults).toEqual([
      { step: 'coming', problem: 'ways_missing', missing: ['cancel'] },
    ])
    // Nor when the move says so itself.
    const said = { steps: { coming: 'coming' } }
    expect(versions(asked, [asking('confirm')], said).faults).toHaveLength(1)
  })

  test('but to a question of another id with whatever answers: those to the old one are over', () => {
    const { ask } = asking('fine')
    const other = { ask: { ...ask, id: 'well' } }
    const { patient, move, faults } = versions([asking('confirm', 'cancel')], [other], {
      steps: { coming: 'well' },
    })
    expect(faults).toEqual([])
    patient.happens('care.discharge.completed.v1')
    const [old] = patient.intents()
    patient.message(old?.intentId ?? '', { state: 'sent' })
    move()
    expect(patient.intents()).toMatchObject([{ messageId: 'coming' }, { messageId: 'well' }])
    const data = { intentId: old?.intentId ?? '', answer: 'cancel' }
    expect(patient.happens('message.answered.v1', { data })).toBe('answer_too_late')
    expect(patient.enrolments()).toMatchObject([{ state: 'running' }])
  })

  test('nor where a task could have an outcome of which nothing follows', () => {
    const given = [calling('reached', 'missed')]
    expect(versions(given, [calling('missed', 'reached')]).faults).toEqual([])
    expect(versions(given, [calling('reached')]).faults).toEqual([
      { step: 'call', problem: 'ways_missing', missing: ['missed'] },
    ])
    expect(versions(given, [calling('reached')], { steps: { call: 'end' } }).faults).toEqual([])
  })

  test('at the step of the same id, or the only one that stands there as it was', () => {
    const { steps, faults } = versions(
      [message('hello'), waitFor('P2D', 'look'), survey('P3D')],
      [survey('P3D'), message('hello'), waitFor('P5D', 'look')],
    )
    expect([...steps]).toEqual([
      ['1', '2'],
      ['2', '0'],
    ])
    expect(faults).toEqual([])
  })

  test('as the move says, by ids and by places, also within an arm', () => {
    const branch = (steps: Steps) => ({ branch: [{ otherwise: steps }] })
    const { steps, faults } = versions(
      [waitFor('P1D'), branch([message('hello'), waitFor('P2D')]), waitFor('P3D', 'last')],
      [branch([waitFor('P4D')]), message('hello')],
      { steps: { '1': '1.1.1', '2.1.2': 'hello', last: 'end' } },
    )
    expect(faults).toEqual([])
    expect([...steps]).toEqual([
      ['0', '0.0.0'],
      ['1.0.1', '1'],
      ['2', null],
    ])
  })

  test('nowhere is a fault, and so are names that no step has', () => {
    const { faults } = versions(
      [waitFor('P1D'), waitFor('P2D', 'look'), survey('P3D')],
      [waitFor('P1D'), waitFor('P1D'), message('hello')],
      { steps: { '9': '1', look: 'elsewhere' } },
    )
    expect(faults).toEqual([
      { step: '9', problem: 'unknown' },
      { step: 'elsewhere', problem: 'unknown_target' },
      { step: '1', problem: 'no_counterpart' },
      { step: 'look', problem: 'no_counterpart' },
      { step: '3', problem: 'no_counterpart' },
    ])
  })
})

describe('a move', () => {
  test('times a wait by the new step, from when it began', () => {
    const { patient, move, due } = versions(
      [waitFor('P2D', 'look'), message('hello')],
      [waitFor('P5D', 'look'), message('later')],
    )
    patient.happens('care.discharge.completed.v1')
    patient.comes('2026-03-03T09:00:00.000Z')
    expect(move()).toEqual(['moved_to_version', 'waiting'])
    expect(due()).toEqual(['2026-03-07T09:00:00.000Z'])
    patient.comes('2026-03-07T09:00:00.000Z')
    expect(patient.intents()).toMatchObject([
      { messageId: 'later', version: 2, templateHash: 'later-2' },
    ])
  })

  test('lets a wait go on at once that would have been over by now', () => {
    const { patient, move } = versions(
      [waitFor('P9D', 'look'), message('hello')],
      [waitFor('P1D', 'look'), message('hello')],
    )
    patient.happens('care.discharge.completed.v1')
    patient.comes('2026-03-05T09:00:00.000Z')
    move()
    patient.comes('2026-03-05T09:00:00.000Z')
    expect(patient.enrolments()).toMatchObject([{ state: 'completed', version: 2 }])
    expect(patient.intents()).toHaveLength(1)
  })

  test('goes on listening, with the time that the new step gives', () => {
    const { patient, move, due } = versions(
      [survey('P9D', { id: 'answer', then: [message('hello')] })],
      [survey('P3D', { id: 'answer', then: [message('later')] })],
    )
    patient.happens('care.discharge.completed.v1')
    move()
    expect(due()).toEqual(['2026-03-05T09:00:00.000Z'])
    patient.happens('care.survey.answered.v1')
    expect(patient.intents()).toMatchObject([{ messageId: 'later', version: 2 }])
  })

  test('keeps a message that has not gone out, withdraws it when told to, and when it is no more', () => {
    const send = { for: 'P3D', on }
    const first = [message('hello', { send }), waitFor('P9D', 'look')]
    const kept = versions(first, [message('hello'), waitFor('P9D', 'look')])
    kept.patient.happens('care.discharge.completed.v1')
    kept.move()
    expect(kept.patient.intents()).toMatchObject([{ state: 'planned', version: 1, step: '0' }])
    const told = versions(first, [message('hello'), waitFor('P9D', 'look')], {
      withdraw: ['hello'],
    })
    told.patient.happens('care.discharge.completed.v1')
    told.move()
    const withdrawn = { state: 'cancelled', reason: 'moved_to_version' }
    expect(told.patient.intents()).toMatchObject([withdrawn])
    const gone = versions(first, [message('later'), waitFor('P9D', 'look')])
    gone.patient.happens('care.discharge.completed.v1')
    expect(gone.move()).toEqual(['moved_to_version', 'moved_to_version', 'waiting'])
    expect(gone.patient.intents()).toMatchObject([withdrawn])
  })

  test('goes on by the persona of now, for conditions and templates', () => {
    const when = { field: 'person.persona', op: 'eq' as const, value: 'senior' }
    const byPersona = { template: { senior: 'later', otherwise: 'hello' } }
    const { patient, move } = versions(
      [waitFor('P400D', 'look')],
      [{ branch: [{ when, steps: [message('hello', byPersona)] }] }],
      { steps: { look: '1' } },
    )
    patient.happens('person.upserted.v1', { data: { birthYear: 1962 } })
    patient.happens('care.discharge.completed.v1')
    expect(patient.state.person.persona).toBe('everybody')
    // Whoever is born in 1962 is a senior from New Year on, and nothing tells so but the time.
    patient.comes('2027-01-02T09:00:00.000Z')
    move()
    expect(patient.state.person.persona).toBe('senior')
    expect(patient.intents()).toMatchObject([{ messageId: 'hello', templateHash: 'later-2' }])
  })

  const inAMonth = { for: 'P30D', on }

  test('reaches what is planned of a run that is through', () => {
    const { patient, move } = versions(
      [
        message('hello', { send: inAMonth }),
        message('later', { send: inAMonth }),
        message('later', { id: 'gone', send: inAMonth }),
      ],
      [message('later', { send: inAMonth }), waitFor('P1D'), message('hello')],
      { withdraw: ['hello'] },
    )
    patient.happens('care.discharge.completed.v1')
    expect(patient.enrolments()).toMatchObject([{ state: 'completed', version: 1 }])
    const three = Array.from({ length: 3 }, () => 'moved_to_version')
    expect(move(2)).toEqual(three)
    const withdrawn = { state: 'cancelled', reason: 'moved_to_version' }
    expect(patient.intents()).toMatchObject([
      { messageId: 'hello', ...withdrawn },
      { messageId: 'later', state: 'planned', version: 1, step: '0' },
      { messageId: 'gone', ...withdrawn },
    ])
    // There is no step at which it stands, so it takes none of the new version.
    expect(patient.enrolments()).toMatchObject([{ state: 'completed', step: null, version: 2 }])
    expect(patient.timers()).toEqual([])
  })

  test('lets what is planned of a run that is through be planned by it when its appointment moves', () => {
    const at = (hours: string) => [
      message('hello', { send: { until: 'entity.startsAt', offset: '-P1D', at: hours, on } }),
    ]
    const trigger = { touchpoint: 'care.appointment.booked.v1' }
    const over = { entry: 'once-per-entity' as const, trigger }
    const { patient, move } = versions(at('18:00'), at('20:00'), {}, over)
    const appointment = (version: number, startsAt: string) => ({
      entity: { type: 'appointment', id: 'A-1', version },
      data: { startsAt },
    })
    patient.happens(trigger.touchpoint, appointment(1, '2026-03-20T09:00:00.000Z'))
    move()
    patient.happens('care.appointment.moved.v1', appointment(2, '2026-03-22T09:00:00.000Z'))
    expect(patient.intents()).toMatchObject([
      { state: 'cancelled', reason: 'entity_superseded', version: 1 },
      { state: 'planned', version: 2, templateHash: 'hello-2', dueAt: '2026-03-21T19:00:00.000Z' },
    ])
  })

  test('plans anew what it withdraws of a run that is through, when it says at which step', () => {
    const steps = [message('later'), message('hello', { send: inAMonth })]
    const move = { withdraw: ['hello'], steps: { end: '1' } }
    const { patient, move: moves, faults } = versions(steps, steps, move)
    expect(faults).toEqual([])
    patient.happens('care.discharge.completed.v1')
    patient.message(patient.intents()[0]?.intentId ?? '', { state: 'sent' })
    expect(moves(2)).toEqual([
      'moved_to_version',
      'moved_to_version',
      'message_kept',
      'message_planned',
      'completed',
    ])
    expect(patient.intents()).toMatchObject([
      { messageId: 'later', state: 'sent', version: 1 },
      { messageId: 'hello', state: 'cancelled', version: 1 },
      { messageId: 'hello', state: 'planned', version: 2, templateHash: 'hello-2' },
    ])
    expect(patient.enrolments()).toMatchObject([{ state: 'completed', version: 2 }])
  })

  test('takes back all that is planned of a run that is through, when it leads to the end', () => {
    const steps = [message('hello', { send: inAMonth })]
    const { patient, move } = versions(steps, steps, { steps: { end: 'end' } })
    patient.happens('care.discharge.completed.v1')
    move(2)
    expect(patient.intents()).toMatchObject([{ state: 'cancelled', reason: 'moved_to_version' }])
    expect(patient.enrolments()).toMatchObject([{ state: 'exited', version: 2 }])
  })

  test('leaves a run that is through and has nothing planned where it is', () => {
    const { patient, move } = versions([message('hello')], [message('later')])
    patient.happens('care.discharge.completed.v1')
    patient.message(patient.intents()[0]?.intentId ?? '', { state: 'sending' })
    expect(move()).toEqual([])
    expect(patient.enrolments()).toMatchObject([{ state: 'completed', version: 1 }])
  })

  test('asks anew what it withdraws, with the time that the new version gives', () => {
    const asks = (days: string) => [{ ask: { ...asking('confirm').ask, send: { for: days, on } } }]
    const { patient, move, due } = versions(asks('P5D'), asks('P6D'), { withdraw: ['coming'] })
    patient.happens('care.discharge.completed.v1')
    move(2)
    expect(patient.intents()).toMatchObject([
      { state: 'cancelled', reason: 'moved_to_version', version: 1 },
      { state: 'planned', version: 2, dueAt: '2026-03-08T09:00:00.000Z' },
    ])
    expect(due()).toEqual(['2026-03-10T09:00:00.000Z'])
    const intentId = patient.intents()[1]?.intentId ?? ''
    patient.message(intentId, { state: 'sent' })
    expect(patient.happens('message.answered.v1', { data: { intentId, answer: 'confirm' } })).toBe(
      'answered',
    )
  })

  test('leaves what a worker has to the version in which it was planned', () => {
    const { patient, move } = versions(
      [message('hello'), waitFor('P9D', 'look')],
      [message('later'), waitFor('P9D', 'look')],
    )
    patient.happens('care.discharge.completed.v1')
    patient.message(patient.intents()[0]?.intentId ?? '', { state: 'sending' })
    move()
    expect(patient.intents()).toMatchObject([
      { state: 'sending', version: 1, templateHash: 'hello-1' },
    ])
  })

  test('back to a step before a message tells it no second time (P2)', () => {
    const { patient, move } = versions(
      [message('hello'), waitFor('P2D', 'look')],
      [waitFor('PT1H'), message('hello'), waitFor('P2D')],
      { steps: { look: '1' } },
    )
    patient.happens('care.discharge.completed.v1')
    patient.message(patient.intents()[0]?.intentId ?? '', { state: 'sent' })
    move()
    patient.comes('2026-03-02T10:00:00.000Z')
    expect(patient.reasons).toContain('message_kept')
    expect(patient.intents()).toHaveLength(1)
  })

  test('tells of a newer version of the appointment what was told of the older one', () => {
    const send = { until: 'entity.startsAt', offset: '-P5D', on }
    const steps = [
      { ask: { ...asking('confirm').ask, send } },
      message('later', { id: 'route' }),
      waitFor('P60D', 'rest'),
    ]
    const trigger = { touchpoint: 'care.appointment.booked.v1' }
    const { patient, move } = versions(steps, steps, {}, { entry: 'once-per-entity', trigger })
    const appointment = (version: number, startsAt: string) => ({
      entity: { type: 'appointment', id: 'A-1', version },
      data: { startsAt },
    })
    const confirm = () => {
      const asked = patient.intents().findLast(({ messageId }) => messageId === 'coming')
      const intentId = asked?.intentId ?? ''
      patient.message(intentId, { state: 'sent' })
      return patient.happens('message.answered.v1', {
        data: { intentId, answer: 'confirm', by: 'link' },
      })
    }
    const routes = () =>
      patient
        .intents()
        .filter(({ messageId }) => messageId === 'route')
        .map(({ version, entity, state }) => ({ version, of: entity?.version, state }))

    patient.happens(trigger.touchpoint, appointment(1, '2026-03-20T09:00:00.000Z'))
    patient.comes('2026-03-15T09:00:00.000Z')
    expect(confirm()).toBe('answered')
    const told = patient.intents().find(({ messageId }) => messageId === 'route')
    patient.message(told?.intentId ?? '', { state: 'sent' })
    move()
    patient.happens('care.appointment.moved.v1', appointment(2, '2026-04-20T09:00:00.000Z'))
    patient.comes('2026-04-15T09:00:00.000Z')
    expect(confirm()).toBe('answered')
    expect(routes()).toEqual([
      { version: 1, of: 1, state: 'sent' },
      { version: 2, of: 2, state: 'planned' },
    ])
  })

  // Nobody publishes such a version any more; people may be in one that was published before that was refused.
  test.each([
    { what: 'an answer', first: asking('confirm', 'cancel'), second: asking('confirm') },
    { what: 'an outcome', first: calling('reached', 'cancel'), second: calling('reached') },
  ])(
    'goes the way of `otherwise` with $what that the new version does not know',
    ({ first, second }) => {
      const { patient, move } = versions([first], [second], {
        steps: { [nameOf(first)]: nameOf(second) },
      })
      patient.happens('care.discharge.completed.v1')
      move()
      const [asked] = patient.intents()
      const [task] = patient.state.tasks.values()
      if (asked)
        patient.happens('message.answered.v1', {
          data: { intentId: asked.intentId, answer: 'cancel', by: 'link' },
        })
      else
        patient.happens('task.done.v1', { data: { taskId: task?.taskId ?? '', outcome: 'cancel' } })
      expect(patient.intents().at(-1)).toMatchObject({ messageId: 'later', version: 2 })
    },
  )

  test.each([
    ['what could not be planned yet', {}, ['hello 2']],
    ['nothing of it that the move withdraws', { withdraw: ['hello'] }, []],
  ])('and has told, when the appointment moves, %s', (_, move, told) => {
    const send = { until: 'entity.startsAt', offset: '-P1D', on: 'any-day' } as const
    const steps = [message('hello', { send }), waitFor('P5D', 'look')]
    const trigger = { touchpoint: 'care.appointment.booked.v1' }
    const { patient, ...own } = versions(steps, [message('later', { send }), ...steps], move, {
      entry: 'once-per-entity',
      trigger,
    })
    const entity = { type: 'appointment', id: 'A-1', version: 1 }
    patient.happens(trigger.touchpoint, { entity })
    own.move()
    patient.happens('care.appointment.moved.v1', {
      entity: { ...entity, version: 2 },
      data: { startsAt: '2026-03-20T09:00:00.000Z' },
    })
    expect(patient.intents().map(({ messageId, version }) => `${messageId} ${version}`)).toEqual(
      told,
    )
  })

  // By a path of the old version another step of the new one would be told to have taken it back.
  test('takes back a task that is no more under no step of the new version', () => {
    const { patient, move } = versions([calling('reached')], [message('hello')], {
      steps: { call: 'end' },
    })
    patient.happens('care.discharge.completed.v1')
    expect(move()).toEqual(['moved_to_version', 'moved_to_version'])
    expect([...patient.state.tasks.values()]).toMatchObject([
      { state: 'withdrawn', reason: 'moved_to_version', step: 'gone/call' },
    ])
  })

  test.each([
    ['a question', asking('confirm', 'cancel'), { step: 'coming' }],
    ['a task', calling('reached'), { step: 'call' }],
  ])(
    'from a wait into %s begins it now, once, with the time that it gives',
    (_, step, { step: to }) => {
      const { patient, move, due } = versions([waitFor('P3D', 'look'), message('later')], [step], {
        steps: { look: to },
      })
      patient.happens('care.discharge.completed.v1')
      patient.comes('2026-03-03T09:00:00.000Z')
      move(2)
      // Two days from when it was asked, or made: not from when the wait before it began.
      expect(due()).toEqual(['2026-03-05T09:00:00.000Z'])
      const begun = [
        ...patient.intents().map(({ messageId }) => messageId),
        ...[...patient.state.tasks.values()].map(({ name }) => name),
      ]
      expect(begun).toEqual([to])
      patient.comes('2026-03-05T09:00:00.000Z')
      expect(patient.intents().at(-1)).toMatchObject({ messageId: 'later', state: 'planned' })
      expect([...patient.state.tasks.values()].map(({ state }) => state)).toEqual(
        to === 'call' ? ['withdrawn'] : [],
      )
    },
  )

  test('out of a question takes it back when it has not gone out, and hears no answer to it', () => {
    const { patient, move, due } = versions(
      [asking('confirm')],
      [waitFor('P5D', 'look'), message('later')],
      { steps: { coming: 'look' } },
    )
    patient.happens('care.discharge.completed.v1')
    const [asked] = patient.intents()
    move(2)
    expect(patient.intents()).toMatchObject([{ state: 'cancelled', reason: 'moved_to_version' }])
    // As long as they have waited at the question counts.
    expect(due()).toEqual(['2026-03-07T09:00:00.000Z'])
    const data = { intentId: asked?.intentId ?? '', answer: 'confirm' }
    expect(patient.happens('message.answered.v1', { data })).toBe('answer_too_late')
    expect(due()).toEqual(['2026-03-07T09:00:00.000Z'])
  })

  test('out of a task takes it back, and what somebody says of it changes nothing', () => {
    const { patient, move, due } = versions(
      [calling('reached')],
      [waitFor('P5D', 'look'), message('later')],
      { steps: { call: 'look' } },
    )
    patient.happens('care.discharge.completed.v1')
    move(2)
    const [task] = [...patient.state.tasks.values()]
    expect(task).toMatchObject({ state: 'withdrawn', reason: 'moved_to_version' })
    const data = { taskId: task?.taskId ?? '', outcome: 'reached' }
    patient.happens('task.done.v1', { data })
    expect(patient.intents()).toEqual([])
    expect(due()).toEqual(['2026-03-07T09:00:00.000Z'])
    expect([...patient.state.tasks.values()]).toMatchObject([{ state: 'withdrawn', outcome: null }])
  })

  test('to the end takes people out, with what had not gone out', () => {
    const send = { for: 'P3D', on }
    const { patient, move } = versions(
      [message('hello', { send }), waitFor('P9D', 'look')],
      [message('hello')],
      { steps: { look: 'end' } },
    )
    patient.happens('care.discharge.completed.v1')
    move()
    expect(patient.enrolments()).toMatchObject([
      { state: 'exited', reason: 'moved_to_version', version: 2 },
    ])
    expect(patient.timers()).toEqual([])
    expect(patient.intents()).toMatchObject([{ state: 'cancelled' }])
  })
})

const stretch = fc.constantFrom('PT1H', 'PT5H', 'P1D', 'P2D')
const someStep = fc.oneof(
  fc.constantFrom(message('hello'), message('later')),
  fc.record({ duration: stretch }).map(({ duration }) => waitFor(duration)),
  stretch.map((within) => survey(within, { then: [waitFor('PT2H')] })),
)
const someSteps = fc
  .array(someStep, { minLength: 1, maxLength: 5 })
  // A message stands once in a campaign.
  .map((steps) => steps.filter((step, index) => steps.indexOf(step) === index))

describe('a run that has taken an arm of a split', () => {
  const arms = (...weights: readonly (readonly [name: string, weight: number])[]) => ({
    split: { id: 'tone', arms: weights.map(([name, weight]) => ({ name, weight })) },
  })
  const told = (arm: string) => [
    {
      branch: [
        {
          when: { field: 'enrolment.tone.arm', op: 'eq' as const, value: arm },
          steps: [message('hello')],
        },
        { otherwise: [message('later')] },
      ],
    },
  ]
  const before = [arms(['warm', 1_000_000], ['plain', 1]), waitFor('P5D'), ...told('warm')]
  /** Of somebody who has taken the arm `warm` and was moved. */
  function goesOn(after: Steps, move: Parameters<typeof versions>[2] = {}) {
    const { patient, move: moves, faults } = versions(before, after, move)
    expect(faults).toEqual([])
    patient.happens('care.discharge.completed.v1')
    expect(patient.enrolments()).toMatchObject([{ arms: { tone: 'warm' } }])
    moves()
    patient.comes('2026-03-08T09:00:00.000Z')
    const [run] = patient.enrolments()
    return { arms: run?.arms, told: patient.intents().map(({ messageId }) => messageId) }
  }

  test('stays in it, whatever its weight is in the new version', () => {
    const after = [arms(['warm', 1], ['plain', 1_000_000]), waitFor('P5D'), ...told('warm')]
    expect(goesOn(after)).toEqual({ arms: { tone: 'warm' }, told: ['hello'] })
  })

  test('takes it again when it comes to the split once more', () => {
    const after = [
      waitFor('P2D', 'once-more'),
      arms(['warm', 1], ['plain', 1_000_000]),
      ...told('warm'),
    ]
    const move = { steps: { 2: '1' } }
    expect(goesOn(after, move)).toEqual({ arms: { tone: 'warm' }, told: ['hello'] })
  })

  test('stays in one that the new version does not have, until it comes to the split once more', () => {
    const gone = arms(['plain', 1_000_000], ['dry', 1])
    expect(goesOn([gone, waitFor('P5D'), ...told('plain')])).toEqual({
      arms: { tone: 'warm' },
      told: ['later'],
    })
    const again = [waitFor('P2D', 'once-more'), gone, ...told('plain')]
    expect(goesOn(again, { steps: { 2: '1' } })).toEqual({
      arms: { tone: 'plain' },
      told: ['hello'],
    })
  })
})

test('whatever is moved to whatever: doing it again changes nothing, and no message is told twice (P2)', () => {
  const hours = fc.nat(60)
  fc.assert(
    fc.property(someSteps, someSteps, hours, hours, (first, second, until, after) => {
      const open = versions(first, second)
      const steps = Object.fromEntries(
        open.faults.map(({ step }, index) => [
          step,
          index % 3 === 2 ? 'end' : String((index % second.length) + 1),
        ]),
      )
      const run = (times: number) => {
        const { patient, move, faults } = versions(first, second, { steps })
        expect(faults).toEqual([])
        patient.happens('care.discharge.completed.v1')
        patient.comes(at(until))
        for (const { intentId, messageId } of patient.intents())
          if (messageId === 'hello') patient.message(intentId, { state: 'sent' })
        move(times)
        patient.comes(at(until + after))
        return patient
      }
      const once = run(1)
      expect(run(3).state).toEqual(once.state)
      const told = once.intents().filter((intent) => intent.state === 'sent' || isPending(intent))
      expect(new Set(told.map(({ messageId }) => messageId)).size).toBe(told.length)
      for (const enrolment of once.enrolments()) {
        const timers = once
          .timers()
          .filter(({ enrolmentId }) => enrolmentId === enrolment.enrolmentId)
        expect(timers).toHaveLength(enrolment.state === 'running' ? 1 : 0)
      }
    }),
  )
})

function at(hours: number): string {
  return new Date(Date.UTC(2026, 2, 2, 9) + hours * 3_600_000).toISOString()
}
