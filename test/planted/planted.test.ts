import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, inject, test } from 'vitest'
import { readBugs } from './src/bugs.ts'
import { applyEdit, misfitOf } from './src/edit.ts'
import { huntBug } from './src/hunt.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const bugs = await readBugs(join(root, 'test/planted/bugs'))

test('there are at least forty planted bugs', () => {
  expect(bugs.length).toBeGreaterThanOrEqual(40)
})

describe.each(bugs)('$name', ({ edits }) => {
  test('still applies, each of its edits exactly once, to something that Node can read', async () => {
    const texts = new Map<string, string>()
    for (const edit of edits) {
      const text = texts.get(edit.file) ?? (await readFile(join(root, edit.file), 'utf8'))
      expect(misfitOf(text, edit)).toBeNull()
      texts.set(edit.file, applyEdit(text, edit))
    }
    for (const text of texts.values()) expect(() => stripTypeScriptTypes(text)).not.toThrow()
  })
})

/** The cheapest of all; `npm run test:planted` hunts every one. */
test.for(bugs.filter((bug) => bug.quick))('the simulation finds $name', async (bug) => {
  const { databaseUrl } = inject('servers')
  expect(await huntBug(bug, { root, databaseUrl, from: 1 })).toMatchObject({ result: 'found' })
})
