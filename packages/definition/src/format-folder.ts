import { randomUUID } from 'node:crypto'
import { readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { canonicalText } from './canonical.ts'
import { compareTexts, type Fault, faultAt, inReadingOrder } from './fault.ts'
import { type FileKind, kindOf, referenceTo } from './file-kinds.ts'
import { decode, leadsNowhere, unlessMissing, whyNoFolder } from './folder.ts'
import { parseYaml } from './yaml-source.ts'

/** `changed` are the files, by their paths in the folder, that are not, or were not, in our form. */
export type Formatting = { changed: string[]; faults: Fault[] }

/** Which YAML files of a definition are not in the one form; `faults` tells of those that are not YAML. */
export async function checkFormat(folder: string): Promise<Formatting> {
  const { changes, faults } = await changesOf(folder)
  return { changed: changes.map(({ path }) => path), faults }
}

/**
 * Puts every YAML file of a definition into the one form, or none of them: with a file that is not
 * YAML, or that cannot be written, all stay as they were. Rejects when the disk refuses.
 */
export async function formatFolder(folder: string): Promise<Formatting> {
  const { changes, faults } = await changesOf(folder)
  if (faults.length > 0) return { changed: [], faults }
  await writeAll(
    changes.map(({ path, before, text }) => ({ path: join(folder, path), before, text })),
  )
  return { changed: changes.map(({ path }) => path), faults }
}

type Change = { path: string; before: Buffer; text: string }

async function changesOf(folder: string): Promise<{ changes: Change[]; faults: Fault[] }> {
  const changes: Change[] = []
  const faults: Fault[] = []
  const message = await whyNoFolder(folder)
  if (message !== undefined) faults.push(faultAt(folder, start, { message }))
  for (const { path, kind } of message === undefined ? await filesOf(folder) : []) {
    const before = await unlessMissing(readFile(join(folder, path)))
    if (before === undefined) {
      faults.push({
        ...faultAt(path, start, { message: leadsNowhere }),
        reference: referenceTo(path),
      })
      continue
    }
    const text = decode(before)
    const own =
      text === undefined
        ? [faultAt(path, start, { message: 'expected a text in UTF-8' })]
        : parseYaml(path, text).faults
    faults.push(...own.map((fault) => ({ ...fault, reference: referenceTo(path) })))
    if (text === undefined || own.length > 0) continue
    const formed = canonicalText(kind, text)
    if (!before.equals(Buffer.from(formed))) changes.push({ path, before, text: formed })
  }
  return { changes, faults: inReadingOrder(faults) }
}

const start = { line: 1, column: 1 }

async function filesOf(folder: string): Promise<{ path: string; kind: FileKind }[]> {
  const names = await readdir(folder, { recursive: true })
  return names
    .map((name) => name.replaceAll('\\', '/'))
    .sort(compareTexts)
    .flatMap((path) => {
      const kind = kindOf(path)
      return kind ? [{ path, kind }] : []
    })
}

/** The new texts are all on disk before the first file changes, and what has changed is put back. */
async function writeAll(changes: readonly Change[]): Promise<void> {
  const written: { target: string; temporary: string; before: Buffer }[] = []
  let renamed = 0
  try {
    for (const { path, before, text } of changes) {
      const target = await realpath(path)
      const temporary = join(dirname(target), `.${randomUUID()}.tmp`)
      written.push({ target, temporary, before })
      await writeFile(temporary, text, { mode: (await stat(target)).mode })
    }
    for (const { target, temporary } of written) {
      await rename(temporary, target)
      renamed += 1
    }
  } catch (error) {
    for (const { target, before } of written.slice(0, renamed)) await writeFile(target, before)
    for (const { temporary } of written.slice(renamed)) await rm(temporary, { force: true })
    throw error
  }
}
