import { createReadStream } from 'node:fs'
import { fail } from '@wegwijs/runtime/failure'
import { parseEvent, type TouchpointEvent } from '@wegwijs/wire/touchpoint-event'

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
  const text = await readText(file === '-' ? input : createReadStream(file))
  const values = wholeValue(text) ?? lineValues(text)
  const faults: string[] = []
  const events = values.flatMap(({ place, value }) => {
    const decoded = value === undefined ? undefined : parseEvent(value)
    if (decoded?.event) return [decoded.event]
    const { reason, path } = decoded?.rejection ?? { reason: 'not JSON', path: undefined }
    faults.push(`${place}: ${path === undefined ? '' : `${path}: `}${reason}`)
    return []
  })
  if (faults.length > 0) throw fail('WEGWIJS_EVENTS_INVALID', { faults: faults.slice(0, 20) })
  return events
}

async function readText(input: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = []
  try {
    for await (const part of input) parts.push(part)
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error
    throw fail('WEGWIJS_USAGE', { problem: `the file cannot be read: ${error.message}` }, error)
  }
  return Buffer.concat(parts).toString('utf8')
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

function lineValues(text: string): Placed[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    const place = `line ${index + 1}`
    try {
      return [{ place, value: JSON.parse(line) as unknown }]
    } catch {
      return [{ place, value: undefined }]
    }
  })
}
