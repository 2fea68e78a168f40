import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { attemptReasonText } from '../src/attempt-reasons.ts'

const sources = [
  'packages/channels/src/app.ts',
  'packages/channels/src/email.ts',
  'packages/channels/src/silent.ts',
  'packages/channels/src/sms.ts',
  'packages/channels/src/smtp-outcome.ts',
  'packages/store/src/leases.ts',
  'packages/store/src/settle.ts',
  'packages/template/src/write-content.ts',
  'services/delivery/src/compose-message.ts',
  'services/delivery/src/hand-over.ts',
]

async function read(path: string): Promise<string> {
  return readFile(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8')
}

/** What the sources write down of attempts, in so many words. */
async function codes(): Promise<string[]> {
  const texts = await Promise.all(sources.map(read))
  const written = texts.flatMap((text) => [
    ...text.matchAll(/(?:\breason(?: =|:)|\bfault:|refused\()\s*'([a-z]+_[a-z_]+)'/g),
  ])
  const renderer = await read('packages/template/src/template.ts')
  const failures = [...renderer.matchAll(/WEGWIJS_(TEMPLATE_\w+)/g)].map(([, name = '']) =>
    name.toLowerCase(),
  )
  return [...new Set([...written.map(([, code = '']) => code), ...failures])]
}

/** What stands behind `smtp_` and `sms_`: the values of their tables of errors. */
async function errors(): Promise<string[]> {
  const named = await Promise.all(
    (['smtp', 'sms'] as const).map(async (name) => {
      const text = await read(`packages/channels/src/${name}-outcome.ts`)
      const [, table = ''] = text.split('const reasons: Record<string, string> = {')
      return [...table.matchAll(/: '([a-z_]+)'/g)].map(([, code]) => `${name}_${code}`)
    }),
  )
  return [...named.flat(), 'smtp_failed', 'sms_failed', 'smtp_550', 'sms_503', 'not_for_email']
}

test('whatever is written down of an attempt is told in a sentence, in both languages', async () => {
  const all = [...(await codes()), ...(await errors())]
  expect(all.length).toBeGreaterThan(40)
  for (const code of all) {
    const [en, nl] = [attemptReasonText(code), attemptReasonText(code, 'nl')]
    expect(en, code).toContain(' ')
    expect(en, code).not.toContain('_')
    expect(nl, code).not.toBe(en)
  }
})

test('what only another provider knows is told as it is', () => {
  expect(attemptReasonText('quota_of_ours')).toBe('quota_of_ours')
})
