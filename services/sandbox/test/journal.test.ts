import { appendFile, mkdtemp, readFile, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Journal, openJournal, type Place } from '../src/journal.ts'

type Entry = { n: number; text: string }

let directory = ''
const open: Journal<Entry>[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wegwijs-journal-'))
})

afterEach(async () => {
  for (const journal of open.splice(0)) await journal.close()
  await rm(directory, { recursive: true, force: true })
})

async function openAt(
  path: string,
): Promise<{ journal: Journal<Entry>; entries: [Entry, Place][] }> {
  const entries: [Entry, Place][] = []
  const journal = await openJournal<Entry>(path, (entry, place) => entries.push([entry, place]))
  open.push(journal)
  return { journal, entries }
}

const entry = (n: number): Entry => ({ n, text: `regel ${n} – één\n€ ${'x'.repeat(n % 50)}` })

test('what was appended at once is whole, in order, and can be read at its place', async () => {
  const path = join(directory, 'a.ndjson')
  const { journal } = await openAt(path)
  const numbers = Array.from({ length: 1_200 }, (_, index) => index)
  const places = await Promise.all(numbers.map((n) => journal.append(entry(n))))
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line))).toEqual(numbers.map(entry))
  for (const n of [0, 1, 599, 1_199]) {
    const place = places[n]
    if (place) expect(await journal.read(place)).toEqual(entry(n))
  }
})

test('a journal that is opened again gives what it has, and goes on behind it', async () => {
  const path = join(directory, 'a.ndjson')
  const first = await openAt(path)
  const place = await first.journal.append(entry(1))
  await first.journal.close()
  open.length = 0
  const second = await openAt(path)
  expect(second.entries).toEqual([[entry(1), place]])
  const next = await second.journal.append(entry(2))
  expect(next.offset).toBe(place.length)
  expect(await second.journal.read(next)).toEqual(entry(2))
})

test('a line that a crash left unfinished is cut off, wherever it was cut', async () => {
  const path = join(directory, 'a.ndjson')
  const { journal } = await openAt(path)
  const kept = await journal.append(entry(1))
  await journal.close()
  open.length = 0
  const half = Buffer.from(JSON.stringify(entry(2)))
  for (const bytes of [1, 17, half.length]) {
    await truncate(path, kept.length)
    await appendFile(path, half.subarray(0, bytes))
    const again = await openAt(path)
    expect(again.entries.map(([each]) => each)).toEqual([entry(1)])
    const place = await again.journal.append(entry(3))
    expect(await again.journal.read(place)).toEqual(entry(3))
    await again.journal.close()
    open.length = 0
  }
})

test('a file of several chunks is read whole', async () => {
  const path = join(directory, 'a.ndjson')
  const { journal } = await openAt(path)
  const large = (n: number): Entry => ({ n, text: 'é'.repeat(300_000) })
  await Promise.all([1, 2, 3, 4, 5, 6].map((n) => journal.append(large(n))))
  await journal.close()
  open.length = 0
  const { entries } = await openAt(path)
  expect(entries.map(([each]) => each)).toEqual([1, 2, 3, 4, 5, 6].map(large))
})
