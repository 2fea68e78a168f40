import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attributesFileSchema } from '@wegwijs/campaign/definition/attributes'
import { touchpointsFileSchema } from '@wegwijs/campaign/definition/touchpoints'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { formatFault } from '../src/fault.ts'
import { loadLogMapping } from '../src/log-mapping.ts'

const example = join(import.meta.dirname, '../../../examples/hospital')

const mapping = `case: Case ID
activity: Activity
time: When
timeFormat: dd-MM-yyyy HH:mm
zone: Europe/Amsterdam
source: urn:example:ehr
activities:
  Admission:
    type: care.admission.started.v1
    data: { department: Ward, urgent: { value: true } }
person:
  birthYearFromAge: Age
  attributes: { contactIs: Contact }
`

const definition = {
  touchpoints: touchpointsFileSchema.parse({
    publishers: [{ source: 'urn:example:ehr', idSpace: 'ehr', types: ['care.*', 'person.*'] }],
    touchpoints: [
      {
        type: 'care.admission.started.v1',
        name: { nl: 'Opname', en: 'Admission' },
        data: {
          department: { type: 'text', sensitivity: 'health' },
          urgent: { type: 'boolean', sensitivity: 'neutral' },
        },
      },
    ],
  }),
  attributes: attributesFileSchema.parse({
    person: { contactIs: { type: 'text', sensitivity: 'personal' } },
  }),
}

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wegwijs-mapping-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function load(text: string) {
  const file = join(folder, 'log.yaml')
  await writeFile(file, text)
  const { mapping: loaded, faults } = await loadLogMapping(file, definition)
  return { loaded, faults: faults.map((fault) => formatFault({ ...fault, file: 'log.yaml' })) }
}

describe('a log mapping', () => {
  test('is read whole, with its defaults', async () => {
    const { loaded, faults } = await load(mapping)
    expect(faults).toEqual([])
    expect(loaded).toMatchObject({
      delimiter: ',',
      subjectPrefix: '',
      activities: { Admission: { data: { department: 'Ward', urgent: { value: true } } } },
      person: { birthYearFromAge: 'Age', attributes: { contactIs: 'Contact' }, invented: {} },
    })
  })

  test.each([
    [
      'timeFormat: dd-MM-yyyy HH:mm',
      'timeFormat: dd-MM-jjjj',
      /^log.yaml:4:13 expected "iso" or a format/,
    ],
    ['zone: Europe/Amsterdam', 'zone: Europe/Amsterdm', /^log.yaml:5:7 expected an IANA time zone/],
    [
      'activity: Activity',
      'activty: Activity',
      /^log.yaml:2:1 unknown key "activty" \(did you mean "activity"\?\)$/,
    ],
    [
      'source: urn:example:ehr',
      'source: urn:example:her',
      /^log.yaml:6:9 unknown publisher "urn:example:her" \(did you mean "urn:example:ehr"\?\)$/,
    ],
    [
      'type: care.admission.started.v1',
      'type: care.admision.started.v1',
      /^log.yaml:9:11 unknown touchpoint "care.admision.started.v1" \(did you mean "care.admission.started.v1"\?\)$/,
    ],
    [
      'department: Ward',
      'departement: Ward',
      /^log.yaml:10:13 unknown field "departement" \(did you mean "department"\?\)$/,
    ],
    [
      'contactIs: Contact',
      'contactis: Contact',
      /^log.yaml:13:17 unknown field "contactis" \(did you mean "contactIs"\?\)$/,
    ],
    ['value: true', 'valu: true', /^log.yaml:10:41 unknown key "valu" \(did you mean "value"\?\)$/],
  ])('%s → %s is one fault, in its place', async (before, after, expected) => {
    const { loaded, faults } = await load(mapping.replace(before, after))
    expect(faults).toEqual([expect.stringMatching(expected)])
    expect(loaded).toBeNull()
  })

  test('of the example names only what the example declares', async () => {
    const read = async (name: string) => parse(await readFile(join(example, name), 'utf8'))
    const { mapping: loaded, faults } = await loadLogMapping(
      join(example, 'mappings/sepsis-log.yaml'),
      {
        touchpoints: touchpointsFileSchema.parse(await read('touchpoints.yaml')),
        attributes: attributesFileSchema.parse(await read('attributes.yaml')),
      },
    )
    expect(faults).toEqual([])
    expect(Object.keys(loaded?.activities ?? {})).toHaveLength(16)
  })
})
