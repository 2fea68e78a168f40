import type { CompiledQuery, RawBuilder } from 'kysely'
import type { Querying } from './database.ts'
import type { Sendable } from './transaction.ts'

/** Stands in a statement where a value goes that differs from call to call. */
class Place {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** Beyond so many, shapes are not the few that they should be: their texts are made anew. */
const MOST_TEXTS = 100

/**
 * Statements of `build`, whose text is put together once for each shape: a claim is made of a hundred fragments, and
 * joining them took its worker a third of a millisecond. `build` gets places for the values by
 * these names, and uses them only as parameters.
 *
 * @param names of all values, in any order
 */
export function fixedStatements<Shape, Name extends string, Row>(
  names: readonly Name[],
  build: (shape: Shape, places: Readonly<Record<Name, unknown>>) => RawBuilder<Row>,
): (shape: Shape, values: Readonly<Record<Name, unknown>>) => Sendable<Row> {
  const texts = new Map<string, CompiledQuery<Row>>()
  const entries = names.map((name) => [name, new Place(name)])
  const places = Object.fromEntries(entries) as Record<Name, unknown>

  const textOf = (shape: Shape, db: Querying): CompiledQuery<Row> => {
    const key = JSON.stringify(shape)
    const known = texts.get(key)
    if (known !== undefined) {
      // Whatever listens to the statements of `db` hears of this one, too; nothing changes them.
      db.getExecutor().transformQuery(known.query, known.queryId)
      return known
    }
    if (texts.size >= MOST_TEXTS) texts.clear()
    const text = build(shape, places).compile(db)
    texts.set(key, text)
    return text
  }

  return (shape, values) => ({
    compile: (db) => {
      const text = textOf(shape, db)
      const parameters = text.parameters.map((parameter) =>
        parameter instanceof Place ? values[parameter.name as Name] : parameter,
      )
      return { ...text, parameters }
    },
  })
}
