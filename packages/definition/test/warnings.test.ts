import { describe, expect, test } from 'vitest'
import { type Changes, sound, tell } from './planted-folder.ts'

const guide = 'campaigns/guide.yaml'
const first = '      - when: { field: event.kind, op: eq, value: first }\n        steps:\n'

/** The sound campaign with another branch in place of its own. */
function branch(arms: string): Changes {
  return { [guide]: [rest, `  - branch:\n${arms}`] }
}
const rest = `  - branch:
${first}          - message: { id: eve, template: booked, send: { for: PT1H } }
      - otherwise:
          - wait: { for: P1D }
`

const arm = (when: string) => `      - when: ${when}\n        steps: [{ wait: { for: P1D } }]\n`
const otherwise = '      - otherwise: [{ wait: { for: P1D } }]\n'

/** The message of each warning, without its place. */
async function warningsOf(changes: Changes): Promise<string[]> {
  const { faults, warnings } = await tell(changes)
  expect(faults).toEqual([])
  return warnings
}

describe('an arm that nobody takes', () => {
  test.each([
    [
      'has the condition of an earlier one',
      arm('{ field: event.kind, op: eq, value: first }').repeat(2),
      '18:15 this arm is never taken: the first arm has the same condition',
    ],
    [
      'contradicts itself by the values that there are',
      arm('{ field: event.kind, op: notIn, value: [first, second] }') + otherwise,
      '16:15 this arm is never taken: its condition holds for nobody',
    ],
    [
      'contradicts itself by its numbers',
      arm(
        '{ all: [{ field: person.age, op: gte, value: 65 }, { field: person.age, op: lt, value: 18 }] }',
      ),
      '16:15 this arm is never taken: its condition holds for nobody',
    ],
    [
      'is for fewer than an earlier one',
      arm('{ field: person.age, op: gte, value: 18 }') +
        arm('{ field: person.age, op: gt, value: 64.5 }'),
      '18:15 this arm is never taken: the first arm takes everybody for whom it is',
    ],
    [
      'is left with nobody by several together',
      arm('{ field: event.kind, op: eq, value: first }') +
        arm('{ field: event.kind, op: eq, value: second }') +
        otherwise,
      '20:20 this arm is never taken: the arms above it take everybody',
    ],
    [
      'comes after one that takes everybody',
      arm('{ field: person.persona, op: exists, value: true }') + otherwise,
      '18:20 this arm is never taken: the first arm takes everybody',
    ],
    [
      'compares a text with what it cannot contain',
      arm('{ field: event.room, op: contains, value: west }') +
        arm('{ field: event.room, op: eq, value: south-west }'),
      '18:15 this arm is never taken: the first arm takes everybody for whom it is',
    ],
    [
      'stands in an arm for others',
      `${first}          - branch:
              - when: { field: event.kind, op: eq, value: second }
                steps: [{ wait: { for: P1D } }]
`,
      '19:23 this arm is never taken: its condition holds for nobody who comes here',
    ],
  ])('%s', async (_, arms, warning) => {
    expect(await warningsOf(branch(arms))).toEqual([`${guide}:${warning}`])
  })

  test.each([
    [
      'a value that may be missing',
      arm('{ field: person.age, op: lt, value: 65 }') +
        arm('{ not: { field: person.age, op: gte, value: 65 } }'),
    ],
    [
      'a range and the rest',
      arm('{ field: person.age, op: lt, value: 18 }') +
        arm('{ field: person.age, op: lt, value: 65 }') +
        otherwise,
    ],
    ['one value of three', arm('{ field: person.persona, op: eq, value: senior }') + otherwise],
    ['a text that none names', arm('{ field: event.room, op: in, value: [a, b] }') + otherwise],
    [
      'two parts of one text',
      arm('{ field: event.room, op: contains, value: west }') +
        arm(
          '{ all: [{ field: event.room, op: contains, value: wing }, { not: { field: event.room, op: contains, value: west } }] }',
        ),
    ],
    [
      'a status that may be none yet',
      arm('{ field: enrolment.booked.status, op: in, value: [sent, delivered] }') +
        arm('{ field: enrolment.booked.status, op: exists, value: false }'),
    ],
    [
      'more than can be tried',
      arm(
        `{ all: [${['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((part) => `{ field: event.room, op: contains, value: ${part} }, { field: person.condition, op: contains, value: ${part} }`).join(', ')}] }`,
      ),
    ],
  ])('is none for %s', async (_, arms) => {
    expect(await warningsOf(branch(arms))).toEqual([])
  })
})

describe('an arm that nobody takes who is let in', () => {
  /** A campaign for seniors with a portal, from the branch on. */
  const guideFor = (steps: string, more = ''): Changes => ({
    [guide]: `id: guide
name: Guide
journey: visit
class: service
trigger: { touchpoint: care.visit.booked.v1, where: { all: [{ field: event.kind, op: eq, value: first }, { field: person.condition, op: eq, value: hip }] } }
audience:
  personas: [senior]
  where: { all: [{ field: person.usesPortal, op: eq, value: true }, { field: event.room, op: eq, value: A1 }] }
entry: once-per-entity
${more}steps:
  - message: { id: booked, template: booked }
${steps}`,
  })
  const branch = (...arms: string[]) => `  - branch:\n${arms.join('')}`
  const isPortal = (value: boolean) => arm(`{ field: person.usesPortal, op: eq, value: ${value} }`)
  const isIn = (room: string) => arm(`{ field: event.room, op: eq, value: ${room} }`)
  const isOther = arm('{ field: person.persona, op: eq, value: others }')
  const isNotHip = arm('{ field: person.condition, op: neq, value: hip }')
  const nobody = 'this arm is never taken: its condition holds for nobody who comes here'

  test.each([
    ['by the audience', isPortal(false), `${guide}:13:15 ${nobody}`],
    ['by its personas', isOther, `${guide}:13:15 ${nobody}`],
    ['by the trigger', isNotHip, `${guide}:13:15 ${nobody}`],
    ['by what the audience asks of the event', isIn('B2'), `${guide}:13:15 ${nobody}`],
    [
      'for everybody is in the arm above',
      isPortal(true) + otherwise,
      `${guide}:15:20 this arm is never taken: the first arm takes everybody`,
    ],
  ])('%s', async (_, arms, warning) => {
    expect(await warningsOf(guideFor(branch(arms)))).toEqual([warning])
  })

  test('in an arm of what holds in the same instant', async () => {
    const inside = `      - when: { field: person.age, op: gte, value: 80 }
        steps:
          - branch:
              - when: { field: person.age, op: lt, value: 70 }
                steps: [{ wait: { for: P1D } }]
`
    expect(await warningsOf(guideFor(branch(inside)))).toEqual([`${guide}:16:23 ${nobody}`])
  })

  test.each([
    ['after a wait', '  - wait: { for: P1D }\n'],
    ['after a branch in which some wait', branch(isPortal(true))],
    [
      'when the answer is waited for',
      '  - waitFor: { touchpoint: care.visit.ended.v1, within: P1D }\n',
    ],
  ])('%s the person may be another, the event not', async (_, before) => {
    const arms = branch(isPortal(false), isOther, isNotHip, isIn('B2'))
    const { faults, warnings } = await tell(guideFor(before + arms))
    expect(faults).toEqual([])
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`${nobody}$`))])
  })

  test('when a step has set what the persona may hang on', async () => {
    const { faults, warnings } = await tell({
      ...guideFor(
        `  - set: { field: person.seen, to: true }\n${branch(isPortal(false), isOther, isIn('B2'))}`,
      ),
      'attributes.yaml': `${sound['attributes.yaml']}campaigns:\n  seen: { type: boolean, sensitivity: health }\n`,
    })
    expect(faults).toEqual([])
    expect(warnings).toEqual([`${guide}:18:15 ${nobody}`])
  })

  test('unless people of an older version are taken along, who entered that one', async () => {
    const move = 'move: { from: 1, steps: { "1": "2" } }\n'
    const arms = branch(isPortal(false), isOther, isNotHip, isIn('B2'))
    expect(await warningsOf(guideFor(arms, move))).toEqual([])
  })
})

describe('an arm that asks what became of a message that has only just been planned', () => {
  const steps = (text: string, more = ''): Changes => ({
    [guide]: (sound[guide] ?? '').replace(/^steps:.*/ms, `${more}steps:\n${text}`),
  })
  const message = '  - message: { id: booked, template: booked }\n'
  const is = (op: string, value: string, id = 'booked') =>
    arm(`{ field: enrolment.${id}.status, op: ${op}, value: ${value} }`)
  const branch = (...arms: string[]) => `  - branch:\n${arms.join('')}`
  const early = (id = 'booked') =>
    `this arm is never taken: "${id}" has only just been planned, and has not gone out yet; wait for it first, as with "waitFor: { message: ${id} }"`
  const set = '  - set: { field: person.seen, to: true }\n'
  const within = (text: string) =>
    `  - branch:\n      - when: { field: event.kind, op: eq, value: first }\n        steps:\n${text.replace(/^/gm, '        ').trimEnd()}\n`

  test.each([
    ['straight behind it', message + branch(is('eq', 'delivered'), otherwise), ['15:15']],
    ['of several statuses', message + branch(is('in', '[sent, delivered]')), ['15:15']],
    ['for nobody else', message + branch(is('notIn', '[planned, queued]'), otherwise), ['15:15']],
    ['behind a step that takes no time', message + set + branch(is('eq', 'delivered')), ['16:15']],
    ['in an arm behind it', message + within(branch(is('eq', 'bounced'))), ['18:23']],
    ['behind the arm that sends it', within(message) + branch(is('eq', 'sent')), ['18:15']],
    [
      'after a wait that came before both',
      `  - wait: { for: P1D }\n${message}${branch(is('eq', 'delivered'))}`,
      ['16:15'],
    ],
  ])('is told %s', async (_, text, places) => {
    const changes = {
      ...steps(text),
      'attributes.yaml': `${sound['attributes.yaml']}campaigns:\n  seen: { type: boolean, sensitivity: health }\n`,
    }
    expect(await warningsOf(changes)).toEqual(places.map((at) => `${guide}:${at} ${early()}`))
  })

  test.each([
    [
      'when it is waited for',
      `${message}  - wait: { for: PT1H }\n${branch(is('eq', 'delivered'))}`,
    ],
    [
      'when an arm between them waits',
      message + within('  - wait: { for: PT1H }\n') + branch(is('eq', 'delivered')),
    ],
    ['when it asks what is so', message + branch(is('eq', 'planned'), otherwise)],
    ['when nobody may be there to get it', message + branch(is('exists', 'true'), otherwise)],
    [
      'of a message that is waited for itself',
      `  - message: { id: booked, template: booked, channels: { cascade: [app, sms], after: PT1H } }\n${branch(is('eq', 'delivered'), otherwise)}`,
    ],
    [
      'behind what begins anew when the appointment moves',
      `  - message: { id: first, template: booked, channels: { cascade: [app, sms], after: PT1H } }\n${message}${branch(is('eq', 'delivered'), otherwise)}`,
    ],
  ])('is not told %s', async (_, text) => {
    expect(await warningsOf(steps(text))).toEqual([])
  })

  test('is not told where people are taken along who were sent it in an older version', async () => {
    const move = 'move: { from: 1, steps: { "1": booked } }\n'
    expect(await warningsOf(steps(message + branch(is('eq', 'delivered')), move))).toEqual([])
  })
})

describe('a touchpoint that is waited for and never heard', () => {
  const waiting = (exit: string, wait: string): Changes => ({
    [guide]: (sound[guide] ?? '')
      .replace('touchpoint: care.visit.ended.v1', `touchpoint: care.visit.ended.v1${exit}`)
      .replace(
        '  - wait: {',
        `  - waitFor: { touchpoint: care.visit.ended.v1, within: P1D${wait} }\n  - wait: {`,
      ),
  })
  const minutes = (op: string, value: number) =>
    `{ field: event.minutes, op: ${op}, value: ${value} }`
  const ends = (message: string) =>
    `${message} this is never heard: "exit" ends the campaign when care.visit.ended.v1 happens`

  test.each([
    ['since every one of it is an exit', '', ''],
    ['though it asks for some of them', '', `, where: ${minutes('gt', 5)}`],
    [
      'since each that is meant is an exit',
      `\n    where: ${minutes('gt', 5)}`,
      `, where: ${minutes('gt', 10)}`,
    ],
    ['whatever entity it is about', '\n    entity: any', ', entity: any'],
  ])('%s', async (_, exit, wait) => {
    const [warning = '', ...others] = await warningsOf(waiting(exit, wait))
    expect(others).toEqual([])
    expect(warning).toMatch(/^campaigns\/guide\.yaml:\d+:28 /)
    expect(warning).toContain(ends('').trim())
  })

  test.each([
    ['it asks for others', `\n    where: ${minutes('gt', 5)}`, `, where: ${minutes('lt', 10)}`],
    ['it asks for all of them', `\n    where: ${minutes('gt', 5)}`, ''],
    ['one about another visit counts', '', ', entity: any'],
  ])('is heard when %s', async (_, exit, wait) => {
    expect(await warningsOf(waiting(exit, wait))).toEqual([])
  })
})

describe('the appointment of a campaign is called off, which is waited for', () => {
  const off = `  - type: care.visit.off.v1
    name: { nl: Afgezegd, en: Called off }
    entity: visit
    withdraws: true
  - type: care.stay.off.v1
    name: { nl: Opname afgezegd, en: Stay called off }
    entity: stay
    withdraws: true
`
  const waiting = (type: string, more = '', text = sound[guide] ?? ''): Changes => ({
    'touchpoints.yaml': `${sound['touchpoints.yaml']}${off}`,
    [guide]: text.replace(
      '  - wait: {',
      `  - waitFor: { touchpoint: ${type}, within: P1D${more} }\n  - wait: {`,
    ),
  })

  test('and never heard', async () => {
    expect(await warningsOf(waiting('care.visit.off.v1'))).toEqual([
      `${guide}:14:28 this is never heard: care.visit.off.v1 says that the visit of the campaign does not take place, which ends the campaign; what is to follow belongs in a campaign that it starts`,
    ])
  })

  test.each([
    ['of any appointment', 'care.visit.off.v1', ', entity: any'],
    ['of something else', 'care.stay.off.v1', ''],
  ])('but heard %s', async (_, type, more) => {
    expect(await warningsOf(waiting(type, more))).toEqual([])
  })

  test('but heard by whoever entered an older version, which may have had no appointment', async () => {
    const text = `${sound[guide]}move: { from: 1, steps: { "1": "2" } }\n`
    expect(await warningsOf(waiting('care.visit.off.v1', '', text))).toEqual([])
  })
})

describe('a touchpoint that is waited for and is the goal', () => {
  const type = 'care.visit.ended.v1'
  const waitFor = (within: string, more = ', then: [{ wait: { for: P1D } }]') =>
    `  - waitFor: { touchpoint: ${type}, within: ${within}${more} }\n`
  const message = '  - message: { id: booked, template: booked }\n'
  /** In place of the exits and steps of the sound campaign. */
  const hoping = (steps: string, goal = 'within: P10D'): Changes => ({
    [guide]: (sound[guide] ?? '').replace(
      /^exit:.*/ms,
      `goal: { touchpoint: ${type}, ${goal} }\nsteps:\n${message}${steps}`,
    ),
  })
  const unheard = `this is never heard in the time of "goal", which ends the campaign when ${type} happens`
  const minutes = (op: string, value: number) =>
    `where: { field: event.minutes, op: ${op}, value: ${value} }`
  const then = ', then: [{ wait: { for: P1D } }]'

  test.each([
    ['at first', waitFor('P10D')],
    ['after a wait', `  - wait: { for: P3D }\n${waitFor('P7D')}`],
    [
      'behind another one',
      waitFor('P5D', ', otherwise: [{ wait: { for: P1D } }]') + waitFor('P4D'),
    ],
    [
      'in an arm',
      `  - branch:\n      - when: { field: event.kind, op: eq, value: first }\n        steps:\n        ${waitFor('P10D')}`,
    ],
  ])('is told %s', async (_, steps) => {
    const found = await warningsOf(hoping(steps))
    expect(found).toEqual([expect.stringContaining(` ${unheard}`)])
  })

  test('is told of those for whom the goal asks, together with the exits', async () => {
    const asked = (goal: string) =>
      warningsOf(hoping(waitFor('P5D', `, ${minutes('gt', 10)}${then}`), `within: P10D, ${goal}`))
    expect(await asked(minutes('gt', 5))).toEqual([`${guide}:13:28 ${unheard}`])
    expect(await asked(minutes('gt', 20))).toEqual([])
    const both = hoping(waitFor('P5D'), `within: P10D, ${minutes('gt', 5)}`)
    const exits = `exit: [{ touchpoint: ${type}, where: { not: { field: event.minutes, op: gt, value: 5 } } }]\n`
    expect(await warningsOf(both)).toEqual([])
    expect(
      await warningsOf({ [guide]: String(both[guide]).replace('goal:', `${exits}goal:`) }),
    ).toEqual([`${guide}:14:28 ${unheard}`])
  })

  test.each([
    ['it is waited for longer', waitFor('P11D')],
    ['it may be waited for longer', `  - wait: { for: P3D }\n${waitFor('P8D')}`],
    ['nobody knows how late it is', `  - wait: { at: "10:00" }\n${waitFor('P1D')}`],
    [
      'nobody knows how long an appointment is waited for',
      `  - wait: { until: entity.startsAt }\n${waitFor('P1D')}`,
    ],
    [
      'an arm before it may take longer',
      `  - branch:\n      - when: { field: event.kind, op: eq, value: first }\n        steps: [{ wait: { for: P9D } }]\n${waitFor('P5D')}`,
    ],
    ['nothing follows when it comes', waitFor('P5D', ', otherwise: [{ wait: { for: P1D } }]')],
    ['the campaign is to end when it comes', waitFor('P5D', ', then: [{ end: true }]')],
    ['one about another visit is meant, too', waitFor('P5D', `, entity: any${then}`)],
  ])('is not told when %s', async (_, steps) => {
    expect(await warningsOf(hoping(steps))).toEqual([])
  })

  test('is not told where people are taken along who entered before', async () => {
    const { [guide]: text = '' } = hoping(waitFor('P5D'))
    const move = `${text}move: { from: 1, steps: { "1": "1" } }\n`
    expect(await warningsOf({ [guide]: move })).toEqual([])
  })
})

describe('that nobody stands to the person as something', () => {
  const audience = (where: string): Changes => ({
    [guide]: ['where: { field: person.usesPortal, op: eq, value: true }', `where: ${where}`],
  })
  const leaf = (op: string, value: string) =>
    `{ field: relation.caregiver.care, op: ${op}, value: ${value} }`

  test.each([
    ['eq', 'false'],
    ['neq', 'true'],
    ['in', '[false]'],
  ])('is asked for by a value that it never has: %s %s', async (op, value) => {
    const message =
      'this never holds: relation.caregiver.care is true, or nothing at all; for whom there is nobody, expected "not: { field: relation.caregiver.care, op: eq, value: true }"'
    expect(await warningsOf(audience(leaf(op, value)))).toEqual([`${guide}:8:10 ${message}`])
    const arms = branch(arm(`{ any: [${leaf(op, value)}, ${leaf('eq', 'true')}] }`))
    expect(await warningsOf(arms)).toEqual([`${guide}:16:23 ${message}`])
  })

  test.each([
    ['exists', 'false'],
    ['eq', 'true'],
    ['neq', 'false'],
  ])('is not asked for, or as it should be: %s %s', async (op, value) => {
    expect(await warningsOf(audience(leaf(op, value)))).toEqual([])
    expect(await warningsOf(audience(`{ not: ${leaf('eq', 'true')} }`))).toEqual([])
  })
})

/** For a campaign that sends nothing. */
const noTemplates: Changes = Object.fromEntries(
  Object.keys(sound)
    .filter((path) => path.startsWith('templates/'))
    .map((path) => [path, null]),
)

describe('a date that comes back every year', () => {
  const yearly = (entry: string, more = ', every: year'): Changes => ({
    [guide]: `id: guide
name: Guide
journey: visit
class: service
trigger: { date: { field: person.bornOn, at: "10:00", on: working-day${more} } }
${entry}steps: [{ wait: { for: P1D } }]
`,
    'attributes.yaml': 'person:\n  bornOn: { type: date, sensitivity: personal }\n',
    ...noTemplates,
  })
  const once = (entry: string, often: string) =>
    `${guide}:5:79 this comes back every year, and "entry: ${entry}"${often}; expected "entry: every-time"`
  const close = (again: string, expected: string) =>
    `${guide}:6:17 "again: ${again}" counts from when somebody entered, and leaves out a year in which the date comes a moment or a day earlier than that; expected ${expected}`

  test.each([
    ['entry: once\n', once('once', ' lets everybody in once in their life')],
    [
      'entry: once-per-journey\n',
      once('once-per-journey', ', as without "entry", lets everybody in once per journey'),
    ],
    ['', once('once-per-journey', ', as without "entry", lets everybody in once per journey')],
    [
      'entry: { again: P1Y }\n',
      close('P1Y', '"entry: every-time", or less, such as "{ again: P11M }"'),
    ],
    [
      'entry: { again: P365D }\n',
      close('P365D', '"entry: every-time", or less, such as "{ again: P11M }"'),
    ],
    ['entry: { again: P24M }\n', close('P24M', 'less, such as "{ again: P23M }"')],
  ])('lets nobody in again, or not every year: %j', async (entry, warning) => {
    expect(await warningsOf(yearly(entry))).toEqual([warning])
  })

  test.each([['entry: every-time\n'], ['entry: { again: P11M }\n'], ['entry: { again: P18M }\n']])(
    'lets everybody in as it says: %j',
    async (entry) => {
      expect(await warningsOf(yearly(entry))).toEqual([])
    },
  )

  test('is another than one that comes once', async () => {
    expect(await warningsOf(yearly('entry: once\n', ''))).toEqual([])
  })

  test('leaves out nothing where it lets in at one age alone', async () => {
    const at = (where: string) => warningsOf(yearly(`audience: { where: ${where} }\nentry: once\n`))
    expect(await at('{ field: person.age, op: eq, value: 50 }')).toEqual([])
    expect(
      await at(
        '{ all: [{ field: person.age, op: eq, value: 50 }, { field: person.bornOn, op: exists, value: true }] }',
      ),
    ).toEqual([])
    expect(await at('{ field: person.age, op: in, value: [50, 60] }')).toHaveLength(1)
    expect(await at('{ not: { field: person.age, op: eq, value: 50 } }')).toHaveLength(1)
  })
})

describe('what a newer version of an appointment says', () => {
  const everyTime = (more = ''): Changes => ({
    [guide]: (sound[guide] ?? '').replace('entry: once-per-entity\n', `entry: every-time\n${more}`),
  })
  const exits = (touchpoint: string): Changes => ({
    [guide]: (sound[guide] ?? '')
      .replace('entry: once-per-entity', 'entry: every-time')
      .replace('care.visit.ended.v1', touchpoint),
  })
  const both = `${guide}:9:8 a newer version of the visit begins anew, and the run before goes on: both tell what is newest; expected "exit: [{ touchpoint: care.visit.booked.v1 }]", or "entry: once-per-entity"`

  test('is told by each run that goes on', async () => {
    expect(await warningsOf(everyTime())).toEqual([both])
    expect(await warningsOf(exits('care.visit.moved.v1'))).toEqual([both])
  })

  test('is told once where the run before ends, or no other begins', async () => {
    expect(await warningsOf(exits('care.visit.booked.v1'))).toEqual([])
    expect(await warningsOf(everyTime('atOnce: 1\n'))).toEqual([])
    expect(
      await warningsOf(everyTime('goal: { touchpoint: care.visit.booked.v1, within: P9D }\n')),
    ).toEqual([])
  })

  test('is not what its event said in a text', async () => {
    const old = (path: string, place: string) =>
      `templates/booked/${place} event.${path} stays what the event said by which the campaign began, also when a newer version says something else; expected entity.${path}`
    expect(
      await warningsOf({
        'templates/booked/sms.nl.hbs': ['entity.startsAt', 'event.startsAt'],
        'templates/booked/app.en.yaml': ['entity.room', 'event.room'],
      }),
    ).toEqual([old('room', 'app.en.yaml:2:13'), old('startsAt', 'sms.nl.hbs:1:12')])
  })
})

describe('what no publisher may tell', () => {
  const silent: Changes[string] = ['types: [care.*, person.*]', 'types: [care.visit.moved.v1]']
  const untold = (never: string, type: string) =>
    `${never}: no publisher of touchpoints.yaml may tell ${type}; it belongs in "types" of the one that does`
  const startedBy = (trigger: string): Changes => ({
    'touchpoints.yaml': silent,
    'attributes.yaml': `${sound['attributes.yaml']}  bornOn: { type: date, sensitivity: personal }\n`,
    [guide]: `id: guide\nname: Guide\njourney: visit\nclass: service\ntrigger: ${trigger}\nentry: every-time\nsteps: [{ wait: { for: P1D } }]\n`,
    ...noTemplates,
  })

  test('starts nothing, ends nothing, is never heard and reached by nobody', async () => {
    const changes: Changes = {
      'touchpoints.yaml': silent,
      [guide]: (sound[guide] ?? '')
        .replace('steps:', 'goal: { touchpoint: care.visit.ended.v1, within: P9D }\nsteps:')
        .concat('  - waitFor: { touchpoint: care.visit.booked.v1, within: P1D, entity: any }\n'),
    }
    const [booked, ended] = ['care.visit.booked.v1', 'care.visit.ended.v1']
    expect(await warningsOf(changes)).toEqual([
      `${guide}:5:24 ${untold('this never starts', booked)}`,
      `${guide}:11:17 ${untold('this ends nothing', ended)}`,
      `${guide}:12:21 ${untold('nobody reaches this', ended)}`,
      `${guide}:22:28 ${untold('this is never heard', booked)}`,
    ])
  })

  test.each([
    ['{ attribute: person.usesPortal, to: true }', '5:23', 'person.upserted.v1'],
    ['{ date: { field: person.bornOn, at: "10:00" } }', '5:27', 'person.upserted.v1'],
    [
      '{ becomes: { field: person.usesPortal, op: eq, value: true } }',
      '5:21',
      'person.upserted.v1',
    ],
    ['{ manual: true }', '5:20', 'person.enrolled.v1'],
  ])('starts nothing by %s', async (trigger, at, type) => {
    expect(await warningsOf(startedBy(trigger))).toEqual([
      `${guide}:${at} ${untold('this never starts', type)}`,
    ])
  })

  test('may start something by what happened before there was none', async () => {
    const happened = '{ happened: { touchpoint: care.visit.ended.v1, within: P30D } }'
    const trigger = `{ becomes: { not: ${happened} } }`
    expect(await warningsOf(startedBy(trigger))).toEqual([])
  })
})

test('a trigger or an audience that holds for nobody', async () => {
  expect(
    await warningsOf({
      [guide]: [
        'where: { field: person.usesPortal, op: eq, value: true }',
        'where: { all: [{ field: person.usesPortal, op: eq, value: true }, { field: person.usesPortal, op: exists, value: false }] }',
      ],
    }),
  ).toEqual([`${guide}:8:10 this never holds: it contradicts itself`])
})

test('an exit that never ends it, by the values of its own touchpoint', async () => {
  const minutes = (op: string, value: number) =>
    `{ field: event.minutes, op: ${op}, value: ${value} }`
  const exit = (where: string): Changes => ({
    [guide]: [
      'touchpoint: care.visit.ended.v1',
      `touchpoint: care.visit.ended.v1\n    where: ${where}`,
    ],
  })
  expect(await warningsOf(exit(minutes('gt', 5)))).toEqual([])
  expect(await warningsOf(exit(`{ all: [${minutes('gt', 5)}, ${minutes('lt', 5)}] }`))).toEqual([
    `${guide}:12:12 this never holds: it contradicts itself`,
  ])
})

test('a persona that those above it leave nobody for', async () => {
  const plain = '    when: { field: person.age, op: gte, value: 65 }\n'
  const elder = `  - id: elder
    name: { nl: Oud, en: Old }
    description: Old
    tone: Calm
    channels: [sms]
    when: { field: person.age, op: gte, value: 80 }
`
  expect(await warningsOf({ 'personas.yaml': [plain, plain + elder] })).toEqual([
    'personas.yaml:8:9 nobody becomes "elder" by its condition: the personas above it come first',
  ])
})

describe('a wait that outlasts a message', () => {
  const asked = (wait: string, arms: string, expires = 'PT12H'): Changes => ({
    [guide]: [
      `  - message: { id: booked, template: booked, until: entity.startsAt }
  - wait: { until: entity.startsAt, offset: -P1D, at: "18:00" }
${rest}`,
      `  - message: { id: booked, template: booked, expires: ${expires} }
${wait}  - branch:
${arms}`,
    ],
  })
  const reached = arm('{ field: enrolment.booked.status, op: eq, value: delivered }')
  const late = (place: string, lasts: string, wait: string) =>
    `${guide}:${place} "booked" is worth sending for ${lasts}, and this waits ${wait}: whom it did not reach hears nothing until then`

  test('is told where something happens for whom it did not reach', async () => {
    const changes = asked('  - wait: { for: P2D }\n', reached + otherwise)
    expect(await warningsOf(changes)).toEqual([late('14:18', 'PT12H', 'P2D')])
  })

  test('is the one of several that does so', async () => {
    const waits = '  - wait: { for: PT11H }\n  - wait: { for: PT2H }\n  - wait: { for: P9D }\n'
    expect(await warningsOf(asked(waits, reached + otherwise))).toEqual([
      late('15:18', 'PT12H', 'PT2H'),
    ])
  })

  test('is told where what becomes of the message is waited for', async () => {
    const waiting = (within: string) =>
      `  - waitFor: { message: booked, status: [delivered], within: ${within} }\n`
    const none = arm('{ field: event.kind, op: eq, value: first }')
    expect(await warningsOf(asked(waiting('P1D'), none))).toEqual([])
    expect(await warningsOf(asked(waiting('P5D'), none))).toEqual([
      `${guide}:14:62 "booked" is worth sending for PT12H, and this waits P5D for what becomes of it: whom it did not reach hears nothing until then`,
    ])
  })

  test.each([
    ['is not told when it is shorter', '  - wait: { for: PT11H }\n', reached + otherwise],
    [
      'is not told when nothing happens for whom it did not reach',
      '  - wait: { for: P2D }\n',
      reached,
    ],
    [
      'is not told when nobody asks',
      '  - wait: { for: P2D }\n',
      arm('{ field: event.kind, op: eq, value: first }'),
    ],
    [
      'is not told when its length hangs on the data',
      '  - wait: { until: entity.startsAt }\n',
      reached + otherwise,
    ],
  ])('%s', async (_, wait, arms) => {
    expect(await warningsOf(asked(wait, arms))).toEqual([])
  })
})

describe('a message that has expired when it comes', () => {
  const message = (more: string) =>
    `  - message: { id: booked, template: booked, until: entity.startsAt${more} }\n`
  const wait = (moment: string) => `  - wait: { ${moment} }\n`
  const booked = message('')
  /** In place of the steps of the sound campaign. */
  const steps = (text: string, more = ''): Changes => ({
    [guide]: (sound[guide] ?? '').replace(/^steps:.*/ms, `${more}steps:\n${text}`),
  })
  const isDue =
    '"booked" is worth sending until entity.startsAt and is due then or later: it never goes out'
  const isBehind =
    '"booked" is worth sending until entity.startsAt and comes behind a wait until then or later: it never goes out'
  const changes = ', unless entity.startsAt changes after that wait'

  test.each([
    ['no offset', ''],
    ['an offset of nothing', ', offset: PT0S'],
    ['an offset', ', offset: PT2H'],
    ['an offset, on the next working day', ', offset: PT2H, on: working-day'],
    ['an offset of days, in the morning', ', offset: P1D, at: "08:00"'],
  ])('is told when both count from one moment, with %s', async (_, rest) => {
    const until = `until: entity.startsAt${rest}`
    expect(await warningsOf(steps(message(`, send: { ${until} }`)))).toEqual([
      `${guide}:13:53 ${isDue}`,
    ])
    expect(await warningsOf(steps(wait(until) + booked))).toEqual([`${guide}:14:53 ${isBehind}`])
  })

  test.each([
    ['it counts from before it', ', offset: -PT1H'],
    ['it is a time of that day', ', at: "18:00"'],
    ['it is a time of what may be that day', ', offset: PT2H, at: "18:00"'],
    ['a working day before it may be meant', ', on: working-day'],
    ['a weekday before it may be meant', ', on: [monday]'],
  ])('is not told when %s', async (_, rest) => {
    const until = `until: entity.startsAt${rest}`
    expect(await warningsOf(steps(message(`, send: { ${until} }`)))).toEqual([])
    expect(await warningsOf(steps(wait(until) + booked))).toEqual([])
  })

  test('is told of a question, too', async () => {
    const ask =
      '  - ask: { id: coming, template: booked, until: entity.startsAt, question: { nl: Komt u?, en: Coming? }, within: P1D, answers: [{ answer: yes-i-do, says: { nl: Ja, en: Yes } }] }\n'
    const { warnings } = await tell(steps(wait('until: entity.startsAt') + ask))
    expect(warnings).toContain(`${guide}:14:49 ${isBehind.replace('booked', 'coming')}`)
  })

  test('is told of an arm behind the wait', async () => {
    const arms = `  - branch:
      - when: { field: event.kind, op: eq, value: first }
        steps:
        ${booked}`
    expect(await warningsOf(steps(wait('until: entity.startsAt') + arms))).toEqual([
      `${guide}:17:61 ${isBehind}`,
    ])
  })

  test.each([
    ['by another wait', wait('for: P1D')],
    [
      'by a wait in an arm',
      `  - branch:\n      - when: { field: event.kind, op: eq, value: first }\n        steps: [{ wait: { for: P1D } }]\n`,
    ],
  ])('says of what is put between them %s that the moment may change', async (_, between) => {
    const [warning, ...others] = await warningsOf(
      steps(wait('until: entity.startsAt') + between + booked),
    )
    expect(others).toEqual([])
    expect(warning).toContain(` ${isBehind}${changes}`)
  })

  test('says so of one whose own moment moves with the appointment, when that was passed', async () => {
    const day = message(', send: { until: entity.startsAt, offset: -P1D }')
    const [warning] = await warningsOf(steps(wait('until: entity.startsAt') + day))
    expect(warning).toContain(` ${isBehind}${changes}`)
  })

  test('is not told of a wait in an arm, which not everybody takes', async () => {
    const arm = `  - branch:
      - when: { field: event.kind, op: eq, value: first }
        steps: [{ wait: { until: entity.startsAt } }]
`
    expect(await warningsOf(steps(arm + booked))).toEqual([])
  })

  test('is not told of a wait for another moment', async () => {
    const sameDay = (sound['touchpoints.yaml'] ?? '').replace(
      '      room: {',
      '      endsAt: { type: instant, sensitivity: neutral, required: true }\n      room: {',
    )
    expect(
      await warningsOf({
        ...steps(wait('until: entity.endsAt') + booked),
        'touchpoints.yaml': sameDay,
      }),
    ).toEqual([])
  })

  test('is not told of a wait at which whoever is taken along from an older version never was', async () => {
    const behind = wait('until: entity.startsAt') + booked
    expect(await warningsOf(steps(behind, 'move: { from: 1, steps: { "1": booked } }\n'))).toEqual(
      [],
    )
    const due = message(', send: { until: entity.startsAt }')
    expect(await warningsOf(steps(due, 'move: { from: 1, steps: { "1": booked } }\n'))).toEqual([
      `${guide}:14:53 ${isDue}`,
    ])
  })
})

test('what tells of health in an SMS, where channels.yaml lets it travel', async () => {
  const changes: Changes = {
    'channels.yaml': ['sms-http, sensitivity: neutral', 'sms-http, sensitivity: health'],
    'templates/booked/template.yaml': ['sms: neutral', 'sms: health'],
    'templates/booked/sms.nl.hbs': ['Tot', '{{entity.kind}}, tot'],
  }
  expect(await warningsOf(changes)).toEqual([
    "templates/booked/sms.nl.hbs:1:1 entity.kind tells about somebody's health, and an SMS lights up on a locked screen",
  ])
})

describe('a variable between single braces', () => {
  const sms = 'templates/booked/sms.nl.hbs'
  const literal = (place: string, found: string) =>
    `${place} "${found}" goes out as it stands: a variable has two braces on each side, {${found}}`

  test.each([
    ['{organisation.phone}'],
    ['{ organisation.phone }'],
    ['{date entity.startsAt}'],
    ['{#if entity.startsAt}'],
    ['{enrolment.booked.status}'],
  ])('%s goes out as it stands', async (found) => {
    expect(await warningsOf({ [sms]: `Tot {{date entity.startsAt}}.\nBel ${found}!\n` })).toEqual([
      literal(`${sms}:2:5`, found),
    ])
  })

  test('is told in a message in the app, too', async () => {
    const app = 'templates/booked/app.nl.yaml'
    expect(await warningsOf({ [app]: ['Kamer', 'Bel {organisation.phone}, kamer'] })).toEqual([
      literal(`${app}:2:12`, '{organisation.phone}'),
    ])
  })

  test.each([
    ['what is none', 'Kies {a.b} of {naam}.'],
    ['a comment', '{{!-- {organisation.phone} --}}Tot dan.'],
    ['what is one', '{{organisation.phone}} is {{#if entity.startsAt}}open{{/if}}.'],
  ])('is not told of %s', async (_, text) => {
    expect(await warningsOf({ [sms]: `${text}\n` })).toEqual([])
  })
})

test('a channel in one language only', async () => {
  expect(await warningsOf({ 'templates/booked/app.en.yaml': null })).toEqual([
    'templates/booked/template.yaml:4:8 app has no "en": who reads that gets it in "nl"',
  ])
})

test('a variable is there for everybody when the audience asks for it', async () => {
  const text: Changes = { 'templates/booked/app.nl.yaml': ['Kamer', '{{person.usesPortal}} Kamer'] }
  expect(await warningsOf(text)).toEqual([])
  expect(
    await warningsOf({
      ...text,
      [guide]: ['  where: { field: person.usesPortal, op: eq, value: true }\n', ''],
    }),
  ).toHaveLength(1)
})

describe('a step that nobody comes to', () => {
  test.each([
    ['an end', '  - end: true\n  - wait: { for: P1D }\n', '16:5'],
    [
      'a branch of which every arm ends',
      branchThatEnds('      - otherwise: [{ end: true }]\n') + '  - wait: { for: P1D }\n',
      '20:5',
    ],
    [
      'an end within an arm',
      '  - split: { id: half, arms: [{ name: a, weight: 1, steps: [{ end: true }, { end: true }] }, { name: b, weight: 1 }] }\n',
      '15:76',
    ],
  ])('comes after %s', async (_, steps, at) => {
    expect(await warningsOf({ [guide]: [rest, steps] })).toEqual([
      `campaigns/guide.yaml:${at} this step is never taken: everybody has left the campaign before it`,
    ])
  })

  test('is none behind a branch that somebody passes', async () => {
    const steps = `${branchThatEnds('')}  - wait: { for: P1D }\n`
    expect(await warningsOf({ [guide]: [rest, steps] })).toEqual([])
  })
})

function branchThatEnds(others: string): string {
  return `  - branch:\n${first}          - end: true\n${others}`
}

describe('a parent who is named', () => {
  const named = (to: string, ages: string): Changes => ({
    [guide]: ['template: booked, until', `template: booked, scope: appointments, to: ${to}, until`],
    'policies.yaml': ['locale: nl\n', `locale: nl\n${ages}`],
  })
  const ages = 'ages: [{ under: 16, to: [parent] }]\n'

  test.each([
    ['parent', '13:71'],
    ['[person, parent]', '13:80'],
  ])('%s hears of somebody of any age', async (to, place) => {
    expect(await warningsOf(named(to, ages))).toEqual([
      `${guide}:${place} a parent who is named gets it however old the person is: without "to", or with "by-age", the rules of age say who is told`,
    ])
  })

  test('is meant where no rules of age are', async () => {
    expect(await warningsOf(named('[person, parent]', ''))).toEqual([])
  })
})

describe('a letter that makes an SMS dearer and stands in no template', () => {
  const zoe: Changes = { 'policies.yaml': ['name: De Linde', 'name: Ziekenhuis Zoë'] }
  const sms = (nl: string, en = 'See you.\n'): Changes => ({
    'templates/booked/sms.nl.hbs': nl,
    'templates/booked/sms.en.hbs': en,
  })
  const dearer =
    'policies.yaml:1:23 "ë" makes every SMS with {{organisation.name}} hold 70 characters instead of 160'

  test('is told of once, where it stands, with the longest SMS that has it', async () => {
    const name = '{{organisation.name}}'
    const changes = sms(
      `Tot ziens. ${name}\n`,
      `We hope to see you soon. ${'Bye '.repeat(12)}${name}\n`,
    )
    expect(await warningsOf({ ...zoe, ...changes })).toEqual([
      `${dearer}, and the longest (templates/booked/sms.en.hbs) 2 parts instead of 1; "e" does not`,
    ])
  })

  test('is told of where other values may make that longer', async () => {
    const changes = sms('Tot {{date entity.startsAt}}. {{organisation.name}}\n')
    expect(await warningsOf({ ...zoe, ...changes })).toEqual([
      `${dearer}, the longest (templates/booked/sms.nl.hbs) is 1 part before its other values are put in; "e" does not`,
    ])
  })

  test('is not told of where it costs nothing, or no SMS has it', async () => {
    expect(await warningsOf({ ...zoe, ...sms('Dag! {{organisation.name}}\n') })).toEqual([])
    expect(await warningsOf(zoe)).toEqual([])
    const app: Changes = {
      'templates/booked/app.nl.yaml': ['Tot ziens', 'Van {{organisation.name}}'],
    }
    expect(await warningsOf({ ...zoe, ...app })).toEqual([])
  })

  test('in a word by which an SMS is answered is told of at that word', async () => {
    const ask = `  - ask:
      id: coming
      template: booked
      channels: [sms]
      question: { nl: Komt u?, en: Coming? }
      within: P1D
      answers:
        - { answer: yes-please, says: { nl: Ja, en: Yes }, words: { nl: [JA], en: ['YES'] } }
        - { answer: no-thanks, says: { nl: Nee, en: No }, words: { nl: [NEË, NEÉ], en: ['NO'] } }
`
    const answers = '{{answers.yes-please.word}} of {{answers.no-thanks.word}}'
    const { 'campaigns/guide.yaml': text = '' } = sound
    const steps = text.slice(text.indexOf('  - message'))
    expect(
      await warningsOf({
        [guide]: text.replace(steps, ask),
        ...sms(`${'Komt u? '.repeat(9)}${answers}\n`, `Coming? ${answers}\n`),
        'templates/booked/template.yaml': 'name: booked\nsensitivity: { sms: neutral }\n',
        'templates/booked/app.nl.yaml': null,
        'templates/booked/app.en.yaml': null,
      }),
    ).toEqual([
      'campaigns/guide.yaml:21:73 "Ë" makes every SMS with {{answers.no-thanks.word}} hold 70 characters instead of 160, and the longest (templates/booked/sms.nl.hbs) 2 parts instead of 1; "E" does not',
    ])
  })
})
