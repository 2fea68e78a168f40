import { openNamespace } from '@wegwijs/test-support/namespace'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import type { Store } from '../src/database.ts'
import { forgetOldReplies, type ReplyMeaning, rememberReplies } from '../src/replies.ts'

let store: Store
beforeAll(async () => {
  store = await openNamespace(inject('servers').databaseUrl, 'replies')
})
afterAll(() => store.close())

const meaning = (id: string, status: ReplyMeaning['status'] = 'kept'): ReplyMeaning => ({
  status,
  events: [
    { id, source: 's', type: 't', subject: 'p', time: '2026-01-01T00:00:00.000Z', data: {} },
  ],
})
const remember = (id: string, meant: ReplyMeaning, provider = 'sms-http') =>
  rememberReplies(store.db, provider, new Map([[id, meant]])).then((all) => all.get(id))

it('a reply means what it meant first, to each provider', async () => {
  expect(await remember('r1', meaning('first'))).toEqual(meaning('first'))
  expect(await remember('r1', meaning('second', 'answered'))).toEqual(meaning('first'))
  expect(await remember('r1', meaning('third'), 'other')).toEqual(meaning('third'))
})

it('of the same reply at once all get one meaning', async () => {
  const asked = Array.from({ length: 8 }, (_, index) => remember('r2', meaning(`m${index}`)))
  const meant = await Promise.all(asked)
  expect(new Set(meant.map((each) => each?.events[0]?.id)).size).toBe(1)
})

it('a reply that meant nothing may mean something later', async () => {
  expect(await remember('r3', { status: 'unknown', events: [] })).toMatchObject({
    status: 'unknown',
  })
  expect(await remember('r3', meaning('known'))).toEqual(meaning('known'))
})

it('forgets replies as old as the events that are forgotten', async () => {
  await remember('old', meaning('old'))
  await sql`update reply set recorded_at = recorded_at - interval '1 year' where reply_id = 'old'`.execute(
    store.db,
  )
  expect(await forgetOldReplies(store.db, 10)).toBe(1)
  expect(await remember('r1', meaning('again'))).toEqual(meaning('first'))
})
