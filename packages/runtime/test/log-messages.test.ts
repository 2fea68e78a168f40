import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { isOurWords } from '../src/log.ts'

const repository = fileURLToPath(new URL('../../../', import.meta.url))
const LOG_CALL = /\blog(?:ger)?\s*\.(?:debug|info|warn|error)\(\s*(['"`])((?:(?!\1).)*)\1/g

async function messagesIn(folder: string): Promise<[file: string, message: string][]> {
  const packages = await readdir(join(repository, folder))
  const perPackage = packages.map(async (name) => {
    const source = join(repository, folder, name, 'src')
    const files = await readdir(source, { recursive: true }).catch(() => [])
    return Promise.all(
      files
        .filter((file) => file.endsWith('.ts'))
        .map(async (file) => {
          const text = await readFile(join(source, file), 'utf8')
          return [...text.matchAll(LOG_CALL)].map((match): [string, string] => [
            join(folder, name, 'src', file),
            match[2] ?? '',
          ])
        }),
    )
  })
  return (await Promise.all(perPackage)).flat(2)
}

describe('the messages of all log lines in the code', () => {
  it('are lower-case words, so that none is withheld at run time', async () => {
    const messages = (await Promise.all(['packages', 'services', 'infra'].map(messagesIn))).flat()
    expect(messages.length).toBeGreaterThan(5)
    expect(messages.filter(([, message]) => !isOurWords(message))).toEqual([])
  })
})
