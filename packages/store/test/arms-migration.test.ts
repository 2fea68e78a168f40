import { fractionOf } from '@wegwijs/campaign/chance'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, smallHospital } from '@wegwijs/test-support/small-hospital'
import { expect, inject, onTestFinished, test } from 'vitest'
import { applyDefinition } from '../src/definitions.ts'
import { up } from '../src/migrations/0027-arms-of-before.ts'
import { insertRows } from '../src/rows.ts'

test('older runs know their arms and of what they were held out', async () => {
  const store = await openNamespace(inject('servers').databaseUrl, 'arms')
  onTestFinished(store.close)
  const marketing = { class: 'marketing' as const }
  const files = [
    campaign({ id: 'own', ...marketing, holdOut: 40 }),
    campaign({ id: 'none', ...marketing }),
  ]
  await applyDefinition(store, smallHospital(files), 'test')
  const heldOut = (campaign_id: string) => ({
    enrolment: { campaign_id, state: 'exited', reason: 'held_out' },
  })
  await seedMessages(store, 60, heldOut('own'))
  await seedMessages(store, 2, heldOut('none'))
  const before = newUuid()
  await seedMessages(store, 1, {
    enrolment: { ...heldOut('own').enrolment, trigger: { dividedAs: before } },
  })
  const [divided] = await seedMessages(store, 1, { enrolment: { campaign_id: 'none' } })
  const { personId, enrolmentId } = divided ?? { personId: '', enrolmentId: '' }
  const decisions = [
    { split: 'way', arm: 'by-sms' },
    { split: 'tone', arm: 'warm' },
  ].map((detail, ordinal) => ({
    ...{ person_id: personId, enrolment_id: enrolmentId, decision_id: newUuid(), ordinal },
    ...{ business_at: '2026-01-01T00:00:00Z', campaign_id: 'none', version: 1 },
    ...{ reason: 'split_taken', detail: { step: '0', ...detail } },
  }))
  await insertRows(
    store.db,
    'decision',
    Object.keys(decisions[0] ?? {}) as never[],
    decisions as never,
  )
  await up(store.db as never)

  const rows = await store.db
    .selectFrom('enrolment')
    .select(['person_id', 'campaign_id', 'reason', 'arms', 'trigger'])
    .execute()
  expect(rows.filter(({ arms }) => arms !== null)).toMatchObject([
    { person_id: personId, arms: { way: 'by-sms', tone: 'warm' } },
  ])
  const own = rows.filter(({ campaign_id }) => campaign_id === 'own')
  expect(own).toHaveLength(61)
  for (const { person_id, trigger, reason } of own) {
    const drawn = (trigger as { dividedAs?: string }).dividedAs ?? person_id
    const isOfCampaign = fractionOf(`hold-out/own/${drawn}`) * 100 < 40
    expect(reason).toBe(isOfCampaign ? 'held_out' : 'held_out_of_all')
  }
  expect(new Set(own.map(({ reason }) => reason)).size).toBe(2)
  const others = rows.filter((row) => row.campaign_id === 'none' && row.person_id !== personId)
  expect(others.map(({ reason }) => reason)).toEqual(['held_out_of_all', 'held_out_of_all'])
})
