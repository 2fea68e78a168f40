/**
 * One change of a planted bug. `find` is whole lines of the file, one below the other, whatever their
 * indentation; `replace` are the lines that stand there instead, none when it is empty. Lines that
 * move, or are indented anew, do not matter; lines that were rewritten do.
 */
export type Edit = { readonly file: string; readonly find: string; readonly replace: string }

/** Why an edit does not apply; null when it does. */
export type Misfit = { readonly file: string; readonly times: number; readonly firstLine: string }

/** How often the lines of the edit stand in the text, when that is not exactly once. */
export function misfitOf(text: string, { file, find }: Edit): Misfit | null {
  const times = placesOf(text, find).length
  return times === 1 ? null : { file, times, firstLine: linesOf(find)[0] ?? '' }
}

/** @throws RangeError when the lines to replace are not there exactly once */
export function applyEdit(text: string, edit: Edit): string {
  const misfit = misfitOf(text, edit)
  const [place] = placesOf(text, edit.find)
  if (misfit || place === undefined) throw new RangeError(describeMisfit(misfit))
  const lines = text.split('\n')
  const replacement = edit.replace === '' ? [] : edit.replace.split('\n')
  return lines.toSpliced(place, linesOf(edit.find).length, ...replacement).join('\n')
}

function describeMisfit(misfit: Misfit | null): string {
  if (misfit === null) return 'it applies'
  const { file, times, firstLine } = misfit
  return `${file} has these lines ${times} times instead of once: ${firstLine} …`
}

/** The line numbers, from 0, at which all of `find` stands. */
function placesOf(text: string, find: string): number[] {
  const lines = linesOf(text)
  const wanted = linesOf(find)
  return lines.flatMap((_, start) =>
    wanted.every((line, index) => lines[start + index] === line) ? [start] : [],
  )
}

function linesOf(text: string): string[] {
  return text.split('\n').map((line) => line.trim())
}
