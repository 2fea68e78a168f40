import { limits } from './limits.ts'
import { momentFormats } from './syntax.ts'
import { positionAt } from './syntax-fault.ts'
import type { SingleBraces } from './template.ts'

/** A name has a dot: a word alone, between braces, may be meant as it stands. */
const braces = new RegExp(
  `(?<!\\{)\\{\\s*((?:(?:${momentFormats.join('|')}|#(?:if|unless|each|with))\\s+)?([A-Za-z_][\\w-]*(?:\\.[\\w-]+)+))\\s*\\}`,
  'g',
)
/** One that is not closed goes to the end, which keeps this from looking for the end of each anew. */
const comments = /\{\{!--.*?(?:--\}\}|$)|\{\{!.*?(?:\}\}|$)|<!--.*?(?:-->|$)/gs

/** What goes out as it stands, and looks like a variable; no more than a text may have of those. */
export function namesInSingleBraces(source: string): SingleBraces[] {
  const text = source.replace(comments, (comment) => comment.replace(/./g, ' '))
  return [...text.matchAll(braces)]
    .slice(0, limits.placeholders)
    .map(({ 0: found, 2: path = '', index }) => ({
      text: found,
      path,
      ...positionAt(source, index),
    }))
}
