import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from './tool.ts'

/**
 * A new kind of step or trigger is a file, a line in the registry, its tests and its docs. Read as text:
 * a file that nobody registered, or that nobody told of, is found here.
 */
const core = join(root, 'packages/campaign')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const told = globSync('docs/*.md', { cwd: root }).map(read).join('\n')
const reference = read('docs/reference/definition.md')
const example = globSync('examples/hospital/campaigns/*.yaml', { cwd: root }).map(read).join('\n')

type Kind = { file: string; key: string; name: string }

/** The kinds that the files of a folder hold. */
function kindsIn(folder: string, type: string): Kind[] {
  return globSync('*.ts', { cwd: join(core, 'src', folder) }).flatMap((file) => {
    const text = readFileSync(join(core, 'src', folder, file), 'utf8')
    const [, name] = new RegExp(`export const (\\w+): ${type}<`).exec(text) ?? []
    const [, key] = /^ {2}key: '(\w+)'/m.exec(text) ?? []
    return name !== undefined && key !== undefined
      ? [{ file: basename(file, '.ts'), key, name }]
      : []
  })
}

const dashed = (key: string) => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

describe.each([
  ['steps', 'StepKind', 10],
  ['triggers', 'TriggerKind', 5],
] as const)('packages/campaign/src/%s', (folder, type, least) => {
  const kinds = kindsIn(folder, type)
  const registry = read(`packages/campaign/src/${folder}/registry.ts`)

  test('holds kinds', () => {
    expect(kinds.length).toBeGreaterThanOrEqual(least)
  })

  test.each(kinds)('$key is registered, once', ({ file, name }) => {
    expect(registry).toContain(`from './${file}.ts'`)
    const [, listed = ''] = /export const \w+Kinds = \[([^\]]*)\]/.exec(registry) ?? []
    expect(listed.split(/[\s,]+/).filter((each) => each === name)).toHaveLength(1)
  })

  test.each(kinds)('$key has a suite of its own', ({ file }) => {
    expect(existsSync(join(core, 'test', folder, `${file}.test.ts`))).toBe(true)
  })

  test.each(kinds)('$key has its place in the reference', ({ key }) => {
    expect(reference).toContain(`<a id="${folder.slice(0, -1)}-${dashed(key)}">`)
  })

  test.each(kinds)(
    '$key is told of outside of the reference, and used by the example',
    ({ key }) => {
      expect(told).toMatch(new RegExp(`\\b${key}\\b`))
      expect(example).toMatch(new RegExp(`\\b${key}:`))
    },
  )
})
