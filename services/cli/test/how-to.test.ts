import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { exampleFolder } from '../src/log-options.ts'
import { run } from './run.ts'

const page = new URL('../../../docs/how-to.md', import.meta.url)
const FILE = /^```\w+ (\S+)\n(.*?)^```$/gms

test('every campaign of the how-to is right and does what its example says', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wegwijs-how-to-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await cp(exampleFolder, folder, { recursive: true })
  const files = [...(await readFile(page, 'utf8')).matchAll(FILE)]
  expect(files.length).toBeGreaterThan(10)
  for (const [, path = '', text = ''] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }

  const validated = await run(['validate', folder, '--strict'])
  expect(validated.code, validated.out).toBe(0)
  const tested = await run(['test', folder])
  expect(tested.out.split('\n').filter((line) => line.includes('✗'))).toEqual([])
  expect(tested.code, tested.out).toBe(0)
})
