import { describe, expect, test } from 'vitest'
import { tell } from './planted-folder.ts'

/** What a trigger by a date may not say, and a move of people to a newer version. */
const campaign = (trigger: string, { more = '', group = 'service' } = {}) => `id: guide
name: Gids
journey: visit
class: ${group}
trigger: { date: { ${trigger} } }
${more}steps:
  - message: { id: booked, template: plain }
  - wait: { id: rest, for: P1D }
  - wait: { for: P2D }
`

const attributes = `person:
  usesPortal: { type: boolean, sensitivity: personal }
  operationOn: { type: date, sensitivity: health }
  memberSince: { type: date, sensitivity: personal }
  nextVisitAt: { type: instant, sensitivity: personal }
campaigns:
  calledOn: { type: date, sensitivity: personal }
`

async function faultsOf(text: string): Promise<string[]> {
  const { faults } = await tell({
    'campaigns/guide.yaml': text,
    'attributes.yaml': attributes,
    'templates/booked/template.yaml': null,
    'templates/booked/sms.nl.hbs': null,
    'templates/booked/sms.en.hbs': null,
    'templates/booked/app.nl.yaml': null,
    'templates/booked/app.en.yaml': null,
    'templates/plain/template.yaml': 'name: plain\nsensitivity:\n  sms: neutral\n',
    'templates/plain/sms.nl.hbs': 'Dag.\n',
    'templates/plain/sms.en.hbs': 'Hello.\n',
  })
  return faults
}

describe('a wait for a date of the person', () => {
  const waiting = (wait: string, { group = 'service' } = {}) =>
    faultsOf(
      campaign('entity: visit, field: startsAt, before: P1D', { group }).replace(
        /^steps:\n/m,
        `steps:\n  - wait: { ${wait} }\n`,
      ),
    )

  test.each(['until: person.memberSince, offset: P14D, at: "10:00"', 'until: person.nextVisitAt'])(
    '{ %s } is right',
    async (wait) => {
      expect(await waiting(wait)).toEqual([])
    },
  )

  test.each([
    [
      'until: person.memberSinc, at: "10:00"',
      '7:20 unknown date "person.memberSinc" (did you mean "person.memberSince"?)',
    ],
    ['until: person.usesPortal, at: "10:00"', '7:20 person.usesPortal is a boolean, no date'],
    [
      'until: person.memberSince',
      '7:20 person.memberSince is a calendar day, which has no time of day: say at which time with "at"',
    ],
    [
      'until: person.memberSince, offset: PT3H, at: "10:00"',
      '7:48 person.memberSince is a calendar day, which is moved by whole days only',
    ],
    [
      'until: person.calledOn, at: "10:00"',
      '7:20 "person.calledOn" is what campaigns remember, and moves no wait: wait for what a profile says',
    ],
  ])('{ %s } is not', async (wait, fault) => {
    expect(await waiting(wait)).toEqual([`campaigns/guide.yaml:${fault}`])
  })

  test('may not be of their health, for marketing', async () => {
    expect(
      await waiting('until: person.operationOn, at: "10:00"', { group: 'marketing' }),
    ).toContain(
      'campaigns/guide.yaml:7:20 "person.operationOn" tells about somebody\'s health, and marketing may not choose people by it',
    )
  })

  test.each([
    [
      'send: { until: person.memberSince, at: "10:00" }',
      '7:60 only a wait counts from a date of the person: put a wait for it before this step, found "person.memberSince"',
    ],
    [
      'until: person.memberSince',
      '7:52 only a wait counts from a date of the person: say with "expires" how long it is worth having, found "person.memberSince"',
    ],
  ])('a message does not: { %s }', async (said, fault) => {
    const text = campaign('entity: visit, field: startsAt, before: P1D').replace(
      'template: plain }',
      `template: plain, ${said} }`,
    )
    expect(await faultsOf(text)).toEqual([`campaigns/guide.yaml:${fault}`])
  })
})

describe('a trigger by a date', () => {
  test.each([
    ['of an appointment, a day before', 'entity: visit, field: startsAt, before: P1D, at: "18:00"'],
    ['of a moment, without a time of day', 'entity: visit, field: startsAt, before: PT3H'],
    ['of the person, every year', 'field: person.memberSince, at: "10:00", every: year'],
  ])('%s is right', async (_, trigger) => {
    expect(await faultsOf(campaign(trigger))).toEqual([])
  })

  test.each([
    [
      'of a kind of appointment that there is not',
      'entity: vist, field: startsAt, before: P1D',
      ['5:28 unknown entity "vist" (did you mean "visit"?)'],
    ],
    [
      'of a field that the appointment has not',
      'entity: visit, field: startAt, before: P1D',
      ['5:42 unknown date "startAt" (did you mean "startsAt"?)'],
    ],
    [
      'of a field of the appointment that is none',
      'entity: visit, field: kind, before: P1D',
      ['5:42 kind is a text, no date'],
    ],
    [
      'of a field that nobody has',
      'field: person.operatedOn, at: "10:00"',
      ['5:27 unknown date "person.operatedOn" (did you mean "person.operationOn"?)'],
    ],
    [
      'of one that holds something else',
      'field: person.usesPortal, at: "10:00"',
      ['5:27 person.usesPortal is a boolean, no date'],
    ],
    [
      'of a calendar day without a time',
      'field: person.memberSince, before: P1D',
      [
        '5:27 person.memberSince is a calendar day, which has no time of day: say at which time with "at"',
      ],
    ],
    [
      'of a calendar day moved by hours',
      'field: person.memberSince, before: PT12H, at: "10:00"',
      ['5:55 person.memberSince is a calendar day, which is moved by whole days only'],
    ],
    [
      'of what campaigns remember',
      'field: person.calledOn, at: "10:00"',
      [
        '5:27 "person.calledOn" is what campaigns remember, and that starts nothing: ask for it in "audience"',
      ],
    ],
    [
      'before and after at once',
      'field: person.memberSince, before: P1D, after: P1D, at: "10:00"',
      ['5:18 expected before or after, not both'],
    ],
  ])('%s is refused', async (_, trigger, faults) => {
    expect(await faultsOf(campaign(trigger))).toEqual(
      faults.map((fault) => `campaigns/guide.yaml:${fault}`),
    )
  })

  test('by which marketing would choose people for their health is refused', async () => {
    const trigger = 'field: person.operationOn, before: P1D, at: "10:00"'
    expect(await faultsOf(campaign(trigger, { group: 'marketing' }))).toEqual([
      `campaigns/guide.yaml:5:27 "person.operationOn" tells about somebody's health, and marketing may not choose people by it`,
    ])
    expect(await faultsOf(campaign(trigger))).toEqual([])
  })

  test('has no event whose data could be asked for', async () => {
    const more = 'audience: { where: { field: event.kind, op: eq, value: first } }\n'
    const trigger = 'entity: visit, field: startsAt, before: P1D'
    const [fault = '', ...others] = await faultsOf(campaign(trigger, { more }))
    expect(others).toEqual([])
    expect(fault).toContain('unknown field "event.kind"')
  })
})

describe('a move', () => {
  const trigger = 'entity: visit, field: startsAt, before: P1D'
  const faultsOfMove = (move: string) => faultsOf(campaign(trigger, { more: `move: ${move}\n` }))

  test.each([
    [
      'to a step by its id, by its place, and out',
      '{ from: 1, steps: { ask: rest, "2": "3", "4": end } }',
    ],
    ['without a map, of steps that stand there still', '{ from: 1 }'],
    ['that takes messages back', '{ from: 1, withdraw: [reminder] }'],
  ])('%s is right', async (_, move) => {
    expect(await faultsOfMove(move)).toEqual([])
  })

  test.each([
    [
      'to a step that there is not',
      '{ from: 1, steps: { ask: rst } }',
      ['6:32 unknown step "rst" (did you mean "rest"?)'],
    ],
    [
      'to places behind the last one, each told',
      '{ from: 1, steps: { ask: "4", nudge: "1.2.1" } }',
      ['unknown step "4"', 'unknown step "1.2.1"'],
    ],
    ['from no version', '{ steps: { ask: rest } }', ['missing key "from"']],
    [
      'from a version before the first',
      '{ from: 0 }',
      ['expected a number of at least 1, found 0'],
    ],
    [
      'of what is no name of a step',
      '{ from: 1, steps: { "Ask me": rest } }',
      ['expected the id of a step'],
    ],
  ])('%s is refused', async (_, move, words) => {
    const faults = await faultsOfMove(move)
    expect(faults).toHaveLength(words.length)
    for (const [index, each] of words.entries()) expect(faults[index]).toContain(each)
  })
})

describe('a message for a part of the day', () => {
  const atHours = async (between: string, quietHours: string) => {
    const { faults } = await tell({
      'policies.yaml': [
        'service: { lane: standard,',
        `service: { quietHours: ${quietHours}, lane: standard,`,
      ],
      'campaigns/guide.yaml': ['send: { for: PT1H }', `send: { between: ${between} }`],
    })
    return faults
  }

  test.each([
    ['["21:30", "23:00"]', '{ from: "21:00", until: "08:00" }'],
    ['["07:00", "08:00"]', '{ from: "21:00", until: "08:00" }'],
    ['["12:00", "13:00"]', '{ from: "12:00", until: "13:30" }'],
  ])('%s that is quiet from beginning to end is refused', async (between, hours) => {
    expect(await atHours(between, hours)).toEqual([
      expect.stringContaining('it would never go out: people of the class "service"'),
    ])
  })

  test.each([
    ['["20:00", "23:00"]', '{ from: "21:00", until: "08:00" }'],
    ['["07:00", "08:15"]', '{ from: "21:00", until: "08:00" }'],
    ['["11:00", "14:00"]', '{ from: "12:00", until: "13:30" }'],
  ])('%s that is quiet for a part of it is right', async (between, hours) => {
    expect(await atHours(between, hours)).toEqual([])
  })
})
