import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { expect, test } from 'vitest'
import { compileDraft, liveVersionsOf } from '../src/draft.ts'
import { MessageLines } from '../src/lines.ts'
import { alwaysDelivered } from '../src/outcome-model.ts'
import { publicationOf } from '../src/publication.ts'
import { sendingOf } from '../src/sending.ts'
import { Simulation } from '../src/simulation.ts'

const happen = (subject: string, type: string, time: string, data = {}): TouchpointEvent => ({
  id: `${subject} ${type}`,
  source: 'urn:test:ehr',
  type,
  subject,
  time,
  data,
})

const contacts = (subject: string) => ({
  contacts: { email: `${subject}@example.org` },
  test: true,
})
const events = [
  ['gone', '2026-03-01T09:00:00.000Z'] as const,
  ['waits', '2026-03-04T09:00:00.000Z'] as const,
].flatMap(([subject, time]) => [
  happen(subject, 'person.upserted.v1', time, { givenName: 'Test', ...contacts(subject) }),
  happen(subject, 'care.discharge.completed.v1', time),
])

const steps: CampaignFile['steps'] = [{ wait: { for: 'P2D', on: 'any-day' } }, message('hello')]
const live = smallHospital([campaign({ id: 'aftercare', steps })])
const side = (bundle: typeof live, before: ReturnType<typeof liveVersionsOf>) => ({
  bundle,
  definition: compileDraft(bundle, before),
})

function publish(draft: typeof live, before = live) {
  const old = side(before, [])
  const next = side(draft, liveVersionsOf(old.definition))
  const publication = publicationOf(old, next)
  const lines = new MessageLines()
  const simulation = new Simulation({
    definition: publication.before,
    sending: sendingOf(before),
    outcomes: alwaysDelivered,
    onMessage: (each) => lines.add(each),
  })
  for (const event of events) simulation.take(event)
  const moved = simulation.publish(publication)
  simulation.finish()
  const told = lines.sorted(simulation.people)
  const ends = told.map(({ outcome, reason }) => `${outcome} ${reason}`)
  return {
    moved,
    ends,
    told: told.map(({ person, step, version }) => `${person} ${step} ${version}`),
  }
}

test('who is under way goes over by the map of steps when a draft is published, and gets the rest of it', () => {
  const move = { from: 1 }
  const more = smallHospital([
    campaign({ id: 'aftercare', move, steps: [...steps, message('later')] }),
  ])
  expect(publish(more)).toMatchObject({
    moved: [
      {
        campaign: 'aftercare',
        from: 1,
        to: 2,
        steps: [{ from: '1', to: '1', count: 1 }],
        through: 0,
      },
    ],
    told: ['ehr:gone hello 1', 'ehr:waits hello 2', 'ehr:waits later 2'],
  })
  const taken = { from: 1, steps: { '1': 'end' } }
  const none = smallHospital([
    campaign({ id: 'aftercare', move: taken, steps: [message('later')] }),
  ])
  expect(publish(none)).toMatchObject({
    moved: [
      {
        campaign: 'aftercare',
        from: 1,
        to: 2,
        steps: [{ from: '1', to: null, count: 1 }],
        through: 0,
      },
    ],
    told: ['ehr:gone hello 1'],
  })
})

test('without a move everybody stays, and a step that leads nowhere is refused', () => {
  const stays = smallHospital([campaign({ id: 'aftercare', steps: [...steps, message('later')] })])
  expect(publish(stays)).toMatchObject({
    moved: [],
    told: ['ehr:gone hello 1', 'ehr:waits hello 1'],
  })
  const lost = smallHospital([
    campaign({ id: 'aftercare', move: { from: 1 }, steps: [message('later')] }),
  ])
  expect(() => publish(lost)).toThrow('1')
})

test('what is planned of a run that is through goes over, too, or is taken back', () => {
  const send = { for: 'P3D', on: 'any-day' as const }
  const old = smallHospital([campaign({ id: 'aftercare', steps: [message('hello', { send })] })])
  const draft = (withdraw: string[]) =>
    smallHospital([
      campaign({
        id: 'aftercare',
        move: { from: 1, steps: {}, withdraw },
        steps: [message('hello', { send }), message('later')],
      }),
    ])
  const moved = [{ campaign: 'aftercare', from: 1, to: 2, steps: [], through: 1 }]
  expect(publish(draft([]), old)).toMatchObject({
    moved,
    ends: ['delivered delivered', 'delivered delivered'],
  })
  expect(publish(draft(['hello']), old)).toMatchObject({
    moved,
    ends: ['delivered delivered', 'cancelled moved_to_version'],
  })
})
