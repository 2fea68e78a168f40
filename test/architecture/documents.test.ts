import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from './tool.ts'

const documents = globSync('{*.md,docs/**/*.md,.github/**/*.md,examples/**/*.md}', { cwd: root })

/** Links to files of this repository, `#…` cut off. */
function linksIn(text: string): string[] {
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '')
  return links
    .filter((target) => !/^([a-z]+:|#)/.test(target))
    .map((target) => target.replace(/#.*$/, ''))
}

/** Files that a text names in code marks, such as `packages/store/src/claim.ts`. */
function filesNamedIn(text: string): string[] {
  const named = text.matchAll(
    /`((?:packages|services|infra|test|examples|docs)\/[\w./@-]+\.[a-z]+)`/g,
  )
  return [...named].map(([, file]) => file ?? '')
}

test('there are documents', () => {
  expect(documents).toContain('README.md')
})

describe.each(documents)('%s', (document) => {
  const text = readFileSync(join(root, document), 'utf8')

  test('links to files that exist', () => {
    const missing = linksIn(text).filter(
      (link) => !existsSync(join(root, normalize(join(dirname(document), decodeURI(link))))),
    )
    expect(missing).toEqual([])
  })

  test('has nothing left of a merge', () => {
    expect(text.split('\n').filter((line) => /^(<{7}|={7}|>{7})( |$)/.test(line))).toEqual([])
  })

  test('names files that exist', () => {
    expect(filesNamedIn(text).filter((file) => !existsSync(join(root, file)))).toEqual([])
  })
})

// A promise is worth the tests that would fail without it.
test.each(['P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7', 'P8'])(
  'docs/architecture.md names a test of %s',
  (promise) => {
    const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8')
    const rows = text.split('\n').filter((line) => line.includes(promise))
    const tests = rows.flatMap(filesNamedIn).filter((file) => file.endsWith('.test.ts'))
    expect(tests).not.toEqual([])
  },
)

// Cited in code as well, where it is upheld.
test.each(['P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7', 'P8'])(
  'code says where %s is upheld',
  (promise) => {
    const sources = globSync('{packages,services}/*/src/**/*.ts', { cwd: root })
    const citing = sources.filter((file) =>
      new RegExp(`\\b${promise}\\b`).test(readFileSync(join(root, file), 'utf8')),
    )
    expect(citing).not.toEqual([])
  },
)
