import { type CampaignFile, campaignFileSchema } from '@wegwijs/campaign/definition/campaign'
import { describe, expect, test } from 'vitest'
import type { CampaignFacts, DecisionFact, EventFact, PersonFacts } from '../src/explain.ts'
import { verdictsOf } from '../src/verdicts.ts'

const discharge = 'care.discharge.completed.v1'

function file(over: Record<string, unknown> = {}): CampaignFile {
  return campaignFileSchema.parse({
    id: 'home',
    name: 'Home',
    journey: 'stay',
    class: 'care',
    trigger: { touchpoint: discharge },
    steps: [{ message: { id: 'hello', template: 'hello' } }],
    ...over,
  })
}

function campaign(over: Partial<CampaignFacts> = {}, content = file()): CampaignFacts {
  return {
    campaignId: 'home',
    state: 'live',
    versions: [{ version: 1, publishedAt: '2026-01-01T00:00:00.000Z', file: content }],
    ...over,
  }
}

function event(over: Partial<EventFact> = {}): EventFact {
  return {
    source: 'urn:test',
    id: 'e1',
    subject: 'A',
    type: discharge,
    time: '2026-03-01T10:00:00.000Z',
    businessAt: '2026-03-01T10:15:00.000Z',
    entity: null,
    version: null,
    persona: 'senior',
    outcome: 'applied',
    ...over,
  }
}

function decision(over: Partial<DecisionFact> = {}): DecisionFact {
  return {
    businessAt: '2026-03-01T10:15:00.000Z',
    source: 'urn:test',
    eventId: 'e1',
    campaignId: 'home',
    version: 1,
    enrolmentId: null,
    intentId: null,
    reason: 'condition_false',
    detail: null,
    ...over,
  }
}

/** What a date or a day led to stands beside no event. */
const byItself = { source: null, eventId: null }

function facts(over: Partial<PersonFacts> = {}): PersonFacts {
  return {
    personId: 'p',
    identities: [],
    persona: 'senior',
    deceasedAt: null,
    test: true,
    businessNow: '2026-04-01T00:00:00.000Z',
    events: [event()],
    enrolments: [],
    decisions: [],
    messages: [],
    stops: [],
    ...over,
  }
}

test('a campaign that let somebody in, with the run and its messages', () => {
  const enrolment = { enrolmentId: 'n1', campaignId: 'home', version: 1 }
  const known = facts({
    decisions: [decision({ reason: 'enrolled', enrolmentId: 'n1' })],
    enrolments: [enrolment as PersonFacts['enrolments'][number]],
    messages: [
      { intentId: 'i1', enrolmentId: 'n1' } as PersonFacts['messages'][number],
      { intentId: 'i2', enrolmentId: 'other' } as PersonFacts['messages'][number],
    ],
  })
  const [verdict] = verdictsOf(known, campaign())
  expect(verdict).toMatchObject({ outcome: 'enrolled', reason: 'enrolled', version: 1, enrolment })
  expect(verdict?.messages.map((message) => message.intentId)).toEqual(['i1'])
})

test('a campaign that looked and did not, with what it saw', () => {
  const detail = { leaves: [{ field: 'person.age', op: 'gte', value: 18, found: 7 }] }
  const known = facts({ decisions: [decision({ detail })] })
  expect(verdictsOf(known, campaign())).toMatchObject([
    { outcome: 'refused', reason: 'condition_false', detail, version: 1 },
  ])
})

test('one verdict for each event that could have started it, the oldest first', () => {
  const known = facts({
    events: [event(), event({ id: 'e2' })],
    decisions: [
      decision({ reason: 'enrolled', enrolmentId: 'n1' }),
      decision({ eventId: 'e2', reason: 'already_entered' }),
    ],
  })
  expect(verdictsOf(known, campaign()).map((verdict) => verdict.reason)).toEqual([
    'enrolled',
    'already_entered',
  ])
})

describe('a campaign that never looked says why not', () => {
  const reasonOf = (known: PersonFacts, about: CampaignFacts) => {
    const [verdict] = verdictsOf(known, about)
    expect(verdict?.outcome).toBe('not_considered')
    return verdict?.reason
  }

  test('it waits for another touchpoint', () => {
    const known = facts({ events: [event({ type: 'care.admission.started.v1' })] })
    expect(reasonOf(known, campaign())).toBe('trigger_other_touchpoint')
  })

  test('it is for other personas', () => {
    const about = campaign({}, file({ audience: { personas: ['parent'] } }))
    expect(reasonOf(facts(), about)).toBe('persona_not_in_audience')
  })

  test('it was published after the event', () => {
    const versions = [{ version: 1, publishedAt: '2026-03-02T00:00:00.000Z', file: file() }]
    expect(reasonOf(facts(), campaign({ versions }))).toBe('campaign_not_live')
  })

  test('it had ended', () => {
    expect(reasonOf(facts(), campaign({ state: 'ended' }))).toBe('campaign_not_live')
  })

  test('its version of that day waited for another touchpoint', () => {
    const earlier = file({ trigger: { touchpoint: 'care.admission.started.v1' } })
    const versions = [
      { version: 1, publishedAt: '2026-01-01T00:00:00.000Z', file: earlier },
      { version: 2, publishedAt: '2026-03-20T00:00:00.000Z', file: file() },
    ]
    expect(reasonOf(facts(), campaign({ versions }))).toBe('trigger_other_touchpoint')
  })

  test('the event itself was not applied', () => {
    const known = facts({ events: [event({ outcome: 'entity_not_newer' })] })
    expect(reasonOf(known, campaign())).toBe('entity_not_newer')
  })
})

describe('a campaign that starts by hand', () => {
  const byHand = campaign(
    {},
    file({ trigger: { manual: true }, audience: { personas: ['parent'] } }),
  )
  const put = (enrols: string) => event({ type: 'person.enrolled.v1', enrols })

  test('into which somebody of another persona was put says so', () => {
    expect(verdictsOf(facts({ events: [put('home')] }), byHand)).toMatchObject([
      { reason: 'persona_not_in_audience', detail: { persona: 'senior' } },
    ])
  })

  test('says nothing of who was put into another one, nor of profiles', () => {
    const others = [put('elsewhere'), event({ type: 'person.upserted.v1' })]
    expect(verdictsOf(facts({ events: others }), byHand)).toMatchObject([
      { reason: 'trigger_other_touchpoint', event: null },
    ])
  })

  test('from which they were held out tells that, and not that it was not live', () => {
    const heldOut = decision({ reason: 'held_out', enrolmentId: 'run' })
    expect(verdictsOf(facts({ decisions: [heldOut] }), campaign())).toMatchObject([
      { outcome: 'refused', reason: 'held_out' },
    ])
  })
})

describe('a campaign that began by itself', () => {
  const becomes = file({
    trigger: {
      becomes: { not: { happened: { touchpoint: discharge, within: 'P30D' } } },
    },
  })
  const reasons = (decisions: DecisionFact[]) =>
    verdictsOf(facts({ decisions }), campaign({}, becomes)).map(
      ({ outcome, reason, event: of }) => [outcome, reason, of?.id ?? null],
    )

  test('says so beside the events that could have begun it', () => {
    const enrolled = decision({ ...byItself, reason: 'enrolled', enrolmentId: 'r1' })
    expect(reasons([enrolled])).toEqual([
      ['not_considered', 'trigger_other_touchpoint', 'e1'],
      ['enrolled', 'enrolled', null],
    ])
  })

  test('says why not, and nothing of what its run came to later', () => {
    expect(
      reasons([
        decision({ ...byItself, reason: 'already_entered' }),
        decision({ ...byItself, reason: 'held_out', enrolmentId: 'r2' }),
        decision({ reason: 'enrolled', enrolmentId: 'r3' }),
        decision({ ...byItself, reason: 'completed', enrolmentId: 'r3' }),
        decision({ ...byItself, reason: 'branch_taken', enrolmentId: 'r3' }),
      ]),
    ).toEqual([
      ['enrolled', 'enrolled', 'e1'],
      ['refused', 'already_entered', null],
      ['refused', 'held_out', null],
    ])
  })
})
