import { withoutFinishedRuns } from '@wegwijs/campaign/finished-runs'
import { campaign, message } from '@wegwijs/test-support/small-hospital'
import { expect, test } from 'vitest'
import { definitionOf, person } from './given.ts'

const definition = definitionOf([
  campaign({ id: 'every', entry: 'every-time' }),
  campaign({ id: 'once', entry: 'once' }),
  campaign({
    id: 'waits',
    entry: 'every-time',
    steps: [message('hello'), { wait: { for: 'P2D', on: 'any-day' } }, message('later')],
  }),
])

function discharged() {
  const somebody = person(definition)
  somebody.happens('person.upserted.v1', { data: { contacts: { email: 'p1@example.org' } } })
  somebody.happens('care.discharge.completed.v1')
  return somebody
}

const campaignsOf = ({ enrolments }: ReturnType<typeof discharged>['state']) =>
  [...enrolments.values()].map(({ campaignId }) => campaignId).sort()

test('nothing is forgotten as long as a message may still go out', () => {
  const somebody = discharged()
  expect(withoutFinishedRuns(somebody.state, somebody.context())).toBe(somebody.state)
})

test('what has ended and may come again is forgotten, with its messages and its entry', () => {
  const somebody = discharged()
  for (const { intentId } of somebody.intents()) somebody.message(intentId, { state: 'delivered' })
  const rest = withoutFinishedRuns(somebody.state, somebody.context())
  expect(campaignsOf(somebody.state)).toEqual(['every', 'once', 'waits'])
  expect(campaignsOf(rest)).toEqual(['once', 'waits'])
  expect(new Set([...rest.intents.values()].map(({ campaignId }) => campaignId))).toEqual(
    new Set(['once', 'waits']),
  )
  expect([...rest.entries.keys()].filter((entry) => entry.startsWith('every'))).toEqual([])
  expect([...rest.entries.keys()].filter((entry) => entry.startsWith('once'))).toHaveLength(1)
})

test('it changes nothing about what comes next', () => {
  const [kept, forgotten] = [discharged(), discharged()]
  for (const somebody of [kept, forgotten]) {
    for (const { intentId } of somebody.intents())
      somebody.message(intentId, { state: 'delivered' })
  }
  forgotten.state = withoutFinishedRuns(forgotten.state, forgotten.context())
  const outcomes = [kept, forgotten].map((somebody) => {
    somebody.comes('2026-03-20T09:00:00.000Z')
    somebody.happens('care.discharge.completed.v1', { id: 'again' })
    return somebody.reasons
  })
  expect(outcomes[1]).toEqual(outcomes[0])
})

test('what may still reach its goal is kept as long as that counts, and a day more', () => {
  const hoping = definitionOf([
    campaign({
      id: 'every',
      entry: 'every-time',
      goal: { touchpoint: 'care.survey.answered.v1', within: 'P7D' },
    }),
  ])
  const somebody = person(hoping)
  somebody.happens('care.discharge.completed.v1')
  for (const { intentId } of somebody.intents()) somebody.message(intentId, { state: 'delivered' })
  const keptAt = (now: string) =>
    withoutFinishedRuns(somebody.state, { definition: hoping, now }).enrolments.size
  expect(keptAt('2026-03-10T09:00:00.000Z')).toBe(1)
  expect(keptAt('2026-03-10T09:00:00.001Z')).toBe(0)
})
