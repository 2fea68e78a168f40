import { withNearest } from '@wegwijs/definition/fault'
import { fail, type WegwijsError } from '@wegwijs/runtime/failure'

/** That there is no such thing, with the known name that was meant, or all of them. `there`: such as `there is no campaign`. */
export function unknownName(there: string, found: string, known: readonly string[]): WegwijsError {
  const { nearest } = withNearest(found, known)
  const all = known.length === 0 ? 'there are none' : `there are ${known.join(', ')}`
  const hint = nearest === undefined ? all : `did you mean ${nearest}?`
  return fail('WEGWIJS_USAGE', { problem: `${there} "${found}"; ${hint}` })
}
