import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { expect, test } from 'vitest'
import { type Compared, compare } from '../src/difference.ts'
import { compileDraft, liveVersionsOf } from '../src/draft.ts'
import { Fates } from '../src/fates.ts'
import { MessageLines } from '../src/lines.ts'
import { alwaysDelivered } from '../src/outcome-model.ts'
import { sendingOf } from '../src/sending.ts'
import { Simulation } from '../src/simulation.ts'
import { Texts } from '../src/texts.ts'

const monday = '2026-03-02T09:00:00.000Z'

function happen(
  subject: string,
  type: string,
  data: TouchpointEvent['data'] = {},
): TouchpointEvent {
  return { id: `${type} ${subject}`, source: 'urn:test:ehr', subject, type, time: monday, data }
}

/** An older person and a younger one come home; both can be reached by e-mail and by SMS. */
const events = [
  ['old', 1940],
  ['young', 1990],
].flatMap(([subject, birthYear]) => [
  happen(String(subject), 'person.upserted.v1', {
    birthYear: Number(birthYear),
    contacts: { email: `${subject}@example.org`, phone: '+447700900123' },
    test: true,
  }),
  happen(String(subject), 'care.discharge.completed.v1'),
])

function simulated(bundle: DefinitionBundle, versions = compileDraft(bundle)): Compared {
  const lines = new MessageLines()
  const fates = new Fates(versions)
  const texts = new Texts(sendingOf(bundle))
  const simulation = new Simulation({
    definition: versions,
    sending: sendingOf(bundle),
    outcomes: alwaysDelivered,
    onMessage: (each) => lines.add(each, texts.of(each)),
    onDecision: (person, decision) => fates.decision(person, decision),
  })
  for (const event of events) simulation.take(event)
  simulation.finish()
  return { people: simulation.people, fates, lines: lines.compared(simulation.people) }
}

type Campaigns = Parameters<typeof smallHospital>[0]
const told = (now: Campaigns, then: Campaigns) => {
  const { same, differences } = compare(
    simulated(smallHospital(now)),
    simulated(smallHospital(then)),
  )
  return [
    `${same} same`,
    ...differences.map(
      ({ change, person, step, reason }) => `${change} ${person} ${step} ${reason}`,
    ),
  ]
}

const hello = campaign({ id: 'care' })
const seniors = campaign({ id: 'care', audience: { personas: ['senior'] } })
const overSixty = campaign({
  id: 'care',
  audience: { where: { field: 'person.birthYear', op: 'lt', value: 1966 } },
})

test('nothing differs from itself', () => {
  expect(told([hello], [hello])).toEqual(['2 same'])
})

test('who would get less, and more, with the reason why not', () => {
  expect(told([hello], [overSixty])).toEqual(['1 same', 'less ehr:young hello condition_false'])
  expect(told([overSixty], [hello])).toEqual(['1 same', 'more ehr:young hello condition_false'])
  expect(told([hello], [seniors])).toEqual([
    '1 same',
    'less ehr:young hello persona_not_in_audience',
  ])
  expect(told([hello], [])).toEqual([
    '0 same',
    'less ehr:old hello campaign_not_live',
    'less ehr:young hello campaign_not_live',
  ])
  const later = campaign({ id: 'care', steps: [message('later')] })
  expect(told([hello], [later])).toEqual([
    '0 same',
    'less ehr:old hello step_not_there',
    'less ehr:young hello step_not_there',
    'more ehr:old later step_not_there',
    'more ehr:young later step_not_there',
  ])
})

test('a message that the last check refuses on one side has its reason there', () => {
  const offer = campaign({ id: 'care', class: 'marketing' })
  expect(told([hello], [offer])).toEqual([
    '0 same',
    'less ehr:old hello consent_missing',
    'less ehr:young hello consent_missing',
  ])
})

test('who would get it over another channel, or at another moment', () => {
  const by = (channels: ('email' | 'sms')[], more = {}) =>
    campaign({ id: 'care', steps: [message('hello', { channels, ...more })] })
  expect(told([by(['email'])], [by(['sms', 'email'])])).toEqual([
    '0 same',
    'other ehr:old hello other_channel',
    'other ehr:young hello other_channel',
  ])
  const tomorrow = by(['email'], { send: { for: 'P1D', on: 'any-day' } })
  expect(told([by(['email'])], [tomorrow])).toEqual([
    '0 same',
    'other ehr:old hello other_moment',
    'other ehr:young hello other_moment',
  ])
})

/** The same campaigns, with another text in the template that says hello. */
function reworded(campaigns: Campaigns, channel: 'email' | 'sms', locale: 'nl' | 'en') {
  const bundle = smallHospital(campaigns)
  const templates = structuredClone(bundle.templates)
  const content = templates[0]?.channels[channel]?.content[locale]
  if (!content) throw new RangeError('the template has no such text')
  content.text = 'other words'
  const versions = bundle.templates.map(({ hash }) => hash)
  return {
    ...bundle,
    templates: templates.map((each, at) => ({ ...each, hash: `${versions[at]}-x` })),
  }
}

test('who would read another text, on the channel and in the language of the message', () => {
  const differ = (channel: 'email' | 'sms', locale: 'nl' | 'en', then: Campaigns = [hello]) =>
    compare(simulated(smallHospital([hello])), simulated(reworded(then, channel, locale)))
  const { same, differences } = differ('email', 'nl')
  expect(same).toBe(0)
  expect(differences).toMatchObject([
    { change: 'other', person: 'ehr:old', reason: 'other_text' },
    { change: 'other', person: 'ehr:young', reason: 'other_text' },
  ])
  expect(Object.keys(differences[0]?.would ?? {})).not.toContain('text')
  expect(differ('sms', 'nl')).toEqual({ same: 2, differences: [] })
  expect(differ('email', 'en')).toEqual({ same: 2, differences: [] })
  const send = { for: 'P1D', on: 'any-day' } as const
  const tomorrow = campaign({ id: 'care', steps: [message('hello', { send })] })
  expect(differ('email', 'nl', [tomorrow]).differences[0]).toMatchObject({
    reason: 'other_moment',
    because: 'message_changed',
    isOtherText: true,
  })
})

test('who would get it over one channel more, or less', () => {
  const by = (channels: NonNullable<Parameters<typeof message>[1]>['channels']) =>
    campaign({ id: 'care', steps: [message('hello', { channels })] })
  const [one, all] = [by(['sms']), by({ all: ['email', 'sms'] })]
  expect(told([one], [all])).toEqual([
    '2 same',
    'more ehr:old hello other_channel',
    'more ehr:young hello other_channel',
  ])
  expect(told([all], [one])).toEqual([
    '2 same',
    'less ehr:old hello other_channel',
    'less ehr:young hello other_channel',
  ])
  expect(told([by({ cascade: ['sms', 'email'], after: 'PT30M' })], [one])).toEqual(['2 same'])
})

test('a draft gets the version that publishing would give it', () => {
  const live = liveVersionsOf(compileDraft(smallHospital([hello, campaign({ id: 'other' })])))
  const draft = compileDraft(smallHospital([overSixty, campaign({ id: 'other' })]), live)
  expect([...draft.campaigns.keys()].sort()).toEqual(['care@2', 'other@1'])
})
