import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openNamespace } from '@wegwijs/test-support/namespace'
import { expect, inject, onTestFinished, test } from 'vitest'
import { exampleFolder } from '../src/log-options.ts'
import { run } from './run.ts'

/** The key and the event of docs/publishing.md, which whoever publishes copies first of all. */
async function page(): Promise<{ key: string[]; event: string }> {
  const text = await readFile(join(exampleFolder, '../../docs/publishing.md'), 'utf8')
  const { words = '' } = /wegwijs -- (?<words>keys create .*)/.exec(text)?.groups ?? {}
  const { event = '' } = /-d '(?<event>\{.*?\})'\n/s.exec(text)?.groups ?? {}
  const key = [...words.matchAll(/"([^"]*)"|(\S+)/g)].map(
    ([, quoted, word]) => quoted ?? word ?? '',
  )
  return { key, event: event.replace(/'\$\(date [^)]*\)'/, '2026-03-02T10:00:00Z') }
}

test('makes a key with all that it needs', async () => {
  const { databaseUrl } = inject('servers')
  const store = await openNamespace(databaseUrl, 'publishing')
  onTestFinished(() => store.close())
  const { code, out } = await run((await page()).key, {
    WEGWIJS_NAMESPACE: store.namespace,
    WEGWIJS_DATABASE_URL: databaseUrl,
  })
  expect([code, out]).toEqual([0, expect.stringMatching(/^wgw_/)])
})

test('tells an event that the example takes from that publisher', async () => {
  const { event } = await page()
  const line = JSON.stringify(JSON.parse(event))
  const words = ['simulate', exampleFolder, '--events', '-', '--json', '--counts']
  const { code, json } = await run(words, {}, `${line}\n`)
  expect(code).toBe(0)
  expect(json()).toMatchObject({ events: 1, applied: 1, deadLetters: {} })
})
