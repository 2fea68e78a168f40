import { describe, expect, test } from 'vitest'
import { type Changes, sound, tell } from './planted-folder.ts'

/** Somebody's health under another name: what campaigns remember and tell, and touchpoints that say it by their name. */
const campaign = (steps: string, over: { class?: string; head?: string } = {}) => `id: guide
name: Gids
journey: visit
class: ${over.class ?? 'care'}
${over.head ?? 'trigger: { touchpoint: care.visit.booked.v1 }\n'}steps:
${steps}`

const attributesWith = (sensitivity: string) => `${sound['attributes.yaml']}campaigns:
  chosen: { type: boolean, sensitivity: ${sensitivity} }
`
const touchpointsWith = (sensitivity: string, ended = '') =>
  `${(sound['touchpoints.yaml'] ?? '').replace(
    'name: { nl: Voorbij, en: Over }\n',
    `name: { nl: Voorbij, en: Over }\n${ended}`,
  )}emits:
  - type: told.visit.v1
    name: { nl: Bezoek, en: Visit }
    sensitivity: ${sensitivity}
`
const ofHealth = '    sensitivity: health\n'

async function faultsOf(
  text: string,
  { declared = 'personal', ended = '', more = {} as Changes } = {},
): Promise<string[]> {
  const { faults } = await tell({
    'campaigns/guide.yaml': [sound['campaigns/guide.yaml'] ?? '', text],
    'attributes.yaml': [sound['attributes.yaml'] ?? '', attributesWith(declared)],
    'touchpoints.yaml': [sound['touchpoints.yaml'] ?? '', touchpointsWith(declared, ended)],
    ...more,
  })
  return faults
}

const set = 'set: { field: person.chosen, to: true }'
const onKind = '{ field: event.kind, op: eq, value: first }'
const branch = (when: string, steps: string) => `  - branch:
      - when: ${when}
        steps:
          - ${steps}
      - otherwise:
          - wait: { for: P1D }
`

/** What is said of a field, and of what it hangs on. */
const hangsOn = (why: string) =>
  `"person.chosen" is personal, and what is remembered here hangs on ${why}, which tells about somebody's health: declare it "sensitivity: health" in attributes.yaml`

describe('what is remembered of whom a condition on health let through', () => {
  test.each([
    ['under a branch', campaign(branch(onKind, set)), '"event.kind"'],
    [
      'on the way that is left',
      campaign(`  - branch:
      - when: ${onKind}
        steps:
          - wait: { for: P1D }
      - otherwise:
          - ${set}
`),
      '"event.kind"',
    ],
    [
      'behind a way that ends the campaign',
      campaign(`${branch(onKind, 'end: true')}  - ${set}\n`),
      '"event.kind"',
    ],
    [
      'behind a way within another one',
      campaign(
        `${branch(
          '{ field: person.usesPortal, op: eq, value: true }',
          `branch:
              - when: ${onKind}
                steps:
                  - end: true
              - otherwise:
                  - wait: { for: P1D }`,
        )}  - ${set}\n`,
      ),
      '"event.kind"',
    ],
    [
      'in a campaign that begins by it',
      campaign(`  - ${set}\n`, {
        head: `trigger: { touchpoint: care.visit.booked.v1, where: ${onKind} }\n`,
      }),
      '"event.kind"',
    ],
    [
      'of an audience that it makes',
      campaign(`  - ${set}\n`, {
        head: 'trigger: { touchpoint: care.visit.booked.v1 }\naudience: { where: { field: journey.visit.phase, op: eq, value: after } }\n',
      }),
      '"journey.visit.phase"',
    ],
    [
      'by what became of a message that only those got',
      campaign(
        `${branch(onKind, 'message: { id: eve, template: booked }')}${branch(
          '{ field: enrolment.eve.status, op: eq, value: sent }',
          set,
        )}`,
      ),
      '"enrolment.eve.status", which hangs on "event.kind"',
    ],
  ])('%s is health, too', async (_, text, why) => {
    const faults = await faultsOf(text)
    expect(faults).toHaveLength(1)
    expect(faults[0]).toContain(`campaigns/guide.yaml:`)
    expect(faults[0]).toContain(hangsOn(why))
    expect(await faultsOf(text, { declared: 'health' })).toEqual([])
  })

  test('by a persona that is made of it', async () => {
    const personas = {
      'personas.yaml': [
        'field: person.age, op: gte, value: 65',
        'field: person.condition, op: exists, value: true',
      ],
    } as const
    const text = campaign(branch('{ field: person.persona, op: eq, value: senior }', set))
    expect((await faultsOf(text, { more: personas })).join()).toContain(
      hangsOn('the persona "senior"'),
    )
    expect(await faultsOf(text)).toEqual([])
  })

  test('by a touchpoint that says it by its name', async () => {
    const happened = branch('{ happened: { touchpoint: care.visit.ended.v1, within: P9D } }', set)
    const waits = `  - waitFor:
      touchpoint: care.visit.ended.v1
      within: P1D
      then:
        - ${set}
      otherwise:
        - wait: { for: P1D }
`
    const begun = 'trigger: { touchpoint: care.visit.ended.v1 }\n'
    for (const text of [
      campaign(happened),
      campaign(waits),
      campaign(`  - ${set}\n`, { head: begun }),
    ]) {
      expect((await faultsOf(text, { ended: ofHealth })).join()).toContain(
        hangsOn('"care.visit.ended.v1"'),
      )
      expect(await faultsOf(text)).toEqual([])
    }
  })

  test('is not what does not hang on it', async () => {
    const before = `  - ${set}\n${branch(onKind, 'wait: { for: P2D }')}  - ${set}\n`
    expect(await faultsOf(campaign(before))).toEqual([])
    const exits =
      'trigger: { touchpoint: care.visit.booked.v1 }\nexit:\n  - { touchpoint: care.visit.ended.v1 }\n'
    expect(await faultsOf(campaign(before, { head: exits }), { ended: ofHealth })).toEqual([])
  })
})

test('what others are told of whom such a condition let through is health, too', async () => {
  const text = campaign(branch(onKind, 'emit: { type: told.visit.v1 }'))
  expect((await faultsOf(text)).join()).toContain(
    '"told.visit.v1" bears at most personal, and what is told here hangs on "event.kind", which tells about somebody\'s health: declare it "sensitivity: health" in touchpoints.yaml',
  )
  expect(await faultsOf(text, { declared: 'health' })).toEqual([])
})

test('what is told as health and comes in again is health', async () => {
  const touchpoint = (more: string) => ({
    'touchpoints.yaml': [
      sound['touchpoints.yaml'] ?? '',
      touchpointsWith('health').replace(
        'emits:\n',
        `  - type: told.visit.v1\n    name: { nl: Terug, en: Back }\n${more}emits:\n`,
      ),
    ] as const,
  })
  const text = campaign('  - wait: { for: P1D }\n')
  expect((await faultsOf(text, { more: touchpoint('') })).join()).toContain(
    '"told.visit.v1" is told to others as health, and comes in again as less',
  )
  expect(await faultsOf(text, { more: touchpoint(ofHealth) })).toEqual([])
})

describe('marketing, and what tells of health by its name', () => {
  const wait = '  - wait: { for: P1D }\n'
  const marketing = (steps: string, head?: string) =>
    campaign(steps, { class: 'marketing', ...(head && { head }) })
  const booked = 'trigger: { touchpoint: care.visit.booked.v1 }\n'
  const chosen =
    '"care.visit.ended.v1" tells about somebody\'s health, and marketing may not choose people by it'
  test.each([
    ['begins by it', marketing(wait, 'trigger: { touchpoint: care.visit.ended.v1 }\n'), chosen],
    [
      'asks whether it happened',
      marketing(
        wait,
        `${booked}audience: { where: { happened: { touchpoint: care.visit.ended.v1, within: P9D } } }\n`,
      ),
      chosen,
    ],
    [
      'waits for it',
      marketing(
        '  - waitFor: { touchpoint: care.visit.ended.v1, within: P1D, then: [{ wait: { for: P1D } }] }\n',
      ),
      chosen,
    ],
    [
      'has it for a goal',
      marketing(wait, `${booked}goal: { touchpoint: care.visit.ended.v1, within: P9D }\n`),
      '"care.visit.ended.v1" tells about somebody\'s health, and what marketing reaches is not counted by it',
    ],
    [
      'begins by what becomes of a field that does',
      marketing(wait, 'trigger: { attribute: person.condition }\n'),
      '"person.condition" tells about somebody\'s health, and marketing may not choose people by it',
    ],
  ])('%s: it is refused', async (_, text, words) => {
    const faults = await faultsOf(text, { ended: ofHealth })
    expect(faults.join('\n')).toContain(words)
    expect(faults).toHaveLength(1)
  })

  test('ends by it: that leaves in peace whoever is in care', async () => {
    const text = marketing(wait, `${booked}exit:\n  - { touchpoint: care.visit.ended.v1 }\n`)
    expect(await faultsOf(text, { ended: ofHealth })).toEqual([])
  })

  test('asks for what care has remembered as health: it is refused', async () => {
    const text = marketing(
      wait,
      `${booked}audience: { where: { field: person.chosen, op: eq, value: true } }\n`,
    )
    expect((await faultsOf(text, { declared: 'health' })).join()).toContain(
      '"person.chosen" tells about somebody\'s health, and marketing may not choose people by it',
    )
  })

  test('of another class all of it is its own affair', async () => {
    const text = campaign(wait, { head: 'trigger: { touchpoint: care.visit.ended.v1 }\n' })
    expect(await faultsOf(text, { ended: ofHealth })).toEqual([])
  })
})
