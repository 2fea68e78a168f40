import { describe, expect, test } from 'vitest'
import { sound, tell } from './planted-folder.ts'

/** What `ask`, `task`, `set` and `emit` may not say. */
const campaign = (steps: string) => `id: guide
name: Gids
journey: visit
class: service
trigger: { touchpoint: care.visit.booked.v1 }
entry: once-per-entity
steps:
${steps}`

const attributes = `${sound['attributes.yaml'] ?? 'person: {}\n'}campaigns:
  mood: { type: text, sensitivity: personal, values: [well, unwell] }
  wish: { type: text, sensitivity: personal }
  isCaredFor: { type: boolean, sensitivity: personal }
`
const emits = `${sound['touchpoints.yaml']}emits:
  - type: told.visit.v1
    name: { nl: Bezoek, en: Visit }
    data:
      room: { type: text, sensitivity: personal, required: true }
      isCaredFor: { type: boolean, sensitivity: personal }
`

async function faultsOf(steps: string): Promise<string[]> {
  const { faults } = await tell({
    'campaigns/guide.yaml': [sound['campaigns/guide.yaml'] ?? '', campaign(steps)],
    'attributes.yaml': [sound['attributes.yaml'] ?? '', attributes],
    'touchpoints.yaml': [sound['touchpoints.yaml'] ?? '', emits],
  })
  return faults
}

describe('a set', () => {
  test.each([
    [
      'of what publishers tell',
      '{ field: person.age, to: 3 }',
      'unknown field that campaigns may set',
    ],
    ['of a field that is not there', '{ field: person.mod, to: well }', 'person.mood'],
    ['to a value that it cannot have', '{ field: person.mood, to: fine }', 'well'],
    [
      'from one that tells more',
      '{ field: person.mood, from: event.kind }',
      'is health, and where it goes bears at most personal',
    ],
    [
      'from one of another kind',
      '{ field: person.mood, from: event.startsAt }',
      'is a instant, expected a text',
    ],
    [
      'from a consent of no class that there is',
      '{ field: person.wish, from: consent.markting }',
      'unknown field "consent.markting" (did you mean "consent.marketing"?)',
    ],
    [
      'from a relation of another kind',
      '{ field: person.wish, from: relation.caregiver }',
      'relation.caregiver is a boolean, expected a text',
    ],
    [
      'from what may say otherwise',
      '{ field: person.mood, from: consent.marketing }',
      'consent.marketing may have other values than well, unwell',
    ],
  ])('%s is refused', async (_, set, words) => {
    expect((await faultsOf(`  - set: ${set}\n`)).join('\n')).toContain(words)
  })

  test.each([
    '{ field: person.mood, to: well }',
    '{ field: person.wish, from: consent.marketing }',
    '{ field: person.wish, from: consent.marketing.email }',
    '{ field: person.isCaredFor, from: relation.caregiver }',
    '{ field: person.isCaredFor, from: relation.caregiver.appointments }',
  ])('%s is right', async (set) => {
    expect(await faultsOf(`  - set: ${set}\n`)).toEqual([])
  })
})

describe('an emit', () => {
  test.each([
    ['of a type that may not be told', '{ type: told.other.v1 }', 'unknown type that may be told'],
    ['without what it promises', '{ type: told.visit.v1 }', 'is missing its "room"'],
    [
      'of a field that it has not',
      '{ type: told.visit.v1, data: { room: event.room, kind: event.kind } }',
      'unknown field "kind"',
    ],
    [
      'of health that it may not carry',
      '{ type: told.visit.v1, data: { room: event.kind } }',
      'is health',
    ],
  ])('%s is refused', async (_, emit, words) => {
    expect((await faultsOf(`  - emit: ${emit}\n`)).join('\n')).toContain(words)
  })

  test('that is right is not', async () => {
    const right = '  - emit: { type: told.visit.v1, data: { room: event.room } }\n'
    expect(await faultsOf(right)).toEqual([])
    const data = '{ room: consent.service.sms, isCaredFor: relation.caregiver }'
    expect(await faultsOf(`  - emit: { type: told.visit.v1, data: ${data} }\n`)).toEqual([])
  })
})

test('a task for a team that is not there is refused', async () => {
  const task = `  - task:
      id: call
      team: nurses
      title: { nl: Bel, en: Call }
      within: P1D
      outcomes: [{ outcome: done, says: { nl: Gedaan, en: Done } }]
`
  expect((await faultsOf(task)).join('\n')).toContain('unknown team "nurses"')
})

test('a question whose template shows no answer is refused', async () => {
  const ask = `  - ask:
      id: coming
      template: booked
      question: { nl: Komt u?, en: Are you coming? }
      within: P1D
      answers: [{ answer: confirm, says: { nl: Ja, en: Yes } }]
`
  const faults = (await faultsOf(ask)).join('\n')
  expect(faults).toContain('shows no answer: nobody can give it; expected {{answers.confirm.url}}')
})
