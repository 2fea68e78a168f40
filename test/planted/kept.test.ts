import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { readBugs } from './src/bugs.ts'
import { guarantees, readKeptHunts, withHunts } from './src/kept.ts'

test('docs/guarantees.md tells what the kept hunt for planted bugs came to', async () => {
  const document = await readFile(guarantees, 'utf8')
  expect(withHunts(document, await readKeptHunts())).toBe(document)
})

test('a bug that was not found is not passed over', () => {
  const hunted = { promise: 'P1', seeds: 9, foundWithin: 60, violation: null }
  const bugs = [
    { ...hunted, name: 'one', result: 'found' as const },
    { ...hunted, name: 'other', seeds: 60, result: 'missed' as const },
  ]
  const page =
    '<!-- figures planted: made by `pnpm test:planted -- --keep` -->\nold\n<!-- /figures -->'
  const told = withHunts(page, { at: '2026-03-02T09:00:00.000Z', commit: 'abc', bugs })
  expect(told).toContain(
    'Of 2 planted bugs 1 were found, the hardest within 9 stories (2026-03-02, commit abc).',
  )
})

test('the kept hunt was for every bug that there was', async () => {
  const { bugs } = await readKeptHunts()
  const known = new Set(
    (await readBugs(new URL('bugs', import.meta.url).pathname)).map(({ name }) => name),
  )
  expect(bugs.filter(({ name }) => !known.has(name))).toEqual([])
})
