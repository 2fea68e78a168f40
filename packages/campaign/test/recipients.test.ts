import type { AgeRule } from '@wegwijs/campaign/addressees'
import { type CompiledDefinition, compileDefinition } from '@wegwijs/campaign/compile'
import type { CampaignVersion } from '@wegwijs/campaign/compiled-campaign'
import { decideEvent } from '@wegwijs/campaign/decide'
import type { RelationKind, RelationScope } from '@wegwijs/campaign/definition/words'
import { lastCheck } from '@wegwijs/campaign/last-check'
import {
  type Intent,
  type JourneyEvent,
  type OtherPerson,
  type PersonState,
  type Relation,
  relationKey,
} from '@wegwijs/campaign/state'
import { isToSame } from '@wegwijs/campaign/steps/message-plan'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { describe, expect, test } from 'vitest'
import { nobody } from './given.ts'

const now = '2026-03-02T09:00:00.000Z'
const anyDay = 'any-day' as const

const children: AgeRule[] = [
  { under: 12, to: ['parent'] },
  { under: 16, to: ['person', 'parent'] },
]

type Campaign = Parameters<typeof campaign>[0]

function definitionOf(file: Campaign, ages?: AgeRule[]): CompiledDefinition {
  const bundle = smallHospital([campaign(file)])
  const policies = ages
    ? { ...bundle.policies, ages: ages.map((rule) => ({ ...rule, to: [...rule.to] })) }
    : bundle.policies
  const versions = bundle.campaigns.map(
    (each): CampaignVersion => ({
      id: each.id,
      version: 1,
      live: true,
      file: each,
      templates: { hello: 'hello-1', later: 'later-1' },
    }),
  )
  return compileDefinition(1, { ...bundle, policies }, versions)
}

/** A patient with these relations; the others live in these zones and are of no persona. */
function patient(
  definition: CompiledDefinition,
  relations: Partial<Relation>[] = [],
  others: Record<string, Partial<OtherPerson>> = {},
) {
  const all = relations.map(
    (each): Relation => ({
      otherId: 'anna',
      kind: 'caregiver' as RelationKind,
      state: 'granted',
      scope: ['appointments', 'care'] as RelationScope[],
      expiresAt: null,
      at: now,
      ...each,
    }),
  )
  let state: PersonState = {
    ...nobody(),
    relations: new Map(all.map((each) => [relationKey(each), each])),
  }
  let count = 0
  let reasons: string[] = []
  const otherOf = (personId: string): OtherPerson => ({
    personId,
    timeZone: null,
    persona: null,
    preferredChannel: null,
    deceasedAt: null,
    ...others[personId],
  })
  const patientOf = {
    otherOf,
    get state() {
      return state
    },
    set state(next: PersonState) {
      state = next
    },
    get reasons() {
      return reasons
    },
    intents: () => [...state.intents.values()],
    who: () =>
      [...state.intents.values()]
        .filter((intent) => intent.state !== 'cancelled')
        .map(({ recipient }) => (recipient ? `${recipient.kind} ${recipient.personId}` : 'person')),
    happens(type: string, over: Partial<JourneyEvent> = {}) {
      count += 1
      const event: JourneyEvent = {
        source: 'urn:test:ehr',
        id: `e${count}`,
        subject: 'p1',
        type,
        time: now,
        data: {},
        entity: null,
        traceparent: null,
        ...over,
      }
      const context = {
        definition,
        now,
        deriveId: (...parts: string[]) => parts.join('|'),
        otherOf,
      }
      const decided = decideEvent(state, event, context)
      state = decided.state
      reasons = decided.decisions.map(({ reason }) => reason)
      return patientOf
    },
  }
  return patientOf
}

const discharged = 'care.discharge.completed.v1'
const aftercare = (over: Parameters<typeof message>[1]): Campaign => ({
  id: 'aftercare',
  steps: [message('hello', over)],
})
const born = (birthYear: number) => ({ data: { birthYear } })

describe('who a message goes to', () => {
  test('the person, when nothing is said', () => {
    const plain = patient(definitionOf({ id: 'aftercare' }), [{}]).happens(discharged)
    expect(plain.who()).toEqual(['person'])
    expect(plain.intents()[0]).not.toHaveProperty('recipient')
  })

  test('whoever is named and may hear of it, each once and with a message of their own', () => {
    const definition = definitionOf(aftercare({ to: ['person', 'caregiver', 'parent'] }))
    const all = patient(definition, [
      {},
      { otherId: 'bob', kind: 'representative' },
      { otherId: 'carl', scope: ['news'] },
      { otherId: 'dora', state: 'ended' },
      { kind: 'parent' },
      { otherId: 'eve', kind: 'parent' },
    ]).happens(discharged)
    expect(all.who()).toEqual(['person', 'caregiver anna', 'parent eve'])
    const ids = all.intents().map(({ intentId }) => intentId)
    expect(new Set(ids).size).toBe(3)
    expect(
      all.intents().every(({ enrolmentId }) => enrolmentId === all.intents()[0]?.enrolmentId),
    ).toBe(true)
  })

  test('in which ways each may get it is kept with the message, where there is more than one', () => {
    const recipientOf = (to: 'caregiver' | ['person', 'caregiver', 'parent']) =>
      patient(definitionOf(aftercare({ to })), [{}])
        .happens(discharged)
        .intents()
        .find(({ recipient }) => recipient)?.recipient
    const anna = { personId: 'anna', kind: 'caregiver', scope: 'care' }
    expect(recipientOf(['person', 'caregiver', 'parent'])).toEqual({
      ...anna,
      ways: ['caregiver', 'parent'],
    })
    expect(recipientOf('caregiver')).toEqual(anna)
  })

  test('nobody, when nobody may: that is said, and the campaign goes on', () => {
    const definition = definitionOf({
      id: 'aftercare',
      steps: [message('hello', { to: 'caregiver' }), message('later')],
    })
    const alone = patient(definition, [{ scope: ['appointments'] }]).happens(discharged)
    expect(alone.reasons).toEqual(['enrolled', 'no_recipient', 'message_planned', 'completed'])
    expect(alone.who()).toEqual(['person'])
  })

  test.each([
    ['care', undefined, 'care'],
    ['service', undefined, 'appointments'],
    ['marketing', undefined, 'news'],
    ['care', 'appointments', 'appointments'],
  ] as const)('of class %s with scope %s: who may hear of %s', (own, scope, needed) => {
    const file: Campaign = {
      ...aftercare({ to: 'caregiver', ...(scope && { scope }) }),
      class: own,
    }
    const definition = definitionOf(file)
    expect(
      patient(definition, [{ scope: [needed] }])
        .happens(discharged)
        .who(),
    ).toHaveLength(1)
    const others = (['appointments', 'care', 'news'] as const).filter((each) => each !== needed)
    expect(
      patient(definition, [{ scope: others }])
        .happens(discharged)
        .who(),
    ).toEqual([])
  })

  test('of research: the person alone, whoever is named', () => {
    const definition = definitionOf({
      ...aftercare({ to: ['person', 'caregiver'], scope: 'care' }),
      class: 'research',
    })
    expect(patient(definition, [{}]).happens(discharged).who()).toEqual(['person'])
  })

  test('who is related no more when it is due gets none', () => {
    const definition = definitionOf(
      aftercare({ to: 'caregiver', send: { for: 'P2D', at: '10:00', on: anyDay } }),
    )
    const until = (expiresAt: string) =>
      patient(definition, [{ expiresAt }]).happens(discharged).who()
    expect(until('2026-03-04T09:00:00.001Z')).toHaveLength(1)
    expect(until('2026-03-04T08:59:59.000Z')).toEqual([])
  })

  test('at the hour of their own clocks, over their own channels', () => {
    const definition = definitionOf(
      aftercare({
        to: ['person', 'caregiver'],
        send: { for: 'P1D', at: '10:00', on: anyDay },
      }),
    )
    const far = patient(definition, [{}], { anna: { timeZone: 'America/New_York' } })
    const [own, hers] = far.happens(discharged).intents()
    expect(own?.dueAt).toBe('2026-03-03T09:00:00.000Z')
    expect(hers?.dueAt).toBe('2026-03-03T15:00:00.000Z')
    expect(hers?.channels).toEqual(['email', 'sms'])
    const texting = patient(definition, [{}], { anna: { preferredChannel: 'sms' } })
    expect(texting.happens(discharged).intents()[1]?.channels).toEqual(['sms', 'email'])
  })
})

describe('rules of age', () => {
  const definition = definitionOf({ id: 'aftercare' }, children)
  const relations = [{ kind: 'parent' as const }, { otherId: 'carl' }]
  const at = (birthYear: number | null) => {
    const own = patient(definition, relations)
    if (birthYear !== null) own.happens('person.upserted.v1', born(birthYear))
    return own.happens(discharged).who()
  }

  test('say who gets what does not say itself; of whom no age is known, the person', () => {
    expect(at(2015)).toEqual(['parent anna'])
    expect(at(2014)).toEqual(['person', 'parent anna'])
    expect(at(2011)).toEqual(['person', 'parent anna'])
    expect(at(2010)).toEqual(['person'])
    expect(at(null)).toEqual(['person'])
  })

  test('count the age at which it is due', () => {
    const file = aftercare({ send: { for: 'P1Y', at: '10:00', on: anyDay } })
    const own = patient(definitionOf(file, children), relations)
    own.happens('person.upserted.v1', born(2010 + 1)).happens(discharged)
    expect(own.who()).toEqual(['person'])
  })

  test('say nothing of what says itself, unless it asks for them', () => {
    const to = (word: 'person' | 'by-age', ages?: AgeRule[]) => {
      const own = patient(definitionOf(aftercare({ to: word }), ages), relations)
      return own.happens('person.upserted.v1', born(2018)).happens(discharged).who()
    }
    expect(to('person', children)).toEqual(['person'])
    expect(to('by-age', children)).toEqual(['parent anna'])
    expect(to('by-age')).toEqual(['person'])
  })
})

describe('an appointment that moves', () => {
  const reminder: Campaign = {
    id: 'reminder',
    journey: 'operation',
    entry: 'once-per-entity',
    trigger: { touchpoint: 'care.appointment.booked.v1' },
    steps: [
      message('hello', {
        to: ['person', 'caregiver'],
        scope: 'appointments',
        send: { until: 'entity.startsAt', offset: '-P1D', on: anyDay },
      }),
    ],
  }
  const appointment = (version: number, startsAt: string) => ({
    entity: { type: 'appointment', id: 'A-1', version },
    data: { startsAt },
  })
  const booked = ['care.appointment.booked.v1', appointment(1, '2026-03-10T09:00:00.000Z')] as const
  const moved = ['care.appointment.moved.v1', appointment(2, '2026-03-20T09:00:00.000Z')] as const
  const plans = (own: ReturnType<typeof patient>) =>
    own
      .intents()
      .map(({ recipient, dueAt, state }) => [
        recipient?.personId ?? 'person',
        dueAt.slice(0, 10),
        state,
      ])

  test('moves the message of each of them', () => {
    const own = patient(definitionOf(reminder), [{}])
      .happens(...booked)
      .happens(...moved)
    expect(plans(own)).toEqual([
      ['person', '2026-03-09', 'cancelled'],
      ['anna', '2026-03-09', 'cancelled'],
      ['person', '2026-03-19', 'planned'],
      ['anna', '2026-03-19', 'planned'],
    ])
  })

  test('is told to those who are to hear of it by now, and to nobody else', () => {
    const own = patient(definitionOf(reminder), [{}]).happens(...booked)
    const relations = new Map([...own.state.relations])
    const [key, anna] = [...relations][0] ?? []
    if (!key || !anna) throw new Error('there is no relation')
    relations.set(key, { ...anna, state: 'ended' })
    relations.set('caregiver/bob', { ...anna, otherId: 'bob' })
    own.state = { ...own.state, relations }
    own.happens(...moved)
    expect(plans(own)).toEqual([
      ['person', '2026-03-09', 'cancelled'],
      ['anna', '2026-03-09', 'cancelled'],
      ['person', '2026-03-19', 'planned'],
      ['bob', '2026-03-19', 'planned'],
    ])
  })

  test('is told to who is to hear of it by now though nobody was when it was booked (P1)', () => {
    const steps = [
      message('hello', {
        to: 'caregiver',
        scope: 'appointments',
        send: { until: 'entity.startsAt', offset: '-P1D', on: anyDay },
      }),
    ]
    const definition = definitionOf({ ...reminder, steps })
    const own = patient(definition, []).happens(...booked)
    expect(own.reasons).toContain('no_recipient')
    own.state = { ...own.state, relations: patient(definition, [{}]).state.relations }
    own.happens(...moved)
    expect(plans(own)).toEqual([['anna', '2026-03-19', 'planned']])
  })

  test('is told to who is to hear of it by now, also when nobody is who was to hear of it before (P1)', () => {
    const [step] = [
      message('hello', {
        to: 'caregiver',
        scope: 'appointments',
        send: { until: 'entity.startsAt', offset: '-P1D', on: anyDay },
      }),
    ]
    const definition = definitionOf({ ...reminder, steps: [step] })
    const own = patient(definition, [{}]).happens(...booked)
    const [[key, anna] = []] = own.state.relations
    if (!key || !anna) throw new Error('there is no relation')
    const ended = new Map([[key, { ...anna, state: 'ended' as const }]])
    const alone = patient(definition, [{}]).happens(...booked)
    alone.state = { ...alone.state, relations: ended }
    alone.happens(...moved)
    expect(plans(alone)).toEqual([['anna', '2026-03-09', 'cancelled']])
    expect(alone.reasons).toEqual(['entity_superseded', 'no_recipient'])
    own.state = {
      ...own.state,
      relations: new Map([...ended, ['caregiver/bob', { ...anna, otherId: 'bob' }]]),
    }
    own.happens(...moved)
    expect(plans(own)).toEqual([
      ['anna', '2026-03-09', 'cancelled'],
      ['bob', '2026-03-19', 'planned'],
    ])
  })
})

describe('what becomes of messages to several', () => {
  const definition = definitionOf({
    id: 'aftercare',
    steps: [
      message('hello', { to: ['person', 'caregiver'] }),
      {
        waitFor: {
          message: 'hello',
          status: ['delivered'],
          within: 'P1D',
          otherwise: [message('later')],
        },
      },
    ],
  })

  const told = (intent: Intent | undefined, status: string, subject: string, more: object = {}) =>
    [
      `message.${status}.v1`,
      {
        subject,
        data: { intentId: intent?.intentId ?? '', provider: 'smtp', channel: 'email', ...more },
      },
    ] as const

  test('has come to somebody as soon as it has come to one of them', () => {
    const own = patient(definition, [{}]).happens(discharged)
    const [, hers] = own.intents()
    own.happens(...told(hers, 'delivered', 'p1', { recipientId: 'anna' }))
    expect(own.reasons).toContain('awaited_came')
    expect([...own.state.enrolments.values()][0]?.state).toBe('completed')
  })

  test('a bounce is of the address of whoever got it', () => {
    const own = patient(definition, [{}]).happens('person.upserted.v1', {
      data: { contacts: { email: 'sam@example.org' } },
    })
    own.happens(discharged)
    const [mine, hers] = own.intents()
    own.happens(...told(hers, 'bounced', 'p1', { recipientId: 'anna' }))
    expect(own.state.intents.get(hers?.intentId ?? '')?.state).toBe('bounced')
    expect(own.state.person.contacts.email?.refusedAt).toBeNull()
    own.happens(...told(mine, 'bounced', 'p1'))
    expect(own.state.person.contacts.email?.refusedAt).toBe(now)
  })

  test('a stop or a complaint is the word of whoever got it, and of nobody else (P3)', () => {
    const words = [
      told(undefined, 'complained', 'p1', { recipientId: 'anna' }),
      told(undefined, 'replied', 'p1', { recipientId: 'anna', detail: 'stop' }),
    ]
    const own = patient(definition, [{}]).happens(discharged)
    for (const [type, over] of words) own.happens(type, over)
    expect(own.state.consents.size).toBe(0)
    const anna = patient(definition)
    for (const [type, over] of words) anna.happens(type, { ...over, subject: 'anna' })
    expect([...anna.state.consents.keys()]).toEqual(['marketing/email', 'all/email'])
  })
})

describe('the last check of a message to somebody else', () => {
  const definition = definitionOf(aftercare({ to: 'caregiver' }))
  const anna = {
    ...nobody('anna'),
    person: {
      ...nobody('anna').person,
      contacts: { email: { address: 'anna@example.org', refusedAt: null } },
    },
  }

  function check(over: {
    relation?: Partial<Relation>
    receiver?: PersonState | null
    own?: Partial<PersonState['person']>
    byAge?: true
    needsConsent?: boolean
  }) {
    const own = patient(definition, [{}]).happens(discharged)
    const [intent] = own.intents()
    const [key, relation] = [...own.state.relations][0] ?? []
    if (!intent || !key || !relation) throw new Error('nothing was planned')
    const state = {
      ...own.state,
      person: { ...own.state.person, ...over.own },
      relations: new Map([[key, { ...relation, ...over.relation }]]),
    }
    return lastCheck(state, {
      intent: { ...intent, ...(over.byAge && { byAge: true }) },
      channel: 'email',
      needsConsent: over.needsConsent ?? false,
      quietHours: undefined,
      timeZone: 'Europe/Amsterdam',
      budgets: [],
      counted: [],
      ages: children,
      receiver: over.receiver === undefined ? anna : over.receiver,
      otherOf: own.otherOf,
      now,
    }).reason
  }

  test('holds the recipient to what they want, and the relation to what it gives', () => {
    const says = (state: 'granted' | 'withdrawn'): PersonState => ({
      ...anna,
      consents: new Map([
        [
          'care/',
          { purpose: 'care', channel: null, state, origin: 'person', at: now, proof: null },
        ],
      ]),
    })
    expect(check({})).toBeNull()
    expect(check({ receiver: null })).toBe('person_unknown')
    expect(check({ own: { deceasedAt: now } })).toBe('person_deceased')
    const dead = { ...anna, person: { ...anna.person, deceasedAt: now } }
    expect(check({ receiver: dead })).toBe('recipient_deceased')
    expect(check({ relation: { state: 'ended' } })).toBe('relation_ended')
    expect(check({ relation: { expiresAt: now } })).toBe('relation_ended')
    expect(check({ relation: { scope: ['appointments'] } })).toBe('relation_scope_missing')
    expect(check({ byAge: true })).toBe('recipient_by_age')
    expect(check({ receiver: says('withdrawn') })).toBe('consent_withdrawn')
    expect(check({ needsConsent: true })).toBe('consent_missing')
    expect(check({ needsConsent: true, receiver: says('granted') })).toBeNull()
    expect(check({ receiver: { ...anna, person: { ...anna.person, contacts: {} } } })).toBe(
      'contact_missing',
    )
  })
})

test('a message to a record that was merged since is one to whoever that has become (P2)', () => {
  const [anna, elder] = [
    { personId: 'anna', kind: 'caregiver' as const, scope: 'care' as const },
    { personId: 'elder', kind: 'caregiver' as const, scope: 'care' as const },
  ]
  const others = { elder: 'anna' } as Record<string, string>
  const context = {
    otherOf: (id: string) => ({ ...somebodyElse, personId: others[id] ?? id }),
  } as unknown as Parameters<typeof isToSame>[2]
  const to = (recipient?: Intent['recipient']) => ({ ...(recipient && { recipient }) }) as Intent
  expect(isToSame(to(elder), anna, context)).toBe(true)
  expect(isToSame(to(anna), anna, context)).toBe(true)
  expect(isToSame(to(elder), undefined, context)).toBe(false)
  expect(isToSame(to(), undefined, context)).toBe(true)
})

test('a death ends what was to go to others about the person, too, and plans nothing more (P3)', () => {
  const steps = [
    message('hello', { to: ['person', 'caregiver'], send: { for: 'PT2H', on: anyDay } }),
  ]
  const definition = definitionOf({ id: 'aftercare', entry: 'every-time', steps })
  const father = patient(definition, [{ otherId: 'anna' }])
  father.happens(discharged)
  expect(father.who()).toEqual(['person', 'caregiver anna'])
  father.happens('person.deceased.v1')
  expect(father.intents().map(({ reason }) => reason)).toEqual([
    'person_deceased',
    'person_deceased',
  ])
  father.happens(discharged)
  expect(father.reasons).toEqual(['person_deceased'])
  expect(father.who()).toEqual([])
})

const somebodyElse: OtherPerson = {
  personId: '',
  timeZone: null,
  persona: null,
  preferredChannel: null,
  deceasedAt: null,
}
