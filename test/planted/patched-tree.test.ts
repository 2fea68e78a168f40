import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PatchedTree, plantBug } from './src/patched-tree.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const file = 'packages/runtime/src/clock.ts'
let tree: PatchedTree

beforeAll(async () => {
  tree = await plantBug(root, {
    edits: [
      {
        file,
        find: 'export const systemClock: Clock = Object.freeze({',
        replace: 'export const isPlanted = true\nexport const systemClock: Clock = Object.freeze({',
      },
    ],
  })
})
afterAll(() => tree.remove())

/** Runs a module in the folder of a package of the copy, as the simulation would be. */
async function run(code: string): Promise<string> {
  const words = ['--import', pathToFileURL(tree.watcher).href, '--input-type=module', '-e', code]
  const cwd = join(tree.path, 'services/journey')
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd })
  return stdout.trim()
}

test('what is planted is what runs when another package asks for it', async () => {
  expect(await tree.unloaded()).toEqual([file])
  const code = `console.log((await import('@wegwijs/runtime/clock')).isPlanted)`
  expect(await run(code)).toBe('true')
  expect(await tree.unloaded()).toEqual([])
})

test('nothing of the tree that was copied can be loaded there', async () => {
  const original = JSON.stringify(pathToFileURL(join(root, file)).href)
  await expect(run(`await import(${original})`)).rejects.toThrow(
    'a file of the unpatched tree is loaded',
  )
})

test('a bug that does not apply says where', async () => {
  const edits = [{ file, find: 'a line that is not there', replace: '' }]
  await expect(plantBug(root, { edits })).rejects.toThrow(`${file} has these lines 0 times`)
})
