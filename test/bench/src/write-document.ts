import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { drawCurves, readResults, withFigures } from './document.ts'

/** Brings docs/performance.md and its pictures up to the kept results. */
export async function writeDocument(results: string, docs: string): Promise<void> {
  const file = join(docs, 'performance.md')
  const kept = readResults(results)
  writeFileSync(file, withFigures(readFileSync(file, 'utf8'), kept))
  for (const [name, picture] of await drawCurves(kept)) writeFileSync(join(docs, name), picture)
}
