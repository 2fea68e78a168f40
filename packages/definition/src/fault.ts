import leven, { closestMatch } from 'leven'

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
  /** Where it stands in its file, from the top; for whoever checks a definition, and told to nobody else. */
  path?: readonly (string | number)[]
  /** Of which kind it names one that there is not; the same. */
  unknown?: string
  /** It is wrong only if all names of this kind are known; the same. */
  hangsOn?: string
}

/** A fault as everybody is told it. */
export function toldFault({ path: _, unknown: __, hangsOn: ___, ...fault }: Fault): Fault {
  return fault
}

/** What a fault is made of before it has a place. `found` is part of the message, too. */
export type Complaint = Omit<Fault, 'file' | 'line' | 'column' | 'path'>

export function faultAt(file: string, position: Position, complaint: Complaint): Fault {
  return {
    file,
    line: position.line,
    column: position.column,
    message: complaint.message,
    ...(complaint.found === undefined ? {} : { found: complaint.found }),
    ...(complaint.nearest === undefined ? {} : { nearest: complaint.nearest }),
    ...(complaint.reference === undefined ? {} : { reference: complaint.reference }),
    ...(complaint.unknown === undefined ? {} : { unknown: complaint.unknown }),
    ...(complaint.hangsOn === undefined ? {} : { hangsOn: complaint.hangsOn }),
  }
}

/** `campaigns/a.yaml:4:15 unknown persona "senor" (did you mean "senior"?)` */
export function formatFault(fault: Fault): string {
  const hint = fault.nearest === undefined ? '' : ` (did you mean "${fault.nearest}"?)`
  return `${fault.file}:${fault.line}:${fault.column} ${fault.message}${hint}`
}

/** A name that nobody declared, with the declared name that looks most like it. */
export function unknownName(kind: string, found: string, known: Iterable<string>): Complaint {
  const message = `unknown ${kind} "${found}"`
  return { message, found, ...withNearest(found, known), unknown: kind }
}

/** What is expected of a word of a closed list: all of them, or, of more than anybody reads, how many there are. */
export function oneOf(words: readonly string[], called = 'word'): string {
  return words.length <= mostListed
    ? `one of ${words.map((word) => `"${word}"`).join(', ')}`
    : `one of ${words.length} ${called}s`
}

/** Beyond these a list hides what the fault says; the reference has it. */
const mostListed = 15

/** `{nearest}` when a known name is near enough to be what was meant, else nothing. */
export function withNearest(found: string, known: Iterable<string>): { nearest?: string } {
  const candidates = [...new Set(known)].filter((name) => name !== found)
  const nearest =
    candidates.find((name) => name.toLowerCase() === found.toLowerCase()) ??
    closestMatch(
      found,
      candidates.filter((name) => isLike(found, name)),
    ) ??
    theOnlyWith(found, candidates) ??
    theOnlyCalled(found, candidates) ??
    theOnlyShortenedTo(found, candidates)
  return nearest === undefined ? {} : { nearest }
}

/**
 * Part by part: `care.visit.booked.v1` and `care.visit.missed.v1` have most letters in common, and are two
 * names all the same.
 */
function isLike(found: string, name: string): boolean {
  const [parts, others] = [found, name].map((each) => each.split(/[.:-]/)) as [string[], string[]]
  if (parts.length !== others.length) return isNear(found, name)
  return parts.every((part, index) => isNear(part, others[index] ?? ''))
}

/** Beyond a third of its letters a word is another word, and the hint would mislead. */
function isNear(word: string, other: string): boolean {
  const most = word.length > 3 ? Math.max(2, Math.ceil(word.length / 3)) : word.length > 1 ? 1 : 0
  return leven(word, other, { maxDistance: most + 1 }) <= most || isSwapped(word, other)
}

/** `fro` is `for`. */
function isSwapped(word: string, other: string): boolean {
  const at = [...word].findIndex((letter, index) => letter !== other[index])
  const [first = '', second = ''] = word.slice(at)
  return other === word.slice(0, at) + second + first + word.slice(at + 2)
}

/** `nurses` is `home-nurses`, as long as there are no others. */
function theOnlyWith(found: string, candidates: readonly string[]): string | undefined {
  const [only, ...others] = candidates.filter((name) => name.split(/[-.]/).includes(found))
  return others.length === 0 ? only : undefined
}

/** `event.room` is `entity.room`, as long as no other is called so. */
function theOnlyCalled(found: string, candidates: readonly string[]): string | undefined {
  const last = found.split('.').at(-1) ?? ''
  if (last === found || /^v\d+$/.test(last)) return undefined
  const [only, ...others] = candidates.filter((name) => name.split('.').at(-1) === last)
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
