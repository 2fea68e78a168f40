import { type Document, type ErrorCode, isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml'
import { type Fault, faultAt, type Position } from './fault.ts'
import { findTooDeep, tooDeep } from './yaml-levels.ts'
import { findUnfoldingFault } from './yaml-unfolding.ts'

/** The way to a value from the top of its document: keys of mappings, indexes of lists. */
export type Path = readonly (string | number)[]

/** A YAML text with the place of everything in it. */
export type YamlSource = {
  file: string
  /** The plain value; undefined when the text is not YAML (`faults` says why). */
  value: unknown
  faults: Fault[]
  /** Place of the value at `path`, or of the nearest thing above it that is there. */
  positionOf(path: Path): Position
  /** Place of the first character of the text at `path`: behind its quote, or below its `|`. */
  positionOfText(path: Path): Position
  /** Place of the key that the last part of `path` names. */
  positionOfKey(path: Path): Position
}

/** Reads one YAML 1.2 document. Never throws because of what is in it. */
export function parseYaml(file: string, text: string): YamlSource {
  const deep = findTooDeep(text)
  const document = parseDocument(deep === undefined ? text : '', {
    prettyErrors: false,
    stringKeys: true,
    version: '1.2',
  })
  // Not yaml's own LineCounter: it misses the line breaks within what it could not read.
  const place = (offset: number): Position => {
    const lines = text.slice(0, offset).split('\n')
    return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
  }
  const faults = [...document.errors, ...document.warnings].map((error) =>
    faultAt(file, place(error.pos[0]), {
      message: `not YAML: ${plainWords[error.code] ?? firstLine(error.message)}`,
    }),
  )
  const unfolding =
    deep === undefined ? findUnfoldingFault(document) : { offset: deep, complaint: tooDeep }
  if (unfolding) faults.push(faultAt(file, place(unfolding.offset), unfolding.complaint))
  return {
    file,
    value: faults.length === 0 ? document.toJS(plainly) : undefined,
    faults,
    positionOf: (path) => place(offsetOf(document, path)),
    positionOfText: (path) => place(offsetOfText(document, path, text)),
    positionOfKey: (path) => place(offsetOfKey(document, path)),
  }
}

/** What people meet who write these files, in their words; the rest is told as the parser tells it. */
const plainWords: Partial<Record<ErrorCode, string>> = {
  DUPLICATE_KEY: 'the same key stands here a second time',
  MULTIPLE_DOCS: 'a second text begins here ("---"), and a file holds one',
  TAB_AS_INDENT: 'a tab stands before this line; indent with spaces',
}

/** The parser's own bound counts how often an alias is used; ours what they unfold to, and where. */
export const plainly = { maxAliasCount: -1 } as const

type Entry = { key: unknown; node: unknown }

function entryAt(document: Document, path: Path): Entry | undefined {
  let entry: Entry | undefined = { key: undefined, node: document.contents }
  for (const part of path) {
    entry = childOf(document, entry.node, part)
    if (!entry) return undefined
  }
  return entry
}

function childOf(document: Document, parent: unknown, part: string | number): Entry | undefined {
  const node = isAlias(parent) ? parent.resolve(document) : parent
  if (isSeq(node) && typeof part === 'number' && part < node.items.length)
    return { key: undefined, node: node.items[part] }
  if (!isMap(node)) return undefined
  const pair = node.items.find(
    ({ key }) => isScalar(key) && (key.value === part || key.source === String(part)),
  )
  return pair && { key: pair.key, node: pair.value }
}

function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length > 0; length -= 1) {
    const entry = entryAt(document, path.slice(0, length))
    // What is missing is reported at the key under which it is missed: that line its author must open.
    const offset =
      length === path.length ? (rangeOf(entry?.node) ?? rangeOf(entry?.key)) : undefined
    const found = offset ?? rangeOf(entry?.key) ?? rangeOf(entry?.node)
    if (found !== undefined) return found
  }
  return rangeOf(document.contents) ?? 0
}

function offsetOfText(document: Document, path: Path, text: string): number {
  const offset = offsetOf(document, path)
  const node = entryAt(document, path)?.node
  if (!isScalar(node)) return offset
  if (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE') return offset + 1
  if (node.type !== 'BLOCK_LITERAL' && node.type !== 'BLOCK_FOLDED') return offset
  const below = text.slice(offset).search(/\n\s*\S/)
  return below < 0 ? offset : offset + below + text.slice(offset + below).search(/\S/)
}

function offsetOfKey(document: Document, path: Path): number {
  return rangeOf(entryAt(document, path)?.key) ?? offsetOf(document, path)
}

function rangeOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node)) return undefined
  return Array.isArray(node.range) && typeof node.range[0] === 'number' ? node.range[0] : undefined
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text
}
