import { namesInSingleBraces } from './single-braces.ts'
import { readTemplate, type Step } from './syntax.ts'
import type { ChannelName, Position } from './template.ts'
import { addFault, type Work } from './work.ts'

/** Where a source stands. `start`: where it begins in its file, if that is a YAML file. */
export type Place = { channel: ChannelName; locale: string; file: string; start?: Position }

/** Reads one source into the faults, the uses and the single braces of the work; its steps if it may be used. */
export function readSource(source: string, place: Place, work: Work): Step[] | undefined {
  const { steps, faults, uses } = readTemplate(source)
  const { channel, locale, file } = place
  for (const { message, ...position } of faults) {
    addFault(work, file, inFile(position, place), message)
  }
  for (const { path, guarded, ...position } of uses) {
    const use = { channel, locale, file, path, optional: guarded }
    work.result.uses.push({ ...use, ...inFile(position, place) })
  }
  if (faults.length > 0) return undefined
  for (const { path, text, ...position } of namesInSingleBraces(source))
    work.result.singleBraces.push({ file, path, text, ...inFile(position, place) })
  return steps
}

function inFile({ line, column }: Position, { start }: Place): Position {
  if (start === undefined) return { line, column }
  return { line: start.line + line - 1, column: line === 1 ? start.column + column - 1 : column }
}
