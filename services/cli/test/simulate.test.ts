import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exitCodes } from '@wegwijs/runtime/failure'
import { expect, onTestFinished, test } from 'vitest'
import { exampleFolder } from '../src/log-options.ts'
import { run } from './run.ts'

const simulate = (words: readonly string[], input = '') =>
  run(['simulate', exampleFolder, ...words], {}, input)

async function file(name: string, text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'wegwijs-simulate-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const path = join(directory, name)
  await writeFile(path, text)
  return path
}

async function eventsOf(people: number): Promise<string> {
  const { out } = await run(['journeys', 'generate', '--people', String(people), '--seed', '3'])
  return out
}

test('tells what would be sent, campaign by campaign, with some of the texts', async () => {
  const { code, out } = await simulate(['--journeys', '40'])
  expect(code).toBe(0)
  expect(out).toContain('nothing was sent')
  expect(out).toMatch(/^events +[\d,]+ of 40 people/m)
  expect(out).toMatch(/^busiest day +\w+day \d{4}-\d\d-\d\d: \d+ messages$/m)
  expect(out).toContain('aftercare-at-home: Nazorg thuis')
  expect(out).toMatch(/did not enter: .+ \(trigger_false\)/)
  expect(out).toContain('10 of the messages, as they would be read')
})

test('the same input gives the same lines, from a generator, a file and a pipe', async () => {
  const text = await eventsOf(6)
  const invented = await simulate(['--journeys', '6', '--seed', '3', '--json'])
  const lines = invented.out.trim().split('\n')
  expect(lines.length).toBeGreaterThan(10)
  expect(Object.keys(JSON.parse(lines[0] ?? '{}'))).toEqual([
    'person',
    'campaign',
    'version',
    'step',
    'channel',
    'plannedFor',
    'outcome',
    'reason',
    'eventId',
  ])
  const planned = lines.map((line) => JSON.parse(line).plannedFor as string)
  expect(planned).toEqual(planned.toSorted())
  expect((await simulate(['--events', '-', '--json'], text)).out).toBe(invented.out)
  const path = await file('events.ndjson', text)
  expect((await simulate(['--events', path, '--json'])).out).toBe(invented.out)
})

test('outcomes are drawn as they were asked for', async () => {
  const { out } = await simulate(['--journeys', '10', '--json', '--outcomes', 'bounced=1'])
  expect(out).toContain('"outcome":"bounced"')
  expect(out).not.toContain('"outcome":"delivered"')
  const wrong = await simulate(['--journeys', '10', '--outcomes', 'bounced=2'])
  expect(wrong.code).toBe(exitCodes.usage)
})

test('the log of another system is simulated by its mapping', async () => {
  const log = await file(
    'log.csv',
    [
      'Case ID;Activity;Complete Timestamp;org:group;Age;Diagnose',
      'A;ER Registration;2014/10/22 11:15:41.000;A;70;X',
      'A;Admission NC;2014/10/22 14:13:19.000;B;;',
      'A;Release A;2014/10/25 11:00:00.000;B;;',
      'A;nonsense;yesterday;B;;',
    ].join('\n'),
  )
  const { code, out, err } = await simulate(['--log', log, '--json'])
  expect(code).toBe(0)
  expect(err).toContain('line 5')
  expect(out).toContain('"campaign":"aftercare-at-home"')
})

test('what cannot be read is told by its line', async () => {
  const [first = ''] = (await eventsOf(1)).split('\n')
  const { code, out, err } = await simulate(['--events', '-'], `${first}\nnot json\n{}\n`)
  expect(code).toBe(exitCodes.dataInvalid)
  expect(err).toContain('line 2: not JSON')
  expect(err).toContain('line 3: specversion')
  expect(out).toBe('')
})

test('one input is named, and a folder without faults', async () => {
  expect((await simulate([])).code).toBe(exitCodes.usage)
  expect((await simulate(['--journeys', '1', '--events', '-'])).code).toBe(exitCodes.usage)
  const empty = await run(['simulate', tmpdir(), '--journeys', '1'])
  expect(empty.code).toBe(exitCodes.dataInvalid)
  expect((await simulate(['--events', 'nowhere.ndjson'])).code).toBe(exitCodes.usage)
})
