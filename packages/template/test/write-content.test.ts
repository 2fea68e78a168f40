import { expect, test } from 'vitest'
import { createRenderer } from '../src/render.ts'
import { type ContentFacts, writeContent } from '../src/write-content.ts'

const renderer = createRenderer()
const rules = {
  organisation: { name: 'De Linde' },
  locale: 'nl',
  timeZone: 'Europe/Amsterdam',
}
const facts: ContentFacts = {
  person: {
    fields: { givenName: 'Anna', birthYear: 1950 },
    locale: null,
    timeZone: null,
    persona: 'digital-senior',
    journeys: { 'planned-operation': { phase: 'preparation-at-home' } },
  },
  recipient: null,
  event: { department: 'B2' },
  entity: { startsAt: '2026-03-14T08:30:00.000Z' },
  statuses: { 'a-b': 'delivered' },
  at: '2026-03-02T09:00:00.000Z',
  question: {
    text: { nl: 'Komt u?', en: 'Are you coming?' },
    answers: [
      {
        answer: 'yes-i-do',
        says: { nl: 'Ja', en: 'Yes' },
        words: { nl: ['JA'], en: ['YES'] },
      },
    ],
  } as ContentFacts['question'],
  answerUrl: (answer) => `https://delinde.example.org/a/${answer ?? ''}`,
}

test.each([
  ['person', '{{person.givenName}} {{person.age}}', 'Anna 76'],
  ['recipient', '{{recipient.as}}', 'person'],
  ['organisation', '{{organisation.name}}', 'De Linde'],
  ['event', '{{event.department}}', 'B2'],
  ['entity', '{{time entity.startsAt}}', '09:30'],
  ['journey', '{{journey.planned-operation.phase}}', 'preparation-at-home'],
  ['journey that there is not', '{{#if journey.no-such.phase}}x{{else}}none{{/if}}', 'none'],
  ['enrolment', '{{#if enrolment.a-b.status}}{{enrolment.a-b.status}}{{/if}}', 'delivered'],
  [
    'answers',
    '{{answers.yes-i-do.word}} {{answers.yes-i-do.url}}',
    'JA https://delinde.example.org/a/yes-i-do',
  ],
  ['question', '{{question.text}}', 'Komt u?'],
])('a message shows what is under the root of a %s', (_, text, expected) => {
  const channels = {
    sms: { sensitivity: 'health' as const, variables: [], content: { nl: { text } } },
  }
  const written = writeContent(facts, 'sms', rules, {
    template: { id: 'probe', channels },
    renderer,
  })
  expect(written).toMatchObject({ content: { text: expected } })
})
