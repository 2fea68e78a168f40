import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type JsonSchema, jsonSchemaFiles } from '../src/json-schemas.ts'
import { loadDefinition } from '../src/load-definition.ts'
import { type Changes, tell, withFolder } from './planted-folder.ts'

const file = 'campaigns/guide.test.yaml'

const text = `campaign: guide
specifications:
  - name: Somebody is told
    given:
      persona: senior
      fields: { usesPortal: true }
      provider tells: { eve: bounced }
    when:
      - at: 2026-03-02 09:00
        happens: care.visit.booked.v1
        entity: visit/V-1
        data: { startsAt: 2026-03-14 09:30, kind: first, room: Blue }
      - at: 2026-03-05 09:00
        heard at: 2026-03-05 12:00
        happens: care.visit.moved.v1
        entity: visit/V-1
        data: { startsAt: 2026-03-20 09:30 }
        then:
          - planned: eve
      - { at: 2026-03-06 09:00, provider tells: delivered, of: booked }
    until: 2026-03-30 12:00
    then:
      - sent: booked
        at: 2026-03-02 09:00
        over: app
      - { sent: guide/eve }
      - { persona: senior }
      - { did not enter: already_entered }
      - nothing else
`

/** The specifications with one mistake planted in them. */
async function faultsWith(before: string, after: string): Promise<string[]> {
  if (!text.includes(before)) throw new Error(`there is no "${before}"`)
  const { faults } = await tell({ [file]: text.replace(before, after) })
  return faults.map((fault) => fault.replace(`${file}:`, ''))
}

test('specifications without faults are read beside the definition, and are no part of it', async () => {
  const sound = await withFolder({}, loadDefinition)
  const read = await withFolder({ [file]: text }, loadDefinition)
  expect({ faults: read.faults, warnings: read.warnings }).toEqual({ faults: [], warnings: [] })
  expect(JSON.stringify(read.bundle)).toBe(JSON.stringify(sound.bundle))
  const [specifications] = read.specifications
  expect(specifications).toMatchObject({ campaign: 'guide', file })
  expect(specifications?.specifications).toHaveLength(1)
  expect(specifications?.positionOf(0, ['then', 1])).toEqual({ line: 26, column: 9 })
})

test('what had happened before is held against the catalogue, too', async () => {
  const given = (past: string) => [
    '      persona: senior',
    `      persona: senior\n      happened before:\n        - { ${past} }`,
  ]
  const faultsOf = async (past: string) => {
    const [before = '', after = ''] = given(past)
    return faultsWith(before, after)
  }
  expect(await faultsOf('at: 2026-03-01 09:00, happens: care.visit.ended.v1')).toEqual([])
  expect(await faultsOf('at: 2026-03-01 09:00, happens: care.visit.endd.v1')).toEqual([
    '7:44 unknown touchpoint "care.visit.endd.v1" (did you mean "care.visit.ended.v1"?)',
  ])
  expect(await faultsOf('at: 2026-02-30 09:00, happens: care.visit.ended.v1')).toEqual([
    '7:17 expected a moment such as "2026-03-14 09:30", found "2026-02-30 09:00"',
  ])
  expect(
    await faultsOf('at: 2026-03-01 09:00, happens: care.visit.ended.v1, data: { minutes: long }'),
  ).toEqual(['7:82 expected a number, found "long"'])
  expect(await faultsOf('at: 2026-03-01 09:00, happens: care.visit.moved.v1')).toEqual([
    '7:44 care.visit.moved.v1 is missing its "startsAt"',
  ])
  // All of it is before what stands below it.
  expect(await faultsOf('at: 2026-03-03 09:00, happens: care.visit.ended.v1')).toEqual([
    '11:13 this is before what stands above it',
  ])
})

const planted: readonly [what: string, before: string, after: string, fault: string][] = [
  ['a key', 'over: app', 'ovr: app', '25:9 unknown key "ovr" (did you mean "over"?)'],
  [
    'what is expected',
    '{ sent: guide/eve }',
    '{ snet: guide/eve }',
    '26:11 unknown key "snet" (did you mean "sent"?)',
  ],
  [
    'what happens',
    'happens: care.visit.booked.v1',
    'hapens: care.visit.booked.v1',
    '10:9 unknown key "hapens" (did you mean "happens"?)',
  ],
  [
    'the last line',
    'nothing else',
    'nothing els',
    '29:9 expected one of "nothing", "nothing else", found "nothing els" (did you mean "nothing else"?)',
  ],
  [
    'a reason',
    'already_entered',
    'already_entred',
    expect.stringMatching(
      /expected one of \d+ reasons, found "already_entred" \(did you mean "already_entered"\?\)$/,
    ) as unknown as string,
  ],
  [
    'a moment',
    '        at: 2026-03-02 09:00\n        over',
    '        at: 2026-02-30 09:00\n        over',
    '24:13 expected a moment such as "2026-03-14 09:30", found "2026-02-30 09:00"',
  ],
  [
    'the file',
    'campaign: guide',
    'campaign: giude',
    '1:11 the campaign "giude" is not in the name of the file (did you mean "guide"?)',
  ],
  [
    'a touchpoint',
    'happens: care.visit.booked.v1',
    'happens: care.visit.bookd.v1',
    '10:18 unknown touchpoint "care.visit.bookd.v1" (did you mean "care.visit.booked.v1"?)',
  ],
  [
    'a message',
    'sent: booked',
    'sent: boked',
    '23:15 unknown message "boked" (did you mean "booked"?)',
  ],
  [
    'a message of a campaign by its whole name',
    'sent: guide/eve',
    'sent: guide/eva',
    '26:17 unknown message "eva" (did you mean "guide/eve"?)',
  ],
  [
    'a campaign of a message',
    'sent: guide/eve',
    'sent: giude/eve',
    '26:17 unknown campaign "giude" (did you mean "guide"?)',
  ],
  [
    'a message that bounces',
    '{ eve: bounced }',
    '{ eva: bounced }',
    '7:25 unknown message "eva" (did you mean "eve"?)',
  ],
  [
    'a message of a receipt',
    'of: booked',
    'of: boked',
    '20:64 unknown message "boked" (did you mean "booked"?)',
  ],
  [
    'a message that is still planned',
    'planned: eve',
    'planned: eva',
    '19:22 unknown message "eva" (did you mean "eve"?)',
  ],
  [
    'a persona',
    '{ persona: senior }',
    '{ persona: senor }',
    '27:20 unknown persona "senor" (did you mean "senior"?)',
  ],
  [
    'the persona of the person',
    'persona: senior\n',
    'persona: senor\n',
    '5:16 unknown persona "senor" (did you mean "senior"?)',
  ],
  [
    'a field of the person',
    'usesPortal: true',
    'usePortal: true',
    '6:17 unknown field "usePortal" (did you mean "usesPortal"?)',
  ],
  [
    'a value of the person',
    'usesPortal: true',
    'usesPortal: maybe',
    '6:29 expected true or false, found "maybe"',
  ],
  [
    'a field of the data',
    'kind: first,',
    'kinds: first,',
    '12:45 unknown field "kinds" (did you mean "kind"?)',
  ],
  [
    'a value of the data',
    'kind: first,',
    'kind: frst,',
    '12:51 expected one of "first", "second", found "frst" (did you mean "first"?)',
  ],
  [
    'a moment of the data',
    'startsAt: 2026-03-14 09:30',
    'startsAt: the fourteenth',
    '12:27 expected a moment such as "2026-03-14 09:30", found "the fourteenth"',
  ],
  [
    'an entity',
    'entity: visit/V-1\n        data: { startsAt: 2026-03-14',
    'entity: stay/V-1\n        data: { startsAt: 2026-03-14',
    '11:17 care.visit.booked.v1 is about an entity such as "visit/A-1", found "stay/V-1"',
  ],
  [
    'the order',
    'at: 2026-03-06 09:00',
    'at: 2026-03-04 09:00',
    '20:15 this is before what stands above it',
  ],
  [
    'when it was heard of',
    'heard at: 2026-03-05 12:00',
    'heard at: 2026-03-04 12:00',
    '14:19 nobody hears of it before it happens',
  ],
  [
    'how long time goes on',
    'until: 2026-03-30',
    'until: 2026-03-03',
    '21:12 this is before what stands above it',
  ],
  [
    'nothing beside something',
    'nothing else',
    'nothing',
    '29:9 "nothing" and a message; expected "nothing else"',
  ],
  [
    'a time that the clocks skip',
    'at: 2026-03-02 09:00\n        over',
    'at: 2026-03-29 02:30\n        over',
    '24:13 the clocks of Europe/Amsterdam skip 2026-03-29 02:30; expected "2026-03-29 01:30" or "2026-03-29 03:30"',
  ],
  [
    'a time that comes twice, in the data',
    'startsAt: 2026-03-20 09:30',
    'startsAt: 2026-10-25 02:30',
    '17:27 the clocks of Europe/Amsterdam show 2026-10-25 02:30 twice; expected "2026-10-25 02:30 +02:00" or "2026-10-25 02:30 +01:00"',
  ],
]

describe('a mistake in', () => {
  test.each(planted)(
    '%s is told with its place and the nearest word',
    async (_, before, after, fault) => {
      const faults = await faultsWith(before, after)
      expect(faults[0]).toEqual(fault)
      // One mistake is told once.
      // Whoever mistypes the last line may be told of it once for `nothing`, but nothing else follows from one mistake.
      expect(faults.length).toBeLessThanOrEqual(2)
    },
  )
})

test('data that a touchpoint must have is missed, unless it was said of the entity before', async () => {
  const faults = await faultsWith(', kind: first, room: Blue }', ' }')
  expect(faults).toEqual([
    '12:15 care.visit.booked.v1 is missing its "kind"',
    '12:15 care.visit.booked.v1 is missing its "room"',
  ])
})

test('a name that stands twice is told', async () => {
  const second = text.slice(text.indexOf('  - name'))
  const { faults } = await tell({ [file]: `${text}${second}` })
  expect(faults).toEqual([`${file}:30:11 the specification "Somebody is told" is there twice`])
})

test('what nobody may tell cannot happen', async () => {
  const changes: Changes = {
    [file]: text.replace(
      '{ at: 2026-03-06 09:00, provider tells: delivered, of: booked }',
      '{ at: 2026-03-06 09:00, consents to: marketing }',
    ),
  }
  const { faults } = await tell(changes)
  expect(faults).toEqual([
    `${file}:20:33 no publisher of touchpoints.yaml may tell consent.granted.v1`,
  ])
})

test('one mistake does not hide the next', async () => {
  const two = text
    .replace('over: app', 'ovr: app')
    .replace('{ persona: senior }', '{ persona: senor }')
    .replace('at: 2026-03-05 09:00', 'at: the fifth')
  expect((await tell({ [file]: two })).faults).toEqual([
    `${file}:13:13 expected a moment such as "2026-03-14 09:30", found "the fifth"`,
    `${file}:25:9 unknown key "ovr" (did you mean "over"?)`,
    `${file}:27:20 unknown persona "senor" (did you mean "senior"?)`,
  ])
})

test('whatever stands in the middle of being edited, it is told and nothing throws', async () => {
  const edited = fc
    .record({
      from: fc.nat(text.length),
      length: fc.nat(30),
      put: fc.constantFrom('', '{', '\n', '- ', ': ', 'x', '2026-10-25 02:30', 'nothing'),
    })
    .map(({ from, length, put }) => text.slice(0, from) + put + text.slice(from + length))
  await fc.assert(
    fc.asyncProperty(edited, async (changed) => {
      const { faults, warnings } = await withFolder({ [file]: changed }, loadDefinition)
      for (const fault of [...faults, ...warnings]) expect(fault.line).toBeGreaterThan(0)
    }),
    { numRuns: 60 },
  )
}, 120_000)

test('an editor offers the messages, touchpoints and personas of the definition', async () => {
  const { bundle } = await withFolder({}, loadDefinition)
  const schema = jsonSchemaFiles(bundle ?? undefined).find(
    ({ name }) => name === 'specifications.json',
  )
  const { $defs } = JSON.parse(schema?.text ?? '{}') as JsonSchema
  const keysOf = (part: string) =>
    Object.assign({}, ...($defs?.[part]?.anyOf ?? []).map(({ properties }) => properties))
  const offered = ({ anyOf }: JsonSchema) => anyOf?.[0]?.enum
  expect(offered(keysOf('expectation').sent)).toEqual(['booked', 'eve'])
  expect(offered(keysOf('happening').happens)).toContain('care.visit.moved.v1')
  expect(offered($defs?.given?.properties?.persona ?? {})).toEqual(['senior', 'others'])
  expect($defs?.specification?.properties?.until?.anyOf).toBeUndefined()
})

test('whose message a provider tells of stands under "with"', async () => {
  const told = (to: string) =>
    text
      .replace('tells: delivered, of: booked', `tells: delivered, of: booked, to: ${to}`)
      .replace(
        '      persona: senior',
        '      persona: senior\n      with: { son: { is: caregiver, may: [care] } }',
      )
  const may: Changes = { 'touchpoints.yaml': ['person.*]', 'person.*, relation.*]'] }
  for (const to of ['person', 'son'])
    expect((await tell({ ...may, [file]: told(to) })).faults).toEqual([])
  expect((await tell({ ...may, [file]: told('sonn') })).faults).toEqual([
    `${file}:21:76 unknown name under "with" "sonn" (did you mean "son"?)`,
  ])
})

test('somebody is put into a campaign that there is', async () => {
  const enrolled = (campaign: string) =>
    text.replace(
      '{ at: 2026-03-06 09:00, provider tells: delivered, of: booked }',
      `{ at: 2026-03-06 09:00, enrolled in: ${campaign} }`,
    )
  expect((await tell({ [file]: enrolled('guide') })).faults).toEqual([])
  expect((await tell({ [file]: enrolled('giude') })).faults).toEqual([
    `${file}:20:46 unknown campaign "giude" (did you mean "guide"?)`,
  ])
})

test('specifications of a campaign that is gone are told, and stop nothing', async () => {
  const { faults, warnings } = await tell({
    [file]: null,
    'campaigns/guides.test.yaml': text
      .replace('campaign: guide', 'campaign: guides')
      .replace('guide/eve', 'eve'),
  })
  expect(faults).toEqual([])
  expect(warnings).toEqual([
    'campaigns/guides.test.yaml:1:11 unknown campaign "guides" (did you mean "guide"?)',
  ])
})

describe('who is in an arm, or held out,', () => {
  const at = '      persona: senior\n'
  const split: readonly [string, string] = [
    'steps:\n',
    'steps:\n  - split: { id: tone, arms: [{ name: warm, weight: 9 }, { name: short, weight: 1 }] }\n',
  ]
  const faultsOf = async (given: string, more: Changes = {}) => {
    const specified = text.replace(at, `${at}      ${given}\n`)
    const { faults } = await tell({ 'campaigns/guide.yaml': split, [file]: specified, ...more })
    return faults.map((fault) => fault.replace(`${file}:`, ''))
  }
  const ofAll = (classes: string): Changes => ({
    'policies.yaml': [
      'timeZone: Europe/Amsterdam\n',
      `timeZone: Europe/Amsterdam\nholdOut: { percent: 10, classes: [${classes}] }\n`,
    ],
  })

  test('can be so', async () => {
    expect(await faultsOf('arms: { tone: warm }')).toEqual([])
    expect(await faultsOf('held out: false')).toEqual([])
    const own: Changes = { 'campaigns/guide.yaml': ['steps:\n', 'holdOut: 10\nsteps:\n'] }
    expect(await faultsOf('held out: true', own)).toEqual([])
    expect(await faultsOf('held out: true', ofAll('service'))).toEqual([])
  })

  test.each([
    ['arms: { tnoe: warm }', '6:15 unknown split "tnoe" (did you mean "tone"?)'],
    ['arms: { tone: wram }', '6:21 unknown arm "wram" (did you mean "warm"?)'],
    [
      'held out: true',
      '6:7 nobody can be held out of "guide": it has no "holdOut", and that of policies.yaml is not for service',
    ],
  ])('is a fault where nobody can be: %s', async (given, fault) => {
    expect(await faultsOf(given)).toEqual([fault])
  })

  test('is nobody of another class, and never of care', async () => {
    expect(await faultsOf('held out: true', ofAll('marketing, research'))).toHaveLength(1)
    const care: Changes = { 'campaigns/guide.yaml': ['class: service', 'class: care'] }
    expect(await faultsOf('held out: true', care)).toEqual([
      '6:7 nobody can be held out of "guide": of care nobody ever is',
    ])
  })

  test('is not asked of what cannot be read', async () => {
    const unread = (from: string, to: string): Changes => ({
      'campaigns/guide.yaml': [from, to],
    })
    const arms = unread(
      'steps:\n',
      'steps:\n  - split: { id: tone, arms: [{ name: warm, weight: many }, { nmae: plain, weight: 1 }] }\n',
    )
    expect((await faultsOf('arms: { tone: plain }', arms)).join()).not.toContain('unknown arm')
    const none = await faultsOf('held out: true', unread('steps:\n', 'holdOut: 99\nsteps:\n'))
    expect(none.join()).not.toContain('nobody can be held out')
  })
})
