import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exitCodes } from '@wegwijs/runtime/failure'
import type { Store } from '@wegwijs/store/database'
import { currentRevision } from '@wegwijs/store/definitions'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { seedMessages } from '@wegwijs/test-support/seed-messages'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { exampleFolder } from '../src/log-options.ts'
import { run } from './run.ts'

const { databaseUrl } = inject('servers')
let store: Store
let folder = ''
beforeAll(async () => {
  store = await openNamespace(databaseUrl, 'cli_plan')
  folder = join(await mkdtemp(join(tmpdir(), 'wegwijs-plan-')), 'hospital')
  await cp(exampleFolder, folder, { recursive: true })
  const first = await cli('plan', folder)
  expect(first.out).toContain('Nothing has been applied yet.')
  expect(first.out).toContain('+ campaign patient-panel: starts as version 1')
  expect((await cli('apply', folder)).code).toBe(0)
}, 120_000)
afterAll(async () => {
  await store.close()
  await rm(join(folder, '..'), { recursive: true })
})

function cli(...words: string[]) {
  return run(words, { WEGWIJS_NAMESPACE: store.namespace, WEGWIJS_DATABASE_URL: databaseUrl })
}

async function edit(file: string, from: string | RegExp, to: string): Promise<void> {
  const path = join(folder, file)
  const text = await readFile(path, 'utf8')
  const edited = text.replace(from, to)
  expect(edited).not.toBe(text)
  await writeFile(path, edited)
}

test('a plan tells what changes, campaign by campaign and field by field, and applying does it', async () => {
  expect((await cli('plan', folder)).err).toBe('Nothing would change.\n')
  await seedMessages(store, 2, {
    enrolment: { campaign_id: 'aftercare-at-home', version: 1, state: 'running' },
  })
  await seedMessages(store, 1, {
    enrolment: { campaign_id: 'aftercare-at-home', version: 1, state: 'completed' },
    intent: { campaign_id: 'aftercare-at-home', message_id: 'tips' },
  })
  await edit('campaigns/aftercare-at-home.yaml', 'wait: { for: P2D', 'wait: { for: P3D')
  await edit('personas.yaml', 'channels: [app, email, sms]', 'channels: [email, app, sms]')
  await edit(
    'templates/recovery-tips/app.nl.yaml',
    /title: .*/,
    'title: Zo komt u weer op krachten',
  )
  await rm(join(folder, 'campaigns/patient-panel.yaml'))
  const { code, out, err } = await cli('plan', folder)
  expect(code).toBe(0)
  expect(out).toContain(`~ campaign aftercare-at-home: version 1 becomes version 2
    ~ steps[1].branch[2].otherwise[2].wait.for: P2D → P3D
    ~ its template "recovery-tips" has other texts (below)
    2 people under way in version 1: to its end as they entered it
    1 run through version 1, with messages planned: these go out as they were planned
`)
  expect(out).toContain('- campaign patient-panel: ends for new people\n')
  expect(out).toMatch(/^= \d+ campaigns without a change$/m)
  expect(out).toContain(`~ personas.yaml, at once, also for who is under way
    ~ personas[digital-senior].channels: [app, email, sms] → [email, app, sms]
`)
  expect(out).toMatch(/ {4}~ templates\[recovery-tips\]\.app\.nl\.title: .* → Zo komt u/)
  expect(err).toContain('1 campaign changed, 1 campaign ended, changes in personas, templates')
  expect(err).toContain('Nothing has been changed.')
  expect(await currentRevision(store.db)).toBe(1)

  const [, name = ''] = /^Plan (\S+):/.exec(err) ?? []
  const applied = await cli('apply', folder, '--plan', name, '--json')
  expect(applied.code).toBe(0)
  expect(applied.json()).toMatchObject({ revision: 2 })
}, 120_000)

test('a plan in a file is applied as it is, or not when something has changed since', async () => {
  await edit('campaigns/aftercare-at-home.yaml', 'wait: { for: P3D', 'wait: { for: P4D')
  const file = join(folder, '..', 'plan.json')
  const planned = await cli('plan', folder, '--out', file)
  expect(planned.err).toContain(`apply ${folder} --plan ${file}\``)
  await edit('campaigns/aftercare-at-home.yaml', 'wait: { for: P4D', 'wait: { for: P5D')
  const refused = await cli('apply', folder, '--plan', file)
  expect(refused.code).toBe(exitCodes.dataInvalid)
  expect(refused.err).toContain('WEGWIJS_PLAN_OUTDATED: the definition to apply has changed since')
  expect(refused.err).toContain('nothing has been changed')
  expect(await currentRevision(store.db)).toBe(2)
  await edit('campaigns/aftercare-at-home.yaml', 'wait: { for: P5D', 'wait: { for: P4D')
  expect((await cli('apply', folder, '--plan', file)).code).toBe(0)
  const late = await cli('apply', folder, '--plan', file)
  expect(late.err).toContain('the definition in force has changed since')
  expect(await currentRevision(store.db)).toBe(3)
}, 120_000)

test('to mend what cannot be read is a change, also where no file differs', async () => {
  const inForce = store.db.selectFrom('definition').select('bundle').where('revision', '=', 3)
  const { bundle } = await inForce.executeTakeFirstOrThrow()
  const stores = (stored: unknown) =>
    store.db
      .updateTable('definition')
      .set({ bundle: JSON.stringify(stored) })
      .where('revision', '=', 3)
      .execute()
  expect((await cli('plan', folder)).err).toBe('Nothing would change.\n')
  await stores({ ...(bundle as object), gossip: [] })
  const { out, err } = await cli('plan', folder)
  expect(out).toMatch(/^Revision 3 is in force.*\nNothing is decided by it: revision 3 .*gossip/)
  expect(err).toMatch(/^Plan 3-\S+: what is in force can be read again\. Nothing has been changed/)
  await stores(bundle)
}, 60_000)

test('another class of a published campaign is a fault at its line', async () => {
  await edit('campaigns/experience-survey.yaml', 'class: service', 'class: care')
  for (const command of ['plan', 'apply']) {
    const { code, out, err } = await cli(command, folder)
    expect(code).toBe(exitCodes.dataInvalid)
    expect(out).toMatch(
      /^error {3}campaigns\/experience-survey\.yaml:\d+:8 "experience-survey" was published as "service", and the class of a campaign never changes: a campaign of another class needs another id$/m,
    )
    expect(err).toContain('nothing has been changed')
  }
  await edit('campaigns/experience-survey.yaml', 'class: care', 'class: service')
}, 120_000)

test('a definition with a fault in it is refused whole, and what was live stays live (P5)', async () => {
  const before = await currentRevision(store.db)
  await edit('campaigns/aftercare-at-home.yaml', 'wait: { for: P4D', 'wait: { for: P6D')
  await edit('campaigns/experience-survey.yaml', 'class: service', 'class: gossip')
  const { code, out } = await cli('apply', folder)
  expect(code).toBe(exitCodes.dataInvalid)
  expect(out).toMatch(/^error {3}campaigns\/experience-survey\.yaml:\d+:\d+ .*"gossip"/m)
  expect(await currentRevision(store.db)).toBe(before)
  await edit('campaigns/experience-survey.yaml', 'class: gossip', 'class: service')
  // The change beside it is still to come.
  expect((await cli('plan', folder)).out).toContain('aftercare-at-home')
  await edit('campaigns/aftercare-at-home.yaml', 'wait: { for: P6D', 'wait: { for: P4D')
  expect((await cli('plan', folder)).err).toBe('Nothing would change.\n')
}, 120_000)

test('a plan tells who is taken along to which step, and refuses what leads nowhere', async () => {
  const file = 'campaigns/aftercare-at-home.yaml'
  const move = (words: string) => edit(file, /^(move: .*\n)?steps:/m, `move: ${words}\nsteps:`)
  await seedMessages(store, 3, {
    enrolment: {
      campaign_id: 'aftercare-at-home',
      version: 3,
      state: 'running',
      step: '0.1.1',
      entry_key: 'moved',
    },
  })
  for (const message_id of ['tips', 'home-again'])
    await seedMessages(store, 2, {
      enrolment: { campaign_id: 'aftercare-at-home', version: 3, state: 'completed' },
      intent: { campaign_id: 'aftercare-at-home', message_id },
    })
  await edit(file, 'wait: { for: P4D', 'wait: { for: P6D')
  const refused: [string, string][] = [
    ['{ from: 9 }', 'there is no version 9'],
    [
      '{ from: 3, steps: { "7": end } }',
      'version 3 has no step "7"; people may wait at step "1.2.2" of version 3, and nothing says where they go on',
    ],
  ]
  for (const [words, problem] of refused) {
    await move(words)
    const { code, err } = await cli('plan', folder)
    expect(code).toBe(exitCodes.dataInvalid)
    expect(err).toContain(`WEGWIJS_MOVE_INCOMPLETE`)
    expect(err).toContain(problem)
  }
  await move('{ from: 3, steps: { "1.2.2": tips }, withdraw: [tips] }')
  expect((await cli('plan', folder)).out).toContain(`
    3 people under way in version 3: go on in the new one
      3 people at "1.2.2": on at "tips"
    2 people under way in version 1: to its end as they entered it
    4 runs through version 3, with messages planned: go over to the new one
      "home-again" of 2 runs: as it was planned
      "tips" of 2 runs: withdrawn
    1 run through version 1, with messages planned: these go out as they were planned
`)
  await move('{ from: 3, steps: { "1.2.2": end, end: "1" } }')
  expect((await cli('plan', folder)).out).toMatch(
    / {6}3 people at "1\.2\.2": taken out\n(.*\n)? {4}4 runs through version 3, .*: go on in the new one, at "1"\n/,
  )
  expect(await currentRevision(store.db)).toBe(3)
  await edit(file, /^move: .*\n/m, '')
  await edit(file, 'wait: { for: P6D', 'wait: { for: P4D')
}, 120_000)

test('a graph counts in the versions that have its steps, in one statement', async () => {
  const of = (version: number, state: string, step: string | null) => ({
    enrolment: { campaign_id: 'patient-panel', version, state, step },
  })
  await seedMessages(store, 3, {
    ...of(1, 'completed', null),
    intent: {
      campaign_id: 'patient-panel',
      step: '1',
      message_id: 'invitation',
      state: 'delivered',
    },
  })
  await seedMessages(store, 2, of(1, 'running', '0'))
  const { code, out, err } = await cli('graph', exampleFolder, 'patient-panel')
  expect(code).toBe(0)
  expect(err).toBe('counted in version 1\n')
  expect(out).toContain('5 people entered: 3 completed, 2 running')
  expect(out).toContain('3 people: 3 delivered')
  expect(out).toContain('2 people now')
  await edit('campaigns/experience-survey.yaml', 'wait: { for: P7D', 'wait: { for: P8D')
  const draft = await cli('graph', folder, 'experience-survey')
  expect(draft.err).toBe('without counts: no version with these steps was ever published\n')
  await edit('campaigns/experience-survey.yaml', 'wait: { for: P8D', 'wait: { for: P7D')
}, 60_000)

test('what came of a campaign is told beside who was held out, without percentages of a few', async () => {
  const of = (campaign_id: string, over: object) => ({
    enrolment: { campaign_id, version: 1, state: 'completed', reason: 'completed', ...over },
  })
  const long = { entered_at: '2026-01-01T00:00:00Z' }
  const reached = { ...long, goal_at: '2026-01-02T00:00:00Z' }
  await seedMessages(store, 28, of('portal-welcome', long))
  await seedMessages(store, 12, of('portal-welcome', reached))
  await seedMessages(store, 2, of('portal-welcome', {}))
  await seedMessages(store, 1, of('portal-welcome', { ...reached, reason: 'held_out' }))
  await seedMessages(store, 2, of('portal-welcome', { ...long, reason: 'held_out' }))
  await seedMessages(store, 4, of('portal-welcome', { ...long, reason: 'held_out_of_all' }))
  const { code, out } = await cli('outcome', 'portal-welcome')
  expect(code).toBe(0)
  expect(out).toBe(`portal-welcome: Welkom in de app (version 1, live)
  42 times entered
  3 did not begin: held out
  4 did not begin: held out of all campaigns
  reached the goal: 12 of 42 (28.6 %) who entered, 1 of 3 held out, 0 of 4 held out of all campaigns
  may still reach it (P30D): 2 who entered
  assumed: people who read a leaflet before their first visit from 20 to 35 %
`)
  const all = await cli('outcome', '--json')
  expect(all.json()).toMatchObject({
    campaigns: expect.arrayContaining([
      expect.objectContaining({
        campaign: 'portal-welcome',
        heldOut: {
          ofCampaign: { times: 3, reached: 1, open: 0 },
          ofAll: { times: 4, reached: 0, open: 0 },
        },
      }),
    ]),
  })
  const asked: [string, string][] = [
    ['nowhere', 'there never was a campaign "nowhere"; there are after-a-complaint, aftercare-at'],
    ['portal-welcom', 'there never was a campaign "portal-welcom"; did you mean portal-welcome?'],
  ]
  for (const [name, problem] of asked) {
    const { code, err } = await cli('outcome', name)
    expect([code, err]).toEqual([exitCodes.usage, expect.stringContaining(problem)])
  }
}, 60_000)

test('to go back is to apply an earlier revision', async () => {
  const planned = await cli('plan', '--revision', '1')
  expect(planned.out).toContain('+ campaign patient-panel: had ended, starts again as version 2')
  expect(planned.err).toContain('`wegwijs apply --revision 1 --plan')
  const { json } = await cli('apply', '--revision', '1', '--json')
  expect(json()).toMatchObject({
    revision: 4,
    campaigns: expect.arrayContaining([{ id: 'patient-panel', version: 2, change: 'changed' }]),
  })
  expect((await cli('plan', '--revision', '99')).err).toContain('no revision 99 was ever applied')
}, 60_000)

test.each([
  [['plan']],
  [['plan', 'examples/hospital', '--revision', '1']],
  [['apply', 'examples/hospital', '--plan', 'nonsense']],
  [['apply', 'examples/hospital', '--plan', 'package.json']],
  [['plan', '--revision', 'first']],
])('%j is no way to give the command', async (words) => {
  const { code } = await cli(...words)
  expect(code).toBe(exitCodes.usage)
  expect(await currentRevision(store.db)).toBe(4)
})
