import { describe, expect, test } from 'vitest'
import { type Changes, sound, tell } from './planted-folder.ts'

const guide = 'campaigns/guide.yaml'
const touchpoints = `${sound['touchpoints.yaml']}emits:
  - type: told.visit.v1
    name: { nl: Bezoek, en: Visit }
    data:
      status: { type: text, sensitivity: personal, values: [planned, queued, sending, sent, delivered, bounced, skipped, cancelled, expired, failed, held] }
`

/** The sound campaign with these steps in place of its own, which begin in line 13. */
const steps = (text: string, more = ''): Changes => ({
  [guide]: (sound[guide] ?? '').replace(/^steps:.*/ms, `steps:\n${text}${more}`),
  'touchpoints.yaml': touchpoints,
  'attributes.yaml': `${sound['attributes.yaml']}campaigns:\n  told: { type: text, sensitivity: personal }\n`,
  'policies.yaml': `${sound['policies.yaml']}teams: [{ id: desk, name: { nl: Balie, en: Desk } }]\n`,
})

const message = (id = 'booked') => `  - message: { id: ${id}, template: booked }\n`
const waitFor = '  - waitFor: { message: booked, status: [delivered], within: P1D }\n'
const wait = '[{ wait: { for: P1D } }]'
const task =
  '  - task: { id: call, team: desk, title: { nl: Bel, en: Call }, within: P1D, outcomes: [{ outcome: done, says: { nl: Klaar, en: Done } }] }\n'
const ask = (arms: string) =>
  `  - ask: { id: coming, template: booked, question: { nl: Komt u?, en: Coming? }, within: P1D, answers: [${arms}] }\n`
const branch = (field: string, then = wait) =>
  `  - branch: [{ when: { field: ${field}, op: exists, value: true }, steps: ${then} }]\n`
const either = (one: string, other: string) =>
  `  - split: { id: half, arms: [{ name: a, weight: 1, steps: ${one} }, { name: b, weight: 1, steps: ${other} }] }\n`
const booked = '[{ message: { id: booked, template: booked } }]'
const expected = ': nobody who comes here has come past it; expected what stands before this'

describe('a step asks what has become of one that nobody there has come past', () => {
  test.each([
    [
      'a message that is waited for above it',
      waitFor + message(),
      `13:25 "booked" stands further on, in line 14${expected}`,
    ],
    [
      'the status of one further on',
      branch('enrolment.booked.status') + message(),
      `13:31 "booked" stands further on, in line 14${expected}`,
    ],
    [
      'what a task came to that is made further on',
      branch('enrolment.call.outcome') + task,
      `13:31 "call" stands further on, in line 14${expected}`,
    ],
    [
      'the arm of a split further on',
      branch('enrolment.half.arm') + either(wait, wait),
      `13:31 "half" stands further on, in line 14${expected}`,
    ],
    [
      'what is remembered of it',
      `  - set: { field: person.told, from: enrolment.booked.status }\n${message()}`,
      `13:38 "booked" stands further on, in line 14${expected}`,
    ],
    [
      'what is told of it',
      `  - emit: { type: told.visit.v1, data: { status: enrolment.booked.status } }\n${message()}`,
      `13:50 "booked" stands further on, in line 14${expected}`,
    ],
    [
      'a message on another way',
      either(booked, '[{ waitFor: { message: booked, status: [bounced], within: P1D } }]'),
      `13:163 "booked" stands on another way, in line 13${expected}`,
    ],
    [
      'a message on a way that ends',
      either(booked.replace(' }]', ' }, { end: true }]'), wait) + waitFor,
      `14:25 "booked" stands on another way, in line 13${expected}`,
    ],
  ])('%s', async (_, text, fault) => {
    expect((await tell(steps(text))).faults).toEqual([`${guide}:${fault}`])
  })

  test.each([
    ['one that stands above it', message() + waitFor],
    ['one that some come past', either(booked, wait) + waitFor],
    [
      'anything, where everybody has left before',
      `${message()}  - end: true\n${waitFor}${branch('enrolment.booked.status')}`,
    ],
    [
      'one that it stands within',
      either(
        `[{ branch: [{ when: { field: enrolment.half.arm, op: eq, value: a }, steps: ${wait} }] }]`,
        wait,
      ),
    ],
    [
      'one behind a question that is asked again when the appointment moves',
      ask(
        `{ answer: yes-i-do, says: { nl: Ja, en: Yes }, steps: ${booked} }, { answer: no-i-do-not, says: { nl: Nee, en: No }, steps: [{ branch: [{ when: { field: enrolment.booked.status, op: exists, value: true }, steps: ${wait} }] }] }`,
      ),
    ],
    [
      'one further on, behind a message that begins anew over its first channel',
      `  - message: { id: first, template: booked, channels: { cascade: [app, sms], after: PT1H } }\n${branch('enrolment.booked.status')}${message()}`,
    ],
  ])('but not of %s', async (_, text) => {
    const { faults } = await tell(steps(text))
    expect(faults.filter((fault) => fault.includes('come past'))).toEqual([])
  })

  test('but not where people are taken along who came past it in an older version', async () => {
    const move = 'move: { from: 1, steps: { "1": "1" } }\n'
    expect((await tell(steps(waitFor + message(), move))).faults).toEqual([])
  })
})
