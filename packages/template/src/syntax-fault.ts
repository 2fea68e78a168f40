import Handlebars from 'handlebars'
import { limits } from './limits.ts'
import type { Position } from './template.ts'

/** What is wrong with a source as a whole, before or instead of a tree. */

export type SyntaxFault = Position & { message: string }

/** What opens a block, closes one, or goes on with another condition in it. */
const blockMark = /\{\{+~?\s*(#|\^\s*[A-Za-z]|\/|else\s+[A-Za-z])?/g

/**
 * The first place that is too deep or one placeholder too many. Looked for before Handlebars reads
 * the text: its time grows with the square of both, and a few thousand would take it seconds.
 */
export function findExcess(source: string): SyntaxFault | undefined {
  const marks = [...source.matchAll(blockMark)]
  const surplus = marks[limits.placeholders]
  if (surplus !== undefined) {
    const message = `there are more than ${limits.placeholders} placeholders`
    return { ...positionAt(source, surplus.index), message }
  }
  const deepest = marks[indexOfDeepest(marks.map(([, mark = '']) => mark))]
  if (deepest === undefined) return undefined
  const message = `blocks are nested deeper than ${limits.nesting}`
  return { ...positionAt(source, deepest.index), message }
}

/** Where the nesting goes beyond its limit, or -1. */
function indexOfDeepest(marks: readonly string[]): number {
  // How many levels each open block is, with the conditions of its chain.
  const open: number[] = []
  let depth = 0
  return marks.findIndex((mark) => {
    if (mark === '') return false
    if (mark === '/') {
      depth -= open.pop() ?? 0
      return false
    }
    open.push(mark.startsWith('else') ? (open.pop() ?? 0) + 1 : 1)
    depth += 1
    return depth > limits.nesting
  })
}

/** The parser's complaints in words for authors; it tells the place in three different ways. */
export function faultOfParser(error: unknown, source: string): SyntaxFault {
  if (!(error instanceof Error)) return { line: 1, column: 1, message: 'this cannot be read' }
  if (error instanceof Handlebars.Exception && typeof error.lineNumber === 'number') {
    const message = error.message.replace(/ - \d+:\d+$/, '')
    return { line: error.lineNumber, column: Number(error.column) + 1, message }
  }
  if (error.message.endsWith("got 'EOF'")) {
    const open = unclosedBlock(source)
    if (open !== undefined) return open
  }
  const [, line = '1'] = /on line (\d+)/.exec(error.message) ?? []
  return {
    line: Number(line),
    column: columnOfCaret(error.message, source.split('\n')[Number(line) - 1] ?? ''),
    message: 'this is not written as Handlebars: check the braces and the block around it',
  }
}

function unclosedBlock(source: string): SyntaxFault | undefined {
  const open: { name: string; index: number }[] = []
  for (const { 1: mark, 2: name = '', index } of source.matchAll(/\{\{~?([#/])\s*([A-Za-z]+)/g)) {
    if (mark === '#') open.push({ name, index })
    else open.pop()
  }
  const last = open.at(-1)
  if (last === undefined) return undefined
  return { ...positionAt(source, last.index), message: `{{#${last.name}}} is never closed` }
}

/** The parser shows the last characters before the fault, line breaks left out, over a caret. */
function columnOfCaret(message: string, line: string): number {
  const [, excerpt = '', caret = ''] = message.split('\n')
  const before = excerpt.slice(0, caret.indexOf('^'))
  for (let start = 0; start < before.length; start += 1) {
    const tail = before.slice(start)
    const found = line.indexOf(tail)
    if (found >= 0) return found + tail.length + 1
  }
  return 1
}

/** Line and column, both from 1, of an offset in a text. */
export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}
