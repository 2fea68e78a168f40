import { isDeepStrictEqual } from 'node:util'
import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml'
import type { z } from 'zod'
import type { FileKind } from './file-kinds.ts'
import { type SchemaAt, schemasAt } from './schema-walk.ts'
import { type Path, plainly } from './yaml-source.ts'

const reading = { prettyErrors: false, stringKeys: true, version: '1.2' } as const
const writing = { lineWidth: 100, indent: 2, flowCollectionPadding: true } as const

/**
 * A YAML text in the one form in which we keep it: keys in the order of the reference, two spaces,
 * long texts folded at 100 characters, `{ a: 1 }` and `[a, b]`. Comments stay with what they stand
 * above or behind; braces, quotes and blank lines stay where their author wanted them.
 *
 * It means what it meant: a text that could not be put into that form without another meaning (a name
 * that would be used before the line that declares it) keeps the order of its keys, or is given back
 * as it is. Throws RangeError on what is not YAML; what has no bounds is refused by `parseYaml`, before.
 */
export function canonicalText(kind: FileKind, text: string): string {
  const before = plainOf(text)
  if (before === null) return text
  return settled(text, before, kind.schema) ?? settled(text, before, null) ?? text
}

/**
 * A comment that has moved may be read as another one's next time: the form is the text that comes
 * out as it went in. Undefined when there is none.
 */
function settled(text: string, before: unknown, schema: z.ZodType | null): string | undefined {
  let form: string | undefined = text
  for (let round = 0; round < 5 && form !== undefined; round += 1) {
    const next = formed(form, before, schema)
    if (next === form) return form
    form = next
  }
  return undefined
}

/** Undefined when the form would mean something else. Without a schema keys keep their order. */
function formed(text: string, before: unknown, schema: z.ZodType | null): string | undefined {
  const document = parseDocument(text, reading)
  if (schema) {
    liftHeader(document)
    orderKeys(document.contents, schema, [])
  }
  try {
    const form = formOf(document)
    return isDeepStrictEqual(plainOf(form), before) ? form : undefined
  } catch {
    return undefined
  }
}

function plainOf(text: string): unknown {
  const document = parseDocument(text, reading)
  if (document.errors[0]) throw new RangeError(document.errors[0].message)
  return document.toJS(plainly)
}

function orderKeys(node: unknown, schema: z.ZodType, path: Path): void {
  if (isSeq(node))
    node.items.forEach((item, index) => {
      orderKeys(item, schema, [...path, index])
    })
  if (!isMap(node)) return
  for (const pair of node.items) orderKeys(pair.value, schema, [...path, nameOf(pair)])
  const order = keysOf(schemasAt(schema, path), node.items.map(nameOf))
  const rank = (pair: Pair) => (order.indexOf(nameOf(pair)) + order.length + 1) % (order.length + 1)
  const items = [...node.items].sort((a, b) => rank(a) - rank(b))
  if (items[0] !== node.items[0]) startWith(node, items[0], typeof path.at(-1) === 'number')
  node.items = items
}

/** The keys in the order of the schema that knows most of them: the one that was meant. */
function keysOf(schemas: readonly SchemaAt[], names: readonly string[]): string[] {
  const orders = schemas.map(({ schema }) => {
    const { def } = (schema as z.core.$ZodTypes)._zod
    // Where names of one's own may stand, their order is the author's: a template for each persona.
    return def.type === 'object' && !isOpen(def) ? Object.keys(def.shape) : []
  })
  const known = (order: readonly string[]) => names.filter((name) => order.includes(name)).length
  return orders.reduce((best, order) => (known(order) > known(best) ? order : best), [])
}

function isOpen({ catchall }: z.core.$ZodObjectDef): boolean {
  return catchall !== undefined && catchall._zod.def.type !== 'never'
}

/**
 * What stands above the first key of a mapping is kept by the mapping: it moves along with that key.
 * In a list it stands above the dash, and is about the whole item.
 */
function startWith(node: YAMLMap, first: Pair | undefined, isItem: boolean): void {
  const was = node.items[0]?.key
  if (!isItem && isScalar(was) && node.commentBefore) {
    was.commentBefore = node.commentBefore
    node.commentBefore = null
  }
  if (first && isScalar(first.key)) first.key.spaceBefore = false
}

/** What is said of the whole file, a blank line above the first key, stays at its top. */
function liftHeader(document: Document): void {
  const { contents } = document
  const key = isMap(contents) ? contents.items[0]?.key : undefined
  if (!isScalar(key) || !key.commentBefore) return
  const paragraphs = key.commentBefore.split('\n\n')
  key.commentBefore = paragraphs.pop() ?? null
  if (paragraphs.length > 0) document.commentBefore = paragraphs.join('\n\n')
}

function nameOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key)
}

/** The library pads both kinds of brackets or none; we pad braces only. */
function formOf(document: Document): string {
  const text = `${document.toString(writing).trimEnd()}\n`
  const paddings: number[] = []
  visit(parseDocument(text, reading), {
    Seq: (_, { flow, range }) => {
      if (!flow || !range) return
      const [first, last] = [range[0] + 1, range[1] - 2]
      if (text[first] === ' ') paddings.push(first)
      // Where the bracket has a line of its own, what stands before it is how far it stands in.
      if (text[last] === ' ' && last > first && !/\s/.test(text[last - 1] ?? ''))
        paddings.push(last)
    },
  })
  return paddings
    .sort((a, b) => b - a)
    .reduce((rest, index) => rest.slice(0, index) + rest.slice(index + 1), text)
}
