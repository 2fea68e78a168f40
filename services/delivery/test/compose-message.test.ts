import type { ClaimedMessage } from '@wegwijs/store/last-check'
import { createRenderer } from '@wegwijs/template/render'
import { smallHospital } from '@wegwijs/test-support/small-hospital'
import { describe, expect, it } from 'vitest'
import { composeMessage } from '../src/compose-message.ts'
import { rulesOf } from '../src/sending-rules.ts'
import type { Template } from '../src/template-shelf.ts'

const rules = rulesOf(3, smallHospital([]))
const renderer = createRenderer()
const answerLinks = {
  publicUrl: 'https://hospital.example.org',
  secret: 'a secret of the tests, long enough to be one',
}

const claimed: ClaimedMessage = {
  intentId: '0190c0de-0000-8000-8000-000000000001',
  personId: '0190c0de-0000-8000-8000-000000000002',
  receiverId: '0190c0de-0000-8000-8000-000000000002',
  recipient: null,
  fence: 2,
  attempt: 2,
  duplicate: true,
  address: '+31970000000',
  enrolmentId: '0190c0de-0000-8000-8000-000000000003',
  campaignId: 'aftercare',
  messageId: 'welcome',
  templateId: 'hello',
  templateHash: 'hello-1',
  question: null,
  expiresAt: '2026-03-03T09:00:00.000Z',
  traceparent: null,
  claimedAt: '2025-12-31T23:30:00.000Z',
  person: {
    fields: { givenName: 'Noor', birthYear: 1950 },
    locale: 'nl-BE',
    timeZone: null,
    persona: 'senior',
    journeys: { stay: { phase: 'recovery' } },
  },
  event: { ward: 'B2' },
  entity: { startsAt: '2026-03-09T08:15:00.000Z' },
  statuses: { welcome: 'sent' },
}

function templateOf(text: string): Template {
  const channel = (content: Record<string, string>) => ({
    sensitivity: 'neutral' as const,
    variables: [],
    content: { nl: content },
  })
  return {
    id: 'hello',
    channels: { sms: channel({ text }), app: channel({ title: 'Hallo', body: text }) },
  }
}

const compose = (text: string, over: Partial<ClaimedMessage> = {}) =>
  composeMessage({ ...claimed, ...over }, 'sms', rules, {
    template: templateOf(text),
    renderer,
    answerLinks,
  })

function textOf(text: string, over: Partial<ClaimedMessage> = {}): string {
  const composed = compose(text, over)
  if ('fault' in composed) return composed.fault
  return 'text' in composed.message.content ? composed.message.content.text : ''
}

describe('what a template may name', () => {
  it.each([
    ['{{person.givenName}}', 'Noor'],
    ['{{person.persona}} {{person.locale}}', 'senior nl-BE'],
    ['{{event.ward}}', 'B2'],
    ['{{time entity.startsAt}}', '09:15'],
    ['{{organisation.name}}', 'Test Hospital'],
    ['{{enrolment.welcome.status}}', 'sent'],
    ['{{journey.stay.phase}}', 'recovery'],
  ])('%s is %s', (template, text) => {
    expect(textOf(template)).toBe(text)
  })

  it('counts the age in the zone in which the message is read', () => {
    const inNewYork = { ...claimed.person, timeZone: 'America/New_York' }
    expect(textOf('{{person.age}}')).toBe('76')
    expect(textOf('{{person.age}}', { person: inNewYork })).toBe('75')
  })

  it('is written in the zone of the person', () => {
    const person = { ...claimed.person, timeZone: 'Europe/London' }
    expect(textOf('{{time entity.startsAt}}', { person })).toBe('08:15')
  })
})

describe('a message that cannot be made', () => {
  it('says so in a word, and nothing of the data (P7)', () => {
    expect(compose('{{person.shoeSize}}')).toEqual({ fault: 'template_variable_missing' })
    const tools = { template: templateOf('x'), renderer, answerLinks }
    expect(composeMessage(claimed, 'email', rules, tools)).toEqual({
      fault: 'template_content_missing',
    })
    expect(composeMessage(claimed, 'sms', rules, { ...tools, template: null })).toEqual({
      fault: 'template_unknown',
    })
    const { sms: _, ...channels } = rules.channels
    expect(composeMessage(claimed, 'sms', { ...rules, channels }, tools)).toEqual({
      fault: 'channel_not_defined',
    })
  })
})

describe('the names by which a provider knows a message', () => {
  it('are the same on every attempt (P2)', () => {
    const once = compose('x', { attempt: 1, duplicate: false, fence: 1 })
    const again = compose('x')
    if ('fault' in once || 'fault' in again) throw new Error('not composed')
    const { idempotencyKey, messageId } = once.message
    expect(again.message).toMatchObject({ idempotencyKey, messageId, attempt: 2, duplicate: true })
    expect(idempotencyKey).toBe(`${claimed.intentId}-sms`)
    expect(messageId).toBe(`<${claimed.intentId}@hospital.example.org>`)
  })

  it('carry no sender for the app, which is ours', () => {
    const tools = { template: templateOf('Dag'), renderer, answerLinks }
    expect(composeMessage(claimed, 'app', rules, tools)).toMatchObject({
      message: { content: { kind: 'app', title: 'Hallo', body: 'Dag' } },
    })
  })
})

it('the classes that need a consent are those of the policies', () => {
  expect(rules.classesNeedingConsent).toEqual(['marketing', 'research'])
})
