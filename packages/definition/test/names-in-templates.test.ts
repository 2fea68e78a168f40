import { describe, expect, test } from 'vitest'
import { sound, tell } from './planted-folder.ts'

const guide = `id: guide
name: Gids
journey: planned-visit
class: service
trigger: { touchpoint: care.visit.booked.v1 }
entry: once-per-entity
steps:
  - message: { id: first-word, template: booked }
  - split:
      id: two-ways
      arms: [{ name: left, weight: 1, steps: [{ wait: { for: P1D } }] }, { name: right, weight: 1, steps: [{ wait: { for: P1D } }] }]
  - ask:
      id: are-you-coming
      template: coming
      channels: [sms]
      question: { nl: Komt u?, en: Are you coming? }
      within: P1D
      answers: [{ answer: yes-i-do, says: { nl: Ja, en: 'Yes' }, words: { nl: [JA], en: ['YES'] } }]
`
const journeys = (sound['journeys.yaml'] ?? '').replace('id: visit', 'id: planned-visit')
const touchpoints = (sound['touchpoints.yaml'] ?? '').replaceAll(
  'journey: visit',
  'journey: planned-visit',
)
const asks = '{{answers.yes-i-do.word}} {{answers.yes-i-do.url}} {{answers.yes-i-do.says}}'

/** What is told of names in the Dutch SMS of a question, which may tell so much. */
async function toldOf(shown: string, sensitivity = 'neutral') {
  const { faults } = await tell({
    'journeys.yaml': journeys,
    'touchpoints.yaml': touchpoints,
    'channels.yaml': (sound['channels.yaml'] ?? '').replace(
      'sensitivity: neutral',
      'sensitivity: health',
    ),
    'campaigns/guide.yaml': guide,
    'templates/coming/template.yaml': `name: coming\nsensitivity: { sms: ${sensitivity} }\n`,
    'templates/coming/sms.nl.hbs': `${asks}${shown}\n`,
    'templates/coming/sms.en.hbs': `${asks}\n`,
  })
  return faults
}

const phase = '{{#if journey.planned-visit.phase}}{{journey.planned-visit.phase}}{{/if}}'
const status = '{{#if enrolment.first-word.status}}{{enrolment.first-word.status}}{{/if}}'

describe('a template names what has a hyphen in it', () => {
  test.each([
    ['an answer', '', 'neutral'],
    ['the phase of a journey', phase, 'health'],
    ['what became of a message', status, 'personal'],
  ])('%s', async (_, shown, sensitivity) => {
    expect(await toldOf(shown, sensitivity)).toEqual([])
  })

  test('and it tells as much as it is', async () => {
    expect(await toldOf(phase, 'personal')).toEqual([
      expect.stringContaining(
        'journey.planned-visit.phase is health, and the sms of "coming" is declared personal',
      ),
      expect.stringContaining('journey.planned-visit.phase is health'),
    ])
  })

  test.each([
    ['{{#if journey.planned-visits.phase}}x{{/if}}', 'journey.planned-visits.phase'],
    ['{{#if enrolment.first-words.status}}x{{/if}}', 'enrolment.first-words.status'],
    ['{{answers.yes-i-will.says}}', 'answers.yes-i-will.says'],
    // Conditions ask for them; whoever writes a message is not told.
    ['{{#if enrolment.two-ways.arm}}x{{/if}}', 'enrolment.two-ways.arm'],
    ['{{#if enrolment.are-you-coming.answer}}x{{/if}}', 'enrolment.are-you-coming.answer'],
  ])('%s is no name there is', async (shown, name) => {
    expect(await toldOf(shown, 'personal')).toEqual([
      expect.stringContaining(`unknown variable "${name}" in campaign "guide"`),
    ])
  })
})
