import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { exampleFolder } from '@wegwijs/cli/log-options'
import { createScope } from '@wegwijs/runtime/lifecycle'
import { openStore } from '@wegwijs/store/database'
import { createOutboxPage } from '@wegwijs/store/outbox-page'
import { expect, inject, onTestFinished, test } from 'vitest'
import { runDemo } from '../src/demo.ts'
import { readOptions } from '../src/options.ts'

const { databaseUrl } = inject('servers')

test('one process plays fifteen people, keeps its books, and comes to the same every time', async () => {
  const folder = await copyOfExample()
  const first = await playOnce('--definition', folder)
  // runDemo throws when the ledger check finds anything: that it came here is the proof (P1, P2).
  expect(first.said).toContain('Three of them')
  expect(first.said).toMatch(/ holds +P1/)
  expect(first.people).toHaveLength(15)
  expect(first.accepted.length).toBeGreaterThan(20)
  // Teams do most of what they are asked to do, and not all of it.
  expect(first.tasks).toEqual(expect.arrayContaining(['done', 'withdrawn']))
  // What a copy of the example adds goes out, too.
  expect(first.said).toContain(`Reading the definition in ${folder}.`)
  expect(first.accepted.some((message) => message.includes('Uw verwijzing is binnen.'))).toBe(true)
  const second = await playOnce('--definition', folder)
  expect(second.people).toEqual(first.people)
  expect(second.tasks).toEqual(first.tasks)
  expect(second.accepted).toEqual(first.accepted)
}, 300_000)

/** With one campaign more, as somebody has who follows the tutorial. */
async function copyOfExample(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'wegwijs-demo-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await cp(exampleFolder, folder, { recursive: true })
  const files = {
    'campaigns/first-visit.yaml': `id: first-visit
name: Uw verwijzing is binnen
journey: planned-operation
class: service
trigger: { touchpoint: care.referral.received.v1 }
steps: [{ message: { id: received, template: first-visit, channels: [sms] } }]
`,
    'templates/first-visit/template.yaml': 'name: first-visit\nsensitivity: { sms: neutral }\n',
    'templates/first-visit/sms.nl.hbs': 'Uw verwijzing is binnen.\n',
    'templates/first-visit/sms.en.hbs': 'We have your referral.\n',
  }
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    await writeFile(join(folder, file), text)
  }
  return folder
}

/** What everybody got, with its business times, and what the sandbox wrote down of it. */
async function playOnce(...words: string[]) {
  const stackDirectory = await mkdtemp(join(tmpdir(), 'wegwijs-demo-'))
  onTestFinished(() => rm(stackDirectory, { recursive: true, force: true }))
  const scope = createScope('demo')
  onTestFinished(() => scope.close())
  const said: string[] = []
  const options = readOptions(['--embedded', '--people', '15', ...words], () => {})
  if (options === null) throw new Error('nobody asked for help')
  const { namespace } = await runDemo(scope, {
    options,
    environment: { WEGWIJS_DATABASE_URL: databaseUrl },
    say: (line) => said.push(line),
    isTerminal: false,
    stackDirectory,
  })
  const people = await readPeople(namespace)
  const tasks = await readTasks(namespace)
  const accepted = await readAccepted(join(stackDirectory, 'demo', namespace, 'sandbox'))
  await scope.close()
  expect(scope.failures).toEqual([])
  return { said: said.join('\n'), people, accepted, tasks }
}

/** What came of each task. */
async function readTasks(namespace: string): Promise<string[]> {
  const store = openStore({ databaseUrl, namespace, applicationName: 'demo test' })
  try {
    const rows = await store.db.selectFrom('task').select('state').orderBy('task_id').execute()
    return rows.map(({ state }) => state)
  } finally {
    await store.close()
  }
}

async function readPeople(namespace: string) {
  const store = openStore({ databaseUrl, namespace, applicationName: 'demo test' })
  try {
    const page = createOutboxPage(store.db)
    const people = await page.people(100, 'en')
    const timelines = await Promise.all(people.map(({ personId }) => page.timeline(personId, 'en')))
    const sorted = timelines.toSorted((a, b) =>
      (a?.person.personId ?? '') < (b?.person.personId ?? '') ? -1 : 1,
    )
    return JSON.parse(withoutLinks(JSON.stringify(sorted)))
  } finally {
    await store.close()
  }
}

/** The lines of the sandbox's own files, without what hangs on the run: real times and places. */
async function readAccepted(directory: string): Promise<string[]> {
  const texts = await Promise.all(
    ['email.ndjson', 'sms.ndjson'].map((name) => readFile(join(directory, name), 'utf8')),
  )
  return texts
    .flatMap((text) => text.split('\n').filter((line) => line !== ''))
    .map((line) => {
      const { seq: _, receivedAt: __, reference: ___, ...message } = JSON.parse(line)
      return withoutLinks(JSON.stringify(message))
    })
    .sort()
}

/** Where a question is answered hangs on the port and the secret of the run. */
function withoutLinks(text: string): string {
  return text.replaceAll(/http:\/\/127\.0\.0\.1:\d+\/a\/[\w-]+/g, 'http://gateway/a/token')
}
