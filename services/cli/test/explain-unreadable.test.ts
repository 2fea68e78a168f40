import { derivedUuid } from '@wegwijs/runtime/derived-id'
import type { Store } from '@wegwijs/store/database'
import { applyDefinition } from '@wegwijs/store/definitions'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { type SeededMessage, seedMessages } from '@wegwijs/test-support/seed-messages'
import { campaign, message, smallHospital } from '@wegwijs/test-support/small-hospital'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { run } from './run.ts'

/** What `wegwijs explain` tells when not all that was applied can be read: as much as there is. */
const { databaseUrl } = inject('servers')

let store: Store
let inFirst: SeededMessage | undefined
let inSecond: SeededMessage | undefined
beforeAll(async () => {
  store = await openNamespace(databaseUrl, 'cli_unread')
  const second = campaign({ id: 'second', name: 'Second' })
  const first = (template: 'hello' | 'later') =>
    campaign({ id: 'first', steps: [message(template)] })
  await applyDefinition(store, smallHospital([first('hello'), second]), 'test')
  await applyDefinition(store, smallHospital([first('later'), second]), 'test')
  const inCampaign = (id: string) =>
    seedMessages(store, 1, {
      enrolment: { campaign_id: id, version: 1 },
      intent: { campaign_id: id, version: 1 },
    })
  inFirst = (await inCampaign('first'))[0]
  inSecond = (await inCampaign('second'))[0]
  const stored = store.db.selectFrom('campaign_version').where('campaign_id', '=', 'first')
  const { content } = await stored
    .where('version', '=', 1)
    .select('content')
    .executeTakeFirstOrThrow()
  await store.db
    .updateTable('campaign_version')
    .set({
      content: JSON.stringify({ ...(content as object), trigger: { whisper: true } }) as never,
    })
    .where('campaign_id', '=', 'first')
    .where('version', '=', 1)
    .execute()
})
afterAll(() => store.close())

/** Revisions from this one on cannot be read. */
const damageFrom = (revision: number) =>
  store.db
    .updateTable('definition')
    .set({ bundle: JSON.stringify({ gossip: [] }) })
    .where('revision', '>=', revision)
    .execute()

function explain(person: SeededMessage | undefined, ...words: string[]) {
  return run(['explain', person?.personId ?? '', ...words], {
    WEGWIJS_NAMESPACE: store.namespace,
    WEGWIJS_DATABASE_URL: databaseUrl,
    WEGWIJS_SECRET: 'a secret of this test, long enough to be one',
  })
}

test('of a version that has nothing to do with the person nothing is said, unless it is asked for', async () => {
  const { code, out, err } = await explain(inSecond)
  expect([code, err]).toEqual([0, ''])
  expect(out).toContain('Second (second)')
  expect(out).toContain('The message "hello" is due')
  expect(out).not.toContain('cannot be read')
  const asked = await explain(inSecond, '--campaign', 'first')
  expect(asked.out).toContain('version 1 cannot be read')
})

test('of one that the person is in everything is told that is on record, and that it cannot be read', async () => {
  const { code, out } = await explain(inFirst)
  expect(code).toBe(0)
  expect(out).toMatch(
    /first \(first\)\n {2}version 1 cannot be read .*: version 1 of campaign first .*trigger/,
  )
  expect(out).toContain('The message "hello" is due')
  const { campaigns } = (await explain(inFirst, '--campaign', 'first', '--json')).json() as {
    campaigns: object[]
  }
  expect(campaigns).toMatchObject([
    {
      campaignId: 'first',
      unreadable: [{ version: 1, problem: expect.stringContaining('trigger') }],
    },
  ])
  expect((await explain(inFirst, '--story', '--locale', 'nl')).out).toContain('versie 1 kan')
})

test('a decision that cannot be read is told as one, beside all others', async () => {
  const [person] = await seedMessages(store, 1, {
    enrolment: { campaign_id: 'second', version: 1 },
    intent: { campaign_id: 'second', version: 1 },
  })
  const { personId = '', enrolmentId = '' } = person ?? {}
  const rows = [
    { reason: 'enrolled', detail: null },
    { reason: 'foretold', detail: null },
    { reason: 'waiting', detail: '"until tomorrow"' },
    { reason: 'persona_not_in_audience', detail: '{"leaves": [{"field": "person.age"}]}' },
  ]
  for (const [ordinal, row] of rows.entries())
    await store.db
      .insertInto('decision')
      .values({
        ...row,
        person_id: personId,
        decision_id: derivedUuid('decision', personId, String(ordinal)),
        ordinal,
        business_at: `2026-03-02T09:0${ordinal}:00.000Z`,
        campaign_id: 'second',
        version: 1,
        enrolment_id: ordinal === 3 ? null : enrolmentId,
      })
      .execute()
  const { code, out, err } = await explain(person, '--campaign', 'second')
  expect([code, err]).toEqual([0, ''])
  expect(out).toContain('the campaign "Second" began for the person')
  expect(out).toContain('something was decided that this Wegwijs cannot read ("foretold").')
  expect(out).toContain('something was decided that this Wegwijs cannot read ("waiting").')
  expect(out).toContain('the campaign "Second" did not begin')
  const { verdicts } = (await explain(person, '--campaign', 'second', '--json')).json() as {
    verdicts: object[]
  }
  expect(verdicts).toContainEqual(
    expect.objectContaining({ reason: 'persona_not_in_audience', detail: { leaves: null } }),
  )
  const story = await explain(person, '--campaign', 'second', '--story')
  expect([story.code, story.err]).toEqual([0, ''])
  expect(story.out).toContain('second: foretold')
})

test('when what is in force cannot be read it is told by what was in force before', async () => {
  await damageFrom(2)
  const { code, out } = await explain(inSecond)
  expect(code).toBe(0)
  expect(out).toContain('The message "hello" is due')
  expect(out).toMatch(/What is in force cannot be read; .*: revision 2 /)
  expect(out).toContain('Nothing was worked out again')
  await damageFrom(1)
  const none = await explain(inSecond, '--story')
  expect([none.code, none.err]).toEqual([0, ''])
  expect(none.out).toContain('revision 2 is stored in a form')
})
