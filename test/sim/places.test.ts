import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { storyOf } from './src/stories.ts'

/** Long enough that every situation is told in several of its ways. */
const seeds = 600

/** What stories wait for, hold or disturb that is a statement, by how its text begins. */
function statementsWaitedFor(): ReadonlySet<string> {
  const places = Array.from({ length: seeds }, (_, seed) => storyOf(seed + 1)).flatMap(
    ({ meetings, faults }) => [
      ...meetings.flatMap(({ what, behind, after = [], until }) => [
        what,
        behind,
        ...[...after, ...until].map((place) => place.what),
      ]),
      ...faults.flatMap(({ on, after }) => [on, after]),
    ],
  )
  return new Set(
    places.filter(
      (what) => what !== undefined && /^(select|with|update|insert) /.test(what),
    ) as string[],
  )
}

/** As a label has it: in one line. */
async function sourcesOf(folder: URL): Promise<string> {
  const names = await readdir(folder, { recursive: true })
  const files = names.filter((name) => name.endsWith('.ts'))
  const texts = await Promise.all(files.map((name) => readFile(new URL(name, folder), 'utf8')))
  return texts.join('\n').replaceAll(/\s+/g, ' ')
}

// Nobody ever comes to a statement that is written otherwise by now: the story would tell of chance alone.
test('stories wait for statements that there are', async () => {
  const sources = await sourcesOf(new URL('../../packages/store/src/', import.meta.url))
  const statements = statementsWaitedFor()
  expect(statements).toContain('with named as')
  const gone = [...statements].filter((what) => {
    const [, table] = /^insert into "(\w+)"$/.exec(what) ?? []
    const asWritten = table
      ? `'${table}'`
      : what.replace('select "person_id", "merged_into"', `.select(['person_id', 'merged_into'])`)
    return !sources.includes(asWritten)
  })
  expect(gone).toEqual([])
})
