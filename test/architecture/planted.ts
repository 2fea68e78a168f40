import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** By their path from the root of a clone: a file's text, or where a link leads. */
export type PlantedFiles = Readonly<Record<string, string | { readonly linkTo: string }>>

/**
 * Lays a small tree in a temporary folder, to be judged by the rules of this one.
 * @returns its path, and how to remove it
 */
export async function plant(
  files: PlantedFiles,
): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'wegwijs-planted-'))
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true })
    if (typeof content === 'string') await writeFile(join(path, name), content)
    else await symlink(join(path, content.linkTo), join(path, name))
  }
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}
