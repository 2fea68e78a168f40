import { join } from 'node:path'
import { type CampaignFile, campaignFileSchema } from '@wegwijs/campaign/definition/campaign'
import fc from 'fast-check'
import { Window } from 'happy-dom'
import { beforeAll, describe, expect, test } from 'vitest'
import { inWords } from '../src/condition-words.ts'
import { type CampaignCounts, campaignGraph } from '../src/graph.ts'
import { loadDefinition } from '../src/load-definition.ts'

const hospital = join(import.meta.dirname, '../../../examples/hospital')
const { bundle } = await loadDefinition(hospital)
if (!bundle) throw new Error('the example has faults')

/** Mermaid cleans labels with a document, whether or not it draws anything. */
let parse: (text: string) => Promise<unknown>
beforeAll(async () => {
  const window = new Window()
  Object.assign(globalThis, { window, document: window.document })
  const { default: mermaid } = await import('mermaid')
  parse = (text) => mermaid.parse(text)
}, 60_000)

const campaign = (over: object): CampaignFile =>
  campaignFileSchema.parse({
    id: 'guide',
    name: 'Guide',
    journey: 'visit',
    class: 'care',
    trigger: { touchpoint: 'care.visit.booked.v1' },
    steps: [{ message: { id: 'hello', template: 'hello' } }],
    ...over,
  })

test('a message over one channel after the other says which, and how long each has', () => {
  const channels = { cascade: ['app', 'sms'], after: 'PT30M' }
  const file = campaign({ steps: [{ message: { id: 'hello', template: 'welcome', channels } }] })
  expect(campaignGraph(file, bundle)).toContain(
    '["message hello<br>template: welcome<br>channels: cascade app, sms, after PT30M"]',
  )
})

test('a message over all channels says over which', () => {
  const channels = { all: ['app', 'sms'] }
  const file = campaign({ steps: [{ message: { id: 'hello', template: 'welcome', channels } }] })
  expect(campaignGraph(file, bundle)).toContain(
    '["message hello<br>template: welcome<br>channels: all app, sms"]',
  )
})

test('a campaign from its trigger to its end', () => {
  const file = campaign({
    audience: { personas: ['senior'] },
    exit: [{ touchpoint: 'care.visit.ended.v1' }],
    steps: [
      { message: { id: 'hello', template: 'welcome', channels: ['app', 'sms'], expires: 'PT2H' } },
      { wait: { for: 'P2D', at: '10:00' } },
      {
        branch: [
          {
            when: { field: 'enrolment.hello.status', op: 'eq', value: 'delivered' },
            steps: [{ end: true }],
          },
        ],
      },
      { message: { id: 'again', template: 'welcome' } },
    ],
  })
  expect(campaignGraph(file, bundle)).toBe(`---
title: "Guide"
---
flowchart TD
  start(["care.visit.booked.v1<br>for senior<br>once per journey"]) --> step0
  step0["message hello<br>template: welcome<br>channels: app, sms<br>expires: PT2H"]
  step0 --> step1
  step1["wait<br>for: P2D<br>at: 10:00"]
  step1 --> step2
  step2{{"branch"}}
  step2 -->|"enrolment.hello.status is delivered"| step2_0_0
  step2 -->|"otherwise"| step3
  step2_0_0["end"]
  step2_0_0 --> finish
  step3["message again<br>template: welcome"]
  step3 --> finish
  finish(["end"])
  start -.-> exit[/"ends at once on<br>care.visit.ended.v1"/]
`)
})

test.each([
  [{ attribute: 'person.usesPortal', to: true }, 'attribute: person.usesPortal<br>to: true<br>'],
  [{ manual: true }, 'manual<br>'],
  [
    { becomes: { not: { happened: { touchpoint: 'care.visit.ended.v1', within: 'P90D' } } } },
    'becomes not (care.visit.ended.v1 happened at least once within P90D)<br>',
  ],
])('begins with %j, whatever its kind', async (trigger, words) => {
  const graph = campaignGraph(campaign({ trigger }), bundle)
  expect(graph).toContain(`start(["${words}`)
  await parse(graph)
})

test('with counts it tells how many came where, took which way, and wait', async () => {
  const file = campaign({
    steps: [
      { message: { id: 'hello', template: 'hello' } },
      {
        branch: [
          {
            when: { field: 'person.age', op: 'gte', value: 65 },
            steps: [{ wait: { for: 'P1D' } }],
          },
        ],
      },
    ],
  })
  const none = { came: 0, waits: 0, arms: {}, messages: {} }
  const counts: CampaignCounts = {
    entered: 10,
    states: { running: 4, completed: 6 },
    steps: new Map([
      ['0', { ...none, came: 10, messages: { delivered: 9, skipped: 1 } }],
      ['1', { ...none, came: 10, arms: { 0: 7 } }],
      ['1.0.0', { ...none, came: 7, waits: 1 }],
    ]),
  }
  const graph = campaignGraph(file, bundle, counts)
  expect(graph).toContain('10 people entered: 4 running, 6 completed')
  expect(graph).toContain(
    'step0["message hello<br>template: hello<br>10 people: 9 delivered, 1 skipped"]',
  )
  expect(graph).toContain('-->|"person.age ≥ 65: 7 people"| step1_0_0')
  expect(graph).toContain('-->|"otherwise: 3 people"| finish')
  expect(graph).toContain('step1_0_0["wait<br>for: P1D<br>7 people<br>1 person now"]')
  await parse(graph)
})

test('with counts it tells how many gave which answer, and how many none', async () => {
  const says = { nl: 'Ja', en: 'Yes' }
  const outcomes = [{ outcome: 'well', says, steps: [{ end: true }] }]
  const file = campaign({
    steps: [
      {
        ask: {
          id: 'coming',
          template: 'hello',
          question: { nl: 'Komt u?', en: 'Are you coming?' },
          within: 'P1D',
          answers: [
            { answer: 'yes', says, steps: [{ end: true }] },
            { answer: 'otherwise', says, steps: [{ end: true }] },
          ],
          otherwise: [{ task: { id: 'call', team: 'ward', title: says, within: 'P1D', outcomes } }],
        },
      },
    ],
  })
  const none = { came: 0, waits: 0, arms: {}, messages: {} }
  const counts: CampaignCounts = {
    entered: 20,
    states: { completed: 20 },
    steps: new Map([
      ['0', { ...none, came: 20, arms: { 0: 2, 1: 1, 2: 1, '*': 16 } }],
      ['0.2.0', { ...none, came: 17, arms: { 0: 5, '*': 12 } }],
    ]),
  }
  const graph = campaignGraph(file, bundle, counts)
  expect(graph).toContain('step0 -->|"yes: 2 people"| step0_0_0')
  expect(graph).toContain('step0 -->|"otherwise: 1 person"| step0_1_0')
  expect(graph).toContain('step0 -->|"otherwise: 17 people"| step0_2_0')
  expect(graph).toContain('step0_2_0 -->|"well: 5 people"| step0_2_0_0_0')
  expect(graph).toContain('step0_2_0 -->|"otherwise: 12 people"| finish')
  await parse(graph)
})

describe('Mermaid itself', () => {
  test('would refuse what is not a flowchart', async () => {
    await expect(parse('flowchart TD\n  a["x" --> b')).rejects.toThrow('Parse error')
  })

  test.each(bundle.campaigns.map((file) => [file.id, file] as const))(
    'reads the graph of %s',
    async (_, file) => {
      expect(await parse(campaignGraph(file, bundle))).toMatchObject({
        diagramType: 'flowchart-v2',
      })
    },
  )

  test('reads whatever people write in names and values', async () => {
    const odd = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.string({ minLength: 1, unit: 'binary' }),
      fc.constantFrom(
        '"',
        "'",
        '`x`',
        '1. x',
        '- x',
        'end',
        '#quot;',
        '<b>',
        '%%',
        ']',
        '"]',
        'a\nb',
        '|',
        '---',
        '\\',
        '&amp;',
        '{{',
        'zoë 日',
      ),
    )
    await fc.assert(
      fc.asyncProperty(odd, odd, async (name, value) => {
        const when = { any: [{ field: 'person.note', op: 'eq', value }] }
        const file = campaign({
          name,
          trigger: { touchpoint: 'care.visit.booked.v1', where: when.any[0] },
          steps: [{ branch: [{ when, steps: [{ message: { id: 'end', template: 'end' } }] }] }],
        })
        await parse(campaignGraph(file, bundle))
      }),
      { numRuns: 200, examples: [['<0=', ' ']] },
    )
  }, 120_000)
})

test.each([
  [{ field: 'person.age', op: 'gte', value: 65 }, 'person.age ≥ 65'],
  [{ field: 'person.age', op: 'between', value: [18, 64] }, 'person.age is between 18 and 64'],
  [{ field: 'event.kind', op: 'in', value: ['a', 'b'] }, 'event.kind is one of a, b'],
  [{ field: 'event.kind', op: 'exists', value: false }, 'event.kind is not known'],
  [
    {
      all: [
        { not: { field: 'a.b', op: 'eq', value: 1 } },
        {
          any: [
            { field: 'a.c', op: 'lt', value: 2 },
            { field: 'a.d', op: 'neq', value: 'x' },
          ],
        },
      ],
    },
    'not (a.b is 1) and (a.c < 2 or a.d is not x)',
  ],
  [{ happened: { touchpoint: 'a.v1', within: 'P30D' } }, 'a.v1 happened at least once within P30D'],
  [
    { not: { happened: { touchpoint: 'a.v1', within: 'P1W', times: { atLeast: 2, atMost: 3 } } } },
    'not (a.v1 happened 2 to 3 times within P1W)',
  ],
  [
    {
      happened: {
        touchpoint: 'a.v1',
        within: 'P9D',
        times: { exactly: 0 },
        where: { field: 'event.kind', op: 'eq', value: 'b' },
      },
    },
    'a.v1 (event.kind is b) happened never within P9D',
  ],
] as const)('%j is said as %s', (condition, words) => {
  expect(inWords(condition as never)).toBe(words)
})
