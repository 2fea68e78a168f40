import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A folder for one test. `closed`: only its owner may enter, as in a home directory. */
export async function testFolder({ closed = false } = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'wegwijs-local-'))
  await chmod(folder, closed ? 0o700 : 0o755)
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}
