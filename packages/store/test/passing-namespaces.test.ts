import { newUuid } from '@wegwijs/runtime/derived-id'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { openStore, type Store } from '../src/database.ts'
import { isMigrated, migrate } from '../src/migrate.ts'
import { takePassingNamespace } from '../src/passing-namespaces.ts'

const { databaseUrl } = inject('servers')

let anywhere: Store
let prefix: string
const opened: (() => Promise<unknown>)[] = []

beforeEach(() => {
  prefix = `passing_${newUuid().slice(-12)}`
  anywhere = open('public')
})
afterEach(async () => {
  // The next to take one clears away what the test has left.
  await take().then(({ release }) => release())
  for (const close of opened.splice(0).reverse()) await close()
})

function open(namespace: string): Store {
  const store = openStore({ databaseUrl, namespace, applicationName: 'passing' })
  opened.push(store.close)
  return store
}

async function take(forgotten: string[] = []) {
  return takePassingNamespace(anywhere.db, prefix, async (namespace) => {
    forgotten.push(namespace)
  })
}

test('each takes the next number, and what nobody holds is cleared away', async () => {
  const first = await take()
  expect(first.namespace).toBe(`${prefix}_1`)
  const store = open(first.namespace)
  await migrate(store)
  await first.release()

  const forgotten: string[] = []
  const second = await take(forgotten)
  expect(second.namespace).toBe(`${prefix}_2`)
  expect(forgotten).toEqual([first.namespace])
  expect(await isMigrated(store)).toBe(false)
  await second.release()
})

test('what somebody holds is left alone', async () => {
  const first = await take()
  const store = open(first.namespace)
  await migrate(store)
  const forgotten: string[] = []
  const second = await take(forgotten)
  expect(second.namespace).toBe(`${prefix}_2`)
  expect(forgotten).toEqual([])
  expect(await isMigrated(store)).toBe(true)
  await first.release()
  await second.release()
})

test('two that come at once take two', async () => {
  const taken = await Promise.all([take(), take(), take()])
  expect(new Set(taken.map(({ namespace }) => namespace)).size).toBe(3)
  await Promise.all(taken.map(({ release }) => release()))
})
