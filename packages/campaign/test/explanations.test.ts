import { campaignFieldsOf } from '@wegwijs/campaign/catalogue'
import { decideEvent, decideTimer } from '@wegwijs/campaign/decide'
import type { DecideContext, Decision } from '@wegwijs/campaign/draft'
import { type StartTrace, traceStart, traceStep } from '@wegwijs/campaign/explain/campaign-trace'
import { tellDecision, tellTrigger } from '@wegwijs/campaign/explain/decision'
import { createWords } from '@wegwijs/campaign/explain/language'
import type { LabelledTrace } from '@wegwijs/campaign/explain/words'
import type { JourneyEvent, PersonState } from '@wegwijs/campaign/state'
import { stepKinds } from '@wegwijs/campaign/steps/registry'
import type { Step } from '@wegwijs/campaign/steps/step'
import { triggerKinds } from '@wegwijs/campaign/triggers/registry'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { definitionOf, person } from './given.ts'

type Campaign = Parameters<typeof smallHospital>[0][number]

/** A campaign, and everything it decides about somebody, told in both languages. */
function telling(file: Campaign, { showsHealth = true } = {}) {
  const bundle = smallHospital([file])
  const definition = definitionOf([file])
  const patient = person(definition)
  const touchpoints = new Map(bundle.touchpoints.touchpoints.map(({ type, name }) => [type, name]))
  const [own] = bundle.campaigns
  if (!own) throw new Error('there is one')
  const fields = campaignFieldsOf(bundle, own)
  const words = (locale: 'nl' | 'en') =>
    createWords(locale, {
      timeZone: bundle.policies.timeZone,
      fields,
      touchpoints,
      showsHealth,
    })
  const compiled = definition.campaigns.get(`${file.id}@1`)
  const tell = (decision: Decision, traces: readonly LabelledTrace[] = []) =>
    (['nl', 'en'] as const).map((locale) =>
      tellDecision(
        {
          at: patient.context().now,
          decision,
          campaign: compiled,
          messageId: patient.state.intents.get(decision.intentId ?? '')?.messageId ?? null,
          traces,
          refusedBy: null,
        },
        locale,
        words(locale),
      ),
    )
  return {
    patient,
    compiled,
    words,
    /** What the last event or moment led to. */
    told: () => patient.decisions.map((decision) => tell(decision)),
    tell,
  }
}

const discharge = 'care.discharge.completed.v1'

describe('a message', () => {
  test('planned for later, taken back by an exit', () => {
    const { patient, told } = telling(
      campaign({
        id: 'home',
        name: 'Nazorg',
        exit: [{ touchpoint: 'care.admission.started.v1' }],
        steps: [message('hello', { send: { for: 'PT3H', on: 'any-day' } })],
      }),
    )
    patient.happens(discharge)
    expect(told()).toEqual([
      [
        'begon de campagne "Nazorg" voor deze persoon',
        'the campaign "Nazorg" began for the person',
      ],
      [
        'is het bericht "hello" ingepland voor 2 maart 2026 om 13:00',
        'the message "hello" was planned for 2 March 2026 at 13:00',
      ],
      [
        'waren alle stappen van de campagne "Nazorg" doorlopen',
        'all steps of the campaign "Nazorg" had been gone through',
      ],
    ])
    patient.happens('care.admission.started.v1')
    expect(told().slice(0, 2)).toEqual([
      [
        'is het bericht "hello" ingetrokken: er is iets gebeurd dat de campagne beëindigt',
        'the message "hello" was taken back: a touchpoint that ends the campaign happened',
      ],
      [
        'eindigde de campagne "Nazorg": er is iets gebeurd dat de campagne beëindigt',
        'the campaign "Nazorg" ended: a touchpoint that ends the campaign happened',
      ],
    ])
  })

  test('at once', () => {
    const { patient, told } = telling(campaign({ id: 'home' }))
    patient.happens(discharge)
    expect(told()[1]).toEqual([
      'is het bericht "hello" ingepland om meteen te versturen',
      'the message "hello" was planned, to be sent at once',
    ])
  })

  test('whose moment has passed is not planned, and one that moved is planned again', () => {
    const steps = [
      message('hello', {
        send: { until: 'entity.startsAt', offset: '-P1D', on: 'any-day' },
        until: 'entity.startsAt',
      }),
    ]
    const trigger = { touchpoint: 'care.appointment.booked.v1' } as const
    const { patient, told } = telling(campaign({ id: 'guide', trigger, steps }))
    const at = (version: number, startsAt: string) => ({
      entity: { type: 'appointment', id: 'A', version },
      data: { startsAt },
    })
    patient.happens('care.appointment.booked.v1', at(1, '2026-03-10T09:00:00.000Z'))
    patient.happens('care.appointment.moved.v1', at(2, '2026-03-20T09:00:00.000Z'))
    expect(told()).toContainEqual([
      'is het bericht "hello" opnieuw ingepland voor 19 maart 2026 om 10:00',
      'the message "hello" was planned again for 19 March 2026 at 10:00',
    ])
    const late = telling(campaign({ id: 'guide', trigger, steps }))
    late.patient.happens('care.appointment.booked.v1', at(1, '2026-03-01T09:00:00.000Z'))
    expect(late.told()).toContainEqual([
      'is het bericht "hello" niet ingepland: het moment ervoor was al voorbij',
      'the message "hello" was not planned: the moment for it had already passed',
    ])
  })
})

test('a message over all channels says over which each goes', () => {
  const steps = [message('hello', { channels: { all: ['sms', 'email'] } })]
  const { patient, told } = telling(campaign({ id: 'home', steps }))
  patient.happens(discharge)
  expect(told().slice(1, 3)).toEqual([
    [
      'is het bericht "hello" ingepland om meteen te versturen, over sms',
      'the message "hello" was planned, to be sent at once, over sms',
    ],
    [
      'is het bericht "hello" ingepland om meteen te versturen, over email',
      'the message "hello" was planned, to be sent at once, over email',
    ],
  ])
})

test('a message over one channel after the other', () => {
  const channels = { cascade: ['sms', 'email'] as ('sms' | 'email')[], after: 'PT30M' }
  const steps = [message('hello', { channels })]
  const { patient, told } = telling(campaign({ id: 'home', name: 'Nazorg', steps }))
  patient.happens(discharge)
  expect(told()).toContainEqual([
    'ging de campagne wachten tot het bericht "hello" is bezorgd, uiterlijk tot 2 maart 2026 om 10:30',
    'the campaign began to wait until the message "hello" is delivered, at most until 2 March 2026 at 10:30',
  ])
  const [first] = patient.intents()
  patient.message(first?.intentId ?? '', { state: 'sent', channel: 'sms' })
  patient.comes('2026-03-02T09:30:00.000Z')
  expect(told()[0]).toEqual([
    'is het bericht "hello" ingepland over een volgend kanaal: over sms is het niet op tijd bezorgd',
    'the message "hello" was planned over a next channel: over sms it was not delivered in time',
  ])
  patient.happens('message.delivered.v1', { data: { intentId: first?.intentId ?? '' } })
  expect(told().slice(0, 2)).toEqual([
    [
      'is het bericht "hello" ingetrokken: het bericht waarvoor dit in de plaats kwam, is alsnog aangekomen',
      'the message "hello" was taken back: the message in whose place it came arrived after all',
    ],
    ['is het bericht "hello" bezorgd', 'the message "hello" was delivered'],
  ])
  const refused = telling(campaign({ id: 'home', name: 'Nazorg', steps }))
  refused.patient.happens(discharge)
  const [intent] = refused.patient.intents()
  refused.patient.message(intent?.intentId ?? '', { state: 'sent', channel: 'sms' })
  refused.patient.happens('message.bounced.v1', {
    data: { intentId: intent?.intentId ?? '', channel: 'sms' },
  })
  expect(refused.told()).toContainEqual([
    'is het bericht "hello" ingepland over een volgend kanaal: over sms kon het niet worden bezorgd',
    'the message "hello" was planned over a next channel: over sms it bounced',
  ])
  const nobody = telling(campaign({ id: 'home', name: 'Nazorg', steps }))
  nobody.patient.happens(discharge)
  nobody.patient.comes('2026-03-02T09:30:00.000Z')
  nobody.patient.comes('2026-03-02T10:00:00.000Z')
  expect(nobody.told()).toContainEqual([
    'ging de campagne verder: het bericht "hello" is over geen kanaal op tijd bezorgd',
    'the campaign went on: over no channel was the message "hello" delivered in time',
  ])
})

test('a wait', () => {
  const { patient, told } = telling(
    campaign({ id: 'home', steps: [{ wait: { for: 'P2D', at: '10:00' } }, message('hello')] }),
  )
  patient.happens(discharge)
  expect(told()[1]).toEqual([
    'ging de campagne wachten tot 4 maart 2026 om 10:00',
    'the campaign began to wait until 4 March 2026 at 10:00',
  ])
})

test.each([
  [
    '-P14D',
    '2026-04-01',
    '18 maart 2026 om 10:00 (14 dagen voor operationOn)',
    '18 March 2026 at 10:00 (14 days before operationOn)',
  ],
  [
    'P14D',
    '2026-03-01',
    '15 maart 2026 om 10:00 (14 dagen na operationOn)',
    '15 March 2026 at 10:00 (14 days after operationOn)',
  ],
  [
    undefined,
    '2026-03-10',
    '10 maart 2026 om 10:00 (operationOn)',
    '10 March 2026 at 10:00 (operationOn)',
  ],
])('a wait for a date of the person, %s', (offset, operationOn, nl, en) => {
  const { patient, told } = telling(
    campaign({
      id: 'home',
      steps: [{ wait: { until: 'person.operationOn', offset, at: '10:00' } }, message('hello')],
    }),
  )
  patient.happens('person.upserted.v1', { data: { attributes: { operationOn } } })
  patient.happens(discharge)
  expect(told()[1]).toEqual([
    `ging de campagne wachten tot ${nl}`,
    `the campaign began to wait until ${en}`,
  ])
})

test('a wait for a date of somebody’s health does not tell which one to whom that is not shown', () => {
  const wait = { until: 'person.operationOn', offset: 'P14D', at: '10:00' }
  const file = campaign({ id: 'home', steps: [{ wait }, message('hello')] })
  const { patient, told } = telling(file, { showsHealth: false })
  patient.happens('person.upserted.v1', { data: { attributes: { operationOn: '2026-03-01' } } })
  patient.happens(discharge)
  expect(told()[1]?.[1]).toBe('the campaign began to wait until 15 March 2026 at 10:00')
})

test('a wait for something, that comes or not', () => {
  const steps = [{ waitFor: { touchpoint: 'care.survey.answered.v1', within: 'P3D' } }]
  const { patient, told } = telling(campaign({ id: 'home', steps }))
  patient.happens(discharge)
  expect(told()[1]).toEqual([
    'ging de campagne wachten op "Survey", uiterlijk tot 5 maart 2026 om 10:00',
    'the campaign began to wait for "Survey", at most until 5 March 2026 at 10:00',
  ])
  patient.happens('care.survey.answered.v1')
  expect(told()[0]).toEqual([
    'kwam "Survey", waar de campagne op wachtte',
    '"Survey" came, for which the campaign waited',
  ])
  const other = telling(campaign({ id: 'home', steps }))
  other.patient.happens(discharge)
  other.patient.comes('2026-03-05T09:00:00.000Z')
  expect(other.told()[0]).toEqual([
    'ging de campagne verder zonder "Survey": dat kwam niet binnen 3 dagen',
    'the campaign went on without "Survey": it did not come within 3 days',
  ])
})

test('a branch, with what its arms saw', () => {
  const { patient, compiled, tell } = telling(
    campaign({
      id: 'home',
      steps: [
        {
          branch: [
            { when: { field: 'person.age', op: 'gte', value: 65 }, steps: [message('hello')] },
            { otherwise: [message('later')] },
          ],
        },
      ],
    }),
  )
  const seen: LabelledTrace[][] = []
  const context: DecideContext = {
    ...patient.context(),
    watch: { step: (run) => seen.push(traceStep(run)) },
  }
  const event: JourneyEvent = {
    source: 'urn:test:ehr',
    id: 'e1',
    subject: 'p1',
    type: discharge,
    time: context.now,
    data: {},
    entity: null,
    traceparent: null,
  }
  const old = { ...patient.state, person: { ...patient.state.person, fields: { birthYear: 1950 } } }
  const decide = (state: PersonState) =>
    decideEvent(state, event, context).decisions.find(({ reason }) => reason === 'branch_taken')
  const taken = decide(old)
  expect(taken && tell(taken, seen[0])).toEqual([
    'werd bij een vertakking weg 1 gekozen, want leeftijd was 76 jaar (gevraagd: minstens 65 jaar)',
    'arm 1 of a branch was taken, because age was 76 years (asked: at least 65 years)',
  ])
  const other = decide(patient.state)
  expect(other && tell(other, seen[2])).toEqual([
    'werd bij een vertakking de weg voor alle anderen gekozen, want leeftijd was niet bekend (gevraagd: minstens 65 jaar)',
    'the arm of a branch for everybody else was taken, because age was not known (asked: at least 65 years)',
  ])
  expect(compiled).toBeDefined()
})

test('a question that is not asked, and why', () => {
  const says = { nl: 'Komt u?', en: 'Will you come?' }
  const answers = [{ answer: 'yes', says: { nl: 'Ja', en: 'Yes' } }]
  const ask = { id: 'coming', template: 'hello', question: says, within: 'P1D', answers }
  const steps: Step[] = [{ ask: { ...ask, until: 'entity.startsAt' } }]
  const { patient, told, tell } = telling(campaign({ id: 'home', steps }))
  patient.happens(discharge)
  const [, unknown, ...rest] = told()
  expect(unknown).toEqual([
    'is de vraag "coming" niet gesteld: het gegeven waar het moment van afhangt ontbreekt',
    'the question "coming" was not asked: the data that the moment hangs on is missing',
  ])
  expect(rest).toHaveLength(1)
  const [, decision] = patient.decisions
  expect(decision && tell({ ...decision, reason: 'recipient_by_age' })).toEqual([
    'is de vraag "coming" niet gesteld: op deze leeftijd is het voor iemand anders bedoeld',
    'the question "coming" was not asked: at this age it is meant for somebody else',
  ])
})

test('a split', () => {
  const arms = [
    { name: 'warm', weight: 1 },
    { name: 'short', weight: 1_000_000 },
  ]
  const { patient, told } = telling(
    campaign({ id: 'home', steps: [{ split: { id: 'tone', arms } }] }),
  )
  patient.happens(discharge)
  expect(told()[1]).toEqual([
    'kwam deze persoon bij de verdeling "tone" in groep "short"',
    'the person came into arm "short" of the split "tone"',
  ])
})

test.each<[Campaign['trigger'], string, string]>([
  [
    { touchpoint: discharge, where: { field: 'event.ward', op: 'eq', value: 'B3' } },
    'wacht op "Discharge", en alleen als klopt: ward: "B3"',
    'waits for "Discharge", and only where this holds: ward: "B3"',
  ],
  [
    { attribute: 'person.hasCarer', from: false, to: true },
    'wacht tot hasCarer verandert van nee in ja',
    'waits until hasCarer changes from no to yes',
  ],
  [
    { manual: true },
    'wacht tot een medewerker of een ander systeem iemand toevoegt',
    'waits until a member of staff or another system puts somebody in',
  ],
])('a campaign says what it waits for: %j', (trigger, dutch, english) => {
  const { compiled, words } = telling(campaign({ id: 'home', trigger }))
  expect(compiled && tellTrigger(compiled, 'nl', words('nl'))).toBe(dutch)
  expect(compiled && tellTrigger(compiled, 'en', words('en'))).toBe(english)
})

test('every kind of step and of trigger explains itself in each language', () => {
  for (const { explanation } of [...stepKinds, ...triggerKinds])
    expect(Object.keys(explanation).sort()).toEqual(['en', 'nl'])
})

const whole = {
  id: 'home',
  holdOut: 30,
  class: 'service' as const,
  entry: { again: 'P2D' },
  atOnce: 1,
  trigger: {
    touchpoint: discharge,
    where: { field: 'event.ward', op: 'exists', value: true } as const,
  },
  audience: { personas: ['senior'], where: { field: 'person.age', op: 'lt', value: 90 } as const },
  steps: [{ wait: { for: 'P1D' } }],
}

test('whether a campaign starts is traced as it is decided, whoever comes and whatever was', () => {
  const definition = definitionOf([campaign(whole)])
  const compiled = definition.campaigns.get('home@1')
  const life = fc.array(
    fc.record({
      type: fc.constantFrom(discharge, 'care.admission.started.v1', 'care.survey.answered.v1'),
      hours: fc.nat(40),
      ward: fc.option(fc.constant('B3'), { nil: undefined }),
      late: fc.constantFrom(0, 30),
    }),
    { minLength: 1, maxLength: 12 },
  )
  fc.assert(
    fc.property(life, fc.constantFrom(1930, 1950, 1990), fc.nat(20), (events, birthYear, who) => {
      let state = person(definition, undefined, `p${who}`).state
      state = { ...state, person: { ...state.person, fields: { birthYear } } }
      let ms = Date.parse('2026-03-02T09:00:00.000Z')
      events.forEach(({ type, hours, ward, late }, index) => {
        ms += hours * 3_600_000
        const now = new Date(ms).toISOString()
        const base: DecideContext = { definition, now, deriveId: (...parts) => parts.join('|') }
        for (const timer of [...state.timers.values()])
          if (timer.dueAt <= now) state = decideTimer(state, timer, base).state
        const traces: StartTrace[] = []
        const watch: DecideContext['watch'] = {
          starts: (draft, event, before) => {
            if (compiled) traces.push(traceStart({ draft, event, before }, compiled, base))
          },
        }
        const event: JourneyEvent = {
          source: 'urn:test:ehr',
          id: `e${index}`,
          subject: 'p1',
          type,
          time: new Date(ms - late * 3_600_000).toISOString(),
          data: ward === undefined ? {} : { ward },
          entity: null,
          traceparent: null,
        }
        const watched = decideEvent(state, event, { ...base, watch })
        const alone = decideEvent(state, event, base)
        expect(watched).toEqual(alone)
        const decided = alone.decisions.find(
          ({ enrolmentId, reason }) =>
            enrolmentId === null || reason === 'enrolled' || reason === 'held_out',
        )
        const silent = ['trigger_other_touchpoint', 'persona_not_in_audience']
        for (const { verdict } of traces)
          expect(decided?.reason ?? silent).toEqual(
            decided ? verdict : expect.arrayContaining([verdict]),
          )
        expect(traces).toHaveLength(1)
        state = alone.state
      })
    }),
  )
})

test('what a campaign takes away is said to be taken away', () => {
  const file = campaign({
    id: 'forgets',
    steps: [
      { set: { field: 'person.mood', to: null } },
      { set: { field: 'person.mood', to: 'well' } },
    ],
  })
  const { patient, told } = telling(file)
  patient.happens(discharge)
  expect(told().slice(1, 3)).toEqual([
    ['is gewist wat van "mood" was onthouden', 'what was remembered of "mood" was taken away'],
    ['is "mood" onthouden: "well"', '"mood" was remembered: "well"'],
  ])
})

test('somebody who is moved went on at a step of the new version, and did nothing there yet', () => {
  const { tell } = telling(
    campaign({ id: 'home', name: 'Nazorg', steps: [message('hello'), message('later')] }),
  )
  const moved: Decision = {
    reason: 'moved_to_version',
    campaignId: 'home',
    version: 1,
    enrolmentId: 'e',
    intentId: null,
    detail: { from: 1, to: 3, step: '1' },
  }
  expect(tell(moved)).toEqual([
    'ging de campagne "Nazorg" voor deze persoon verder in versie 3, bij stap "1"',
    'the campaign "Nazorg" went on for the person in version 3, at step "1"',
  ])
  // Who was through it stood at none.
  expect(tell({ ...moved, detail: { from: 1, to: 3 } })).toEqual([
    'ging wat van de campagne "Nazorg" voor deze persoon nog was ingepland over naar versie 3',
    'what was still planned of the campaign "Nazorg" for the person went over to version 3',
  ])
})

test('a task that nobody is given, and one that is taken back since the person says no', () => {
  const task: Step = {
    task: {
      id: 'call',
      team: 'nurses',
      title: { nl: 'Bel', en: 'Call' },
      within: 'P1D',
      outcomes: [{ outcome: 'reached', says: { nl: 'Gesproken', en: 'Spoken to' } }],
    },
  }
  const { patient, told } = telling(campaign({ id: 'home', class: 'marketing', steps: [task] }))
  patient.happens(discharge)
  expect(told()[1]).toEqual([
    'kreeg het team "nurses" de taak "Bel" niet: hiervoor is toestemming nodig, en die heeft deze persoon niet gegeven',
    'the team "nurses" did not get the task "Call": this needs a consent that the person has not given',
  ])
  const other = telling(campaign({ id: 'home', steps: [task] }))
  other.patient.happens(discharge)
  other.patient.happens('consent.withdrawn.v1', { data: { purpose: 'all' } })
  expect(other.told()[0]).toEqual([
    'werd de taak "Bel" teruggenomen: deze persoon wil dit niet',
    'the task "Call" was taken back: the person does not want this',
  ])
  const [taskId = ''] = other.patient.state.tasks.keys()
  other.patient.happens('task.done.v1', { data: { taskId, outcome: 'reached' } })
  expect(other.told()[0]).toEqual([
    'werd van de taak "Bel" nog gezegd: "Gesproken"; zij was al teruggenomen, dus er volgde niets op',
    'it was still said of the task "Call": "Spoken to"; it had been taken back, so nothing followed',
  ])
})
