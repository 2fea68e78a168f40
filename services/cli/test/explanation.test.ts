import { campaignFieldsOf } from '@wegwijs/campaign/catalogue'
import { compileDefinition } from '@wegwijs/campaign/compile'
import { createWords } from '@wegwijs/campaign/explain/language'
import type { ReplayedMoment } from '@wegwijs/dry-run/replay'
import type { EventFact, PersonFacts } from '@wegwijs/store/explain'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { expect, test } from 'vitest'
import { explainCampaign } from '../src/explanation/campaign.ts'

const at = (time: string) => `2026-03-02T${time}:00.000Z`
const source = 'urn:test:ehr'
const answered = 'care.survey.answered.v1'

const bundle = smallHospital([campaign({ id: 'home', name: 'Nazorg', steps: [message('hello')] })])
const { campaigns } = compileDefinition(
  1,
  bundle,
  bundle.campaigns.map((file) => ({
    id: file.id,
    version: 1,
    live: true,
    file,
    templates: { hello: 'hello-1' },
  })),
)
const newest = campaigns.get('home@1')

function event(id: string, businessAt: string, over: Partial<EventFact> = {}): EventFact {
  return {
    source,
    id,
    subject: 'p1',
    type: 'care.discharge.completed.v1',
    time: businessAt,
    businessAt,
    entity: null,
    version: null,
    persona: null,
    outcome: 'applied',
    ...over,
  }
}

function decision(eventId: string, businessAt: string, enrolmentId: string, reason: string) {
  return {
    businessAt,
    source,
    eventId,
    campaignId: 'home',
    version: 1,
    enrolmentId,
    intentId: null,
    reason,
    detail: null,
  }
}

function run(enrolmentId: string, enteredAt: string): PersonFacts['enrolments'][number] {
  return {
    enrolmentId,
    campaignId: 'home',
    version: 1,
    state: 'running',
    reason: null,
    enteredAt,
    endedAt: null,
    waitsUntil: null,
  }
}

function told(
  locale: 'nl' | 'en',
  over: Partial<PersonFacts>,
  moments: readonly ReplayedMoment[] | null = null,
): string[] {
  const [own] = bundle.campaigns
  if (!newest || !own) throw new Error('there is one')
  const words = createWords(locale, {
    timeZone: 'UTC',
    fields: campaignFieldsOf(bundle, own),
    touchpoints: new Map(),
    showsHealth: true,
  })
  const facts: PersonFacts = {
    personId: 'p',
    identities: [],
    persona: null,
    deceasedAt: null,
    test: true,
    businessNow: at('20:00'),
    events: [],
    enrolments: [],
    decisions: [],
    messages: [],
    stops: [],
    ...over,
  }
  return explainCampaign({
    facts,
    moments,
    campaignId: 'home',
    versions: campaigns,
    newest,
    onlyEvent: null,
    locale,
    wordsFor: () => words,
  }).map(({ sentence }) => sentence)
}

const goalOfOne = {
  events: [
    event('e1', at('09:00'), { entity: 'appointment/A-1', version: 1 }),
    event('e2', at('10:00')),
    event('e3', at('11:00'), { type: answered, entity: 'appointment/A-1', version: 2 }),
  ],
  enrolments: [run('n1', at('09:00')), run('n2', at('10:00'))],
  decisions: [
    decision('e1', at('09:00'), 'n1', 'enrolled'),
    decision('e2', at('10:00'), 'n2', 'enrolled'),
    decision('e3', at('11:00'), 'n1', 'goal_reached'),
  ],
}

const ofTheOther: ReplayedMoment = {
  at: at('11:00'),
  event: {
    id: 'e3',
    source,
    type: answered,
    subject: 'p1',
    time: at('11:00'),
    data: {},
    entity: { type: 'appointment', id: 'A-1', version: 2 },
    traceparent: null,
  },
  enrolmentId: null,
  campaignId: null,
  decided: null,
  starts: [],
  steps: new Map(),
  touchpoints: [
    {
      campaignId: 'home',
      enrolmentId: 'n2',
      role: 'goal',
      isOfAnother: true,
      trace: null,
      holds: false,
    },
  ],
}

test.each([
  [
    'nl',
    / \(voor appointment\/A-1\)\.$/,
    /^Dit telde niet .* \(begonnen op 2 maart 2026 om 10:00\): /,
  ],
  ['en', / \(for appointment\/A-1\)\.$/, /^This did not count .* \(begun on .*10:00\): /],
] as const)('of several runs it is told which one is meant: %s', (locale, own, other) => {
  expect(told(locale, goalOfOne, [ofTheOther]).slice(-2)).toEqual([
    expect.stringMatching(own),
    expect.stringMatching(other),
  ])
})

test('of the only run it is not told again', () => {
  const { enrolments, ...rest } = goalOfOne
  const sentences = told('en', { ...rest, enrolments: enrolments.slice(0, 1) })
  expect(sentences).toHaveLength(6)
  expect(sentences.join('\n')).not.toContain('(for appointment/A-1)')
})

test('what is received in the moment of sending is told after it', () => {
  const now = at('09:00')
  const sentences = told('en', {
    events: [
      event('r1', now, { type: 'message.delivered.v1', source: 'urn:wegwijs:receipts:smtp' }),
      event('e1', now),
    ],
    decisions: [
      {
        ...decision('r1', now, 'n1', 'awaited_came'),
        source: 'urn:wegwijs:receipts:smtp',
      },
      decision('e1', now, 'n1', 'enrolled'),
    ],
    enrolments: [run('n1', now)],
    messages: [
      {
        intentId: 'i1',
        enrolmentId: 'n1',
        campaignId: 'home',
        version: 1,
        messageId: 'hello',
        templateId: 'hello',
        state: 'delivered',
        reason: null,
        detail: null,
        recipient: null,
        channels: ['email'],
        channel: 'email',
        provider: 'smtp',
        plannedAt: now,
        dueAt: now,
        expiresAt: at('20:00'),
        settledAt: now,
        attempts: [
          {
            businessAt: now,
            channel: 'email',
            provider: 'smtp',
            outcome: 'accepted',
            reason: null,
            duplicate: false,
          },
        ],
      },
    ],
  })
  const sent = sentences.findIndex((each) => each.includes('was sent by e-mail'))
  const received = sentences.findIndex((each) => each.includes('told by smtp'))
  expect(sent).toBeGreaterThan(0)
  expect(received).toBeGreaterThan(sent)
})
