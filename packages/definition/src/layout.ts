import { type Fault, faultAt, type Position, unknownName } from './fault.ts'

/** A place in one of the files that a text was put together from. */
export type Place = Position & { file: string }

export type Assembled = {
  text: string
  faults: Fault[]
  /** Where a place in the assembled text comes from. */
  placeOf(position: Position): Place
}

const include = /<mj-include\s+path="([^"]*)"\s*\/>/g

/** A stretch of an assembled line that was taken from a layout file. */
type Stretch = { line: number; from: number; to: number; file: string; text: string }

/**
 * Puts the parts that all e-mails share in their place: `<mj-include path="layout/footer.nl.mjml" />`
 * becomes the text of that file, from the definition's own `layout` folder and nowhere else.
 *
 * The text is put on one line, so that every other line keeps its number, and as many characters
 * long as it was, so that a place inside it can be found back.
 */
export function assemble(
  file: string,
  source: string,
  layouts: ReadonlyMap<string, string>,
): Assembled {
  const faults: Fault[] = []
  const stretches: Stretch[] = []
  const lines = source.split('\n').map((line, index) => {
    let moved = 0
    return line.replace(include, (tag: string, path: string, offset: number) => {
      const text = layouts.get(path)
      if (text === undefined) {
        const column = offset + tag.indexOf('"') + 2
        faults.push(
          faultAt(file, { line: index + 1, column }, unknownName('layout', path, layouts.keys())),
        )
        return tag
      }
      const from = offset + moved + 1
      stretches.push({ line: index + 1, from, to: from + text.length, file: path, text })
      moved += text.length - tag.length
      return text.replace(/[\r\n]/g, ' ')
    })
  })
  return {
    text: lines.join('\n'),
    faults,
    placeOf: (position) => placeIn(file, stretches, position),
  }
}

function placeIn(file: string, stretches: readonly Stretch[], { line, column }: Position): Place {
  const inside = stretches.find(
    (stretch) => stretch.line === line && stretch.from <= column && column < stretch.to,
  )
  if (!inside) return { file, line, column }
  const before = inside.text.slice(0, column - inside.from).split('\n')
  return { file: inside.file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}
