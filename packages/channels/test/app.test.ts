import { fail } from '@wegwijs/runtime/failure'
import { expect, test } from 'vitest'
import { createAppChannel } from '../src/app.ts'
import { createSilentChannel } from '../src/silent.ts'
import { messageFor, untroubled } from './messages.ts'

test('an app message is put whole, for its person', async () => {
  const put: unknown[] = []
  const channel = createAppChannel({
    put: async ({ personId, intentId, locale, content }) => {
      put.push({ personId, intentId, locale, content })
      return 'put'
    },
  })
  const message = messageFor('app')
  expect(await channel.send(message, untroubled())).toEqual({
    kind: 'accepted',
    reference: message.intentId,
  })
  const { personId, intentId, locale, content } = message
  expect(put).toEqual([{ personId, intentId, locale, content }])
})

test.each([
  // Its answer alone may be what failed (P2).
  [fail('WEGWIJS_DATABASE_UNAVAILABLE'), 'unknown', 'app_inbox_no_answer'],
  [new Error('Anna, anna@example.org'), 'refused', 'app_inbox_refused'],
])('an inbox that fails with %s', async (error, kind, reason) => {
  const channel = createAppChannel({ put: () => Promise.reject(error) })
  expect(await channel.send(messageFor('app'), untroubled())).toEqual({ kind, reason })
})

test('an app message that was certainly not put is tried again', async () => {
  const channel = createAppChannel({ put: async () => 'unavailable' })
  expect(await channel.send(messageFor('app'), untroubled())).toEqual({
    kind: 'deferred',
    reason: 'app_inbox_unavailable',
  })
})

test('an app message that is aborted while it is being put may be there', async () => {
  const stop = new AbortController()
  const channel = createAppChannel({ put: () => new Promise(() => stop.abort()) })
  expect(await channel.send(messageFor('app'), stop.signal)).toEqual({
    kind: 'unknown',
    reason: 'app_aborted',
  })
})

test('app and silent are harmless in a rehearsal', async () => {
  expect(await createAppChannel({ put: async () => 'put' }).isSandbox()).toBe(true)
  expect(await createSilentChannel('email').isSandbox()).toBe(true)
})

test('the silent channel shows what it would have sent, until it is told to forget', async () => {
  const channel = createSilentChannel('email')
  const messages = [messageFor('email'), messageFor('email')]
  for (const message of messages) await channel.send(message, untroubled())
  expect(channel.messages).toEqual(messages)
  channel.forget()
  expect(channel.messages).toEqual([])
})
