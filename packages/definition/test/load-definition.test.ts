import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { definitionBundleSchema } from '@wegwijs/campaign/definition/bundle'
import { describe, expect, test } from 'vitest'
import type { Fault } from '../src/fault.ts'
import { loadDefinition } from '../src/load-definition.ts'
import { type Changes, sound, tell, withFolder } from './planted-folder.ts'

const guide = 'campaigns/guide.yaml'
/** Each of nine times nine of the one before. */
const bomb = Array.from(
  { length: 7 },
  (_, index) => `a${index + 1}: &a${index + 1} [${Array(9).fill(`*a${index}`).join(', ')}]\n`,
).join('')
const manyValues = Array.from({ length: 20 }, (_, index) => `visit-${index}`).join(', ')
const touchpoints = 'touchpoints.yaml'
const personas = 'personas.yaml'

describe('a definition without faults', () => {
  test('becomes a bundle, with its defaults, that fits the schema', async () => {
    const { bundle, faults, warnings } = await withFolder({}, loadDefinition)
    expect({ faults, warnings }).toEqual({ faults: [], warnings: [] })
    expect(definitionBundleSchema.parse(bundle)).toEqual(bundle)
    expect(bundle?.campaigns[0]).toMatchObject({ id: 'guide', trigger: { maxAge: 'P1D' } })
    expect(bundle?.templates[0]).toMatchObject({
      id: 'booked',
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      channels: { sms: { sensitivity: 'neutral' }, app: { sensitivity: 'personal' } },
    })
  })

  test('gives the same bytes every time, wherever it stands', async () => {
    const bytes = async () => JSON.stringify((await withFolder({}, loadDefinition)).bundle)
    expect(await bytes()).toBe(await bytes())
  })

  test('has another template hash exactly when a text or a declaration is another', async () => {
    const hashWith = async (changes: Changes) =>
      (await withFolder(changes, loadDefinition)).bundle?.templates[0]?.hash
    const hash = await hashWith({})
    expect(await hashWith({ [guide]: ['name: Guide', 'name: Gids'] })).toBe(hash)
    const text: Changes = { 'templates/booked/sms.nl.hbs': ['Tot', 'Graag tot'] }
    expect(await hashWith(text)).not.toBe(hash)
  })
})

/** The first arm of the branch, for whom this has happened. */
const asks = (happened: string): Changes => ({
  [guide]: ['{ field: event.kind, op: eq, value: first }', `{ happened: { ${happened} } }`],
})

/** A campaign that begins when this begins to hold, and asks for nothing that comes with an event. */
const becomes = (condition: string): Changes => ({
  [guide]: `id: guide
name: Guide
journey: visit
class: service
trigger: { becomes: { ${condition} } }
steps:
  - message: { id: hello, template: hello }
`,
  'templates/hello/template.yaml': 'name: hello\nsensitivity: { sms: neutral }\n',
  'templates/hello/sms.nl.hbs': 'Dag.\n',
  'templates/hello/sms.en.hbs': 'Hello.\n',
  'templates/booked/template.yaml': null,
  'templates/booked/sms.nl.hbs': null,
  'templates/booked/sms.en.hbs': null,
  'templates/booked/app.nl.yaml': null,
  'templates/booked/app.en.yaml': null,
})

test('a campaign may begin when a condition begins to hold', async () => {
  const happened = '{ happened: { touchpoint: care.visit.ended.v1, within: P90D } }'
  expect(
    await tell(becomes(`all: [${happened}, { field: person.usesPortal, op: eq, value: true }]`)),
  ).toEqual({
    faults: [],
    warnings: [],
  })
  const { warnings } = await tell(becomes(`all: [${happened}, { not: ${happened} }]`))
  expect(warnings).toEqual(['campaigns/guide.yaml:5:21 this never holds: it contradicts itself'])
})

type Planted = readonly [what: string, changes: Changes, faults: readonly string[]]

const plantedByFile: Readonly<Record<string, readonly Planted[]>> = {
  'the folder': [
    [
      'a file under another name',
      { [personas]: null, 'persona.yaml': 'personas: []' },
      [
        'persona.yaml:1:1 "persona.yaml" is no part of a definition (did you mean "personas.yaml"?)',
        'personas.yaml:1:1 this file is missing: is "persona.yaml" meant to be it?',
      ],
    ],
    [
      'a folder under another name',
      { 'campaign/guide.yaml': 'id: guide' },
      ['campaign:1:1 "campaign" is no part of a definition (did you mean "campaigns"?)'],
    ],
    [
      'a campaign in a folder of its own',
      { 'campaigns/old/guide.yaml': 'id: guide' },
      ['campaigns/old:1:1 "old" is a folder, and campaigns are files in "campaigns" itself'],
    ],
    [
      'a campaign that would not be read',
      { 'campaigns/other.yml': 'id: other' },
      [
        'campaigns/other.yml:1:1 "other.yml" is no part of a definition (did you mean "other.yaml"?)',
      ],
    ],
  ],
  YAML: [
    [
      'a text that is not closed',
      { [guide]: ['name: Guide', 'name: "Guide'] },
      [expect.stringMatching(/^campaigns\/guide\.yaml:\d+:\d+ not YAML: Missing closing "quote/)],
    ],
    [
      'a key that is there twice',
      { [guide]: ['name: Guide', 'name: Guide\nname: Gids'] },
      ['campaigns/guide.yaml:3:1 not YAML: the same key stands here a second time'],
    ],
    [
      'an alias to nothing',
      { [guide]: ['name: Guide', 'name: *guide'] },
      ['campaigns/guide.yaml:2:7 unknown alias "*guide"'],
    ],
    [
      'a misspelt alias',
      { [guide]: ['name: Guide', 'name: &guide Guide\ndescription: *guid'] },
      ['campaigns/guide.yaml:3:14 unknown alias "*guid" (did you mean "*guide"?)'],
    ],
    [
      'a line behind a tab',
      { [guide]: ['name: Guide', '\tname: Guide'] },
      ['campaigns/guide.yaml:2:1 not YAML: a tab stands before this line; indent with spaces'],
    ],
    [
      'a second text in one file',
      { [guide]: ['name: Guide', 'name: Guide\n---'] },
      [
        'campaigns/guide.yaml:3:1 not YAML: a second text begins here ("---"), and a file holds one',
      ],
    ],
    [
      'aliases that unfold beyond all measure',
      { [guide]: ['name: Guide', `a0: &a0 [x]\n${bomb}name: Guide`] },
      [
        'campaigns/guide.yaml:6:35 what the aliases (*) of this file stand for is too much to unfold',
      ],
    ],
    [
      'an alias within what it stands for',
      { 'campaigns/other.yaml': 'id: other\nsteps: &s\n  - branch: [ { otherwise: *s } ]\n' },
      ['campaigns/other.yaml:3:28 "*s" stands within what it stands for, and so on without end'],
    ],
    [
      'the same in what logs are read by',
      { 'mappings/log.yaml': 'source: &source { a: *source }\n' },
      ['mappings/log.yaml:1:22 "*source" stands within what it stands for, and so on without end'],
    ],
    [
      'a condition that nobody can follow',
      { 'campaigns/other.yaml': `id: other\nexit: ${'{ not: '.repeat(100)}x${' }'.repeat(100)}\n` },
      ['campaigns/other.yaml:2:700 nested more than 100 levels deep'],
    ],
    [
      'a condition that runs the parser out of stack',
      {
        'campaigns/other.yaml': `id: other\nexit: ${'{ not: '.repeat(20_000)}x${' }'.repeat(20_000)}\n`,
      },
      ['campaigns/other.yaml:2:700 nested more than 100 levels deep'],
    ],
    [
      'lists that run the parser out of stack where all of them end',
      { 'campaigns/other.yaml': `${'- '.repeat(20_000)}x\nid: other\n` },
      ['campaigns/other.yaml:1:201 nested more than 100 levels deep'],
    ],
    [
      'levels that only aliases make',
      {
        'campaigns/other.yaml': Array.from(
          { length: 101 },
          (_, index) => `a${index}: &a${index} [${index === 0 ? '' : `*a${index - 1}`}]\n`,
        ).join(''),
      },
      ['campaigns/other.yaml:100:12 nested more than 100 levels deep'],
    ],
    [
      'an empty file',
      { 'channels.yaml': '' },
      ['channels.yaml:1:1 expected a mapping, found nothing'],
    ],
  ],
  schemas: [
    [
      'an unknown key',
      { [guide]: ['class: service', 'clas: service'] },
      ['campaigns/guide.yaml:4:1 unknown key "clas" (did you mean "class"?)'],
    ],
    [
      'an unknown key deep in a step',
      { [guide]: ['template: booked, send', 'tamplate: booked, send'] },
      ['campaigns/guide.yaml:18:33 unknown key "tamplate" (did you mean "template"?)'],
    ],
    [
      'an unknown step',
      { [guide]: ['- wait: { for', '- wiat: { for'] },
      ['campaigns/guide.yaml:20:13 unknown key "wiat" (did you mean "wait"?)'],
    ],
    [
      'what is no kind of step',
      { [guide]: ['- wait: { for: P1D }', '- sms: { id: eve }'] },
      [
        'campaigns/guide.yaml:20:13 unknown key "sms", expected one of "message", "wait", "waitFor", "ask", "task", "set", "emit", "branch", "split", "end"',
      ],
    ],
    [
      'a word that is no kind of step',
      { [guide]: ['- wait: { for: P1D }', '- stop'] },
      [
        'campaigns/guide.yaml:20:13 expected a mapping with one of "message", "wait", "waitFor", "ask", "task", "set", "emit", "branch", "split", "end", found "stop"',
      ],
    ],
    [
      'a step of which only the kind is named',
      { [guide]: ['- wait: { for: P1D }', '- end'] },
      ['campaigns/guide.yaml:20:13 expected a mapping such as `end: true`, found "end"'],
    ],
    [
      'a step that says only what matters',
      { [guide]: ['- wait: { for: P1D }', '- wait: P1D'] },
      ['campaigns/guide.yaml:20:19 expected a mapping such as `{ for: P2D }`, found "P1D"'],
    ],
    [
      'a step without what it holds',
      { [guide]: ['- wait: { for: P1D }', '- message:'] },
      [
        'campaigns/guide.yaml:20:21 expected a mapping such as `{ id: welcome, template: welcome-home }`, found nothing',
      ],
    ],
    [
      'a weekday that is no list',
      { [guide]: ['at: "18:00" }', 'at: "18:00", on: tuesday }'] },
      [
        'campaigns/guide.yaml:14:68 expected one of "any-day", "working-day", or a list such as `[tuesday]`, found "tuesday"',
      ],
    ],
    [
      'a weekday with a capital',
      { [guide]: ['at: "18:00" }', 'at: "18:00", on: Tuesday }'] },
      [
        'campaigns/guide.yaml:14:68 expected one of "any-day", "working-day", or a list such as `[tuesday]`, found "Tuesday"',
      ],
    ],
    [
      'a kind of day that is misspelt',
      { [guide]: ['at: "18:00" }', 'at: "18:00", on: workingday }'] },
      [
        'campaigns/guide.yaml:14:68 expected one of "any-day", "working-day", found "workingday" (did you mean "working-day"?)',
      ],
    ],
    [
      'a channel that is no list',
      { [personas]: ['channels: [app, sms]', 'channels: app'] },
      ['personas.yaml:6:15 expected a list such as `[app]`, found "app"'],
    ],
    [
      'a channel of a message that is no list, and misspelt',
      { [guide]: ['template: booked, until', 'template: booked, channels: SMS, until'] },
      ['campaigns/guide.yaml:13:56 expected a list such as `[sms]`, found "SMS"'],
    ],
    [
      'an unknown key of a condition',
      { [guide]: ['field: person.usesPortal, op', 'field: person.usesPortal, operator'] },
      [
        'campaigns/guide.yaml:8:3 missing key "op"',
        'campaigns/guide.yaml:8:38 unknown key "operator"',
      ],
    ],
    [
      'an unknown way to combine conditions',
      {
        [guide]: ['where: { field: person.usesPortal, op: eq, value: true }', 'where: { al: [] }'],
      },
      ['campaigns/guide.yaml:8:12 unknown key "al" (did you mean "all"?)'],
    ],
    [
      'a missing key',
      { [personas]: ['    tone: Calm\n', ''] },
      ['personas.yaml:2:5 missing key "tone"'],
    ],
    [
      'a word that is not on the list',
      { [guide]: ['class: service', 'class: sevice'] },
      [
        'campaigns/guide.yaml:4:8 expected one of "care", "service", "marketing", "research", found "sevice" (did you mean "service"?)',
      ],
    ],
    [
      'a value of another type',
      { [guide]: ['name: Guide', 'name: 12'] },
      ['campaigns/guide.yaml:2:7 expected a text, found 12'],
    ],
    [
      'a duration that is none',
      { [guide]: ['wait: { for: P1D', 'wait: { for: 1 day'] },
      [
        'campaigns/guide.yaml:20:26 expected an ISO 8601 duration such as "P2D" or "PT12H", found "1 day"',
      ],
    ],
    [
      'a list that is empty',
      { [guide]: ['personas: [senior, others]', 'personas: []'] },
      ['campaigns/guide.yaml:7:13 expected a list of at least 1, found an empty list'],
    ],
    [
      'a split with one arm',
      {
        [guide]: [
          'steps:\n',
          'steps:\n  - split: { id: tone, arms: [{ name: warm, weight: 1 }] }\n',
        ],
      },
      ['campaigns/guide.yaml:13:30 expected a list of at least 2, found a list of 1'],
    ],
    [
      'two shapes of a wait in one',
      { [guide]: ['wait: { for: P1D }', 'wait: { for: P1D, until: entity.startsAt }'] },
      ['campaigns/guide.yaml:20:31 "until" does not go together with "for"'],
    ],
    [
      'the one thing that may stand there',
      { [guide]: ['wait: { for: P1D }', 'end: yes'] },
      ['campaigns/guide.yaml:20:18 expected true, found "yes"'],
    ],
    [
      'a trigger that nobody knows, and what else is wrong',
      {
        [guide]: [
          'booked.v1 }\naudience:\n  personas: [senior, others]\n  where: { field: person.usesPortal',
          'boked.v1 }\naudience:\n  personas: [senior, others]\n  where: { field: person.usesPortl',
        ],
      },
      [
        'campaigns/guide.yaml:5:24 unknown touchpoint "care.visit.boked.v1" (did you mean "care.visit.booked.v1"?)',
        'campaigns/guide.yaml:8:19 unknown field "person.usesPortl" (did you mean "person.usesPortal"?)',
      ],
    ],
    [
      'a trigger that cannot be read, and what else is wrong',
      {
        [guide]: [
          'trigger: { touchpoint: care.visit.booked.v1 }\naudience:\n  personas: [senior, others]',
          'trigger: { date: { field: person.birthday, before: P1D, after: P1D } }\naudience:\n  personas: [senor, others]',
        ],
      },
      [
        'campaigns/guide.yaml:5:18 expected before or after, not both',
        'campaigns/guide.yaml:7:14 unknown persona "senor" (did you mean "senior"?)',
      ],
    ],
    [
      'an arm for everybody else before the others, and what else is wrong in the branch',
      {
        [guide]: [
          '  - branch:\n',
          '  - branch:\n      - otherwise: [{ end: true }]\n      - when: { field: event.knd, op: exists, value: true }\n        steps: [{ end: true }]\n',
        ],
      },
      [
        'campaigns/guide.yaml:16:9 expected "otherwise" as the last arm, at most once',
        'campaigns/guide.yaml:17:24 unknown field "event.knd" (did you mean "event.kind"?)',
      ],
    ],
    [
      'what people call a value in place of the value',
      {
        'touchpoints.yaml': [
          'values: [first, second] }',
          'values: [first, second], valueLabels: { first: { nl: eerste, en: initial } } }',
        ],
        [guide]: ['value: first }', 'value: eerste }'],
      },
      [
        'campaigns/guide.yaml:16:51 expected one of "first", "second", found "eerste" (did you mean "first"?)',
      ],
    ],
    [
      'a part of the only name that has it',
      {
        [guide]: ['personas: [senior, others]', 'personas: [phone]'],
        [personas]: ['id: senior', 'id: home-phone'],
      },
      ['campaigns/guide.yaml:7:14 unknown persona "phone" (did you mean "home-phone"?)'],
    ],
    [
      'a field name that is none',
      { 'attributes.yaml': ['usesPortal:', 'Uses-portal:'] },
      ['attributes.yaml:2:3 expected a field name such as "startsAt", found "Uses-portal"'],
    ],
  ],
  'touchpoints.yaml': [
    [
      'an unknown journey',
      { [touchpoints]: ['journey: visit\n    phase: after', 'journey: visits\n    phase: after'] },
      ['touchpoints.yaml:23:14 unknown journey "visits" (did you mean "visit"?)'],
    ],
    [
      'an unknown phase',
      { [touchpoints]: ['phase: before', 'phase: befor'] },
      ['touchpoints.yaml:9:12 unknown phase of visit "befor" (did you mean "before"?)'],
    ],
    [
      'a touchpoint that is there twice',
      { [touchpoints]: ['type: care.visit.ended.v1', 'type: care.visit.moved.v1'] },
      [
        'campaigns/guide.yaml:11:17 unknown touchpoint "care.visit.ended.v1"',
        'touchpoints.yaml:21:11 the touchpoint "care.visit.moved.v1" is there twice',
      ],
    ],
    [
      'a type that is ours',
      { [touchpoints]: ['type: care.visit.moved.v1', 'type: person.moved.v1'] },
      ['touchpoints.yaml:16:11 "person.moved.v1" has a meaning of its own in Wegwijs'],
    ],
    [
      'a phase without a journey',
      {
        [touchpoints]: [
          'name: { nl: Verzet, en: Moved }',
          'name: { nl: Verzet, en: Moved }\n    phase: after',
        ],
      },
      ['touchpoints.yaml:18:12 a phase needs a journey'],
    ],
    [
      'a withdrawal of nothing',
      { [touchpoints]: ['journey: visit\n    phase: after', 'withdraws: true'] },
      ['touchpoints.yaml:23:16 "withdraws" needs an entity'],
    ],
    [
      'values on what is no text',
      { [touchpoints]: ['type: number,', 'type: number, values: [a],'] },
      ['touchpoints.yaml:26:32 "values" is for fields of type text, this one is a number'],
    ],
    [
      'an entity of two minds',
      {
        [touchpoints]: [
          'entity: visit\n    data:\n      startsAt: { type: instant, sensitivity: neutral, required: true }\n  -',
          'entity: visit\n    data:\n      startsAt: { type: text, sensitivity: neutral, required: true }\n  -',
        ],
      },
      [
        'campaigns/guide.yaml:13:53 entity.startsAt is a text, no moment',
        'campaigns/guide.yaml:14:20 entity.startsAt is a text, no moment',
        'touchpoints.yaml:20:7 "startsAt" of entity "visit" is another field in care.visit.booked.v1',
      ],
    ],
    [
      'a publisher of nothing',
      { [touchpoints]: ['types: [care.*, person.*]', 'types: [caer.*, person.*]'] },
      ['touchpoints.yaml:4:13 no touchpoint is called "caer.*" (did you mean "care.*"?)'],
    ],
    [
      'a publisher of what we publish',
      { [touchpoints]: ['types: [care.*, person.*]', 'types: [care.*, message.*]'] },
      ['touchpoints.yaml:4:21 "message.*" is published by Wegwijs alone'],
    ],
  ],
  'personas.yaml': [
    [
      'a last persona with a condition',
      {
        [personas]: [
          'channels: [sms]',
          'channels: [sms]\n    when: { field: person.age, op: lt, value: 65 }',
        ],
      },
      ['personas.yaml:13:11 the last persona takes everybody else: "others" cannot have a "when"'],
    ],
    [
      'an earlier persona without one',
      { [personas]: ['    when: { field: person.age, op: gte, value: 65 }\n', ''] },
      [
        'personas.yaml:2:9 "senior" takes everybody, so that no later persona is ever reached: it needs a "when"',
      ],
    ],
    [
      'a persona that hangs on the persona',
      {
        [personas]: [
          'field: person.age, op: gte, value: 65',
          'field: person.persona, op: eq, value: others',
        ],
      },
      [expect.stringMatching(/^personas\.yaml:7:20 unknown field "person\.persona"/)],
    ],
    [
      'a band of reach that is upside down, or of no one length',
      {
        [guide]: [
          'entry: once-per-entity',
          'entry: once-per-entity\nreach: { expected: [200, 20], per: P1D }',
        ],
      },
      [expect.stringMatching(/^campaigns\/guide\.yaml:10:\d+ .*expected the smaller number first/)],
    ],
    [
      'a period of reach that begins at no moment that everybody can tell',
      {
        [guide]: [
          'entry: once-per-entity',
          'entry: once-per-entity\nreach: { most: 200, per: P1M }',
        ],
      },
      [expect.stringMatching(/^campaigns\/guide\.yaml:10:\d+ .*expected days or weeks/)],
    ],
    [
      'a band or a period of reach beyond all that is counted',
      {
        [guide]: [
          'entry: once-per-entity',
          'entry: once-per-entity\nreach: { most: 3000000000, per: PT8785H }',
        ],
      },
      [
        expect.stringMatching(/^campaigns\/guide\.yaml:10:\d+ .*1000000000/),
        expect.stringMatching(/^campaigns\/guide\.yaml:10:\d+ .*expected days or weeks/),
      ],
    ],
    [
      'a channel that nobody declared',
      { [personas]: ['channels: [sms]', 'channels: [sms, email]'] },
      ['personas.yaml:12:21 channels.yaml has no channel "email"'],
    ],
    [
      'a persona that is there twice',
      { [personas]: ['id: others', 'id: senior'] },
      [
        'campaigns/guide.yaml:7:22 unknown persona "others"',
        'personas.yaml:8:9 the persona "senior" is there twice',
      ],
    ],
  ],
  'attributes.yaml': [
    [
      'what is known of people in the file where it stood before',
      { 'policies.yaml': ['classes:', 'person: {}\nclasses:'] },
      ['policies.yaml:5:1 "person" belongs in attributes.yaml: move it there'],
    ],
    [
      'a unit of what counts nothing',
      { 'attributes.yaml': ['type: boolean,', 'type: boolean, unit: { nl: a, en: a },'] },
      ['attributes.yaml:2:32 "unit" is for fields of type number, this one is a boolean'],
    ],
    [
      'a field that is known of everybody',
      {
        'attributes.yaml': [
          'usesPortal: { type: boolean',
          'usesPortal: { type: boolean, sensitivity: personal }\n  familyName: { type: date',
        ],
      },
      [
        'attributes.yaml:3:3 person.familyName is known of everybody: what the organisation adds needs another name',
      ],
    ],
    [
      'a label of a value that it cannot have',
      {
        'attributes.yaml': [
          'type: text,',
          'type: text, values: [ill], valueLabels: { il: { nl: a, en: a } },',
        ],
      },
      ['attributes.yaml:3:58 unknown value "il" (did you mean "ill"?)'],
    ],
    [
      'a label in one language only',
      { 'attributes.yaml': ['type: boolean,', 'type: boolean, label: { nl: a },'] },
      ['attributes.yaml:2:32 missing key "en"'],
    ],
  ],
  'policies.yaml': [
    [
      'a zone that is none',
      { 'policies.yaml': ['Europe/Amsterdam', 'Europe/Amsterdm'] },
      [
        'policies.yaml:2:11 expected an IANA time zone such as "Europe/Amsterdam", found "Europe/Amsterdm" (did you mean "Europe/Amsterdam"?)',
      ],
    ],
    [
      'a country whose holidays nobody knows',
      { 'policies.yaml': ['holidays: NL', 'holidays: XX'] },
      ['policies.yaml:4:11 expected a country whose holidays are known, such as "NL", found "XX"'],
    ],
    [
      'a country by the name of its language',
      { 'policies.yaml': ['holidays: NL', 'holidays: EN'] },
      [
        'policies.yaml:4:11 expected a country whose holidays are known, such as "NL", found "EN" (did you mean "GB"?)',
      ],
    ],
    [
      'a closed day that no calendar has',
      { 'policies.yaml': ['classes:', 'closedDays: [31-12-2026]\nclasses:'] },
      ['policies.yaml:5:14 expected a day such as "2026-12-24", found "31-12-2026"'],
    ],
    [
      'a team twice',
      {
        'policies.yaml': [
          'classes:',
          'teams:\n  - { id: desk, name: { nl: a, en: a } }\n  - { id: desk, name: { nl: b, en: b } }\nclasses:',
        ],
      },
      ['policies.yaml:7:11 the team "desk" is there twice'],
    ],
  ],
  'the contact budgets': [
    [
      'a persona that nobody declared',
      { 'policies.yaml': ['classes:', budgets('personas: [senor]')] },
      ['policies.yaml:6:69 unknown persona "senor" (did you mean "senior"?)'],
    ],
    [
      'a budget that is there twice',
      { 'policies.yaml': ['classes:', budgets('', '')] },
      ['policies.yaml:7:11 the budget "a-week" is there twice'],
    ],
    [
      'care, of which nobody can have too much',
      { 'policies.yaml': ['classes:', budgets('').replace('[service]', '[service, care]')] },
      [expect.stringMatching(/^policies\.yaml:6:57 .*"care"/)],
    ],
    [
      'a window that is of no one length',
      { 'policies.yaml': ['classes:', budgets('').replace('P7D', 'P1M')] },
      [expect.stringMatching(/^policies\.yaml:6:33 expected weeks, days, hours or minutes/)],
    ],
    [
      'a window that nothing ever leaves',
      { 'policies.yaml': ['classes:', budgets('').replace('P7D', 'P53W')] },
      [expect.stringMatching(/^policies\.yaml:6:33 .*up to "P366D"/)],
    ],
  ],
  'what conditions ask of the past': [
    [
      'a touchpoint that there is not',
      asks('touchpoint: care.visit.endd.v1, within: P30D'),
      [
        'campaigns/guide.yaml:16:41 unknown touchpoint "care.visit.endd.v1" (did you mean "care.visit.ended.v1"?)',
      ],
    ],
    [
      'a touchpoint that there is not, in a persona',
      {
        [personas]: [
          '{ field: person.age, op: gte, value: 65 }',
          '{ happened: { touchpoint: care.visit.endd.v1, within: P30D } }',
        ],
      },
      [
        'personas.yaml:7:37 unknown touchpoint "care.visit.endd.v1" (did you mean "care.visit.ended.v1"?)',
      ],
    ],
    [
      'a field of another touchpoint',
      asks(
        'touchpoint: care.visit.ended.v1, within: P30D, where: { field: event.kind, op: eq, value: first }',
      ),
      ['campaigns/guide.yaml:16:92 unknown field "event.kind"'],
    ],
    [
      'a field of the person, which is not asked afterwards',
      asks(
        'touchpoint: care.visit.ended.v1, within: P30D, where: { field: person.age, op: gt, value: 17 }',
      ),
      ['campaigns/guide.yaml:16:92 unknown field "person.age"'],
    ],
    [
      'a value that the field cannot have',
      asks(
        'touchpoint: care.visit.ended.v1, within: P30D, where: { field: event.minutes, op: gt, value: long }',
      ),
      ['campaigns/guide.yaml:16:122 expected a number, found "long"'],
    ],
    [
      'a question that hangs on the day on which it is asked',
      asks(
        'touchpoint: care.visit.booked.v1, within: P30D, where: { field: event.startsAt, op: daysUntil, value: 3 }',
      ),
      [expect.stringMatching(/^campaigns\/guide\.yaml:16:113 "daysUntil" hangs on the day/)],
    ],
    [
      'a count within a count',
      asks(
        'touchpoint: care.visit.booked.v1, within: P30D, where: { happened: { touchpoint: care.visit.ended.v1, within: P1D } }',
      ),
      [
        expect.stringMatching(
          /^campaigns\/guide\.yaml:16:110 what is counted cannot hang on another/,
        ),
      ],
    ],
    [
      'a window of hours',
      asks('touchpoint: care.visit.ended.v1, within: PT36H'),
      [
        'campaigns/guide.yaml:16:70 expected whole days or weeks such as "P30D", up to "P366D", found "PT36H"',
      ],
    ],
    [
      'a window that reaches further back than events are kept',
      asks('touchpoint: care.visit.ended.v1, within: P367D'),
      [expect.stringMatching(/^campaigns\/guide\.yaml:16:70 .* up to "P366D"/)],
    ],
    [
      'a number of times that is none',
      asks('touchpoint: care.visit.ended.v1, within: P3D, times: { atLeast: 3, atMost: 2 }'),
      [expect.stringMatching(/^campaigns\/guide\.yaml:16:82 expected atLeast to be no more/)],
    ],
    [
      'a misspelt key',
      asks('touchpoint: care.visit.ended.v1, withn: P3D'),
      ['campaigns/guide.yaml:16:62 unknown key "withn" (did you mean "within"?)'],
    ],
  ],
  'what becomes of somebody': [
    [
      'their age, which the calendar changes',
      becomes('field: person.age, op: gte, value: 65'),
      [
        'campaigns/guide.yaml:5:30 "person.age" is not said by a profile, so nobody hears of it when it changes',
      ],
    ],
    [
      'a phase of a journey',
      becomes('field: journey.visit.phase, op: eq, value: after'),
      [
        expect.stringMatching(
          /^campaigns\/guide\.yaml:5:30 "journey\.visit\.phase" is not said by a/,
        ),
      ],
    ],
    [
      'data of an event, of which there is none',
      becomes('field: event.kind, op: eq, value: first'),
      ['campaigns/guide.yaml:5:30 unknown field "event.kind"'],
    ],
    ...(
      [
        ['a relation', 'relation.caregiver.care, op: exists, value: true'],
        ['a consent', 'consent.marketing, op: eq, value: granted'],
      ] as const
    ).map(([what, asked]): [string, Changes, unknown[]] => [
      what,
      becomes(`field: ${asked}`),
      [expect.stringMatching(/^campaigns\/guide\.yaml:5:30 "[a-z.]+" is not said by a profile/)],
    ]),
    [
      'a change from a value to the same one',
      {
        ...becomes('field: person.usesPortal, op: eq, value: true'),
        [guide]: String(becomes('')[guide]).replace(
          'becomes: {  }',
          'attribute: person.usesPortal, from: true, to: true',
        ),
      },
      [
        'campaigns/guide.yaml:5:58 nothing changes from true to true: expected two values, or one of "from" and "to" alone',
      ],
    ],
    [
      'what became of a message, of which there is none yet',
      becomes('field: enrolment.hello.status, op: eq, value: sent'),
      ['campaigns/guide.yaml:5:30 unknown field "enrolment.hello.status"'],
    ],
    [
      'an appointment, of which there is none',
      becomes('field: entity.startsAt, op: exists, value: true'),
      ['campaigns/guide.yaml:5:30 unknown field "entity.startsAt"'],
    ],
    ...(
      [
        ['becomes', 'becomes: { field: person.mood, op: eq, value: well }', 30],
        ['attribute', 'attribute: person.mood, to: well', 23],
        ['date', 'date: { field: person.calledOn, at: "10:00" }', 27],
      ] as const
    ).map(([kind, trigger, column]): [string, Changes, unknown[]] => [
      `what campaigns remember, by ${kind}`,
      {
        ...becomes('field: person.usesPortal, op: eq, value: true'),
        [guide]: `id: guide
name: Guide
journey: visit
class: service
trigger: { ${trigger} }
steps:
  - message: { id: hello, template: hello }
`,
        'attributes.yaml': [
          'person:',
          'campaigns:\n  mood: { type: text, sensitivity: personal }\n  calledOn: { type: date, sensitivity: personal }\nperson:',
        ],
      },
      [
        expect.stringMatching(
          new RegExp(
            `^campaigns/guide\\.yaml:5:${column} "person\\.[a-zA-Z]+" is what campaigns remember, and that starts nothing`,
          ),
        ),
      ],
    ]),
    [
      'a touchpoint that there is not',
      becomes('happened: { touchpoint: care.visit.endd.v1, within: P3D }'),
      [
        'campaigns/guide.yaml:5:47 unknown touchpoint "care.visit.endd.v1" (did you mean "care.visit.ended.v1"?)',
      ],
    ],
  ],
  'the names in a campaign': [
    [
      'an id that is not its file',
      { [guide]: ['id: guide', 'id: gide'] },
      [
        'campaigns/guide.yaml:1:5 the id "gide" is not the name of its file (did you mean "guide"?)',
      ],
    ],
    [
      'an unknown journey',
      { [guide]: ['journey: visit', 'journey: vist'] },
      ['campaigns/guide.yaml:3:10 unknown journey "vist" (did you mean "visit"?)'],
    ],
    [
      'an unknown trigger',
      { [guide]: ['care.visit.booked.v1', 'care.visit.boked.v1'] },
      [
        'campaigns/guide.yaml:5:24 unknown touchpoint "care.visit.boked.v1" (did you mean "care.visit.booked.v1"?)',
      ],
    ],
    [
      'an unknown exit',
      { [guide]: ['care.visit.ended.v1', 'care.visit.endd.v1'] },
      [
        'campaigns/guide.yaml:11:17 unknown touchpoint "care.visit.endd.v1" (did you mean "care.visit.ended.v1"?)',
      ],
    ],
    [
      'an unknown persona',
      { [guide]: ['[senior, others]', '[senor, others]'] },
      ['campaigns/guide.yaml:7:14 unknown persona "senor" (did you mean "senior"?)'],
    ],
    [
      'an unknown template',
      { [guide]: ['id: eve, template: booked', 'id: eve, template: boked'] },
      ['campaigns/guide.yaml:18:43 unknown template "boked" (did you mean "booked"?)'],
    ],
    [
      'a message that is there twice',
      { [guide]: ['id: eve', 'id: booked'] },
      ['campaigns/guide.yaml:18:28 the id "booked" is there twice'],
    ],
  ],
  'the conditions of a campaign': [
    [
      'an unknown field',
      { [guide]: ['person.usesPortal', 'person.usesPortaal'] },
      [
        'campaigns/guide.yaml:8:19 unknown field "person.usesPortaal" (did you mean "person.usesPortal"?)',
      ],
    ],
    [
      'an unknown field of the trigger, deep in a branch',
      { [guide]: ['event.kind', 'event.kid'] },
      ['campaigns/guide.yaml:16:24 unknown field "event.kid" (did you mean "event.kind"?)'],
    ],
    [
      'a value that the field cannot have',
      { [guide]: ['value: first', 'value: frist'] },
      [
        'campaigns/guide.yaml:16:51 expected one of "first", "second", found "frist" (did you mean "first"?)',
      ],
    ],
    [
      'a value that is none of so many that nobody would read them all',
      {
        [touchpoints]: ['values: [first, second]', `values: [first, ${manyValues}]`],
        [guide]: ['value: first', 'value: frist'],
      },
      [
        'campaigns/guide.yaml:16:51 expected one of 21 values, found "frist" (did you mean "first"?)',
      ],
    ],
    [
      'one value of a list that the field cannot have',
      { [guide]: ['op: eq, value: first', 'op: in, value: [first, secnd]'] },
      [
        'campaigns/guide.yaml:16:59 expected one of "first", "second", found "secnd" (did you mean "second"?)',
      ],
    ],
    [
      'a persona that does not exist',
      {
        [guide]: [
          'field: event.kind, op: eq, value: first',
          'field: person.persona, op: eq, value: senor',
        ],
      },
      [
        'campaigns/guide.yaml:16:55 expected one of "senior", "others", found "senor" (did you mean "senior"?)',
      ],
    ],
    [
      'a value of another type',
      { [guide]: ['value: true', 'value: "yes"'] },
      ['campaigns/guide.yaml:8:53 expected true or false, found "yes"'],
    ],
    [
      'one value where a list belongs',
      { [guide]: ['op: eq, value: first', 'op: in, value: first'] },
      ['campaigns/guide.yaml:16:51 expected a list after "in", found "first"'],
    ],
    [
      'a list where one value belongs',
      { [guide]: ['value: first', 'value: [first]'] },
      [
        'campaigns/guide.yaml:16:51 expected one value after "eq" (a list is for "in", "notIn" and "between"), found a list',
      ],
    ],
    [
      'a day that no calendar has',
      {
        'attributes.yaml': ['person:', 'person:\n  born: { type: date, sensitivity: personal }'],
        [guide]: [
          'field: event.kind, op: eq, value: first',
          'field: person.born, op: lt, value: "2026-02-30"',
        ],
      },
      ['campaigns/guide.yaml:16:52 expected a day such as "2026-03-14", found "2026-02-30"'],
    ],
    [
      'a moment on a day that no calendar has',
      {
        [guide]: [
          'field: event.kind, op: eq, value: first',
          'field: entity.startsAt, op: lt, value: "2026-13-45T08:30:00.000Z"',
        ],
      },
      [expect.stringContaining('expected a moment such as')],
    ],
    [
      'days from the further one on',
      {
        [guide]: [
          'field: event.kind, op: eq, value: first',
          'field: entity.startsAt, op: daysUntil, value: [7, 0]',
        ],
      },
      [
        'campaigns/guide.yaml:16:64 nothing lies from 7 to 0: "daysUntil" takes the smaller one first',
      ],
    ],
    [
      'an age from the higher one on',
      {
        [guide]: [
          'field: event.kind, op: eq, value: first',
          'field: person.age, op: between, value: [65, 18]',
        ],
      },
      [
        'campaigns/guide.yaml:16:57 nothing lies from 65 to 18: "between" takes the smaller one first',
      ],
    ],
    [
      'moments from the later one on',
      {
        [guide]: [
          'field: event.kind, op: eq, value: first',
          'field: entity.startsAt, op: between, value: ["2027-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z"]',
        ],
      },
      [expect.stringContaining('nothing lies from "2027-01-01T00:00:00.000Z" to')],
    ],
    [
      'an operator that the type does not know',
      { [guide]: ['op: eq, value: first', 'op: gt, value: first'] },
      ['campaigns/guide.yaml:16:40 "gt" cannot be used on event.kind, which is a text'],
    ],
    [
      'a moment in another spelling',
      {
        [guide]: [
          'field: event.kind, op: eq, value: first',
          'field: event.startsAt, op: gt, value: "2026-03-14T09:30:00+01:00"',
        ],
      },
      [
        'campaigns/guide.yaml:16:55 expected a moment such as "2026-03-14T08:30:00.000Z", found "2026-03-14T09:30:00+01:00" (did you mean "2026-03-14T08:30:00.000Z"?)',
      ],
    ],
    [
      'the status of a message before there are messages',
      {
        [guide]: [
          'field: person.usesPortal, op: eq, value: true',
          'field: enrolment.booked.status, op: eq, value: sent',
        ],
      },
      ['campaigns/guide.yaml:8:19 unknown field "enrolment.booked.status"'],
    ],
    [
      'somebody’s health in the past, in marketing',
      {
        [guide]: (sound[guide] ?? '')
          .replace('class: service', 'class: marketing')
          .replace(
            '{ field: event.kind, op: eq, value: first }',
            '{ happened: { touchpoint: care.visit.booked.v1, within: P9D, where: { field: event.kind, op: eq, value: first } } }',
          ),
      },
      [
        'campaigns/guide.yaml:16:92 "event.kind" tells about somebody\'s health, and marketing may not choose people by it',
      ],
    ],
    [
      'somebody’s health, in marketing',
      { [guide]: ['class: service', 'class: marketing'] },
      [
        'campaigns/guide.yaml:16:24 "event.kind" tells about somebody\'s health, and marketing may not choose people by it',
      ],
    ],
    [
      'a persona made of somebody’s health, in marketing',
      {
        [personas]: [
          'field: person.age, op: gte, value: 65',
          'field: person.condition, op: exists, value: true',
        ],
        [guide]: ['class: service', 'class: marketing'],
      },
      [
        'campaigns/guide.yaml:7:14 the persona "senior" hangs on somebody\'s health, and marketing may not choose people by it',
        'campaigns/guide.yaml:16:24 "event.kind" tells about somebody\'s health, and marketing may not choose people by it',
      ],
    ],
    [
      'such a persona in conditions of marketing, and for a template of its own',
      {
        [personas]: [
          'field: person.age, op: gte, value: 65',
          'field: person.condition, op: exists, value: true',
        ],
        [guide]: (sound[guide] ?? '')
          .replace('class: service', 'class: marketing')
          .replace('  personas: [senior, others]\n', '')
          .replace(
            'field: person.usesPortal, op: eq, value: true',
            'field: person.persona, op: in, value: [others, senior]',
          )
          .replace(
            'field: event.kind, op: eq, value: first',
            'field: person.persona, op: neq, value: senior',
          )
          .replace(
            'template: booked, until',
            'template: { senior: booked, otherwise: booked }, until',
          ),
      },
      [
        'campaigns/guide.yaml:7:59 the persona "senior" hangs on somebody\'s health, and marketing may not choose people by it',
        'campaigns/guide.yaml:12:40 the persona "senior" hangs on somebody\'s health, and marketing may not choose people by it',
        'campaigns/guide.yaml:15:56 the persona "senior" hangs on somebody\'s health, and marketing may not choose people by it',
      ],
    ],
    [
      'the beginning of such a persona, and what marketing calls somebody who is one',
      {
        [personas]: [
          'field: person.age, op: gte, value: 65',
          'field: person.condition, op: exists, value: true',
        ],
        [guide]: (sound[guide] ?? '')
          .replace('class: service', 'class: marketing')
          .replace('  personas: [senior, others]\n', '')
          .replace(
            'field: event.kind, op: eq, value: first',
            'field: person.persona, op: startsWith, value: sen',
          ),
        'templates/booked/app.nl.yaml': ['entity.room', 'person.persona'],
      },
      [
        'campaigns/guide.yaml:15:63 the persona "senior" hangs on somebody\'s health, and marketing may not choose people by it',
        'templates/booked/app.nl.yaml:2:14 person.persona tells about somebody\'s health, and "guide" is marketing, which may not speak of it',
      ],
    ],
    [
      'somebody’s health in what marketing says',
      {
        [guide]: (sound[guide] ?? '')
          .replace('class: service', 'class: marketing')
          .replace(
            'field: event.kind, op: eq, value: first',
            'field: person.usesPortal, op: eq, value: true',
          ),
        'templates/booked/template.yaml': ['app: personal', 'app: health'],
        'channels.yaml': ['app-inbox, sensitivity: personal', 'app-inbox, sensitivity: health'],
        'templates/booked/app.nl.yaml': ['entity.room', 'event.kind'],
      },
      [
        'templates/booked/app.nl.yaml:2:14 event.kind tells about somebody\'s health, and "guide" is marketing, which may not speak of it',
      ],
    ],
  ],
  'the moments of a campaign': [
    [
      'an unknown moment',
      { [guide]: ['wait: { until: entity.startsAt', 'wait: { until: entity.startAt'] },
      [
        'campaigns/guide.yaml:14:20 unknown moment "entity.startAt" (did you mean "entity.startsAt"?)',
      ],
    ],
    [
      'a field that is no moment',
      { [guide]: ['booked, until: entity.startsAt', 'booked, until: entity.room'] },
      ['campaigns/guide.yaml:13:53 entity.room is a text, no moment'],
    ],
    [
      'an entity where there is none',
      {
        [guide]: [
          'trigger: { touchpoint: care.visit.booked.v1 }',
          'trigger: { touchpoint: care.visit.ended.v1 }',
        ],
      },
      [
        'campaigns/guide.yaml:9:8 once-per-entity needs an entity, and care.visit.ended.v1 has none',
        'campaigns/guide.yaml:13:53 entity.startsAt needs an entity, and care.visit.ended.v1 has none',
        'campaigns/guide.yaml:14:20 entity.startsAt needs an entity, and care.visit.ended.v1 has none',
        'campaigns/guide.yaml:16:24 unknown field "event.kind"',
        'templates/booked/app.en.yaml:2:13 unknown variable "entity.room" in campaign "guide"',
        'templates/booked/app.nl.yaml:2:14 unknown variable "entity.room" in campaign "guide"',
        'templates/booked/sms.en.hbs:1:19 unknown variable "entity.startsAt" in campaign "guide"',
        'templates/booked/sms.nl.hbs:1:12 unknown variable "entity.startsAt" in campaign "guide"',
      ],
    ],
  ],
  'the messages of a campaign': [
    [
      'a channel that nobody declared',
      {
        [guide]: ['id: eve, template: booked', 'id: eve, channels: [sms, email], template: booked'],
      },
      ['campaigns/guide.yaml:18:49 channels.yaml has no channel "email"'],
    ],
    [
      'a key of a template that nobody knows',
      { 'templates/booked/template.yaml': ['sensitivity:', 'sensitivty:'] },
      ['templates/booked/template.yaml:2:1 unknown key "sensitivty" (did you mean "sensitivity"?)'],
    ],
    [
      'a sensitivity that there is not, and a key of a text for the app',
      {
        'templates/booked/template.yaml': ['sms: neutral', 'sms: neutrl'],
        'templates/booked/app.nl.yaml': ['title:', 'titel:'],
      },
      [
        'templates/booked/app.nl.yaml:1:1 unknown key "titel" (did you mean "title"?)',
        'templates/booked/template.yaml:3:8 expected one of "neutral", "personal", "health", found "neutrl" (did you mean "neutral"?)',
      ],
    ],
    [
      'a folder without the file that says what is in it',
      { 'templates/booked/template.yaml': null },
      ['templates/booked/template.yaml:1:1 this file is missing'],
    ],
    [
      'a channel for which the template has nothing',
      {
        [guide]: ['id: eve, template: booked', 'id: eve, channels: [app, sms], template: plain'],
        'templates/plain/template.yaml': 'name: plain\nsensitivity: { sms: neutral }\n',
        'templates/plain/sms.nl.hbs': 'Dag\n',
        'templates/plain/sms.en.hbs': 'Hello\n',
      },
      ['campaigns/guide.yaml:18:44 the template "plain" has no content for "app"'],
    ],
    [
      'a cascade of one channel',
      {
        [guide]: [
          'id: eve, template: booked',
          'id: eve, channels: { cascade: [sms], after: PT30M }, template: booked',
        ],
      },
      [
        'campaigns/guide.yaml:18:54 expected two channels or more; over one alone it is `channels: [sms]`',
      ],
    ],
    [
      'a channel that is there twice',
      {
        [guide]: ['id: eve, template: booked', 'id: eve, channels: [sms, sms], template: booked'],
      },
      ['campaigns/guide.yaml:18:49 the channel "sms" is there twice'],
    ],
    [
      'somebody who is there twice',
      {
        [guide]: [
          'id: eve, template: booked',
          'id: eve, to: [person, caregiver, person], template: booked',
        ],
      },
      ['campaigns/guide.yaml:18:57 the recipient "person" is there twice'],
    ],
    [
      'a channel that a persona has twice',
      { [personas]: ['channels: [app, sms]', 'channels: [app, sms, app]'] },
      ['personas.yaml:6:26 the channel "app" is there twice'],
    ],
    [
      'somebody who is there twice by a rule of age',
      {
        'policies.yaml': ['locale: nl', 'locale: nl\nages: [{ under: 16, to: [parent, parent] }]'],
      },
      ['policies.yaml:4:34 the recipient "parent" is there twice'],
    ],
    [
      'a cascade that comes back to a channel',
      {
        [guide]: [
          'id: eve, template: booked',
          'id: eve, channels: { cascade: [sms, app, sms], after: PT30M }, template: booked',
        ],
      },
      ['campaigns/guide.yaml:18:54 expected each channel once'],
    ],
    [
      'a cascade that does not say how long',
      {
        [guide]: [
          'id: eve, template: booked',
          'id: eve, channels: { cascade: [app, sms] }, template: booked',
        ],
      },
      ['campaigns/guide.yaml:18:33 missing key "after"'],
    ],
    [
      'a cascade that says a time of day',
      {
        [guide]: [
          'id: eve, template: booked',
          'id: eve, channels: { cascade: [app, sms], after: "10:00" }, template: booked',
        ],
      },
      [
        'campaigns/guide.yaml:18:73 expected an ISO 8601 duration such as "P2D" or "PT12H", found "10:00"',
      ],
    ],
    [
      'a cascade over a channel that nobody declared',
      {
        [guide]: [
          'id: eve, template: booked',
          'id: eve, channels: { cascade: [sms, email], after: PT30M }, template: booked',
        ],
      },
      ['campaigns/guide.yaml:18:60 channels.yaml has no channel "email"'],
    ],
    [
      'a cascade of which the last channel comes too late',
      {
        [guide]: [
          'id: eve, template: booked',
          'id: eve, channels: { cascade: [sms, app], after: P1D }, template: booked',
        ],
      },
      [
        'campaigns/guide.yaml:18:60 the message is worth sending for P1D, and with P1D for each channel before it "app" never comes',
      ],
    ],
    [
      'all channels, of which there is one',
      {
        [guide]: [
          'id: eve, template: booked',
          'id: eve, channels: { all: [sms] }, template: booked',
        ],
      },
      [
        'campaigns/guide.yaml:18:50 expected two channels or more; over one alone it is `channels: [sms]`',
      ],
    ],
    [
      'all channels, of which nobody declared one',
      {
        [guide]: [
          'id: eve, template: booked',
          'id: eve, channels: { all: [sms, email] }, template: booked',
        ],
      },
      ['campaigns/guide.yaml:18:56 channels.yaml has no channel "email"'],
    ],
    [
      'all channels, of which one has no text in one language',
      {
        [guide]: [
          'id: eve, template: booked',
          'id: eve, channels: { all: [sms, app] }, template: plain',
        ],
        'templates/plain/template.yaml':
          'name: plain\nsensitivity: { sms: neutral, app: neutral }\n',
        'templates/plain/sms.nl.hbs': 'Dag\n',
        'templates/plain/sms.en.hbs': 'Hello\n',
        'templates/plain/app.nl.yaml': 'title: Dag\nbody: Dag\n',
      },
      [
        'campaigns/guide.yaml:18:74 the template "plain" has nothing in every language (nl, en) for app',
      ],
    ],
    [
      'all channels, and one after the other',
      {
        [guide]: [
          'id: eve, template: booked',
          'id: eve, channels: { all: [sms, app], after: PT30M }, template: booked',
        ],
      },
      ['campaigns/guide.yaml:18:62 "after" does not go together with "all"'],
    ],
    [
      'a template for a persona that nobody is, and for one that the campaign is not for',
      {
        [guide]: [
          'id: eve, template: booked',
          'id: eve, template: { senor: booked, others: booked, otherwise: booked }',
        ],
      },
      ['campaigns/guide.yaml:18:45 unknown persona "senor" (did you mean "senior"?)'],
    ],
    [
      'a template for a persona that the campaign is not for',
      {
        [guide]: [
          'personas: [senior, others]\n  where: { field: person.usesPortal, op: eq, value: true }\nentry: once-per-entity\nexit:\n  - touchpoint: care.visit.ended.v1\nsteps:\n  - message: { id: booked, template: booked,',
          'personas: [senior]\n  where: { field: person.usesPortal, op: eq, value: true }\nentry: once-per-entity\nexit:\n  - touchpoint: care.visit.ended.v1\nsteps:\n  - message: { id: booked, template: { others: booked, otherwise: booked },',
        ],
      },
      ['campaigns/guide.yaml:13:40 the campaign is not for "others", who would get this template'],
    ],
    [
      'nothing that a persona can read in the template of its own',
      {
        [guide]: [
          'id: eve, template: booked',
          'id: eve, template: { others: plain, otherwise: booked }',
        ],
        'templates/plain/template.yaml': 'name: plain\nsensitivity: { app: neutral }\n',
        'templates/plain/app.nl.yaml': 'title: Dag\nbody: Dag\n',
        'templates/plain/app.en.yaml': 'title: Hello\nbody: Hello\n',
      },
      [
        'campaigns/guide.yaml:18:53 the template "plain" has nothing in every language (nl, en) for sms, the channels of "others"',
      ],
    ],
    [
      'content in one language only',
      { 'templates/booked/sms.en.hbs': null },
      [
        'campaigns/guide.yaml:13:38 the template "booked" has nothing in every language (nl, en) for sms, the channels of "others"',
        'campaigns/guide.yaml:18:43 the template "booked" has nothing in every language (nl, en) for sms, the channels of "others"',
      ],
    ],
    [
      'content that its channel may not bear',
      { 'channels.yaml': ['app-inbox, sensitivity: personal', 'app-inbox, sensitivity: neutral'] },
      [
        'campaigns/guide.yaml:13:38 the template "booked" is personal, and "app" bears at most neutral',
        'campaigns/guide.yaml:18:43 the template "booked" is personal, and "app" bears at most neutral',
      ],
    ],
  ],
  'who a message goes to': [
    [
      'somebody where research asks the person alone',
      {
        'campaigns/research.yaml': `id: research
name: Research
journey: visit
class: research
trigger: { touchpoint: care.visit.booked.v1 }
steps:
  - message: { id: ask, to: [person, caregiver], template: booked }
`,
      },
      [
        'campaigns/research.yaml:7:38 research is asked of the person alone, and this message goes to a caregiver',
      ],
    ],
    [
      'a scope that nobody has',
      {
        'campaigns/guide.yaml': [
          'template: booked, until',
          'to: caregiver, scope: appointment, template: booked, until',
        ],
      },
      [
        'campaigns/guide.yaml:13:50 expected one of "appointments", "care", "news", found "appointment" (did you mean "appointments"?)',
      ],
    ],
    [
      'a scope where it goes to the person alone',
      {
        'campaigns/guide.yaml': ['template: booked, until', 'scope: care, template: booked, until'],
      },
      [
        'campaigns/guide.yaml:13:35 it goes to the person alone, who may hear of everything: leave "scope" out',
      ],
    ],
    [
      'rules of age that are not there',
      {
        'campaigns/guide.yaml': ['template: booked, until', 'to: by-age, template: booked, until'],
      },
      ['campaigns/guide.yaml:13:32 policies.yaml has no rules of age ("ages")'],
    ],
    [
      'health to somebody who may not hear of the care',
      {
        'campaigns/guide.yaml': ['template: booked, until', 'to: parent, template: booked, until'],
        'templates/booked/template.yaml': ['app: personal', 'app: health'],
        'channels.yaml': ['app-inbox, sensitivity: personal', 'app-inbox, sensitivity: health'],
      },
      [
        'campaigns/guide.yaml:13:50 the template "booked" is health, and it goes to somebody else, who by the scope "appointments" may hear of what is personal at most: expected "scope: care", or "to: person"',
      ],
    ],
    [
      'rules of age that are not in their order',
      {
        'policies.yaml': [
          'locale: nl',
          'locale: nl\nages: [{ under: 16, to: [parent] }, { under: 12, to: [parent] }]',
        ],
      },
      ['policies.yaml:4:7 expected the youngest first, each age once'],
    ],
  ],
  'the variables of a template': [
    [
      'an unknown variable',
      { 'templates/booked/sms.en.hbs': ['entity.startsAt', 'entity.startAt'] },
      [
        'templates/booked/sms.en.hbs:1:19 unknown variable "entity.startAt" in campaign "guide" (did you mean "entity.startsAt"?)',
      ],
    ],
    [
      'a variable that tells more than was declared',
      { 'templates/booked/sms.nl.hbs': ['Tot', 'Kamer {{entity.room}}. Tot'] },
      [
        expect.stringMatching(
          /^templates\/booked\/sms\.nl\.hbs:1:\d+ entity\.room is personal, and the sms of "booked" is declared neutral$/,
        ),
      ],
    ],
    [
      'YAML that is none',
      { 'templates/booked/app.nl.yaml': 'title: [Tot\n' },
      [expect.stringMatching(/^templates\/booked\/app\.nl\.yaml:\d+:\d+ not YAML: /)],
    ],
    [
      'a template that is not written as one',
      { 'templates/booked/sms.nl.hbs': 'Tot {{#if person.givenName}}' },
      [expect.stringMatching(/^templates\/booked\/sms\.nl\.hbs:1:\d+ /)],
    ],
  ],
}

describe.each(Object.entries(plantedByFile))('in %s', (_, planted) => {
  test.each(planted)(
    '%s is told with its place and the nearest name',
    async (_what, changes, faults) => {
      expect((await tell(changes)).faults).toEqual(faults)
    },
  )
})

describe('the layout that e-mails share', () => {
  const withEmail: Changes = {
    'channels.yaml': `sms: { provider: sms-http, sensitivity: neutral, from: DeLinde }
app: { provider: app-inbox, sensitivity: personal }
email: { provider: smtp, sensitivity: personal, from: hello@example.org }
`,
    'templates/booked/template.yaml': `name: booked
sensitivity: { sms: neutral, app: personal, email: personal }
subject: { nl: Tot ziens, en: See you }
`,
    'layout/footer.mjml': `<mj-section>
  <mj-column><mj-text>{{organisation.phone}}</mj-text></mj-column>
</mj-section>
`,
    ...Object.fromEntries(
      ['nl', 'en'].map((locale) => [
        `templates/booked/email.${locale}.mjml`,
        `<mjml>
  <mj-body>
    <mj-include path="layout/footer.mjml" /><mj-include path="layout/footer.mjml" />
    <mj-section><mj-column><mj-text>{{entity.room}}</mj-text></mj-column></mj-section>
  </mj-body>
</mjml>
`,
      ]),
    ),
  }

  test('is put in its place', async () => {
    const { bundle, faults } = await withFolder(withEmail, loadDefinition)
    expect(faults).toEqual([])
    const { html } = bundle?.templates[0]?.channels.email?.content.nl ?? {}
    expect(html?.split('{{organisation.phone}}')).toHaveLength(3)
  })

  test('shows a fault where it stands, once, however many e-mails have it', async () => {
    const { faults } = await tell({
      ...withEmail,
      'layout/footer.mjml': `<mj-section>
  <mj-column><mj-text>{{organisation.fone}}</mj-text></mj-column>
</mj-section>
`,
    })
    expect(faults).toEqual([
      'layout/footer.mjml:2:23 unknown variable "organisation.fone" in campaign "guide" (did you mean "organisation.phone"?)',
    ])
  })

  test('does not move the places in the e-mail itself', async () => {
    const { faults } = await tell({
      ...withEmail,
      'templates/booked/email.nl.mjml': `<mjml>
  <mj-body>
    <mj-include path="layout/footer.mjml" />
    <mj-section><mj-column><mj-text>{{entity.rom}}</mj-text></mj-column></mj-section>
  </mj-body>
</mjml>
`,
    })
    expect(faults).toEqual([
      'templates/booked/email.nl.mjml:4:37 unknown variable "entity.rom" in campaign "guide" (did you mean "entity.room"?)',
    ])
  })

  test.each([
    [
      'layout/foter.mjml',
      'templates/booked/email.nl.mjml:1:34 unknown layout "layout/foter.mjml" (did you mean "layout/footer.mjml"?)',
    ],
    ['../../etc/passwd', 'templates/booked/email.nl.mjml:1:34 unknown layout "../../etc/passwd"'],
  ])('is found in its own folder alone: %s', async (path, fault) => {
    const { faults } = await tell({
      ...withEmail,
      'templates/booked/email.nl.mjml': `<mjml><mj-body><mj-include path="${path}" /></mj-body></mjml>`,
    })
    expect(faults).toEqual([fault])
  })
})

describe('warnings', () => {
  test('a template that no campaign sends', async () => {
    expect(
      await tell({
        'templates/plain/template.yaml': 'name: plain\nsensitivity: { sms: neutral }\n',
        'templates/plain/sms.nl.hbs': 'Dag\n',
        'templates/plain/sms.en.hbs': 'Hello\n',
      }),
    ).toEqual({
      faults: [],
      warnings: ['templates/plain/template.yaml:1:1 no campaign sends the template "plain"'],
    })
  })

  test('a variable that not everybody has, unless it is guarded', async () => {
    const bare: Changes = { 'templates/booked/sms.nl.hbs': ['Tot', '{{person.givenName}}, tot'] }
    const guarded: Changes = {
      'templates/booked/sms.nl.hbs': [
        'Tot',
        '{{#if person.givenName}}{{person.givenName}}, {{/if}}tot',
      ],
    }
    expect(await tell(bare)).toEqual({
      faults: [],
      warnings: [
        'templates/booked/sms.nl.hbs:1:1 not everybody has person.givenName: without an {{#if person.givenName}} around it, they get no message',
      ],
    })
    expect(await tell(guarded)).toEqual({ faults: [], warnings: [] })
  })
})

test('a condition as deep as may be is read, and held against the fields', async () => {
  const deep = (leaf: string): Changes => ({
    [guide]: [
      'where: { field: person.usesPortal, op: eq, value: true }',
      `where: ${'{ not: '.repeat(97)}{ ${leaf}op: exists, value: true }${' }'.repeat(97)}`,
    ],
  })
  expect((await tell(deep('field: person.usesPortal, '))).faults).toEqual([])
  expect((await tell(deep('field: person.usesPortals, '))).faults).toEqual([
    'campaigns/guide.yaml:8:698 unknown field "person.usesPortals" (did you mean "person.usesPortal"?)',
  ])
  expect((await tell(deep(''))).faults).not.toEqual([])
})

test('an alias is used as often as its author likes', async () => {
  const described = Array.from({ length: 150 }, () => '*why').join(', ')
  const { faults } = await tell({
    'mappings/log.yaml': `source: &why x\ntypes: [${described}]\n`,
  })
  expect(faults.join('\n')).not.toContain('alias')
})

test('all faults come at once, in reading order, also beside a file that cannot be read', async () => {
  const { faults } = await tell({
    'journeys.yaml': ['id: visit', 'id: Visit'],
    [guide]: ['template: booked, until', 'template: boked, until'],
    [personas]: ['op: gte, value: 65', 'op: gte, value: old'],
    'templates/booked/sms.nl.hbs': 'Tot {{> footer}}',
  })
  expect(faults).toEqual([
    'campaigns/guide.yaml:13:38 unknown template "boked" (did you mean "booked"?)',
    expect.stringMatching(
      /^journeys\.yaml:2:9 expected a name such as "welcome-home", found "Visit"$/,
    ),
    'personas.yaml:7:48 expected a number, found "old"',
    expect.stringMatching(/^templates\/booked\/sms\.nl\.hbs:1:5 partials/),
  ])
})

test('a fault in each file hides nothing of the others', async () => {
  const { faults } = await tell({
    'touchpoints.yaml': ['name: { nl: Verzet, en: Moved }', 'name: 3'],
    [personas]: ['op: gte, value: 65', 'op: gte, value: old'],
    'journeys.yaml': ['name: { nl: Bezoek, en: Visit }', 'nam: { nl: Bezoek, en: Visit }'],
    'policies.yaml': ['timeZone: Europe/Amsterdam', 'timeZone: Europe/Amsterdm'],
    [guide]: (sound[guide] ?? '')
      .replace('template: booked, until', 'template: boked, until')
      .replace('journey: visit', 'journey: visitt')
      .replace('[senior, others]', '[senor, others]')
      .replace('care.visit.booked.v1 }', 'care.visit.boked.v1 }'),
    'attributes.yaml': ['sensitivity: personal }', 'sensitivity: personal, label: 3 }'],
    'channels.yaml': ['from: DeLinde', 'from: Ziekenhuis De Linde'],
    'templates/booked/sms.nl.hbs': 'Tot {{> footer}}',
    'campaigns/other.test.yaml': 'campaign: other\nspecifications: []\n',
  })
  expect(faults).toEqual([
    expect.stringMatching(/^attributes\.yaml:2:\d+ expected a mapping, found 3/),
    expect.stringContaining('unknown journey "visitt"'),
    expect.stringContaining('unknown touchpoint "care.visit.boked.v1"'),
    expect.stringContaining('unknown persona "senor"'),
    expect.stringContaining('unknown template "boked"'),
    expect.stringMatching(/^campaigns\/other\.test\.yaml:2/),
    expect.stringMatching(/^channels\.yaml:1.*Ziekenhuis De Linde/),
    expect.stringMatching(/^journeys\.yaml.*unknown key "nam"/),
    expect.stringMatching(/^personas\.yaml.*expected a number, found "old"/),
    expect.stringMatching(/^policies\.yaml.*Amsterdm/),
    expect.stringMatching(/^templates\/booked\/sms\.nl\.hbs:1:5 partials/),
    expect.stringMatching(/^touchpoints\.yaml.*found 3/),
  ])
})

test('from whom a message comes is a sender that its channel takes', async () => {
  const email = 'email: { provider: smtp, sensitivity: personal, from: not an address }\n'
  const { faults } = await tell({
    'channels.yaml': `${(sound['channels.yaml'] ?? '').replace('DeLinde', 'De_Linde!')}${email}`,
  })
  expect(faults).toEqual([
    'channels.yaml:1:56 expected a name of letters and digits, such as "DeLinde", or a telephone number, found "De_Linde!"',
    'channels.yaml:3:55 expected one address, such as "De Linde <info@example.org>", found "not an address"',
  ])
})

test('a misspelt word in a file of the root hides nothing of the campaigns', async () => {
  const { faults } = await tell({
    [touchpoints]: ['sensitivity: health', 'sensitivity: helth'],
    'attributes.yaml': ['type: boolean', 'type: bool'],
    [guide]: ['care.visit.booked.v1', 'care.visit.bookd.v1'],
    [personas]: ['person.age', 'person.agee'],
  })
  expect(faults).toEqual([
    expect.stringContaining('found "bool" (did you mean "boolean"?)'),
    expect.stringContaining('unknown touchpoint "care.visit.bookd.v1"'),
    expect.stringContaining('unknown field "person.agee"'),
    expect.stringContaining('found "helth" (did you mean "health"?)'),
  ])
})

test('a file of the root of which not all can be made out is told, since more faults may follow', async () => {
  const read = (attributes: string | readonly [string, string]) =>
    withFolder(
      {
        'attributes.yaml': attributes,
        [personas]: ['person.age', 'person.agee'],
        [guide]: ['person.usesPortal, op: eq, value: true', 'person.usesPortal, op: gte, value: 1'],
      },
      loadDefinition,
    )
  const filesOf = ({ faults }: { faults: readonly Fault[] }) => faults.map(({ file }) => file)
  const nothing = await read('person: [')
  expect(filesOf(nothing)).toEqual(['attributes.yaml'])
  expect(nothing.unchecked).toEqual(['attributes.yaml'])
  const most = await read(['type: boolean', 'type: purple'])
  expect(filesOf(most)).toEqual(['attributes.yaml', personas])
  expect(most.unchecked).toEqual(['attributes.yaml'])
  const all = await read(['type: boolean', 'type: bool'])
  expect(filesOf(all)).toEqual(['attributes.yaml', guide, personas])
  expect(all.unchecked).toEqual([])
})

describe('a campaign that its schema refuses is checked all the same:', () => {
  const wrong = (...changes: (readonly [string, string])[]): Changes => ({
    [guide]: changes.reduce((text, [from, to]) => text.replace(from, to), sound[guide] ?? ''),
  })

  test.each<[string, Changes, string[]]>([
    [
      'a misspelt key and an unknown name',
      wrong(['class: service', 'clas: service'], ['journey: visit', 'journey: visitt']),
      [
        '3:10 unknown journey "visitt" (did you mean "visit"?)',
        '4:1 unknown key "clas" (did you mean "class"?)',
      ],
    ],
    [
      'a wrong duration and a template that there is not',
      wrong(['for: PT1H', 'for: an hour'], ['template: booked, until', 'template: boked, until']),
      [
        '13:38 unknown template "boked" (did you mean "booked"?)',
        '18:64 expected an ISO 8601 duration such as "P2D" or "PT12H", found "an hour"',
      ],
    ],
    [
      'a step that is none and a persona that there is not',
      wrong(['- wait: { until', '- wiat: { until'], ['[senior, others]', '[senor, others]']),
      [
        '7:14 unknown persona "senor" (did you mean "senior"?)',
        '14:5 unknown key "wiat" (did you mean "wait"?)',
      ],
    ],
    [
      'a missing key, and nothing of what it would have said',
      wrong(['journey: visit\n', ''], ['op: eq, value: first', 'op: eq, value: frist']),
      [
        '1:1 missing key "journey"',
        '15:51 expected one of "first", "second", found "frist" (did you mean "first"?)',
      ],
    ],
    [
      'a value that is none, told once',
      wrong(
        ['trigger: { touchpoint: care.visit.booked.v1 }', 'trigger: { touchpoint: Booked }'],
        ['op: eq, value: true', 'op: eq, value: yes'],
      ),
      [
        '5:24 expected a type such as "care.appointment.booked.v1", found "Booked"',
        '8:53 expected true or false, found "yes"',
      ],
    ],
  ])('%s', async (_, changes, faults) => {
    expect((await tell(changes)).faults).toEqual(faults.map((fault) => `${guide}:${fault}`))
  })

  test('and is never used', async () => {
    const { bundle } = await withFolder(wrong(['class: service', 'clas: service']), loadDefinition)
    expect(bundle).toBeNull()
  })
})

test('a fault carries what was found and the nearest name as data, too', async () => {
  const { faults } = await withFolder(
    { [guide]: ['[senior, others]', '[senor, others]'] },
    loadDefinition,
  )
  expect(faults).toEqual([
    {
      file: guide,
      line: 7,
      column: 14,
      message: 'unknown persona "senor"',
      found: 'senor',
      nearest: 'senior',
      reference: 'docs/reference/definition.md#campaign',
    },
  ])
})

test('a text that is not UTF-8 is a fault', async () => {
  const { faults } = await withFolder({}, async (folder) => {
    await writeFile(join(folder, guide), Buffer.from([0x69, 0x64, 0x3a, 0x20, 0xe9]))
    return loadDefinition(folder)
  })
  expect(faults).toEqual([
    {
      file: guide,
      line: 1,
      column: 1,
      message: 'expected a text in UTF-8',
      reference: 'docs/reference/definition.md#campaign',
    },
  ])
})

test('what stands beside a text that is not UTF-8 is not told of as missing', async () => {
  const { faults, warnings } = await withFolder(
    { 'campaigns/guide.test.yaml': 'campaign: guide\nspecifications: []\n' },
    async (folder) => {
      await writeFile(join(folder, guide), Buffer.from([0x69, 0x64, 0x3a, 0x20, 0xe9]))
      return loadDefinition(folder)
    },
  )
  expect([...faults, ...warnings].filter(({ message }) => message.includes('unknown'))).toEqual([])
})

test('a file that is a link is read as what it leads to', async () => {
  const { bundle, faults } = await withFolder({}, async (folder) => {
    await rename(join(folder, 'channels.yaml'), join(folder, '.channels'))
    await symlink('.channels', join(folder, 'channels.yaml'))
    await rename(join(folder, guide), join(folder, '.guide'))
    await symlink('../.guide', join(folder, guide))
    return loadDefinition(folder)
  })
  expect(faults).toEqual([])
  expect(bundle?.campaigns.map(({ id }) => id)).toContain('guide')
})

test.each([
  'channels.yaml',
  'campaigns/other.yaml',
  'layout/footer.nl.mjml',
  'mappings/log.yaml',
  'templates/other',
  'templates/booked/email.nl.mjml',
])('a link at %s that leads nowhere, or to itself, is a fault', async (path) => {
  for (const target of ['nowhere', basename(path)]) {
    const { bundle, faults, mappingFaults, warnings } = await withFolder({}, async (folder) => {
      await rm(join(folder, path), { force: true })
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await symlink(target, join(folder, path))
      return loadDefinition(folder)
    })
    // Nothing is kept from going live by a mapping.
    expect(bundle === null).toBe(!path.startsWith('mappings/'))
    expect([...faults, ...mappingFaults]).toMatchObject([
      { file: path, line: 1, column: 1, message: 'this is a link that leads nowhere' },
    ])
    expect(warnings).toEqual([])
  }
})

test('a folder of campaigns that is a link to nowhere is a fault, and nothing follows from it', async () => {
  const { faults, warnings } = await withFolder({}, async (folder) => {
    await rm(join(folder, 'campaigns'), { recursive: true })
    await symlink('nowhere', join(folder, 'campaigns'))
    return loadDefinition(folder)
  })
  expect(faults).toMatchObject([
    { file: 'campaigns', message: 'this is a link that leads nowhere' },
  ])
  expect(warnings).toEqual([])
})

test('a file in place of the folder is a fault', async () => {
  const { faults } = await withFolder({}, (folder) => loadDefinition(join(folder, guide)))
  expect(faults).toMatchObject([{ message: 'this is a file, and a definition is a folder' }])
})

test('a folder that is not there is a fault', async () => {
  const { bundle, faults } = await loadDefinition('/nowhere/at/all')
  expect(bundle).toBeNull()
  expect(faults).toEqual([
    {
      file: '/nowhere/at/all',
      line: 1,
      column: 1,
      message: 'there is no such folder',
      reference: 'docs/reference/definition.md#the-folder',
    },
  ])
})

/** Before what the contact centre asks: budgets that differ in what follows their classes. */
function budgets(...ends: string[]): string {
  const lines = ends.map(
    (end) => `  - { id: a-week, most: 3, per: P7D, classes: [service]${end && `, ${end}`} }`,
  )
  return `budgets:\n${lines.join('\n')}\nclasses:`
}
