import { createReadStream } from 'node:fs'
import { fail } from '@wegwijs/runtime/failure'
import { type CsvError, parse } from 'csv-parse'

/** A row that could not be used. `line` counts from 1 and is where the row ends in the file. */
export type RowFault = { line: number; reason: string }

export type LogRow = {
  line: number
  /** The cell of a column, trimmed; empty when the row has none. */
  cell(column: string): string
}

export type RowsOptions = {
  delimiter: string
  /** Columns that must be there. */
  columns: readonly string[]
  onFault: (fault: RowFault) => void
}

/** Rows one at a time, so that the file may be larger than memory.
 *
 * @throws WEGWIJS_LOG_UNREADABLE no such file, empty, or a column that its first line does not name
 */
export async function* readRows(file: string, options: RowsOptions): AsyncGenerator<LogRow> {
  const { delimiter, onFault } = options
  const parser = parse({
    bom: true,
    delimiter,
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
  })
  parser.on('skip', (error: CsvError) => {
    onFault({ line: Number(error.lines ?? 0), reason: reasonOf(error) })
  })
  const input = createReadStream(file)
  input.once('error', (error) => parser.destroy(error))
  let positions: Map<string, number> | undefined
  try {
    for await (const { record, info } of input.pipe(parser) as AsyncIterable<ParsedRow>) {
      if (positions === undefined) positions = readHeader(record, options.columns)
      else if (record.length === positions.size) yield asRow(record, info.lines, positions)
      else onFault({ line: info.lines, reason: countReason(record.length, positions.size) })
    }
  } catch (error) {
    throw isFileError(error) ? fail('WEGWIJS_LOG_UNREADABLE', { reason: error.code }, error) : error
  }
  if (positions === undefined) throw fail('WEGWIJS_LOG_UNREADABLE', { reason: 'it is empty' })
}

type ParsedRow = { record: string[]; info: { lines: number } }

function readHeader(header: readonly string[], columns: readonly string[]): Map<string, number> {
  const positions = new Map(header.map((name, index) => [name.trim(), index]))
  const missing = columns.filter((column) => !positions.has(column))
  if (missing.length > 0) {
    const reason = `its first line does not name ${missing.map((name) => `"${name}"`).join(', ')}`
    throw fail('WEGWIJS_LOG_UNREADABLE', { reason })
  }
  return positions
}

function asRow(record: string[], line: number, positions: Map<string, number>): LogRow {
  return { line, cell: (column) => record[positions.get(column) ?? -1]?.trim() ?? '' }
}

function countReason(found: number, expected: number): string {
  return `has ${found} ${found === 1 ? 'cell' : 'cells'} where the first line has ${expected}`
}

function reasonOf(error: CsvError): string {
  return `is not CSV: ${error.code.toLowerCase().replace(/^csv_/, '').replaceAll('_', ' ')}`
}

function isFileError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error
}
