import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exitCodes } from '@wegwijs/runtime/failure'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { exampleFolder } from '../src/log-options.ts'
import { run } from './run.ts'

type Report = {
  held: number
  failed: number
  specifications: {
    campaign: string
    name: string
    file: string
    line: number
    holds: boolean
    unmet?: { line: number; column: number; expected: string; happened: string[] }[]
    timeLine?: string[]
  }[]
  untested: { campaigns: string[]; messages: { campaign: string; message: string }[] }
}

async function temporaryExample(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'wegwijs-specifications-'))
  await cp(exampleFolder, folder, { recursive: true })
  return folder
}

async function replaceIn(path: string, before: string, after: string): Promise<void> {
  const text = await readFile(path, 'utf8')
  // A mistake that was not planted would prove nothing.
  if (!text.includes(before)) throw new Error(`${path} has no "${before}"`)
  await writeFile(path, text.replace(before, after))
}

/** A copy of the example to plant a mistake in. */
async function copyOfExample(): Promise<string> {
  const folder = await temporaryExample()
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

/** A copy of the example with one text of one file replaced by another. */
async function exampleWith(path: string, before: string, after: string): Promise<string> {
  const folder = await copyOfExample()
  await replaceIn(join(folder, path), before, after)
  return folder
}

/** The line of a file of the example on which a text stands first, behind another one. */
async function lineOf(path: string, text: string, behind = ''): Promise<number> {
  const whole = await readFile(join(exampleFolder, path), 'utf8')
  const from = whole.indexOf(behind)
  const place = whole.indexOf(text, from)
  if (from < 0 || place < 0) throw new Error(`${path} has no "${text}"`)
  return whole.slice(0, place).split('\n').length
}

test('every campaign of the example has specifications, and all hold', async () => {
  const { code, out, err } = await run(['test', exampleFolder])
  expect(out).not.toContain('✗')
  expect(code).toBe(0)
  expect(out).toContain('  ✓ The evening message moves along with the appointment')
  expect(err).toMatch(/^\d+ specifications, and all hold$/m)
  expect(err).not.toContain('warning')
})

/** One mistake in each campaign, and which line of which specification it makes untrue. */
type Planted = readonly [
  what: string,
  campaign: string,
  before: string,
  after: string,
  specification: string,
  line: string,
  expected: string,
  happened: string | RegExp,
]

const rounds: readonly (readonly Planted[])[] = [
  [
    [
      'another hour',
      'appointment-guide',
      '{ until: entity.startsAt, offset: -P1D, at: "18:00" }',
      '{ until: entity.startsAt, offset: -P1D, at: "17:00" }',
      'Before an operation, the evening message tells of somebody who went before',
      '{ sent: evening-before, at: 2026-03-13 18:00, over: app',
      'sent evening-before, at 2026-03-13 18:00, over app, saying 14 maart 2026',
      /^evening-before was sent at 2026-03-13 17:00 over app, saying: /,
    ],
    [
      'a forgotten exit',
      'aftercare-at-home',
      '  - touchpoint: care.emergency.returned.v1\n',
      '',
      'Back in the emergency room, nobody reads tips for at home',
      '- nothing else',
      'nothing else',
      'tips was sent at 2026-03-06 10:00 over app',
    ],
    [
      'marketing that calls itself care',
      'patient-panel',
      'class: marketing',
      'class: care',
      'Whoever never said yes hears nothing',
      '{ not sent: invitation',
      'not sent invitation, because consent_missing',
      'invitation was sent at 2026-03-24 10:30 over email',
    ],
    [
      'an audience that is left out',
      'family-information',
      'audience: { personas: [worried-caregiver] }\n',
      '',
      'It is for families, not for who lies there',
      '[nothing]',
      'nothing',
      /^information was sent at 2026-03-03 16:00/,
    ],
    [
      'a reminder for whom the invitation never reached',
      'experience-survey',
      'value: [sent, delivered]',
      'value: [sent, delivered, bounced]',
      'Whoever the invitation did not reach is not reminded of it',
      '- nothing else',
      'nothing else',
      /^reminder, planned for 2026-03-16 10:00, was not sent \(no_usable_channel/,
    ],
    [
      'an entry that lets nobody in twice',
      'welcome-at-the-ward',
      'entry: once-per-journey',
      'entry: once',
      'A second stay begins with a welcome again',
      '{ sent: welcome, at: 2026-05-10 13:00 }',
      'sent welcome, at 2026-05-10 13:00',
      /^welcome was sent at 2026-03-03 14:00/,
    ],
    [
      'a campaign that starts again',
      'appointment-cancelled',
      'entry: once-per-entity',
      'entry: every-time',
      'It is said once, also when the record says it twice',
      '{ did not enter: already_entered',
      'did not enter already_entered, at 2026-03-10 14:20',
      'they entered at 2026-03-10 14:00',
    ],
    [
      'a run that a second change does not end',
      'appointment-moved',
      'template: appointment-moved, until: entity.startsAt',
      'template: appointment-moved, expires: P1D',
      'A change that reaches us when the appointment is over is not told any more',
      '- nothing',
      'nothing',
      /^moved was sent at 2026-03-14 17:00/,
    ],
  ],
  [
    [
      'a moment that no longer hangs on the appointment',
      'appointment-guide',
      'send: { until: entity.startsAt, offset: -P1D, at: "18:00" }',
      'send: { until: event.startsAt, offset: -P1D, at: "18:00" }',
      'The evening message moves along with the appointment',
      '{ sent: evening-before, at: 2026-03-19 18:00',
      'sent evening-before, at 2026-03-19 18:00, saying 20 maart 2026',
      /^evening-before/,
    ],
  ],
]

describe.each(rounds)('mistakes planted in campaigns', (...planted) => {
  let specifications: Report['specifications'] = []
  let code = 0
  beforeAll(async () => {
    const folder = await temporaryExample()
    for (const [, campaign, before, after] of planted) {
      await replaceIn(join(folder, `campaigns/${campaign}.yaml`), before, after)
    }
    const ran = await run(['test', folder, '--json'])
    code = ran.code
    specifications = (ran.json() as Report).specifications
    await rm(folder, { recursive: true })
  })

  test.each(planted)(
    '%s in %s is found by its specification, at its line',
    async (_, campaign, _before, _after, specification, line, expected, happened) => {
      expect(code).toBe(exitCodes.checkFailed)
      const found = specifications.find(({ name }) => name === specification)
      expect(found).toMatchObject({ campaign, holds: false })
      const unmet = found?.unmet?.find((each) => each.expected === expected)
      expect(found?.unmet).toContainEqual(unmet)
      expect(unmet?.line).toBe(await lineOf(`campaigns/${campaign}.test.yaml`, line, specification))
      expect(unmet?.happened[0]).toMatch(happened)
      expect(found?.timeLine?.length).toBeGreaterThan(1)
    },
  )
})

test('a mistake is told with the line, what happened, and the time line of the person', async () => {
  const folder = await exampleWith(
    'campaigns/aftercare-at-home.yaml',
    'at: "10:00", on: working-day',
    'at: "11:00", on: working-day',
  )
  const { code, out, err } = await run(['test', folder, '--campaign', 'aftercare-at-home'])
  expect(code).toBe(exitCodes.checkFailed)
  expect(err).toMatch(/^\d+ specifications: \d do not hold$/m)
  expect(out).toContain(`  ✗ Whoever goes home on a Friday gets the tips on Monday
      campaigns/aftercare-at-home.test.yaml:${await lineOf('campaigns/aftercare-at-home.test.yaml', '{ sent: tips, at: 2026-03-09')}:9
        expected  sent tips, at 2026-03-09 10:00
        but       tips was sent at 2026-03-09 11:00 over app
      what happened
        2026-03-06 08:00  What is known of the person from ehr
        2026-03-06 09:00  Discharged from hospital from ehr
                            → aftercare-at-home: the campaign "Nazorg thuis" began for the person
`)
  expect(out).toContain('        2026-03-09 11:00  message aftercare-at-home/tips sent by app over')
  expect(out).toContain('  ✓ Whoever goes on to a nursing home is looked after there')
  expect(out).not.toContain('patient-panel: Denk')
})

test('what was heard of a message leads on in a time line, and no time that had come', async () => {
  const folder = await exampleWith(
    'campaigns/appointment-guide.yaml',
    'offset: -P1D, at: "18:00"',
    'offset: -P1D, at: "17:00"',
  )
  const { out } = await run(['test', folder, '--campaign', 'appointment-guide'])
  expect(out).toContain(`
        2026-03-13 17:00  message appointment-guide/evening-before sent by app over app-inbox, delivered
        2026-03-13 17:00  Receipt: delivered from app-inbox: the provider reports delivery
                            → appointment-guide: the message "evening-before" was delivered
`)
  expect(out).not.toContain('17:00  the time of appointment-guide had come')
})

test('a message that nobody named fails, at the line of "then"', async () => {
  const path = 'campaigns/welcome-at-the-ward.test.yaml'
  const line = '      - { sent: questions, at: 2026-03-04 08:30 }\n'
  const folder = await exampleWith(path, `${line}\n`, '\n')
  const { code, json } = await run(['test', folder, '--campaign', 'welcome-at-the-ward', '--json'])
  expect(code).toBe(exitCodes.checkFailed)
  const failing = (json() as Report).specifications.filter(({ holds }) => !holds)
  expect(failing).toHaveLength(1)
  expect(failing[0]?.unmet).toEqual([
    {
      line: await lineOf(path, '- { sent: welcome, at: 2026-03-04 00:20 }'),
      column: 7,
      expected: 'no message without a line',
      happened: ['questions was sent at 2026-03-04 08:30 over app'],
    },
  ])
})

test('specifications of a campaign that is gone are not played, and told', async () => {
  const folder = await copyOfExample()
  await rm(join(folder, 'campaigns/patient-panel.yaml'))
  const { code, out, err } = await run(['test', folder])
  expect(code).toBe(0)
  expect(out).not.toContain('Children are not asked')
  expect(err).toContain(
    'warning: campaigns/patient-panel.test.yaml is not played: there is no campaign patient-panel',
  )
})

test('a campaign without specifications is a warning, and no failure', async () => {
  const folder = await copyOfExample()
  await rm(join(folder, 'campaigns/patient-panel.test.yaml'))
  const { code, err } = await run(['test', folder])
  expect(code).toBe(0)
  expect(err).toContain(
    'warning: patient-panel has no specifications (campaigns/patient-panel.test.yaml)',
  )
  const { json } = await run(['test', folder, '--json'])
  expect((json() as Report).untested).toEqual({ campaigns: ['patient-panel'], messages: [] })
})

test('a message that no specification sends is a warning, too', async () => {
  const folder = await copyOfExample()
  const specifications = join(folder, 'campaigns/appointment-guide.test.yaml')
  const text = await readFile(specifications, 'utf8')
  const [head = '', first = ''] = text.split(/^ {2}- name:/m)
  await writeFile(specifications, `${head}  - name:${first}`)
  const { code, err } = await run(['test', folder, '--campaign', 'appointment-guide'])
  expect(code).toBe(0)
  expect(err).toBe(
    'warning: no specification of appointment-guide sends reminder\n1 specification, and all hold\n',
  )
})

test('what is wrong with a definition or its specifications is told, and nothing is played', async () => {
  const folder = await exampleWith(
    'campaigns/patient-panel.test.yaml',
    'sent: invitation',
    'sent: invitatoin',
  )
  const { code, out } = await run(['test', folder])
  expect(code).toBe(exitCodes.dataInvalid)
  expect(out).toMatch(
    /^error {3}campaigns\/patient-panel\.test\.yaml:\d+:\d+ unknown message "invitatoin" \(did you mean "invitation"\?\)$/m,
  )
  expect(out).not.toContain('✓')
})

test('a campaign that there is not is told with the nearest one', async () => {
  const { code, err } = await run(['test', exampleFolder, '--campaign', 'patient-pannel'])
  expect(code).toBe(exitCodes.usage)
  expect(err).toContain('did you mean patient-panel?')
})
