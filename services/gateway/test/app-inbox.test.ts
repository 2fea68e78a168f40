import { createAppInbox } from '@wegwijs/store/app-inbox'
import { findOrCreatePeople } from '@wegwijs/store/identities'
import { inTransaction } from '@wegwijs/store/transaction'
import { claimedAppMessage } from '@wegwijs/test-support/claimed-app-message'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { idSpace, openRig, type Rig } from './rig.ts'

/** A signal that nobody aborts. */
const untroubled = new AbortController().signal

let rig: Rig
let reader: string
beforeAll(async () => {
  rig = await openRig()
  reader = await rig.makeKey({ label: 'portal', scopes: ['app.read'] })
})
afterAll(() => rig.close())

const personOf = async (externalId: string) => {
  const [id] = await inTransaction(rig.store.db, (tx) =>
    findOrCreatePeople(tx, [{ idSpace, externalId }]),
  )
  return id ?? ''
}
const ask = (path: string, method: 'GET' | 'POST' = 'GET', key = reader) =>
  rig.call(method, `/v1/app/people/${path}`, { headers: { authorization: `Bearer ${key}` } })

test('lists the newest first, in pages, each message once', async () => {
  const personId = await personOf('P/1 é')
  const inbox = createAppInbox(rig.store.db)
  const path = `${idSpace}/${encodeURIComponent('P/1 é')}/messages`
  expect((await ask(path)).json).toEqual({ messages: [] })
  const messages = await Promise.all(
    Array.from({ length: 25 }, () => claimedAppMessage(rig.store, personId)),
  )
  await Promise.all(messages.map((each) => inbox.put(each, untroubled)))
  const seen: string[] = []
  let after = ''
  for (;;) {
    const { status, json } = await ask(`${path}?limit=10${after}`)
    expect(status).toBe(200)
    seen.push(...json.messages.map((each: { intentId: string }) => each.intentId))
    if (!json.next) break
    after = `&after=${json.next}`
  }
  expect(seen).toHaveLength(25)
  expect(new Set(seen)).toEqual(new Set(messages.map(({ intentId }) => intentId)))
})

test('a message is there once, however often it is put, and read from the first time on', async () => {
  const personId = await personOf('P-2')
  const inbox = createAppInbox(rig.store.db)
  const url = 'https://hospital.example.org/x'
  const one = await claimedAppMessage(rig.store, personId, {
    title: 'Welkom',
    body: 'Tot morgen',
    url,
  })
  await Promise.all([inbox.put(one, untroubled), inbox.put(one, untroubled)])
  await inbox.put({ ...one, content: { title: 'Other', body: 'words' } }, untroubled)
  const list = async () => (await ask(`${idSpace}/P-2/messages`)).json.messages
  expect(await list()).toEqual([
    {
      intentId: one.intentId,
      title: 'Welkom',
      body: 'Tot morgen',
      url,
      locale: 'nl',
      at: expect.stringMatching(/Z$/),
      readAt: null,
    },
  ])
  const path = `${idSpace}/P-2/messages/${one.intentId}/read`
  const first = await ask(path, 'POST')
  expect([first.status, typeof first.json.readAt]).toEqual([200, 'string'])
  expect((await ask(path, 'POST')).json).toEqual(first.json)
  expect((await list())[0].readAt).toBe(first.json.readAt)
})

test('messages to a record that was merged into the person are theirs', async () => {
  const [old, now] = [await personOf('P-old'), await personOf('P-now')]
  const inbox = createAppInbox(rig.store.db)
  await inbox.put(await claimedAppMessage(rig.store, old), untroubled)
  await rig.store.db
    .updateTable('person')
    .set({ merged_into: now })
    .where('person_id', '=', old)
    .execute()
  await inbox.put(await claimedAppMessage(rig.store, now), untroubled)
  for (const externalId of ['P-old', 'P-now']) {
    expect((await ask(`${idSpace}/${externalId}/messages`)).json.messages).toHaveLength(2)
  }
})

test('nobody reads over another one’s shoulder', async () => {
  const inbox = createAppInbox(rig.store.db)
  const one = await claimedAppMessage(rig.store, await personOf('P-3'))
  await inbox.put(one, untroubled)
  const publisher = await ask(`${idSpace}/P-3/messages`, 'GET', rig.key)
  expect([publisher.status, publisher.json.code]).toEqual([403, 'WEGWIJS_CREDENTIAL_NOT_ALLOWED'])
  const stranger = await rig.makeKey({ idSpace: 'crm', scopes: ['app.read'] })
  expect((await ask(`${idSpace}/P-3/messages`, 'GET', stranger)).status).toBe(403)
  expect((await ask(`${idSpace}/P-3/messages`, 'GET', 'none')).status).toBe(401)
  const other = await ask(`${idSpace}/P-2/messages/${one.intentId}/read`, 'POST')
  expect([other.status, other.json.code]).toEqual([404, 'WEGWIJS_APP_MESSAGE_UNKNOWN'])
  expect((await ask(`${idSpace}/P-3/messages/nonsense/read`, 'POST')).status).toBe(404)
})

test('somebody unknown has no messages', async () => {
  expect((await ask(`${idSpace}/nobody/messages`)).json).toEqual({ messages: [] })
  const people = rig.store.db.selectFrom('person_identity').where('external_id', '=', 'nobody')
  expect(await people.selectAll().execute()).toEqual([])
})

test.each(['limit=0', 'limit=101', 'limit=x', 'after=nonsense', 'after=e30'])(
  'a page that cannot be: %s',
  async (query) => {
    const answer = await ask(`${idSpace}/P-2/messages?${query}`)
    expect([answer.status, answer.json.code]).toEqual([400, 'WEGWIJS_REQUEST_INVALID'])
  },
)

test('while PostgreSQL is away: 503', async () => {
  rig.database.cut()
  const answer = await ask(`${idSpace}/P-2/messages`)
  rig.database.mend()
  expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5'])
})
