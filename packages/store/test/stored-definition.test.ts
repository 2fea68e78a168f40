import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import type { Store } from '../src/database.ts'
import { definitionsAt } from '../src/definition-history.ts'
import { planDefinition } from '../src/definition-plan.ts'
import { applyDefinition, latestBundle, loadDefinition } from '../src/definitions.ts'

/** What was applied by an older Wegwijs, or by a newer one. */
let store: Store
beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'stored_definition')
  const files = [campaign({ id: 'first', steps: [message('hello')] }), campaign({ id: 'second' })]
  await applyDefinition(store, smallHospital(files), 'test')
})
afterAll(() => store.close())

const stores = (change: ReturnType<typeof sql>) =>
  sql`update campaign_version set content = ${change} where campaign_id = 'first'`.execute(store.db)

it('is read as this version knows it, where it lacks keys that came later', async () => {
  await stores(sql`(content - 'exit') #- '{trigger,maxAge}'`)
  const loaded = await loadDefinition(store)
  expect(loaded?.campaigns.get('first@1')?.file).toMatchObject({
    exit: [],
    trigger: { maxAge: 'P1D' },
  })
})

it('is refused by the name of its campaign, where it is of another form', async () => {
  await stores(sql`jsonb_set(content, '{steps,0}', '{"whisper": {}}')`)
  const unreadable = {
    code: 'WEGWIJS_STORED_DEFINITION_UNREADABLE',
    message: expect.stringContaining('version 1 of campaign first is stored in a form'),
  }
  await expect(loadDefinition(store)).rejects.toMatchObject(unreadable)
  // Nobody begins it, where what was decided is told again.
  const now = new Date().toISOString()
  const then = (await definitionsAt(store.db, [now]))(now)
  expect(then?.campaigns.get('first@1')?.unclear?.why).toMatchObject(unreadable)
  expect([...(then?.starters.values() ?? [])].flatMap((each) => [...each.values()].flat())).toEqual(
    expect.not.arrayContaining([expect.objectContaining({ id: 'first' })]),
  )
  await sql`update definition set bundle = jsonb_set(bundle, '{campaigns,1,class}', '"gossip"')`.execute(
    store.db,
  )
  await expect(latestBundle(store.db)).rejects.toMatchObject({
    message: expect.stringMatching(/^revision 1, campaign second is stored .* campaigns\.1\.class/),
  })
})

it('is read with a country whose holidays nobody knows, of which every weekday is worked', async () => {
  await stores(sql`jsonb_set(content, '{steps,0}', ${JSON.stringify(message('hello'))}::jsonb)`)
  await sql`update definition set bundle = jsonb_set(jsonb_set(bundle, '{campaigns,1,class}', '"care"'),
    '{policies,holidays}', '"UK"')`.execute(store.db)
  expect((await loadDefinition(store))?.revision).toBe(1)
  expect((await latestBundle(store.db))?.bundle.policies.holidays).toBe('UK')
})

it('is mended by applying one that is right; who is under way stays on their version', async () => {
  await seedMessages(store, 2, { enrolment: { campaign_id: 'second', version: 1 } })
  await stores(sql`jsonb_set(content, '{trigger}', '{"gossip": {}}')`)
  await sql`update definition set bundle = jsonb_set(bundle, '{policies,locale}', '"tlh"')`.execute(
    store.db,
  )
  await expect(loadDefinition(store)).rejects.toMatchObject({
    code: 'WEGWIJS_STORED_DEFINITION_UNREADABLE',
  })
  const good = smallHospital([
    campaign({ id: 'first', steps: [message('hello')] }),
    campaign({ id: 'second' }),
  ])
  const plan = await planDefinition(store, good)
  expect(plan.unreadable).toMatch(/^revision 1 .*policies\.locale/)
  expect(plan.shared).toEqual([
    {
      part: 'policies',
      differences: [
        { path: 'locale', from: 'tlh', to: 'nl' },
        { path: 'holidays', from: 'UK', to: 'NL' },
      ],
    },
  ])
  expect(await applyDefinition(store, good, 'test', { plan: plan.plan })).toEqual({
    revision: 2,
    campaigns: [
      { id: 'first', version: 2, change: 'changed' },
      { id: 'second', version: 1, change: 'unchanged' },
    ],
  })
  // Nobody was ever in version 1 of the first.
  const whyOf = (loaded: CompiledDefinition | null) =>
    loaded?.campaigns.get('first@1')?.unclear?.why
  const why = { message: expect.stringContaining('version 1 of campaign first') }
  expect(whyOf(await loadDefinition(store))).toMatchObject(why)
  expect((await planDefinition(store, good)).unreadable).toBeNull()
  const people = (state: string, intent = {}) =>
    seedMessages(store, 1, { enrolment: { campaign_id: 'first', version: 1, state }, intent })
  // What can be read of it holds for who is through it.
  await people('completed')
  expect(whyOf(await loadDefinition(store))).toMatchObject(why)
  const [first] = await people('running')
  await expect(loadDefinition(store)).rejects.toMatchObject(why)
  await sql`delete from enrolment where enrolment_id = ${first?.enrolmentId}`.execute(store.db)
  // Not even how it ends is clear: of its messages nobody can say any more whether one is to be taken back.
  await sql`update campaign_version set content = '{"gossip": {}}'
    where campaign_id = 'first' and version = 1`.execute(store.db)
  expect(whyOf(await loadDefinition(store))).toMatchObject(why)
  await people('completed', { campaign_id: 'first', version: 1 })
  await expect(loadDefinition(store)).rejects.toMatchObject(why)
  // Nor by which date it began, which may have moved away since.
  const file = good.campaigns.find(({ id }) => id === 'first')
  await sql`update campaign_version set content = ${JSON.stringify(file)}::jsonb - 'trigger'
    where campaign_id = 'first' and version = 1`.execute(store.db)
  await expect(loadDefinition(store)).rejects.toMatchObject(why)
})

it('is a revision of its own when a version alone is mended, or services would keep to the one before', async () => {
  const own = await openNamespace(inject('servers').databaseUrl, 'mended_version')
  const bundle = smallHospital([campaign({ id: 'first' })])
  await applyDefinition(own, bundle, 'test')
  await sql`update campaign_version set content = content - 'steps'`.execute(own.db)
  const mended = {
    revision: 2,
    campaigns: [{ id: 'first', version: 2, change: 'changed' }],
  }
  expect(await applyDefinition(own, bundle, 'test')).toEqual(mended)
  expect((await loadDefinition(own))?.revision).toBe(2)
  expect(await applyDefinition(own, bundle, 'test')).toMatchObject({ revision: 2 })
  await own.close()
})

it('keeps all that is counted while somebody is under way in one that cannot be read', async () => {
  const own = await openNamespace(inject('servers').databaseUrl, 'unread_counts')
  const happened = { touchpoint: 'care.survey.answered.v1', within: 'P30D' }
  const asks = campaign({ id: 'asks', audience: { where: { happened } } })
  const counted = async () =>
    (
      await own.db.selectFrom('history_count').select(['touchpoint', 'days', 'ready']).execute()
    ).map((row) => Object.values(row))
  try {
    await applyDefinition(own, smallHospital([asks]), 'test')
    const known = [['care.survey.answered.v1', 30, true]]
    expect(await counted()).toEqual(known)
    const [somebody] = await seedMessages(own, 1, { enrolment: { campaign_id: 'asks' } })
    await sql`update campaign_version set content = jsonb_set(content, '{audience,where}',
      '{"happened": {"mood": "angry"}}')`.execute(own.db)
    await applyDefinition(own, smallHospital([campaign({ id: 'asks' })]), 'test')
    expect(await counted()).toEqual(known)
    await sql`delete from enrolment where enrolment_id = ${somebody?.enrolmentId}`.execute(own.db)
    await applyDefinition(own, smallHospital([campaign({ id: 'other' })]), 'test')
    expect(await counted()).toEqual([])
  } finally {
    await own.close()
  }
})

it.each([
  ['cannot be read', '"soon"'],
  ['PostgreSQL writes in another way', '"p30d"'],
])(
  'publishes beside an older version of which how long its goal counts %s',
  async (name, within) => {
    const own = await openNamespace(inject('servers').databaseUrl, `within_${name.length}`)
    const happened = { touchpoint: 'care.survey.answered.v1', within: 'P30D' }
    const goal = { touchpoint: 'care.survey.answered.v1', within: 'P30D' }
    const asks = campaign({ id: 'asks', audience: { where: { happened } }, goal })
    const counted = () => own.db.selectFrom('history_count').select('touchpoint').execute()
    try {
      await applyDefinition(own, smallHospital([asks]), 'test')
      await seedMessages(own, 1, { enrolment: { campaign_id: 'asks', state: 'completed' } })
      await sql`update campaign_version
        set content = jsonb_set(content, '{goal,within}', ${within}::jsonb)`.execute(own.db)
      await applyDefinition(own, smallHospital([campaign({ id: 'asks' })]), 'test')
      // Somebody may still reach it, by whoever reads how long that counts.
      expect(await counted()).toHaveLength(1)
    } finally {
      await own.close()
    }
  },
)
