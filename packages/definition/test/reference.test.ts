import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { fileKinds, kindOf, referenceTo } from '../src/file-kinds.ts'
import { type JsonSchema, jsonSchemaFiles, jsonSchemaOf } from '../src/json-schemas.ts'
import { loadDefinition } from '../src/load-definition.ts'
import { referencePages, staleReferences } from '../src/reference.ts'
import { sound } from './planted-folder.ts'

const hospital = join(import.meta.dirname, '../../../examples/hospital')

test('the pages and schemas in docs/reference are what the code gives', async () => {
  expect(await staleReferences(), 'run `node packages/definition/src/reference.ts`').toEqual([])
})

test('every key of every kind of file says what it means', () => {
  const silent = fileKinds.flatMap((kind) =>
    silentKeys(jsonSchemaOf(kind), '').map((key) => `${kind.files} ${key}`),
  )
  expect(silent).toEqual([])
})

test('every link within the page has an end', () => {
  const page = referencePages().get('definition.md') ?? ''
  const ends = new Set([...page.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id))
  const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, id]) => id)
  expect(links.length).toBeGreaterThan(20)
  expect(links.filter((id) => !ends.has(id))).toEqual([])
})

test.each([
  ['campaigns/guide.yaml', [], 'campaign'],
  ['campaigns/guide.yaml', ['trigger', 'touchpoint'], 'trigger-touchpoint'],
  ['campaigns/guide.yaml', ['trigger', 'where', 'op'], 'condition'],
  ['campaigns/guide.yaml', ['steps', 0], 'step'],
  ['campaigns/guide.yaml', ['steps', 0, 'message', 'template'], 'step-message'],
  ['campaigns/guide.yaml', ['steps', 0, 'message', 'send', 'for'], 'moment'],
  ['campaigns/guide.yaml', ['steps', 2, 'branch', 0, 'steps', 0, 'wait'], 'wait-moment'],
  ['campaigns/guide.yaml', ['steps', 2, 'branch', 0, 'stops'], 'step-branch'],
  ['touchpoints.yaml', ['touchpoints', 0, 'data', 'startsAt', 'type'], 'field'],
  ['templates/booked/template.yaml', ['name'], 'template'],
  ['templates/booked/sms.nl.hbs', [], 'template-texts'],
  ['persona.yaml', [], 'the-folder'],
] as const)('what stands in %s at %j is told in %s', (file, path, section) => {
  expect(referenceTo(file, path)).toBe(`docs/reference/definition.md#${section}`)
})

describe('an editor with the schemas', () => {
  // What a refinement checks (a duration, a zone) is a text to an editor.
  const ajv = new Ajv2020({ strict: false, formats: { date: true } })
  const checks = new Map(fileKinds.map((kind) => [kind.id, ajv.compile(jsonSchemaOf(kind))]))
  const isRight = (file: string, value: unknown) => {
    const check = checks.get(kindOf(file)?.id ?? '')
    if (!check) throw new Error(`${file} is no kind of file`)
    return check(value)
  }

  test('finds nothing wrong with what is right', async () => {
    for (const [file, text] of Object.entries(sound))
      if (file.endsWith('.yaml')) expect([file, isRight(file, parse(text))]).toEqual([file, true])
    const paths = await readdir(hospital, { recursive: true, withFileTypes: true })
    const files = paths
      .filter((entry) => entry.isFile() && entry.name.endsWith('.yaml'))
      .map((entry) => join(entry.parentPath, entry.name))
    expect(files.length).toBeGreaterThan(30)
    for (const file of files) {
      const value = parse(await readFile(file, 'utf8')) as unknown
      expect([file, isRight(relative(hospital, file), value)]).toEqual([file, true])
    }
  })

  test.each([
    ['an unknown key', 'clas: service', 'class: service'],
    ['an unknown class', 'class: servise', 'class: service'],
    ['an unknown key of a step', 'tamplate: booked', 'template: booked'],
    ['an unknown operator', 'op: equals', 'op: eq'],
    ['a name that is none', 'id: Guide Me', 'id: guide'],
  ])('sees %s', (_, wrong, right) => {
    const file = 'campaigns/guide.yaml'
    const text = sound[file] ?? ''
    expect(text).toContain(right)
    expect(isRight(file, parse(text.replace(right, wrong)))).toBe(false)
  })
})

describe('an editor with the schemas of one definition', () => {
  test('offers its names, and leaves it to validate to judge others', async () => {
    const { bundle } = await loadDefinition(hospital)
    if (!bundle) throw new Error('the example has faults')
    const text = jsonSchemaFiles(bundle).find(({ name }) => name === 'campaign.json')?.text ?? ''
    const check = new Ajv2020({ strict: false }).compile(JSON.parse(text) as object)
    const campaign = parse(sound['campaigns/guide.yaml'] ?? '') as object
    expect(check(campaign)).toBe(true)
    expect(check({ ...campaign, journey: 'Not A Name' })).toBe(false)
    const offered = [...text.matchAll(/"enum": \[([^\]]*)\]/g)].map(([, names = '']) => names)
    for (const name of [
      'care.discharge.completed.v1',
      'planned-operation',
      'worried-caregiver',
      'home-again',
      'person.usesPortal',
      'event.destination',
      'entity.startsAt',
      'journey.hospital-stay.phase',
    ])
      expect(
        offered.some((names) => names.includes(`"${name}"`)),
        name,
      ).toBe(true)
  })

  test('offers the sources and the touchpoints for a log', async () => {
    const { bundle } = await loadDefinition(hospital)
    if (!bundle) throw new Error('the example has faults')
    const text = jsonSchemaFiles(bundle).find(({ name }) => name === 'log-mapping.json')?.text ?? ''
    const offered = [...text.matchAll(/"enum": \[([^\]]*)\]/g)].map(([, names = '']) => names)
    for (const name of ['urn:example:delinde:ehr', 'care.discharge.completed.v1'])
      expect(offered.filter((names) => names.includes(`"${name}"`))).toHaveLength(1)
  })

  test('has the names of no definition in what everybody reads', () => {
    for (const { text } of jsonSchemaFiles()) expect(text).not.toContain('hospital-stay')
  })
})

/** Every key without a description, and without the section of its own that has one. */
function silentKeys(schema: JsonSchema, at: string): string[] {
  const inside = [
    ...(schema.items ? [schema.items] : []),
    ...(schema.anyOf ?? []),
    ...(typeof schema.additionalProperties === 'object' ? [schema.additionalProperties] : []),
    ...Object.values(schema.$defs ?? {}),
  ]
  return [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
      ...(field.description ? [] : [`${at}${name}`]),
      ...silentKeys(field, `${at}${name}.`),
    ]),
    ...inside.flatMap((part) => silentKeys(part, at)),
  ]
}
