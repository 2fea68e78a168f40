import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectionsFor } from '@wegwijs/delivery/concurrency'
import { defaultSettings as delivery } from '@wegwijs/delivery/service'
import { defaultSettings as scheduler } from '@wegwijs/scheduler/service'
import { topicConfigs } from '@wegwijs/wire/topics'
import { describe, expect, test } from 'vitest'
import { root } from './tool.ts'

const document = readFileSync(join(root, 'docs/guarantees.md'), 'utf8')
const sections = new Map(
  document
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, 2), section] as const),
)
const promises = ['P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7', 'P8']

type Citation = { file: string; title: string }

/** `- [test/x.test.ts](../test/x.test.ts): “title of the test”` */
function citationsIn(text: string): Citation[] {
  return [...text.matchAll(/^- \[([^\]]+)\]\(\.\.\/([^)]+)\): “([^”]+)”$/gm)].map(
    ([, , file = '', title = '']) => ({ file, title }),
  )
}

/** True when a test or a group of tests of that file has exactly this title. */
function holds({ file, title }: Citation): boolean {
  const source = readFileSync(join(root, file), 'utf8')
  return ["'", '"', '`'].some((quote) => source.includes(`${quote}${title}${quote},`))
}

test('docs/guarantees.md has a section for each promise, in their order', () => {
  expect([...sections.keys()].filter((name) => /^P\d$/.test(name))).toEqual(promises)
})

describe.each(promises)('docs/guarantees.md on %s', (promise) => {
  const section = sections.get(promise) ?? ''
  const citations = citationsIn(section)

  test('says what is promised, the window that remains, the last figures, and who tests it', () => {
    const heads = [...section.matchAll(/^\*\*([^*]+)\.\*\*/gm)].map(([, head]) => head)
    expect(heads).toEqual(['Promised', 'Window', 'Last figures', 'Tested by'])
  })

  test('cites tests, in no other form than the one that is checked', () => {
    expect(citations).not.toEqual([])
    expect(citations).toHaveLength(section.match(/^- /gm)?.length ?? 0)
  })

  test('cites no test that does not exist', () => {
    expect(citations.filter((citation) => !holds(citation))).toEqual([])
  })
})

test('a citation of a test that does not exist is found', () => {
  const citation = { file: 'test/architecture/documents.test.ts', title: 'nobody wrote this' }
  expect(holds(citation)).toBe(false)
})

describe('what docs/guarantees.md says in figures is what is shipped:', () => {
  const text = document.replaceAll(/\s+/g, ' ')

  test('how many messages are sending at once', () => {
    const { email, sms } = delivery.concurrency
    expect(text).toContain(
      `at most ${connectionsFor(email)} e-mails and ${connectionsFor(sms)} SMS with the settings as shipped`,
    )
  })

  test('how long a send and a claim last', () => {
    expect(delivery.leaseMs).toBe(60_000)
    expect(text).toContain(
      `A send lasts at most ${delivery.sendMs / 1_000} seconds and the claim under which it may begin one minute`,
    )
  })

  test('how long what was decided is kept', () => {
    expect(scheduler.keepMonths).toBe(13)
    expect(text).toContain('decisions older than thirteen months are dropped')
  })

  test('how long Kafka keeps events', () => {
    const kept = topicConfigs('shipped').map(({ settings }) => Number(settings['retention.ms']))
    expect(Math.min(...kept)).toBe(14 * 24 * 60 * 60_000)
    expect(text).toContain('fourteen days as shipped')
  })

  test('how much waits in Redis', () => {
    const most = scheduler.perQueue.toLocaleString('en')
    expect(text).toContain(`at most ${most} messages a lane`)
  })
})
