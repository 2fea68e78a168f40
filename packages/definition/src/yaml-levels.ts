import { CST, Lexer, Parser } from 'yaml'
import type { Complaint } from './fault.ts'

/** Levels of mappings and lists within each other, the outermost one counted: nobody can follow more. */
export const mostLevels = 100

export const tooDeep: Complaint = { message: `nested more than ${mostLevels} levels deep` }

/**
 * Offset of the first mapping or list that is written within a hundred others; undefined when there is none.
 * It reads no further than that. Whatever else reads the text calls itself once a level, so without this bound
 * it would hang on the stack that is left at that moment what is found, or whether anything is.
 */
export function findTooDeep(text: string): number | undefined {
  const parser = new Parser()
  for (const lexeme of new Lexer().lex(text)) {
    // What it has read lies on its stack while it is open; what is closed matters no more.
    for (const _ of parser.next(lexeme));
    const within = parser.stack.length > mostLevels ? parser.stack.filter(CST.isCollection) : []
    const deepest = within[mostLevels]
    if (deepest) return deepest.offset
  }
  return undefined
}
