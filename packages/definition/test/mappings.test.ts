import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { formatFault } from '../src/fault.ts'
import { loadDefinition } from '../src/load-definition.ts'
import { type Changes, tell, withFolder } from './planted-folder.ts'

const file = 'mappings/wards.yaml'
const mapping = `case: Case ID
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
`

/** The mapping with changes in it, among the files of a definition with changes of its own. */
function mapped(changes: readonly (readonly [string, string])[], others: Changes = {}): Changes {
  const text = changes.reduce((changed, [before, after]) => {
    expect(changed).toContain(before)
    return changed.replace(before, after)
  }, mapping)
  return { ...others, [file]: text }
}

async function faultsOf(...changes: (readonly [string, string])[]): Promise<string[]> {
  return (await tell(mapped(changes))).faults
}

test('a mapping that fits the definition has nothing wrong', async () => {
  expect(await tell(mapped([]))).toEqual({ faults: [], warnings: [] })
})

test.each<[string, [string, string], string]>([
  [
    'a key that is misspelt',
    ['activity: Act', 'activty: Act'],
    '2:1 unknown key "activty" (did you mean "activity"?)',
  ],
  [
    'a publisher that there is not',
    ['urn:example:ehr', 'urn:example:her'],
    '6:9 unknown publisher "urn:example:her" (did you mean "urn:example:ehr"?)',
  ],
  [
    'a touchpoint that there is not',
    ['care.visit.ended.v1', 'care.visit.endd.v1'],
    '9:11 unknown touchpoint "care.visit.endd.v1" (did you mean "care.visit.ended.v1"?)',
  ],
  [
    'a field of a touchpoint that there is not',
    ['minutes: Minutes', 'minuts: Minutes'],
    '10:13 unknown field "minuts" (did you mean "minutes"?)',
  ],
  [
    'a value that the field cannot have',
    ['minutes: Minutes', 'minutes: { value: ten }'],
    '10:31 expected a number, found "ten"',
  ],
  [
    'a field of the person that there is not',
    ['condition: Ward', 'conditon: Ward'],
    '12:17 unknown field "conditon" (did you mean "condition"?)',
  ],
  [
    'an invented value that the field cannot have',
    ["'true': 3", "'yes': 3"],
    '14:19 expected true or false, found "yes"',
  ],
])('%s is told', async (_, change, fault) => {
  expect(await faultsOf(change)).toEqual([`${file}:${fault}`])
})

test('what its events would be refused for is told: an entity, what is required, who may tell it', async () => {
  expect(await faultsOf(['care.visit.ended.v1', 'care.visit.moved.v1'])).toEqual([
    `${file}:9:11 care.visit.moved.v1 is about an entity (visit), and a log tells of none`,
    `${file}:9:11 care.visit.moved.v1 is missing its "startsAt"`,
    `${file}:10:13 unknown field "minutes"`,
  ])
  const types = (types: string): Changes => ({
    'touchpoints.yaml': ['types: [care.*, person.*]', `types: [${types}]`],
  })
  expect((await tell(mapped([], types('care.*')))).faults).toEqual([
    `${file}:6:9 "urn:example:ehr" may not tell person.upserted.v1, by which each case of a log is introduced`,
  ])
  expect((await tell(mapped([], types('care.visit.booked.v1, person.*')))).faults).toEqual([
    `${file}:9:11 "urn:example:ehr" may not tell care.visit.ended.v1`,
  ])
})

test('one mistake does not hide the next, whatever its kind', async () => {
  expect(
    await faultsOf(
      ['timeFormat: iso', 'timeFormat: dd-MM-jjjj'],
      ['zone: Europe', 'zon: Europe'],
      ['care.visit.ended.v1', 'care.visit.endd.v1'],
      ['condition: Ward', 'conditon: Ward'],
    ),
  ).toEqual([
    `${file}:4:13 expected "iso" or a format such as "yyyy/MM/dd HH:mm:ss.SSS", found "dd-MM-jjjj"`,
    `${file}:5:1 unknown key "zon" (did you mean "zone"?)`,
    `${file}:9:11 unknown touchpoint "care.visit.endd.v1" (did you mean "care.visit.ended.v1"?)`,
    `${file}:12:17 unknown field "conditon" (did you mean "condition"?)`,
  ])
})

test('is told beside the faults of the definition, and makes none of theirs to its own', async () => {
  const changes = mapped([], { 'touchpoints.yaml': 'publishers: [' })
  const { faults, mappingFaults } = await withFolder(changes, loadDefinition)
  expect(faults.map((fault) => fault.file)).toContain('touchpoints.yaml')
  expect(mappingFaults).toEqual([])
})

test('keeps nothing from going live, for it is no part of what is applied', async () => {
  const whole = await withFolder({}, loadDefinition)
  const { bundle, faults, mappingFaults } = await withFolder(
    mapped([['care.visit.ended.v1', 'care.visit.endd.v1']]),
    loadDefinition,
  )
  expect(faults).toEqual([])
  expect(bundle).toEqual(whole.bundle)
  expect(mappingFaults).toHaveLength(1)
})

test('what is no mapping is told: a text that is none, and a file that nobody reads', async () => {
  const { bundle, mappingFaults } = await withFolder(
    mapped([], { 'mappings/other.yml': mapping, 'mappings/log.csv': 'Case ID;Activity\n' }),
    async (folder) => {
      await writeFile(join(folder, 'mappings/latin.yaml'), Buffer.from([0x63, 0x3a, 0x20, 0xe9]))
      return loadDefinition(folder)
    },
  )
  expect(mappingFaults.map(formatFault)).toEqual([
    'mappings/latin.yaml:1:1 expected a text in UTF-8',
    'mappings/other.yml:1:1 "other.yml" is no part of a definition (did you mean "other.yaml"?)',
  ])
  expect(bundle).not.toBeNull()
})
