import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse, parseDocument } from 'yaml'
import { formatFault } from '../src/fault.ts'
import { kindOf } from '../src/file-kinds.ts'
import { loadDefinition } from '../src/load-definition.ts'
import { checkAgainst } from '../src/schema-faults.ts'
import { type Path, parseYaml } from '../src/yaml-source.ts'
import { type Changes, sound, tell, withFolder } from './planted-folder.ts'

const guide = 'campaigns/guide.yaml'
const touchpoints = 'touchpoints.yaml'
const policies = 'policies.yaml'
const specifications = 'campaigns/guide.test.yaml'
const mapping = 'mappings/wards.yaml'

/** Everything that names something in another file. */
const files: Readonly<Record<string, string>> = {
  ...sound,
  [guide]: (sound[guide] ?? '')
    .replace(
      'field: event.kind, op: eq, value: first',
      'any: [{ field: event.kind, op: eq, value: first }, { field: enrolment.booked.status, op: eq, value: delivered }, { field: journey.visit.phase, op: eq, value: after }]',
    )
    .replace('send: { for: PT1H }', 'send: { for: PT1H, between: ["10:00", "12:00"] }'),
  [touchpoints]: (sound[touchpoints] ?? '')
    .replace('types: [care.*, person.*]', 'types: [care.*, person.*, news.*]')
    .replace(
      'values: [first, second] }',
      'values: [first, second], valueLabels: { first: { nl: Eerste, en: First } } }',
    )
    .concat('  - type: news.item.read.v1\n    name: { nl: Gelezen, en: Read }\n'),
  [policies]: (sound[policies] ?? '').replace(
    'service: { lane: standard,',
    'service: { lane: standard, quietHours: { from: "22:00", until: "08:00" },',
  ),
  [specifications]: `campaign: guide
specifications:
  - name: A visit is told of
    given: { persona: senior, fields: { usesPortal: true } }
    when:
      - at: "2026-03-10 09:00"
        happens: care.visit.booked.v1
        data: { startsAt: "2026-03-14 09:30", kind: first, room: A1 }
      - { at: "2026-03-11 09:00", happens: care.visit.moved.v1 }
    then:
      - { sent: booked }
`,
  [mapping]: `case: Case ID
activity: Activity
time: When
timeFormat: iso
zone: Europe/Amsterdam
source: urn:example:ehr
activities:
  Discharge:
    type: care.visit.ended.v1
    data: { minutes: Minutes }
person:
  attributes: { condition: Ward }
  invented:
    usesPortal: { 'true': 3, 'false': 2 }
`,
}

/** The way to everything in a value, mappings and lists too. */
function placesIn(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [at]
  const inside = Object.entries(value).flatMap(([key, inner]) =>
    placesIn(inner, [...at, Array.isArray(value) ? Number(key) : key]),
  )
  return at.length === 0 ? inside : [at, ...inside]
}

const mistakes: Readonly<Record<string, (text: string, place: Path) => string>> = {
  'left out': (text, place) => changed(text, (document) => document.deleteIn(place)),
  'something else': (text, place) => changed(text, (document) => document.setIn(place, 'Wrong!')),
  'a list': (text, place) => changed(text, (document) => document.setIn(place, [[7]])),
  'under another key': (text, place) =>
    changed(text, (document) => {
      const value: unknown = document.getIn(place, true)
      document.deleteIn(place)
      document.setIn([...place.slice(0, -1), typeof place.at(-1) === 'number' ? 0 : 'Quux!'], value)
    }),
}

function changed(text: string, change: (document: ReturnType<typeof parseDocument>) => void) {
  const document = parseDocument(text)
  change(document)
  return String(document)
}

/** What a text has wrong by itself. */
function ownFaults(path: string, text: string): string[] {
  const kind = kindOf(path)
  const source = parseYaml(path, text)
  const { faults } = source.faults.length > 0 || !kind ? source : checkAgainst(kind.schema, source)
  return faults.map(formatFault)
}

test.each(Object.entries(mistakes))(
  'whatever is %s in a file, nothing is said to follow from it in any other',
  async (_, mistake) => {
    let tried = 0
    await withFolder({}, async (folder) => {
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, path)), { recursive: true })
        await writeFile(join(folder, path), text)
      }
      const whole = await loadDefinition(folder)
      expect([...whole.faults, ...whole.warnings, ...whole.mappingFaults]).toEqual([])
      for (const [path, text] of Object.entries(files)) {
        // A template says by itself what its files have to do with each other.
        const isWatched = kindOf(path) && !path.startsWith('templates/')
        for (const place of isWatched ? placesIn(parse(text)) : []) {
          const wrong = mistake(text, place)
          const own = ownFaults(path, wrong)
          if (own.length === 0) continue
          tried += 1
          await writeFile(join(folder, path), wrong)
          const { faults, mappingFaults, warnings } = await loadDefinition(folder)
          const more = [...faults, ...mappingFaults, ...warnings]
            .map(formatFault)
            .filter((fault) => !own.includes(fault))
          expect({ path, place, own, more }).toEqual({ path, place, own, more: [] })
        }
        await writeFile(join(folder, path), text)
      }
    })
    expect(tried).toBeGreaterThan(100)
  },
  120_000,
)

/** A definition with names that there are not, and one more mistake in another file. */
function withNames(more: Changes): Changes {
  return {
    [guide]: (sound[guide] ?? '')
      .replace('journey: visit', 'journey: visitt')
      .replace('[senior, others]', '[senor, others]')
      .replace('person.usesPortal', 'person.usesPortl')
      .replace('care.visit.ended.v1', 'care.visit.endd.v1')
      .replace('template: booked, until', 'template: boked, until')
      .replace('event.kind', 'event.kinds'),
    ...more,
  }
}

const names = {
  journey: '3:10 unknown journey "visitt" (did you mean "visit"?)',
  persona: '7:14 unknown persona "senor" (did you mean "senior"?)',
  field: '8:19 unknown field "person.usesPortl" (did you mean "person.usesPortal"?)',
  touchpoint: '11:17 unknown touchpoint "care.visit.endd.v1" (did you mean "care.visit.ended.v1"?)',
  template: '13:38 unknown template "boked" (did you mean "booked"?)',
  data: '16:24 unknown field "event.kinds" (did you mean "event.kind"?)',
}
type Name = keyof typeof names

describe('names that there are not are told beside', () => {
  test.each<[string, Changes, Name[]]>([
    [
      'a field of a kind that is none',
      { 'attributes.yaml': ['type: boolean', 'type: purple'] },
      [],
    ],
    [
      'a field without its sensitivity',
      { 'touchpoints.yaml': ['type: number, sensitivity: neutral', 'type: number'] },
      [],
    ],
    [
      'a field of which more than one thing is wrong',
      {
        'touchpoints.yaml': ['type: number, sensitivity: neutral', 'type: nothing, sensitivty: 7'],
      },
      [],
    ],
    [
      'a field that is a word',
      { 'attributes.yaml': ['{ type: boolean, sensitivity: personal }', 'yes'] },
      [],
    ],
    ['a persona without channels', { 'personas.yaml': ['    channels: [sms]\n', ''] }, []],
    [
      'a persona with a name that is none',
      { 'personas.yaml': ['id: others', 'id: The Others'] },
      ['persona'],
    ],
    ['a phase with a name that is none', { 'journeys.yaml': ['id: after', 'id: Afterwards!'] }, []],
    [
      'a journey with a name that is none',
      { 'journeys.yaml': ['id: visit', 'id: Visit'] },
      ['journey'],
    ],
    [
      'a touchpoint with a type that is none',
      { 'touchpoints.yaml': ['type: care.visit.moved.v1', 'type: Moved'] },
      ['touchpoint'],
    ],
    [
      'a publisher that may tell nothing',
      { 'touchpoints.yaml': ['[care.*, person.*]', 'everything'] },
      [],
    ],
    ['policies of which one is not known', { 'policies.yaml': ['  research:', '  reserch:'] }, []],
    ['a channel that bears nothing', { 'channels.yaml': ['sensitivity: neutral, ', ''] }, []],
    ['a text that is no YAML', { 'personas.yaml': 'personas: [' }, ['persona']],
  ])('%s', async (_, changes, open) => {
    const { faults } = await tell(withNames(changes))
    const expected = Object.entries(names)
      .filter(([name]) => !open.includes(name as Name))
      .map(([, fault]) => `${guide}:${fault}`)
    const [own] = Object.keys(changes)
    expect(faults.filter((fault) => fault.startsWith(own ?? '')).length).toBeGreaterThan(0)
    expect(faults.filter((fault) => !fault.startsWith(own ?? ''))).toEqual(expected)
  })

  test('a campaign that cannot be read: it is there all the same', async () => {
    const other = (text: string) => ({
      'campaigns/other.yaml': text,
      [specifications]: (files[specifications] ?? '').replace(
        '- { sent: booked }',
        '- { sent: bookd }\n      - { sent: other/hello }\n      - { sent: othr/hello }',
      ),
    })
    for (const text of ['id: other\nsteps: [', 'id: other\nsteps: [{ mail: {} }]\n']) {
      const { faults, warnings } = await tell(other(text))
      expect(faults.filter((fault) => fault.startsWith(specifications))).toEqual([
        `${specifications}:11:17 unknown message "bookd" (did you mean "booked"?)`,
        `${specifications}:13:17 unknown campaign "othr" (did you mean "other"?)`,
      ])
      expect(warnings).toEqual([])
    }
  })

  test('a template that its schema refuses: what its texts name', async () => {
    const { faults } = await tell({
      'templates/booked/template.yaml': ['sms: neutral', 'sms: netural'],
      'templates/booked/sms.nl.hbs': ['entity.startsAt', 'entity.startAt'],
      'templates/booked/sms.en.hbs': 'See you {{> soon}}',
    })
    expect(faults).toEqual([
      expect.stringMatching(/^templates\/booked\/sms\.en\.hbs:1:9 partials/),
      'templates/booked/sms.nl.hbs:1:12 unknown variable "entity.startAt" in campaign "guide" (did you mean "entity.startsAt"?)',
      expect.stringMatching(
        /^templates\/booked\/template\.yaml:3:8 .*"netural" \(did you mean "neutral"\?\)$/,
      ),
    ])
  })
})

describe('a publisher that may tell what there is not is told where it stands, and nowhere else', () => {
  const types = '[care.*, person.*, news.*]'
  const planted = (wrong: string) => ({
    ...files,
    [touchpoints]: (files[touchpoints] ?? '').replace(types, wrong),
  })

  test.each([
    [
      'one wrong letter',
      '[caer.*, person.*, news.*]',
      ['4:13 no touchpoint is called "caer.*" (did you mean "care.*"?)'],
    ],
    [
      'a type of its own',
      '[care.visit.bookd.v1, care.visit.moved.v1, care.visit.ended.v1, person.*, news.*]',
      ['4:13 no touchpoint is called "care.visit.bookd.v1" (did you mean "care.visit.booked.v1"?)'],
    ],
    [
      'what nobody knows what it means',
      '[zorg.*, person.*, news.*]',
      ['4:13 no touchpoint is called "zorg.*"'],
    ],
  ])('%s', async (_, wrong, expected) => {
    expect(await tell({})).toEqual({ faults: [], warnings: [] })
    expect(await tell(planted(wrong))).toEqual({
      faults: expected.map((fault) => `${touchpoints}:${fault}`),
      warnings: [],
    })
  })

  test('what else nobody may tell is told beside it', async () => {
    const { faults } = await tell(planted('[care.*, person.*, newss.*]'))
    expect(faults).toEqual([
      `${touchpoints}:4:31 no touchpoint is called "newss.*" (did you mean "news.*"?)`,
    ])
    const more = await tell(planted('[person.*, newss.*]'))
    expect(more.faults).toEqual([
      `${specifications}:7:18 no publisher of touchpoints.yaml may tell care.visit.booked.v1`,
      `${specifications}:9:44 no publisher of touchpoints.yaml may tell care.visit.moved.v1`,
      `${mapping}:9:11 "urn:example:ehr" may not tell care.visit.ended.v1`,
      `${touchpoints}:4:23 no touchpoint is called "newss.*" (did you mean "news.*"?)`,
    ])
  })
})
