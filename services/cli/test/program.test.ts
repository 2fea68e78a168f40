import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exitCodes, failures } from '@wegwijs/runtime/failure'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exitCodeTable } from '../src/exit-codes.ts'
import { exampleFolder } from '../src/log-options.ts'
import { table } from '../src/output.ts'
import { isReferenceCurrent } from '../src/reference.ts'
import { run } from './run.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wegwijs-cli-'))
})
afterAll(() => rm(folder, { recursive: true }))

test('the reference page is the one that the commands give', async () => {
  expect(await isReferenceCurrent(), 'run `node services/cli/src/reference.ts`').toBe(true)
})

test('the reference page says in words what is no text when nothing is said', async () => {
  const page = await readFile(new URL('../../../docs/reference/cli.md', import.meta.url), 'utf8')
  expect(page).toContain('| all is delivered, nobody answers, no task is done |')
  expect(page).not.toContain('[object')
})

test('every way to end is in the table of exit codes', () => {
  const known = new Set(exitCodeTable.map(({ code }) => code))
  for (const code of Object.values(exitCodes)) expect(known).toContain(code)
  for (const failure of Object.values(failures)) expect(known).toContain(failure.exitCode)
})

describe('what is not a command', () => {
  test.each([
    [['nonsense']],
    [['journeys', 'generate', '--people', 'many']],
    [['explain']],
    [['stop', 'campaign', 'x']],
    [['status', '--namespace', 'Not A Name']],
    [['rehearse']],
    [['events', 'send']],
  ])('%j ends with a usage code, and says what to do', async (words) => {
    const { code, out, err } = await run(words)
    expect([exitCodes.usage, exitCodes.configuration]).toContain(code)
    expect(out).toBe('')
    expect(err.length).toBeGreaterThan(20)
    expect(err).not.toMatch(/\n\s+at /)
  })

  test('help is an answer, not a fault', async () => {
    const { code, out } = await run(['--help'])
    expect(code).toBe(0)
    expect(out).toContain('dead-letters')
  })
})

test('a variable that is not usable is named, its value is not', async () => {
  const { code, err } = await run(['migrate'], { WEGWIJS_DATABASE_URL: 'mysql://somewhere' })
  expect(code).toBe(exitCodes.configuration)
  expect(err).toContain('WEGWIJS_DATABASE_URL')
  expect(err).not.toContain('mysql://')
})

test('a server that does not answer is unavailable, not a defect', async () => {
  const { code, err } = await run(['keys', 'list'], {
    WEGWIJS_DATABASE_URL: 'postgres://nobody:secret@127.0.0.1:1/none',
  })
  expect(code).toBe(exitCodes.unavailable)
  expect(err).toContain('WEGWIJS_DATABASE_UNAVAILABLE')
  expect(err).not.toContain('secret')
})

describe('validate', () => {
  test('the example hospital is right', async () => {
    const { code, json } = await run(['validate', exampleFolder, '--json'])
    expect(code).toBe(0)
    expect(json()).toMatchObject({ valid: true, faults: [] })
  }, 60_000)

  test('faults are the answer, with file, line, column and the nearest name', async () => {
    const copy = join(folder, 'hospital')
    await cp(exampleFolder, copy, { recursive: true })
    const file = join(copy, 'campaigns', 'aftercare-at-home.yaml')
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replace(/template: ([a-z-]+)/, 'template: $1x'))
    const { code, out, err } = await run(['validate', copy])
    expect(code).toBe(exitCodes.dataInvalid)
    expect(out).toMatch(/^error {3}campaigns\/aftercare-at-home\.yaml:\d+:\d+ .*did you mean/m)
    expect(out).toContain('        see docs/reference/definition.md#step-message\n')
    expect(err).toContain('nothing has been changed')
    expect(err).not.toContain('more may follow')
    const attributes = join(copy, 'attributes.yaml')
    const known = await readFile(attributes, 'utf8')
    await writeFile(attributes, known.replace(/type: [a-z]+/, 'type: purple'))
    expect((await run(['validate', copy])).err).toContain(
      'Not all that other files name of attributes.yaml can be checked before it is mended: more may follow.\n',
    )
  }, 60_000)

  test('ten mistakes in five files are ten faults, in one run, each with its place and its word', async () => {
    const copy = join(folder, 'ten')
    await cp(exampleFolder, copy, { recursive: true })
    const mistakes: Record<string, [string, string][]> = {
      'touchpoints.yaml': [
        [
          '{ type: text, sensitivity: personal, description: Who',
          '{ type: string, sensitivity: personal, description: Who',
        ],
        ['phase: treatment', 'phase: treatmnt'],
      ],
      'personas.yaml': [
        ['field: person.role', 'field: person.roll'],
        ['channels: [app, sms, email]', 'channels: [app, text, email]'],
      ],
      'campaigns/aftercare-at-home.yaml': [
        ['for: PT3H', 'for: 3 hours'],
        ['template: home-again', 'template: home-agian'],
        ['value: worried-caregiver', 'value: worried-caregivr'],
      ],
      'campaigns/aftercare-at-home.test.yaml': [['sent: home-again', 'sent: home-agian']],
      'mappings/sepsis-log.yaml': [
        ['activity: Activity', 'activty: Activity'],
        ['type: care.infusion.started.v1', 'type: care.infusion.begun.v1'],
      ],
    }
    for (const [path, changes] of Object.entries(mistakes)) {
      const text = await readFile(join(copy, path), 'utf8')
      const wrong = changes.reduce((before, [from, to]) => before.replace(from, to), text)
      await writeFile(join(copy, path), wrong)
    }
    const { code, out, err } = await run(['validate', copy])
    expect(code).toBe(exitCodes.dataInvalid)
    expect(out.match(/^error .*$/gm)).toEqual(
      [
        'campaigns/aftercare-at-home.test.yaml:11:17 unknown message "home-agian" (did you mean "home-again"?)',
        'campaigns/aftercare-at-home.yaml:23:55 expected one of "referrer", "worried-caregiver", "digital-senior", "busy-parent", "everybody-else", found "worried-caregivr" (did you mean "worried-caregiver"?)',
        'campaigns/aftercare-at-home.yaml:25:79 expected an ISO 8601 duration such as "P2D" or "PT12H", found "3 hours"',
        'campaigns/aftercare-at-home.yaml:29:25 unknown template "home-agian" (did you mean "home-again"?)',
        'mappings/sepsis-log.yaml:7:1 unknown key "activty" (did you mean "activity"?)',
        'mappings/sepsis-log.yaml:28:11 unknown touchpoint "care.infusion.begun.v1"',
        'personas.yaml:10:20 unknown field "person.roll" (did you mean "person.role"?)',
        'personas.yaml:39:21 expected one of "app", "email", "sms", found "text"',
        'touchpoints.yaml:34:21 expected one of "text", "number", "boolean", "instant", "date", found "string"',
        'touchpoints.yaml:46:12 unknown phase of hospital-stay "treatmnt" (did you mean "treatment"?)',
      ].map((fault) => `error   ${fault}`),
    )
    expect(out.match(/^ {8}see docs\/reference\/definition\.md#/gm)).toHaveLength(9)
    expect(err).toContain('10 faults; nothing has been changed.')
  }, 60_000)

  test('a mapping with a fault is no answer to a log, and keeps nothing from going live', async () => {
    const copy = join(folder, 'mapped')
    await cp(exampleFolder, copy, { recursive: true })
    const file = join(copy, 'mappings/sepsis-log.yaml')
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replace('care.infusion.started.v1', 'care.infusion.startd.v1'))
    const { code, out, err } = await run(['validate', copy])
    expect(code).toBe(exitCodes.dataInvalid)
    expect(out).toBe(
      'error   mappings/sepsis-log.yaml:28:11 unknown touchpoint "care.infusion.startd.v1" (did you mean "care.infusion.started.v1"?)\n        see docs/reference/definition.md#log-mapping\n',
    )
    expect(err).toContain('the rest can go live')
    const other = await run(['graph', copy, 'aftercare-at-home', '--no-counts'])
    expect(other.code, other.err).toBe(0)
  }, 60_000)

  test('a warning stands apart, and ends a strict check only', async () => {
    const copy = join(folder, 'warned')
    await cp(exampleFolder, copy, { recursive: true })
    await cp(join(copy, 'templates/welcome-ward'), join(copy, 'templates/nobody'), {
      recursive: true,
    })
    const manifest = join(copy, 'templates/nobody/template.yaml')
    await writeFile(
      manifest,
      (await readFile(manifest, 'utf8')).replace(/name: .*/, 'name: nobody'),
    )
    const { code, out, err } = await run(['validate', copy])
    expect(code).toBe(0)
    expect(out).toMatch(/^warning templates\/nobody\/template\.yaml:1:1 no campaign sends/)
    expect(err).toContain('no faults, and 1 warning')
    expect((await run(['validate', copy, '--strict'])).code).toBe(exitCodes.dataInvalid)
    expect((await run(['validate', exampleFolder, '--strict'])).code).toBe(0)
  }, 60_000)
})

test.each([['validate'], ['plan'], ['apply'], ['test'], ['fmt'], ['schemas'], ['graph', 'x']])(
  '%s of a file says that a folder is meant, and is no defect',
  async (command, ...more) => {
    const file = join(folder, 'a-file')
    await writeFile(file, 'x')
    const { code, out, err } = await run([command, file, ...more])
    expect([exitCodes.dataInvalid, exitCodes.usage]).toContain(code)
    expect(out + err).toContain('this is a file, and a definition is a folder')
  },
)

test('schemas makes no folder of a name that was misspelt', async () => {
  const nowhere = join(folder, 'hospitall')
  const { code, err } = await run(['schemas', nowhere])
  expect(code).toBe(exitCodes.usage)
  expect(err).toContain('there is no such folder')
  expect((await run(['validate', nowhere])).out).toContain('there is no such folder')
})

describe('graph', () => {
  test('needs no server: it says why it does not count', async () => {
    const { code, out, err } = await run(['graph', exampleFolder, 'patient-panel'], {
      WEGWIJS_DATABASE_URL: 'postgres://nobody:secret@127.0.0.1:1/none',
    })
    expect(code).toBe(0)
    expect(out).toContain('flowchart TD')
    expect(err).toContain('without counts: the database does not answer')
  })

  test('draws a campaign where there is no database, and says that nothing is counted', async () => {
    const { code, out, err } = await run(['graph', exampleFolder, 'patient-panel', '--no-counts'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^---\ntitle: "Denk mee met De Linde"\n---\nflowchart TD\n/)
  }, 60_000)

  test('names the campaign that was meant', async () => {
    const { code, err } = await run(['graph', exampleFolder, 'patient-pannel'])
    expect(code).toBe(exitCodes.usage)
    expect(err).toContain('did you mean patient-panel?')
  }, 60_000)
})

test('files are put into form, and a check says which are not', async () => {
  const copy = join(folder, 'untidy')
  await cp(exampleFolder, copy, { recursive: true })
  expect((await run(['fmt', copy, '--check'])).code).toBe(0)
  const file = join(copy, 'campaigns/patient-panel.yaml')
  const text = await readFile(file, 'utf8')
  await writeFile(file, text.replace(/^(id: .*\n)(name: .*\n)/, '$2$1'))
  const checked = await run(['fmt', copy, '--check'])
  expect(checked.code).toBe(exitCodes.checkFailed)
  expect(checked.out).toBe('campaigns/patient-panel.yaml\n')
  expect((await run(['fmt', copy])).err).toContain('1 file put into form')
  expect(await readFile(file, 'utf8')).toBe(text)
  await writeFile(file, 'name: "')
  const refused = await run(['fmt', copy])
  expect(refused.code).toBe(exitCodes.dataInvalid)
  expect(refused.out).toMatch(/^error {3}campaigns\/patient-panel\.yaml:\d+:\d+ not YAML/)
}, 60_000)

test('schemas are written where an editor finds them, and are no part of the definition', async () => {
  const copy = join(folder, 'with-schemas')
  await cp(exampleFolder, copy, { recursive: true })
  const { code, out } = await run(['schemas', copy])
  expect(code).toBe(0)
  expect(out).toContain('# yaml-language-server: $schema=../.schemas/campaign.json')
  const schema = JSON.parse(await readFile(join(copy, '.schemas/campaign.json'), 'utf8')) as object
  expect(schema).toMatchObject({ title: 'Campaign', type: 'object' })
  const campaign = join(copy, 'campaigns/patient-panel.yaml')
  const text = await readFile(campaign, 'utf8')
  await writeFile(campaign, `# yaml-language-server: $schema=../.schemas/campaign.json\n${text}`)
  expect((await run(['validate', copy, '--strict'])).code).toBe(0)
}, 60_000)

describe('journeys', () => {
  test('generate gives one CloudEvent a line, the same every time', async () => {
    const words = ['journeys', 'generate', '--people', '3', '--seed', 'a1']
    const { code, out, err } = await run(words)
    expect(code).toBe(0)
    const events = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(events[0]).toMatchObject({ specversion: '1.0', datacontenttype: 'application/json' })
    expect(err).toContain(`${events.length} events of 3 people`)
    expect((await run(words)).out).toBe(out)
  })
})

test('columns of a table stand under each other', () => {
  expect(
    table(
      ['NAME', 'COUNT'],
      [
        ['a', 5],
        ['longer', 12],
      ],
    ),
  ).toEqual(['NAME    COUNT', 'a           5', 'longer     12'])
  expect(table(['NAME'], [[null]])).toEqual(['NAME', ''])
})
