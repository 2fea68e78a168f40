import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from './tool.ts'

type Manifest = {
  readonly name: string
  readonly private?: boolean
  readonly license?: string
  readonly exports?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

const folders = ['packages', 'services', 'infra', 'test'].flatMap((group) =>
  readdirSync(join(root, group))
    .map((name) => `${group}/${name}`)
    .filter((folder) => existsSync(join(root, folder, 'package.json'))),
)

function read(folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
}

/** All files of a folder by their path from the root, without what was installed or downloaded. */
function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.name === 'node_modules') return []
    return entry.isDirectory() ? filesBelow(path) : [path]
  })
}

describe.each(folders)('%s', (folder) => {
  const manifest = read(folder)

  test('is named after its folder', () => {
    const name = basename(folder)
    const names = folder.startsWith('test/') ? [`${name}-tests`, `test-${name}`] : [name]
    expect(names.map((allowed) => `@wegwijs/${allowed}`)).toContain(manifest.name)
    expect(manifest).toMatchObject({ license: 'Apache-2.0', type: 'module' })
  })

  test('offers named files, no barrel', () => {
    for (const [subpath, file] of Object.entries(manifest.exports ?? {})) {
      expect(subpath).toMatch(/^\.\/[a-z0-9-]+(\/[a-z0-9-]+)*$/)
      expect(file).toMatch(/^\.\/src\/.*\.ts$/)
      expect(existsSync(join(root, folder, file)), `${folder}: ${file} exists`).toBe(true)
    }
  })

  test('takes its versions from the catalog', () => {
    const wanted = Object.values({ ...manifest.dependencies, ...manifest.devDependencies })
    expect(wanted.filter((version) => !/^(catalog:|workspace:\*)$/.test(version))).toEqual([])
  })

  // A drawer for a kind of thing grows without end; a helper lives beside its user or has a name.
  test('has no drawers', () => {
    const drawers =
      /(^|\/)(utils?|common|shared|lib|helpers?|types|interfaces|constants|misc|index)(\.ts|\/)/
    expect(filesBelow(folder).filter((file) => drawers.test(file))).toEqual([])
  })

  test('leaves nothing to be done', () => {
    const notes = /\b(TODO|FIXME|XXX|HACK)\b/
    const sources = filesBelow(folder).filter((file) => /\.(ts|tsx|mjs)$/.test(file))
    const left = sources.filter((file) => notes.test(readFileSync(join(root, file), 'utf8')))
    expect(left.filter((file) => file !== 'test/architecture/packages.test.ts')).toEqual([])
  })
})

test('there are packages to look at', () => {
  expect(folders).toContain('packages/campaign')
})
