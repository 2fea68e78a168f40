/**
 * The one place from which the CLI speaks. Data goes to stdout, words to stderr, so that the answer
 * can be piped on; with `--json` the data is one JSON value.
 */
export type Streams = { out(text: string): void; err(text: string): void; isTerminal: boolean }

export type Output = {
  readonly json: boolean
  readonly isTerminal: boolean
  /** The answer of a command: `value` as JSON, or its lines for people. */
  data(value: unknown, lines: () => readonly string[]): void
  /** One line of an answer that is a stream, JSON or not. */
  line(text: string): void
  /** Words about what happens. */
  say(text: string): void
  /** Words on the line that the last ones stood on, on a terminal; nothing elsewhere. */
  sayAgain(text: string): void
}

export const processStreams: Streams = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  isTerminal: process.stderr.isTTY === true,
}

export function createOutput(streams: Streams, json: boolean): Output {
  let open = false
  const close = () => {
    if (open) streams.err('\n')
    open = false
  }
  return {
    json,
    isTerminal: streams.isTerminal,
    data: (value, lines) => {
      close()
      if (json) streams.out(`${JSON.stringify(value, null, 2)}\n`)
      else for (const line of lines()) streams.out(`${line}\n`)
    },
    line: (text) => {
      close()
      streams.out(`${text}\n`)
    },
    say: (text) => {
      close()
      streams.err(`${text}\n`)
    },
    sayAgain: (text) => {
      if (!streams.isTerminal) return
      streams.err(`\r\x1b[K${text}`)
      open = true
    },
  }
}

/** Rows under headings, each column as wide as its widest cell; numbers stand to the right. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
): string[] {
  const texts = [headings, ...rows.map((row) => row.map((cell) => String(cell ?? '')))]
  const widths = headings.map((_, column) =>
    Math.max(...texts.map((row) => row[column]?.length ?? 0)),
  )
  const isNumber = headings.map(
    (_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'),
  )
  return texts.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return isNumber[column] ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd(),
  )
}
