import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { emptyNamespace, openNamespace } from '@wegwijs/test-support/namespace'
import { seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import type { Store } from '../src/database.ts'
import { planDefinition } from '../src/definition-plan.ts'
import { applyDefinition, bundleOfRevision, latestBundle } from '../src/definitions.ts'

const { databaseUrl } = inject('servers')
let store: Store
beforeAll(async () => {
  store = await openNamespace(databaseUrl, 'plan')
})
afterAll(() => store.close())
beforeEach(() => emptyNamespace(store))

const first = smallHospital([campaign({ id: 'seeded' }), campaign({ id: 'other' })])
const second = smallHospital([
  campaign({ id: 'seeded', trigger: { touchpoint: 'care.admission.started.v1', maxAge: 'P2D' } }),
  campaign({ id: 'third' }),
])

/** Everything that a definition is stored in. */
async function stored(): Promise<unknown> {
  return Promise.all(
    (['definition', 'campaign', 'campaign_version', 'template_version'] as const).map((table) =>
      store.db.selectFrom(table).selectAll().execute(),
    ),
  )
}

test('of a first definition everything is new', async () => {
  const plan = await planDefinition(store, first)
  expect(plan).toMatchObject({
    revision: null,
    campaigns: [
      { id: 'seeded', change: 'new', from: null, to: 1, inFlight: [] },
      { id: 'other', change: 'new', from: null, to: 1, inFlight: [] },
    ],
  })
  expect(plan.plan).toMatch(/^0-none-[0-9a-f]{12}$/)
  expect(await latestBundle(store.db)).toBeNull()
})

test('of another definition: what is new, another or gone, field by field, and who is under way', async () => {
  await applyDefinition(store, first, 'test')
  await seedMessages(store, 3, { enrolment: { state: 'running' } })
  const before = await stored()
  const { campaigns, revision, shared } = await planDefinition(store, second)
  expect(revision).toBe(1)
  expect(shared).toEqual([])
  expect(campaigns).toEqual([
    {
      id: 'seeded',
      change: 'changed',
      from: 1,
      to: 2,
      differences: expect.arrayContaining([{ path: 'trigger.maxAge', from: 'P1D', to: 'P2D' }]),
      otherTexts: [],
      inFlight: [{ version: 1, people: 3 }],
      through: [],
      move: null,
    },
    {
      id: 'third',
      change: 'new',
      from: null,
      to: 1,
      differences: [],
      otherTexts: [],
      inFlight: [],
      through: [],
      move: null,
    },
    {
      id: 'other',
      change: 'ended',
      from: 1,
      to: null,
      differences: [],
      otherTexts: [],
      inFlight: [],
      through: [],
      move: null,
    },
  ])
  expect(await stored()).toEqual(before)
})

test('what it shows is what applying does, version for version', async () => {
  await applyDefinition(store, first, 'test')
  const { campaigns, plan } = await planDefinition(store, second)
  const applied = await applyDefinition(store, second, 'test', { plan })
  expect(applied.campaigns).toEqual(
    campaigns.map(({ id, change, from, to }) => ({ id, change, version: to ?? from })),
  )
  const again = await planDefinition(store, second)
  expect(again.campaigns.map(({ change }) => change)).toEqual(['unchanged', 'unchanged'])
})

test('texts of a template are told where they stand, and in the campaigns that send them', async () => {
  const seeded = smallHospital([campaign({ id: 'seeded' })])
  await applyDefinition(store, seeded, 'test')
  const [template, ...others] = seeded.templates
  if (!template) throw new Error('the small hospital has templates')
  const sms = template.channels.sms
  if (!sms) throw new Error('its first one has an SMS')
  const bundle: DefinitionBundle = {
    ...seeded,
    templates: [
      {
        ...template,
        hash: 'another',
        channels: { ...template.channels, sms: { ...sms, content: { nl: { text: 'Anders' } } } },
      },
      ...others,
    ],
  }
  const { campaigns, shared } = await planDefinition(store, bundle)
  expect(campaigns).toMatchObject([
    { id: 'seeded', change: 'changed', differences: [], otherTexts: [template.id] },
  ])
  expect(shared.map(({ part }) => part)).toEqual(['templates'])
  expect(shared[0]?.differences).toContainEqual(
    expect.objectContaining({ path: `templates[${template.id}].sms.nl.text`, to: 'Anders' }),
  )
})

describe('a plan is refused, and nothing has been changed,', () => {
  test('when the definition in force is another one', async () => {
    await applyDefinition(store, first, 'test')
    const { plan } = await planDefinition(store, second)
    await applyDefinition(store, smallHospital([campaign({ id: 'seeded' })]), 'somebody else')
    const before = await stored()
    await expect(applyDefinition(store, second, 'test', { plan })).rejects.toMatchObject({
      code: 'WEGWIJS_PLAN_OUTDATED',
      detail: { changed: 'the definition in force' },
    })
    expect(await stored()).toEqual(before)
  })

  test('when the definition to apply is another one', async () => {
    await applyDefinition(store, first, 'test')
    const { plan } = await planDefinition(store, second)
    const before = await stored()
    const other = smallHospital([campaign({ id: 'seeded' }), campaign({ id: 'fourth' })])
    await expect(applyDefinition(store, other, 'test', { plan })).rejects.toMatchObject({
      code: 'WEGWIJS_PLAN_OUTDATED',
      detail: { changed: 'the definition to apply' },
    })
    expect(await stored()).toEqual(before)
  })

  test('when somebody else applies it at the same time: one of two is', async () => {
    await applyDefinition(store, first, 'test')
    const { plan } = await planDefinition(store, second)
    const outcomes = await Promise.allSettled(
      ['a', 'b', 'c'].map((by) => applyDefinition(store, second, by, { plan })),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect((await latestBundle(store.db))?.revision).toBe(2)
  })
})

describe('the class of a campaign never changes:', () => {
  const marketing = smallHospital([campaign({ id: 'seeded', class: 'marketing' })])

  test.each([
    ['planning', (bundle: DefinitionBundle) => planDefinition(store, bundle)],
    ['applying', (bundle: DefinitionBundle) => applyDefinition(store, bundle, 'test')],
  ])('%s another one is refused, and nothing has been changed', async (_, act) => {
    await applyDefinition(store, first, 'test')
    const before = await stored()
    await expect(act(marketing)).rejects.toMatchObject({
      code: 'WEGWIJS_CAMPAIGN_CLASS_FIXED',
      detail: { campaign: 'seeded', found: 'marketing' },
    })
    expect(await stored()).toEqual(before)
  })

  test('neither when it had ended meanwhile', async () => {
    await applyDefinition(store, first, 'test')
    await applyDefinition(store, smallHospital([campaign({ id: 'other' })]), 'test')
    await expect(applyDefinition(store, marketing, 'test')).rejects.toMatchObject({
      code: 'WEGWIJS_CAMPAIGN_CLASS_FIXED',
    })
  })
})

test('what is read back is the same, whatever the order in which it was written', async () => {
  const template = { otherwise: 'hello', a: 'later' }
  const written = smallHospital([
    campaign({ id: 'seeded', steps: [{ message: { id: 'hello', template } }] }),
  ])
  await applyDefinition(store, written, 'test')
  const back = await bundleOfRevision(store.db, 1)
  // The record keeps members in an order of its own.
  expect(JSON.stringify(back)).not.toBe(JSON.stringify(written))
  const { campaigns, plan } = await planDefinition(store, back)
  expect(campaigns.map(({ change }) => change)).toEqual(['unchanged'])
  expect(await applyDefinition(store, back, 'test', { plan })).toMatchObject({ revision: 1 })
})

test('to go back is to apply what was in force before', async () => {
  await applyDefinition(store, first, 'test')
  await applyDefinition(store, second, 'test')
  const back = await bundleOfRevision(store.db, 1)
  expect(back).toEqual(first)
  const { campaigns, plan } = await planDefinition(store, back)
  expect(campaigns.map(({ id, change, to }) => [id, change, to])).toEqual([
    ['seeded', 'changed', 3],
    ['other', 'changed', 2],
    ['third', 'ended', null],
  ])
  expect(await applyDefinition(store, back, 'test', { plan })).toMatchObject({ revision: 3 })
  await expect(bundleOfRevision(store.db, 9)).rejects.toMatchObject({
    code: 'WEGWIJS_REVISION_UNKNOWN',
  })
})
