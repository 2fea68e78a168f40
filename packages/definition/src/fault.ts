import { closestMatch } from 'leven'

/** Where something stands in a file of the definition; lines and columns count from 1. */
export type Position = { line: number; column: number }

/**
 * One thing that is wrong, or odd, in a definition. `file` is relative to the definition's folder;
 * `found` is what stands there; `nearest` the known name that its author may have meant.
 */
export type Fault = {
  file: string
  line: number
  column: number
  message: string
  found?: string
  nearest?: string
  /** Where to read about it: a page of this repository and a section, `docs/reference/definition.md#campaign`. */
  reference?: string
}

/** What a fault is made of before it has a place. `found` is part of the message, too. */
export type Complaint = { message: string; found?: string; nearest?: string; reference?: string }

export function faultAt(file: string, position: Position, complaint: Complaint): Fault {
  return {
    file,
    line: position.line,
    column: position.column,
    message: complaint.message,
    ...(complaint.found === undefined ? {} : { found: complaint.found }),
    ...(complaint.nearest === undefined ? {} : { nearest: complaint.nearest }),
    ...(complaint.reference === undefined ? {} : { reference: complaint.reference }),
  }
}

/** `campaigns/a.yaml:4:15 unknown persona "senor" (did you mean "senior"?)` */
export function formatFault(fault: Fault): string {
  const hint = fault.nearest === undefined ? '' : ` (did you mean "${fault.nearest}"?)`
  return `${fault.file}:${fault.line}:${fault.column} ${fault.message}${hint}`
}

/** A name that nobody declared, with the declared name that looks most like it. */
export function unknownName(kind: string, found: string, known: Iterable<string>): Complaint {
  return { message: `unknown ${kind} "${found}"`, found, ...withNearest(found, known) }
}

/** `{nearest}` when a known name is near enough to be what was meant, else nothing. */
export function withNearest(found: string, known: Iterable<string>): { nearest?: string } {
  const candidates = [...new Set(known)].filter((name) => name !== found)
  // Beyond a third of its letters a name is another name, and the hint would mislead.
  const maxDistance = Math.max(2, Math.ceil(found.length / 3))
  const nearest =
    closestMatch(found, candidates, { maxDistance }) ??
    theOnlyWith(found, candidates) ??
    theOnlyShortenedTo(found, candidates)
  return nearest === undefined ? {} : { nearest }
}

/** `nurses` is `home-nurses`, as long as there are no others. */
function theOnlyWith(found: string, candidates: readonly string[]): string | undefined {
  const [only, ...others] = candidates.filter((name) => name.split(/[-.]/).includes(found))
  return others.length === 0 ? only : undefined
}

/** `bool` is `boolean`, as long as nothing else begins so. */
function theOnlyShortenedTo(found: string, candidates: readonly string[]): string | undefined {
  if (found.length < 3) return undefined
  const [only, ...others] = candidates.filter((name) => name.startsWith(found))
  return others.length === 0 ? only : undefined
}

/** In the order in which a reader goes through the files: by file, line, column. */
export function inReadingOrder(faults: readonly Fault[]): Fault[] {
  return [...faults].sort(
    (a, b) =>
      compareTexts(a.file, b.file) ||
      a.line - b.line ||
      a.column - b.column ||
      compareTexts(a.message, b.message),
  )
}

/** By code unit: the same on every machine, whatever its language. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
