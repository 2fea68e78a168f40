import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { drawCurves, readResults, withFigures } from './src/document.ts'
import { rows } from './src/rows/registry.ts'

const results = fileURLToPath(new URL('results', import.meta.url))
const docs = fileURLToPath(new URL('../../docs', import.meta.url))
const kept = readResults(results)
const toMend = 'run `pnpm bench -- --document`'

it('shows in docs/performance.md what the kept results come to', () => {
  const document = readFileSync(`${docs}/performance.md`, 'utf8')
  expect(document === withFigures(document, kept), toMend).toBe(true)
})

it('shows the pictures of the kept results, and no others', async () => {
  const pictures = await drawCurves(kept)
  const there = readdirSync(docs).filter((name) => /^performance-.*\.svg$/.test(name))
  expect(there.sort(), toMend).toEqual([...pictures.keys()].sort())
  for (const [name, picture] of pictures) {
    expect(readFileSync(`${docs}/${name}`, 'utf8') === picture, `${name}: ${toMend}`).toBe(true)
  }
})

it('keeps results of its own rows only', () => {
  const files = readdirSync(results).filter((name) => name.endsWith('.json'))
  expect(files.filter((file) => !rows.some(({ name }) => `${name}.json` === file))).toEqual([])
})
