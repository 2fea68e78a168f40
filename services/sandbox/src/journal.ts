import { open, stat } from 'node:fs/promises'
import { createGroupCommit } from '@wegwijs/runtime/group-commit'

/** Where an entry stands in its file, in bytes. */
export type Place = { offset: number; length: number }

export type Journal<Entry> = {
  /** Resolves when the entry is on disk. Entries that come together are written together. */
  append(entry: Entry): Promise<Place>
  read(place: Place): Promise<Entry>
  close(): Promise<void>
}

const chunkBytes = 1024 * 1024

/**
 * A file of JSON lines that only grows. At opening every entry in it is given to `onEntry`, in
 * order; a last line that a crash left unfinished was never answered for, and is cut off.
 */
export async function openJournal<Entry>(
  path: string,
  onEntry: (entry: Entry, place: Place) => void,
): Promise<Journal<Entry>> {
  const file = await open(path, 'a+')
  let size = 0
  for await (const { line, place } of linesOf(path)) {
    onEntry(JSON.parse(line) as Entry, place)
    size = place.offset + place.length
  }
  await file.truncate(size)

  const commit = createGroupCommit<Entry, Place>(
    async (entries) => {
      const lines = entries.map((entry) => Buffer.from(`${JSON.stringify(entry)}\n`))
      await file.appendFile(Buffer.concat(lines))
      await file.datasync()
      return lines.map(({ length }) => {
        const place = { offset: size, length }
        size += length
        return place
      })
    },
    { maxItems: 500 },
  )

  return {
    append: (entry) => commit.add(entry),
    async read({ offset, length }) {
      const { buffer } = await file.read(Buffer.alloc(length), 0, length, offset)
      return JSON.parse(buffer.toString()) as Entry
    },
    async close() {
      await commit.drain()
      await file.close()
    },
  }
}

/** The lines that end in a line break. */
async function* linesOf(path: string): AsyncGenerator<{ line: string; place: Place }> {
  const { size } = await stat(path)
  const file = await open(path, 'r')
  try {
    let offset = 0
    let rest = Buffer.alloc(0)
    for (let position = 0; position < size; position += chunkBytes) {
      const { buffer, bytesRead } = await file.read(
        Buffer.alloc(chunkBytes),
        0,
        chunkBytes,
        position,
      )
      rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)])
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        const length = end + 1
        yield { line: rest.toString('utf8', 0, end), place: { offset, length } }
        offset += length
        rest = rest.subarray(length)
      }
    }
  } finally {
    await file.close()
  }
}
