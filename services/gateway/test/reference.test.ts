import { readFile } from 'node:fs/promises'
import { maxBatchBytes, maxBatchEvents } from '@wegwijs/wire/cloudevents-http'
import { expect, test } from 'vitest'
import { defaultLimits } from '../src/limits.ts'
import { statusOf } from '../src/problem.ts'

const page = await readFile(
  new URL('../../../docs/reference/http.md', import.meta.url),
  'utf8',
).then((text) => text.replace(/\s+/g, ' '))

test.each(Object.entries(statusOf))('docs/reference/http.md tells of %s', (code, status) => {
  expect(page).toContain(`| ${status} | \`${code}\` |`)
})

test('docs/reference/http.md tells the limits as they are', () => {
  const inWords = (count: number) => count.toLocaleString('en')
  for (const words of [
    `at most ${maxBatchEvents} events and ${maxBatchBytes / 2 ** 20} MB`,
    `${inWords(defaultLimits.eventsPerSecond)} events a second`,
    `${inWords(defaultLimits.eventsAtOnce)} at once`,
    `${defaultLimits.requestsInFlight} requests or ${defaultLimits.bytesInFlight / 2 ** 20} MB`,
    `more than ${defaultLimits.requestDeadlineMs / 1_000} seconds`,
  ]) {
    expect(page).toContain(words)
  }
})
