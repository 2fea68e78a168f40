import { createReadStream } from 'node:fs'
import { fail } from '@wegwijs/runtime/failure'
import { parseEvent, type TouchpointEvent } from '@wegwijs/wire/touchpoint-event'

const mostFaults = 20

/**
 * CloudEvents from a file or, for `-`, from standard input: one JSON value a line, or one array, or
 * one event over many lines.
 *
 * @throws WEGWIJS_EVENTS_INVALID with every line that is not an event
 */
export async function readEvents(
  file: string,
  input: AsyncIterable<Buffer>,
): Promise<TouchpointEvent[]> {
  const events: TouchpointEvent[] = []
  for await (const some of streamEvents(file, input)) events.push(...some)
  return events
}

/**
 * The same, some at a time, so that a file of any length can be read: what is one JSON value a line
 * never stands in memory whole. A caller must not act before the last of them has come: a fault is
 * told at the end, with all the others.
 *
 * @throws WEGWIJS_EVENTS_INVALID with the first lines that are not events
 */
export async function* streamEvents(
  file: string,
  input: AsyncIterable<Buffer>,
): AsyncGenerator<TouchpointEvent[]> {
  const faults: string[] = []
  for await (const values of placedValues(file === '-' ? input : createReadStream(file))) {
    yield values.flatMap((placed) => eventIn(placed, faults))
  }
  if (faults.length > 0) throw fail('WEGWIJS_EVENTS_INVALID', { faults })
}

function eventIn({ place, value }: Placed, faults: string[]): TouchpointEvent[] {
  const decoded = value === undefined ? undefined : parseEvent(value)
  if (decoded?.event) return [decoded.event]
  const { reason, path } = decoded?.rejection ?? { reason: 'not JSON', path: undefined }
  if (faults.length < mostFaults) {
    faults.push(`${place}: ${path === undefined ? '' : `${path}: `}${reason}`)
  }
  return []
}

/** Line by line when the first line is a value of its own; else there is no other way than whole. */
async function* placedValues(input: AsyncIterable<Buffer>): AsyncGenerator<Placed[]> {
  const decoder = new TextDecoder()
  let rest = ''
  let isByLine = false
  let before = 0
  for await (const part of readable(input)) {
    rest += decoder.decode(part, { stream: true })
    const end = rest.lastIndexOf('\n') + 1
    if (end === 0) continue
    isByLine ||= isObject(rest.slice(0, rest.indexOf('\n')))
    if (!isByLine) continue
    const lines = rest.slice(0, end)
    rest = rest.slice(end)
    yield lineValues(lines, before)
    before += lines.split('\n').length - 1
  }
  rest += decoder.decode()
  yield isByLine ? lineValues(rest, before) : (wholeValue(rest) ?? lineValues(rest))
}

function isObject(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

async function* readable(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* input
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error
    throw fail('WEGWIJS_USAGE', { problem: `the file cannot be read: ${error.message}` }, error)
  }
}

type Placed = { place: string; value: unknown }

function wholeValue(text: string): Placed[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (!Array.isArray(value)) return [{ place: 'event 1', value }]
    return value.map((each: unknown, index) => ({ place: `event ${index + 1}`, value: each }))
  } catch {
    return undefined
  }
}

/** `before`: how many lines stand above these. */
function lineValues(text: string, before = 0): Placed[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    const place = `line ${before + index + 1}`
    try {
      return [{ place, value: JSON.parse(line) as unknown }]
    } catch {
      return [{ place, value: undefined }]
    }
  })
}
