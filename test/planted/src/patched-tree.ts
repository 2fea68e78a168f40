import { cp, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { PlantedBug } from './bugs.ts'
import { applyEdit } from './edit.ts'

/** A copy of the whole tree in which one bug is planted. */
export type PatchedTree = {
  readonly path: string
  /** Give it to Node as `--import`: it shuts out the unpatched tree, and notes what is loaded. */
  readonly watcher: string
  /** The patched files that no process has loaded so far. */
  unloaded(): Promise<string[]>
  remove(): Promise<void>
}

const copied = [
  'examples',
  'infra',
  'packages',
  'services',
  'test',
  'package.json',
  'pnpm-workspace.yaml',
  'tsconfig.base.json',
  'tsconfig.json',
]

/**
 * Copies the sources of `root`, with the links by which its packages find each other: they are
 * relative, so in the copy they lead to the copy. Libraries are those of `root`.
 *
 * @throws RangeError when an edit of the bug does not apply exactly once
 */
export async function plantBug(root: string, bug: Pick<PlantedBug, 'edits'>): Promise<PatchedTree> {
  // The real path, since that is what modules are loaded by.
  const path = await realpath(await mkdtemp(join(tmpdir(), 'wegwijs-planted-bug-')))
  const remove = () => rm(path, { recursive: true, force: true })
  try {
    for (const name of copied) {
      await cp(join(root, name), join(path, name), {
        recursive: true,
        verbatimSymlinks: true,
        filter: (source) => basename(source) !== '.wegwijs',
      })
    }
    await symlink(await realpath(join(root, 'node_modules')), join(path, 'node_modules'))
    const files = await patch(path, bug)
    return { path, remove, ...(await watch({ root, path, files })) }
  } catch (error) {
    await remove()
    throw error
  }
}

async function patch(path: string, { edits }: Pick<PlantedBug, 'edits'>): Promise<string[]> {
  for (const edit of edits) {
    const file = join(path, edit.file)
    await writeFile(file, applyEdit(await readFile(file, 'utf8'), edit))
  }
  return [...new Set(edits.map((edit) => edit.file))]
}

/**
 * A bug that is planted in files which nobody runs would be found by nobody, or, worse, the tree
 * beside it would be tested. So every process that runs in the copy says which of the patched files
 * it has loaded, and ends when it is about to load a source of the tree that was copied.
 */
async function watch(tree: { root: string; path: string; files: readonly string[] }) {
  const watcher = join(tree.path, 'watch-what-is-loaded.mjs')
  const loaded = join(tree.path, 'loaded.txt')
  const original = pathToFileURL(`${await realpath(tree.root)}/`).href
  const urls = tree.files.map((file) => [pathToFileURL(join(tree.path, file)).href, file])
  await writeFile(loaded, '')
  await writeFile(
    watcher,
    `import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
const patched = new Map(${JSON.stringify(urls)})
registerHooks({
  load(url, context, next) {
    if (url.startsWith(${JSON.stringify(original)}) && !url.includes('/node_modules/')) {
      throw new Error('a file of the unpatched tree is loaded: ' + url)
    }
    const file = patched.get(url)
    if (file !== undefined) appendFileSync(${JSON.stringify(loaded)}, file + '\\n')
    return next(url, context)
  },
})
`,
  )
  return {
    watcher,
    unloaded: async () => {
      const seen = new Set((await readFile(loaded, 'utf8')).split('\n'))
      return tree.files.filter((file) => !seen.has(file))
    },
  }
}
