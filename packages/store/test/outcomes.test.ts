import { countStatements } from '@wegwijs/test-support/count-statements'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Store } from '../src/database.ts'
import { readOutcomes } from '../src/outcomes.ts'
import { insertRows } from '../src/rows.ts'

const { databaseUrl } = inject('servers')
const goal = {
  touchpoint: 'care.appointment.booked.v1',
  entity: 'same',
  within: 'P30D',
  assumption: { what: 'people who book again', from: 40, to: 50, unit: '%' },
}
const past = { entered_at: '2026-01-01T00:00:00Z' }
const reached = { ...past, goal_at: '2026-01-05T00:00:00Z' }
const nobody = { times: 0, reached: 0, open: 0 }
let store: Store
beforeAll(async () => {
  store = await openNamespace(databaseUrl, 'outcomes')
  await publish('divided', 1, { goal })
  await publish('divided', 2, { goal })
  await publish('aimless', 1, {})
})
afterAll(() => store.close())

async function publish(id: string, version: number, over: object): Promise<void> {
  const [file] = smallHospital([campaign({ id })]).campaigns
  const rows = [
    {
      campaign_id: id,
      version,
      content: { ...file, ...over },
      templates: {},
      hash: 'h',
      revision: version,
      published_at: past.entered_at,
    },
  ]
  const columns = Object.keys(rows[0] ?? {}) as never[]
  await insertRows(store.db, 'campaign_version', columns, rows as never)
  await store.db
    .insertInto('campaign')
    .values({ campaign_id: id, live_version: version, state: 'live' })
    .onConflict((known) => known.column('campaign_id').doUpdateSet({ live_version: version }))
    .execute()
}

async function enter(count: number, enrolment: object, arm?: string): Promise<void> {
  const arms = arm === undefined ? {} : { arms: { way: arm } }
  await seedMessages(store, count, {
    enrolment: { campaign_id: 'divided', state: 'completed', ...arms, ...enrolment },
  })
}

test('what came of a campaign is counted by version, held out and arm, in two statements', async () => {
  await enter(3, past, 'by-sms')
  await enter(2, reached, 'by-sms')
  await enter(4, reached, 'by-email')
  await enter(1, {}, 'by-email')
  await enter(2, { ...past, state: 'exited', reason: 'held_out' })
  await enter(1, { ...reached, state: 'exited', reason: 'held_out' })
  await enter(2, { ...reached, state: 'exited', reason: 'held_out_of_all' })
  await enter(1, { ...reached, version: 2 }, 'by-sms')
  await enter(6, { campaign_id: 'aimless' })

  const counting = countStatements(store)
  expect(await readOutcomes(counting, 'divided')).toEqual([
    {
      campaign: 'divided',
      name: 'divided',
      version: 2,
      isLive: true,
      unread: null,
      goal,
      entered: { times: 1, reached: 1, open: 0 },
      heldOut: { ofCampaign: nobody, ofAll: nobody },
      splits: [{ split: 'way', arms: [{ arm: 'by-sms', times: 1, reached: 1, open: 0 }] }],
    },
    {
      campaign: 'divided',
      name: 'divided',
      version: 1,
      isLive: false,
      unread: null,
      goal,
      entered: { times: 10, reached: 6, open: 1 },
      heldOut: {
        ofCampaign: { times: 3, reached: 1, open: 0 },
        ofAll: { times: 2, reached: 2, open: 0 },
      },
      splits: [
        {
          split: 'way',
          arms: [
            { arm: 'by-email', times: 5, reached: 4, open: 1 },
            { arm: 'by-sms', times: 5, reached: 2, open: 0 },
          ],
        },
      ],
    },
  ])
  expect(counting.statements()).toBe(2)
})

test('all campaigns come together; without a goal nobody reaches one, nor may still', async () => {
  const outcomes = await readOutcomes(store)
  expect(outcomes.map(({ campaign, version }) => `${campaign} ${version}`)).toEqual([
    'aimless 1',
    'divided 2',
    'divided 1',
  ])
  expect(outcomes[0]).toMatchObject({ goal: null, entered: { times: 6, reached: 0, open: 0 } })
  expect(await readOutcomes(store, 'nowhere')).toEqual([])
})

test.each([
  ['how long its goal counts', { goal: { ...goal, within: 'soon' } }, null],
  ['what its goal asks', { goal: { ...goal, where: { mood: 'good' } } }, 'P30D'],
  ['its steps', { steps: [{ whisper: {} }] }, null],
  ['anything', null, null],
])(
  'of a version of which it cannot be read %s as much is told as can be, and of others all',
  async (_, over, within) => {
    const stored = async (content: unknown) =>
      store.db
        .updateTable('campaign_version')
        .set({ content: JSON.stringify(content) })
        .where('campaign_id', '=', 'aimless')
        .execute()
    const [file] = smallHospital([campaign({ id: 'aimless' })]).campaigns
    const before = await readOutcomes(store, 'divided')
    await stored(over && { ...file, ...over })
    const [aimless, ...others] = await readOutcomes(store)
    expect(aimless).toMatchObject({
      unread: expect.stringMatching(/^version 1 of campaign aimless is stored in a form/),
      goal: within === null ? null : { within },
      entered: { times: 6, reached: 0 },
    })
    expect(others).toEqual(before)
    await stored(file)
  },
)

test('arms that cannot be read are those of no split', async () => {
  await enter(1, { campaign_id: 'aimless', arms: ['left'] })
  expect(await readOutcomes(store, 'aimless')).toMatchObject([
    { entered: { times: 7 }, splits: [] },
  ])
})
