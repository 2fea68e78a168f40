import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { exitCodes } from '@wegwijs/runtime/failure'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { expect, inject, onTestFinished, test } from 'vitest'
import { exampleFolder } from '../src/log-options.ts'
import { moveLines } from '../src/simulation/report.ts'
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
  const { code, out } = await simulate(['--journeys', '12'])
  expect(code).toBe(0)
  expect(out).toContain('nothing was sent')
  expect(out).toMatch(/^events +[\d,]+ of 12 people/m)
  expect(out).toMatch(/^busiest day +\w+day \d{4}-\d\d-\d\d: \d+ messages$/m)
  expect(out).toContain('aftercare-at-home: Nazorg thuis')
  expect(out).toMatch(/did not enter: .+ \(trigger_false\)/)
  expect(out).toMatch(
    /^ {2}reached the goal: \d+ of \d+ who entered\n {2}assumed: people who answer from 18 to 30 %$/m,
  )
  // Of so few people no share is told, and none is held against what is assumed.
  expect(out).not.toContain('  here: ')
  expect(out).not.toContain('Of goals: ')
  expect(out).toContain('10 of the messages, as they would be read')
})

test('a share that reached the goal is held against what is assumed, and told for what it is', async () => {
  const assumed = async (from: number, to: number, unit = '%') => {
    const folder = await aftercareAlone()
    const path = join(folder, 'campaigns', 'aftercare-at-home.yaml')
    const text = await readFile(path, 'utf8')
    const { what } = /what: (?<what>[^,]+)/.exec(text)?.groups ?? {}
    const assumption = `assumption: { what: ${what}, from: ${from}, to: ${to}, unit: "${unit}" }`
    await writeFile(path, text.replace(/assumption: .*/, assumption))
    return (await run(['simulate', folder, '--journeys', '120'])).out
  }
  const rate = /reached the goal: .+\((\d+\.\d) %\) who entered/.exec(await assumed(0, 1))?.[1]
  const is = Number(rate)
  expect(is).toBeGreaterThan(1)
  const told = (where: string) => `  here: ${rate} % who entered reached the goal, ${where}\n`
  const between = await assumed(is + 1, is - 1)
  expect(between).toContain(told('between them'))
  expect(between).toContain('and not what a campaign changes')
  expect(await assumed(0, is - 1)).toContain(told('above both'))
  expect(await assumed(is + 1, 100)).toContain(told('below both'))
  expect(await assumed(0, 1, 'nights')).not.toContain('  here: ')
})

test('whoever is held out is counted beside the others, also of what the campaign is for', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wegwijs-held-out-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await cp(exampleFolder, folder, { recursive: true })
  const path = join(folder, 'campaigns', 'experience-survey.yaml')
  const text = await readFile(path, 'utf8')
  await writeFile(path, text.replace('\nsteps:\n', '\nholdOut: 50\nsteps:\n'))
  const { out } = await run(['simulate', folder, '--journeys', '60'], {}, '')
  const [, told = ''] = out.split('experience-survey: ')
  expect(told).toMatch(/^ {2}\d+ did not begin: .+ \(held_out\)$/m)
  expect(told).toMatch(
    /^ {2}reached the goal: \d+ of \d+(?: \(.+ %\))? who entered, \d+ of \d+(?: \(.+ %\))? held out$/m,
  )
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

test.each([0, 7, 10_000])(
  'one event from the future, at %d, is counted as such and spoils no other',
  async (place) => {
    const text = await eventsOf(6)
    const lines = text.trim().split('\n')
    const future = { ...JSON.parse(lines[1] ?? ''), id: 'future', time: '9999-12-31T00:00:00Z' }
    const spoilt = lines.toSpliced(place, 0, JSON.stringify(future)).join('\n')
    const [right, wrong] = [
      await simulate(['--events', '-', '--json', '--counts'], text),
      await simulate(['--events', '-', '--json', '--counts'], spoilt),
    ].map(({ out }) => JSON.parse(out))
    expect(wrong).toEqual({
      ...right,
      events: right.events + 1,
      deadLetters: { time_in_future: 1 },
    })
    const { out } = await simulate(['--events', '-'], spoilt)
    expect(out).toContain('time_in_future')
  },
)

test('outcomes are drawn as they were asked for', async () => {
  const { out } = await simulate(['--journeys', '10', '--json', '--outcomes', 'bounced=1'])
  expect(out).toContain('"outcome":"bounced"')
  // What lies in the app has arrived.
  const delivered = out.split('\n').filter((line) => line.includes('"outcome":"delivered"'))
  expect(delivered.filter((line) => !line.includes('"channel":"app"'))).toEqual([])
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

test('a mapping that there is not is told with the one that was meant', async () => {
  const log = await file('log.csv', 'Case ID;Activity\n')
  const folder = dirname(await file('wards.yaml', ''))
  const misspelt = (path: string) => simulate(['--log', log, '--mapping', path])
  const { code, err } = await misspelt(join(folder, 'wrads.yaml'))
  expect(code).toBe(exitCodes.usage)
  expect(err).toContain(
    `there is no mapping ${join(folder, 'wrads.yaml')}; did you mean ${join(folder, 'wards.yaml')}?`,
  )
  const example = join(exampleFolder, 'mappings', 'sepsis-log.yaml')
  for (const name of ['sepsis-lg', 'sepsis-log'])
    expect((await misspelt(name)).err).toContain(
      `there is no mapping ${name}; did you mean ${example}?`,
    )
  expect((await misspelt(join(folder, 'radiology.yaml'))).err).toMatch(
    /there is no mapping \S+radiology\.yaml$/m,
  )
})

test('what cannot be read is told by its line', async () => {
  const [first = ''] = (await eventsOf(1)).split('\n')
  const { code, out, err } = await simulate(['--events', '-'], `${first}\nnot json\n{}\n`)
  expect(code).toBe(exitCodes.dataInvalid)
  expect(err).toContain('line 2: not JSON')
  expect(err).toContain('line 3: specversion')
  expect(out).toBe('')
})

test('events that cannot be used are told by class, with what it means and what to do', async () => {
  const [first = ''] = (await eventsOf(1)).split('\n')
  const stranger = JSON.stringify({ ...JSON.parse(first), source: 'urn:example:nobody' })
  const { code, out } = await simulate(['--events', '-'], `${first}\n${stranger}\n`)
  expect(code).toBe(0)
  expect(out).toContain(`
not usable   1: touchpoints.yaml names no such source of events, or the key is for another one (source_not_allowed)
             what to do: add the source to the publishers of touchpoints.yaml and apply, or correct it
`)
})

test('one input is named, and a folder without faults', async () => {
  expect((await simulate([])).code).toBe(exitCodes.usage)
  expect((await simulate(['--journeys', '1', '--events', '-'])).code).toBe(exitCodes.usage)
  const empty = await run(['simulate', tmpdir(), '--journeys', '1'])
  expect(empty.code).toBe(exitCodes.dataInvalid)
  expect((await simulate(['--events', 'nowhere.ndjson'])).code).toBe(exitCodes.usage)
})

/** The example, with the survey only for who says so, and with nobody asked to join the panel. */
async function draftOfExample(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'wegwijs-draft-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await cp(exampleFolder, directory, { recursive: true })
  const campaigns = join(directory, 'campaigns')
  await rm(join(campaigns, 'patient-panel.yaml'))
  const file = join(campaigns, 'aftercare-at-home.yaml')
  const text = await readFile(file, 'utf8')
  await writeFile(file, text.replace('channels: [app, email, sms]', 'channels: [email, sms, app]'))
  return directory
}

test('a draft is compared with another definition: who gets more, less, other, and why', async () => {
  const draft = await draftOfExample()
  const words = ['simulate', draft, '--journeys', '40', '--against', exampleFolder]
  const { code, out } = await run(words)
  expect(code).toBe(0)
  expect(out).toMatch(/^Compared with .+: 0 messages more, \d+ less, \d+ otherwise, \d+ the same$/m)
  expect(out).toMatch(
    /^ {2}\d+ less, then not, because there is no such campaign \(campaign_not_live\): /m,
  )
  expect(out).toMatch(
    /^ {2}\d+ otherwise, by email instead of app, because the message says so: ehr:P-/m,
  )
  const json = await run([...words, '--json'])
  const changes = json.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).change as string)
  expect(new Set(changes)).toEqual(new Set(['less', 'other']))
})

/** The example with one campaign and its texts: what the others do is not asked here, and takes seconds. */
async function aftercareAlone(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'wegwijs-move-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const kept = ['aftercare-at-home.yaml', 'caring-for-someone', 'home-again', 'recovery-tips']
  await cp(exampleFolder, directory, {
    recursive: true,
    filter: (path) => {
      const [folder, name] = relative(exampleFolder, path).split(sep)
      const isOneOfMany = folder === 'campaigns' || folder === 'templates'
      return name === undefined || !isOneOfMany || kept.includes(name)
    },
  })
  return directory
}

test('a draft that moves people says who would go over, and what they would get', async () => {
  const [live, directory] = [await aftercareAlone(), await aftercareAlone()]
  const draft = join(directory, 'campaigns', 'aftercare-at-home.yaml')
  const before = await readFile(draft, 'utf8')
  const events = (await eventsOf(40)).split('\n')
  // Cut off in the middle, so that some are under way.
  const history = await file('half.ndjson', events.slice(0, events.length / 2).join('\n'))
  const words = ['simulate', directory, '--events', history, '--against', live]
  const drafted = async (move: string) =>
    writeFile(draft, `${before.replace('wait: { for: P2D', 'wait: { for: P9D')}${move}`)

  await drafted('move:\n  from: 1\n  steps: { "1.2.2": "1.2.2" }\n')
  const { code, out } = await run(words)
  expect(code).toBe(0)
  const [, published = ''] = out.split('\nPublished at the end of these events, ')
  const [, people, from, to] =
    /^ {2}aftercare-at-home: (\d+) under way in version 1 go over to version 2\n {4}(\d+) at "1\.2\.2": on at "(.+)"$/m.exec(
      published,
    ) ?? []
  expect(Number(people)).toBeGreaterThan(0)
  expect([from, to]).toEqual([people, '1.2.2'])
  expect(published).toMatch(
    new RegExp(
      `^Compared with everybody staying as they are: 0 messages more, 0 less, ${people} otherwise, [\\d,]+ the same$`,
      'm',
    ),
  )
  expect(published).toMatch(
    /^aftercare-at-home tips\n {2}\d+ otherwise, at another moment, because its trigger or another step was changed \(from 20\d\d-.{11} to 20\d\d-.{11}.*\): ehr:P-/m,
  )
  const { json } = await run([...words, '--json', '--counts'])
  expect(json()).toMatchObject({
    move: { moved: [{ campaign: 'aftercare-at-home', from: 1, to: 2 }] },
  })

  await drafted('move:\n  from: 1\n  steps: { "1.2.2": end }\n')
  const ended = await run(words)
  expect(ended.out).toContain(`    ${people} at "1.2.2": taken out`)
  expect(ended.out).toContain(
    `Compared with everybody staying as they are: 0 messages more, ${people} less, 0 otherwise, `,
  )

  await drafted('move:\n  from: 1\n  steps: { "1.2.9": "1.2.2" }\n')
  expect(await run(words)).toMatchObject({ code: exitCodes.dataInvalid, out: '' })
}, 60_000)

test('of people who are not there nothing is said: neither under way, nor through', () => {
  const moved = { campaign: 'after', from: 1, to: 2, steps: [], through: 3, throughTo: 'reminder' }
  const told = (each: typeof moved) =>
    moveLines({ at: '2026-03-02T09:00:00.000Z', moved: [each], same: 0, differences: [] }, 'UTC')
  expect(told(moved).slice(2, -2)).toEqual([
    '  after: 3 through version 1, with messages planned: on at "reminder"',
  ])
  expect(told({ ...moved, through: 0 }).slice(2, -2)).toEqual([])
})

test('stored rows that cannot be read are left out, counted and named, and stop nothing', async () => {
  const { databaseUrl } = inject('servers')
  const store = await openNamespace(databaseUrl, 'simulate')
  onTestFinished(() => store.close())
  const environment = { WEGWIJS_NAMESPACE: store.namespace, WEGWIJS_DATABASE_URL: databaseUrl }
  const { db } = store
  const [good, damaged] = [newUuid(), newUuid()]
  const nothingKnown = { contacts: '{}', fields: '{}', journeys: '{}' }
  await db
    .insertInto('person')
    .values([
      { person_id: good, ...nothingKnown },
      { person_id: damaged, ...nothingKnown, fields: '5' },
    ])
    .execute()
  await db
    .insertInto('person_identity')
    .values([
      { person_id: good, id_space: 'ehr', external_id: 'good' },
      { person_id: damaged, id_space: 'ehr', external_id: 'damaged' },
    ])
    .execute()
  const source = 'urn:example:delinde:ehr'
  const at = new Date().toISOString()
  const place = { type: 'care.survey.answered.v1', outcome: 'applied', topic: 't', partition: 0 }
  const happened = (person_id: string, subject: string, event_id: string, data: unknown) =>
    db
      .insertInto('event')
      .values({
        ...place,
        person_id,
        source,
        event_id,
        subject,
        time: at,
        business_at: at,
        data: JSON.stringify(data),
        record_offset: '1',
      })
      .execute()
  await happened(good, 'good', 'fine', { recommends: 9 })
  await happened(damaged, 'damaged', 'theirs', { recommends: 9 })
  for (let number = 1; number <= 11; number += 1)
    await happened(good, 'good', `spoilt-${number}`, 'spoilt')

  const words = ['simulate', exampleFolder, '--days', '30']
  const told = await run(words, environment)
  expect(told.code).toBe(0)
  expect(told.out).toContain('events       1 of 1 people: 1 applied, 0 seen before')
  expect(told.out).toContain(`
not readable 12 stored rows are left out
             1 person is left out with all their events
             person.fields of ${damaged}
             event.data of ${source}/spoilt-1
`)
  expect(told.out).toContain(`
             event.data of ${source}/spoilt-9
             and 2 others
             what to do: `)

  const lines = await run([...words, '--json'], environment)
  expect(lines).toMatchObject({ code: 0, out: '' })
  expect(lines.err).toContain('not readable 12 stored rows are left out')
  const counts = await run([...words, '--json', '--counts'], environment)
  expect(counts.json()).toMatchObject({
    events: 1,
    deadLetters: {},
    unreadable: { rows: 12, people: 1, first: { length: 10, 0: { column: 'person.fields' } } },
  })
}, 60_000)

test('a draft is compared with what is live, under the version that it would get', async () => {
  const { databaseUrl } = inject('servers')
  const store = await openNamespace(databaseUrl, 'simulate')
  onTestFinished(() => store.close())
  const environment = { WEGWIJS_NAMESPACE: store.namespace, WEGWIJS_DATABASE_URL: databaseUrl }
  const against = ['--journeys', '20', '--against', 'live']
  const early = await run(['simulate', exampleFolder, ...against], environment)
  expect(early.code).toBe(exitCodes.usage)
  expect((await run(['apply', exampleFolder], environment)).code).toBe(0)
  const days = await run(['simulate', exampleFolder, '--days', '30'], environment)
  expect(days).toMatchObject({ code: 0, out: expect.stringContaining('0 of 0 people') })
  const same = await run(['simulate', exampleFolder, ...against, '--json'], environment)
  expect(same).toMatchObject({ code: 0, out: '' })
  const changed = await run(['simulate', await draftOfExample(), ...against, '--json'], environment)
  const aftercare = changed.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ campaign }) => campaign === 'aftercare-at-home')
  expect(aftercare[0]).toMatchObject({ now: { version: 1 }, would: { version: 2 } })
}, 60_000)
