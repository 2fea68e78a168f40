import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { expect, test } from 'vitest'
import { compileDraft } from '../src/draft.ts'
import { compareSteps, type StepCount } from '../src/step-counts.ts'
import { Counting } from '../src/summary.ts'

const call = {
  task: {
    id: 'call',
    team: 'aftercare',
    title: { nl: 'Bel', en: 'Call' },
    within: 'P2D',
    outcomes: [{ outcome: 'well', says: { nl: 'Goed', en: 'Well' } }],
  },
}

test('tasks, events for others and fields are counted by the step that made them', () => {
  const branch = { branch: [{ otherwise: [message('hello'), call] }] }
  const counting = new Counting(
    compileDraft(smallHospital([campaign({ id: 'a', steps: [branch] })])),
  )
  const told: [string, object][] = [
    ['task_made', { step: '0.0.1', task: 'call', taskId: 't' }],
    ['consent_missing', { step: '0.0.1', task: 'call' }],
    ['waiting', { step: '0.0.1', until: '2026-03-02T09:00:00.000Z' }],
    ['task_moved', { step: '0.0.1', task: 'call', taskId: 't' }],
    ['task_done', { step: '0.0.1', task: 'call', taskId: 't', outcome: 'well' }],
    ['exit_touchpoint', { step: '0.0.1', task: 'call', taskId: 'u' }],
    ['event_emitted', { step: '0', type: 'care.told.v1', eventId: 'e', data: {} }],
    ['event_incomplete', { step: '0', type: 'care.told.v1', missing: 'ward' }],
    ['field_set', { step: '0.0.0', field: 'person.feltWell' }],
  ]
  for (const [reason, detail] of told) {
    const decision = {
      campaignId: 'a',
      version: 1,
      enrolmentId: 'e',
      intentId: null,
      reason,
      detail,
    }
    counting.decision(decision as Parameters<Counting['decision']>[0])
  }
  expect(counting.summary.steps.map(({ step, kind, cameTo }) => [step, kind, cameTo])).toEqual([
    ['1', 'emit', 'event_incomplete'],
    ['1', 'emit', 'told'],
    ['call', 'task', 'consent_missing'],
    ['call', 'task', 'done: well'],
    ['call', 'task', 'exit_touchpoint'],
    ['call', 'task', 'made'],
    ['hello', 'set', 'set'],
  ])
})

test('two definitions are compared by what their steps came to, and not by their versions', () => {
  const counts = (version: number, made: number, told: number): StepCount[] => [
    {
      campaign: 'a',
      version,
      step: 'call',
      kind: 'task',
      name: 'call',
      cameTo: 'made',
      count: made,
    },
    { campaign: 'a', version, step: '2', kind: 'emit', name: 't.v1', cameTo: 'told', count: told },
  ]
  expect(compareSteps(counts(1, 3, 4), counts(2, 5, 4))).toEqual([
    { campaign: 'a', step: 'call', kind: 'task', name: 'call', cameTo: 'made', now: 3, would: 5 },
  ])
})
