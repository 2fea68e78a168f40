import { join } from 'node:path'
import { campaignFieldsOf } from '@wegwijs/campaign/catalogue'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { Field } from '@wegwijs/campaign/definition/field'
import { type ChannelName, localeNames } from '@wegwijs/campaign/definition/words'
import type { Question } from '@wegwijs/campaign/state'
import { channelsNamedBy } from '@wegwijs/campaign/steps/message-channels'
import { templatesFor } from '@wegwijs/campaign/steps/message-template'
import { partsOf, stepKinds } from '@wegwijs/campaign/steps/registry'
import { triggerKinds, triggerPartsOf } from '@wegwijs/campaign/triggers/registry'
import { createRenderer } from '@wegwijs/template/render'
import type { Rendered } from '@wegwijs/template/template'
import { describe, expect, test } from 'vitest'
import { stepsOf } from '../src/checks/walk.ts'
import { formatFault } from '../src/fault.ts'
import { loadDefinition } from '../src/load-definition.ts'

const folder = join(import.meta.dirname, '../../../examples/hospital')
const loaded = await loadDefinition(folder)
const bundle = loaded.bundle as DefinitionBundle

test('the example has no faults and no warnings', () => {
  expect(loaded.faults.map(formatFault)).toEqual([])
  expect(loaded.warnings.map(formatFault)).toEqual([])
})

test('it shows five personas, three journeys, and every kind of step and of trigger', () => {
  expect(bundle.personas.personas.map(({ id }) => id)).toEqual([
    'referrer',
    'worried-caregiver',
    'digital-senior',
    'busy-parent',
    'everybody-else',
  ])
  expect(bundle.journeys.journeys.map(({ id }) => id)).toEqual([
    'hospital-stay',
    'planned-operation',
    'working-together',
  ])
  const steps = bundle.campaigns.flatMap((campaign) =>
    stepsOf(campaign.steps).flatMap(({ step }) => Object.keys(step)),
  )
  expect(steps).toEqual(expect.arrayContaining(stepKinds.map(({ key }) => key)))
  const triggers = bundle.campaigns.flatMap(({ trigger }) => Object.keys(trigger))
  expect(triggers).toEqual(expect.arrayContaining(triggerKinds.map(({ key }) => key)))
  expect(new Set(bundle.campaigns.map((campaign) => campaign.class))).toEqual(
    new Set(['care', 'service', 'marketing']),
  )
})

test('its campaigns say what is expected of them, save those that tell or keep what must be', () => {
  const without = bundle.campaigns.filter(({ goal }) => goal?.assumption === undefined)
  expect(without.map(({ id }) => id)).toEqual(['appointment-cancelled', 'quiet-after-a-complaint'])
})

test('every phase of every journey has a touchpoint, or is the relation that lasts', () => {
  const reached = new Set(
    bundle.touchpoints.touchpoints.map(({ journey, phase }) => `${journey}.${phase}`),
  )
  const unreached = bundle.journeys.journeys.flatMap(({ id, phases }) =>
    phases.map((phase) => `${id}.${phase.id}`).filter((phase) => !reached.has(phase)),
  )
  expect(unreached).toEqual(['hospital-stay.lasting-relation'])
})

test('each of its log mappings names only what it declares', () => {
  expect(loaded.mappingFaults.map(formatFault)).toEqual([])
})

/** One thing that somebody may get: a message of a campaign, on a channel, in a language. */
type Case = {
  name: string
  campaign: CampaignFile
  template: string
  channel: ChannelName
  locale: string
  question: Question | null
}

const cases: Case[] = bundle.campaigns.flatMap((campaign) =>
  stepsOf(campaign.steps).flatMap(({ step }) => {
    const { message } = partsOf(step)
    if (!message) return []
    const { id, template: texts } = message
    const channels = channelsNamedBy(message)
    const personas = bundle.personas.personas.filter(
      (persona) => campaign.audience.personas?.includes(persona.id) ?? true,
    )
    return templatesFor(texts).flatMap(({ template }) => {
      const content = bundle.templates.find((known) => known.id === template)?.channels ?? {}
      const usable = (
        channels ?? [...new Set(personas.flatMap((persona) => persona.channels))]
      ).filter((channel) => content[channel])
      return usable.flatMap((channel) =>
        localeNames.map((locale) => ({
          name: `${campaign.id} / ${id} / ${template} / ${channel} / ${locale}`,
          campaign,
          template,
          channel,
          locale,
          question: message.question ?? null,
        })),
      )
    })
  }),
)

const renderer = createRenderer()
const department = 'Orthopedie'

/** A value of each kind that takes much room: the longest month, the longest day of the week. */
function sampleOf(name: string, field: Field): string | number | boolean {
  if (field.values?.[0] !== undefined) return field.values[0]
  if (name.endsWith('department')) return department
  const samples = {
    text: 'Route 312, tweede verdieping',
    number: 72,
    boolean: true,
    instant: '2026-09-23T18:30:00.000Z',
    date: '2026-09-23',
  } as const
  return samples[field.type]
}

/** Data for a campaign's messages: all of it, or only what is always there. */
function dataFor(campaign: CampaignFile, amount: 'all' | 'least'): Record<string, unknown> {
  const data: Record<string, Record<string, unknown>> = {
    organisation: bundle.policies.organisation,
    person: { persona: 'everybody-else', locale: 'nl' },
    event: {},
    entity: {},
  }
  const trigger = bundle.touchpoints.touchpoints.find(({ type }) =>
    triggerPartsOf(campaign.trigger).types.includes(type),
  )
  for (const [path, field] of campaignFieldsOf(bundle, campaign)) {
    const [root = '', name = ''] = path.split('.')
    const always = (root === 'event' || root === 'entity') && trigger?.data[name]?.required
    if (data[root] && (amount === 'all' || always)) data[root][name] = sampleOf(path, field)
  }
  return data
}

/** What the template of a question may show of it, with links as long as real ones. */
function answersOf(question: Question | null, locale: string): Record<string, unknown> {
  if (!question) return {}
  const own = locale === 'nl' ? 'nl' : 'en'
  const url = `${bundle.policies.organisation.website}/a/${'x'.repeat(38)}`
  return {
    question: { text: question.text[own], url },
    answers: Object.fromEntries(
      question.answers.map(({ answer, says, words }) => [
        answer,
        { url: `${url}/${answer}`, says: says[own], word: words?.[own][0] },
      ]),
    ),
  }
}

function render(
  { campaign, template: id, channel, locale, question }: Case,
  amount: 'all' | 'least',
): Rendered {
  const template = bundle.templates.find((known) => known.id === id)
  if (!template) throw new Error(`no template ${id}`)
  const data = { ...dataFor(campaign, amount), ...answersOf(question, locale) }
  const { timeZone, locale: defaultLocale } = bundle.policies
  return renderer.render(template, { channel, locale, defaultLocale, timeZone, data })
}

/** Words that would tell somebody who looks along why a person is here. */
const telling =
  /sepsis|infecti|antibioti|diagnos|intensive care|operati|surgery|chirurg|kanker|cancer|afdeling|\bward\b/i

describe.each(cases)('$name', (message) => {
  test.each(['all', 'least'] as const)('can be shown with %s of its data', (amount) => {
    const { locale, content } = render(message, amount)
    expect(locale).toBe(message.locale)
    const texts = Object.values(content).filter((value) => typeof value === 'string')
    for (const text of texts) expect(text).not.toMatch(/\{\{|undefined|\[object|^\s*$/)
  })

  if (message.channel === 'email')
    test('is an e-mail that anybody can read and nobody can follow', () => {
      const { content } = render(message, 'all')
      if (content.kind !== 'email') throw new Error('no e-mail')
      const { subject, html, text } = content
      const { phone, website } = bundle.policies.organisation
      expect(subject.length).toBeLessThanOrEqual(70)
      expect(text).toContain(phone)
      expect(html).toContain(phone)
      expect(html).toContain(`lang="${message.locale}"`)
      expect(html).toMatch(/<title>[^<]+<\/title>/)
      expect(html.match(/<h1/g)).toHaveLength(1)
      // Nothing is fetched when it is opened: no pictures, fonts or styles from elsewhere.
      expect(html).not.toMatch(
        /<img|<iframe|<script|<link\b|@import|url\(|\bsrc\s*=|background="http/i,
      )
      const links = [...html.matchAll(/href="([^"]+)"/g)].map(([, link]) => link ?? '')
      for (const link of links)
        expect(link).toMatch(/^(tel:\+?\d+$|https:\/\/delinde\.example\.org\/)/)
      expect(links.every((link) => link.startsWith('tel:') || link.startsWith(website))).toBe(true)
      const dialled = `tel:+31${phone.replaceAll(' ', '').slice(1)}`
      for (const link of links.filter((known) => known.startsWith('tel:')))
        expect([dialled, 'tel:112']).toContain(link)
      for (const part of [subject, text]) {
        expect(part).not.toMatch(telling)
        expect(part).not.toContain(department)
      }
    })

  if (message.channel === 'sms')
    test('is one SMS without a name or a reason in it', () => {
      const { content } = render(message, 'all')
      if (content.kind !== 'sms') throw new Error('no SMS')
      expect(content.size).toEqual({ segments: 1, encoding: 'GSM-7' })
      expect(content.text).toContain(bundle.policies.organisation.phone)
      expect(content.text).not.toMatch(telling)
      expect(content.text).not.toContain(department)
    })
})
