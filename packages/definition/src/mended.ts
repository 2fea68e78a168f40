import type { z } from 'zod'
import { type Fault, withNearest } from './fault.ts'
import { type Finding, findingsOf, keysAt } from './schema-faults.ts'
import { wordsOf } from './schema-hints.ts'
import { type Schema, schemasAt } from './schema-walk.ts'
import type { Path, YamlSource } from './yaml-source.ts'

/** `invented` are the places at which something else stands than the author wrote, or nothing. */
export type Mended<T> = { value: T; invented: readonly Path[] }

/**
 * The value of a source that its schema refused, with stand-ins for what is wrong, so that the rest can
 * be checked as well and its author hears everything at once. Never for use: only its faults are.
 * Undefined when too much is wrong for that.
 */
export function mended<T>(schema: z.ZodType<T>, source: YamlSource): Mended<T> | undefined {
  const value: unknown = structuredClone(source.value)
  const invented: Path[] = []
  for (let round = 0; round < mostRounds; round += 1) {
    const result = schema.safeParse(value)
    if (result.success) return { value: result.data, invented }
    const findings = findingsOf(schema, { ...source, value }, result.error)
    // A misspelt key is what the missing one was meant to be: no stand-in for that.
    const strangers = findings.filter(({ stranger }) => stranger !== undefined)
    const changes = (strangers.length > 0 ? strangers : findings).map((finding) =>
      mend(schema, value, finding, invented),
    )
    if (!changes.includes(true)) return undefined
  }
  return undefined
}

/** Each round takes away at least one fault of every place; what nests deeper is not worth it. */
const mostRounds = 10

/** True when something has changed; where, is added to `invented`. */
function mend(
  schema: Schema,
  value: unknown,
  { path, stranger }: Finding,
  invented: Path[],
): boolean {
  if (stranger !== undefined) return withoutStranger(schema, value, { path, stranger }, invented)
  for (let length = path.length; length > 0; length -= 1) {
    const at = path.slice(0, length)
    const key = at.at(-1) ?? ''
    const holder = holderAt(value, at.slice(0, -1))
    if (!holder) continue
    const schemas = schemasAt(schema, at).map((found) => found.schema)
    const standIn = standInFor(schemas, holder[key])
    if (standIn === undefined && length === path.length && isOptional(schema, at)) {
      delete holder[key]
      invented.push(at)
      return true
    }
    if (standIn === undefined) continue
    // A misspelt word is taken for the one that was meant; whatever else stands in nobody wrote.
    if (!isMeant(schemas, holder[key], standIn)) invented.push(at)
    holder[key] = structuredClone(standIn)
    return true
  }
  return false
}

/** A misspelt key is taken for the one that was meant, any other is left out. */
function withoutStranger(
  schema: Schema,
  value: unknown,
  { path, stranger: key }: { path: Path; stranger: string },
  invented: Path[],
): boolean {
  const holder = holderAt(value, path)
  if (!holder || !Object.hasOwn(holder, key)) return false
  const { nearest } = withNearest(key, keysAt(schema, path))
  if (nearest !== undefined && !Object.hasOwn(holder, nearest)) holder[nearest] = holder[key]
  else invented.push([...path, key])
  delete holder[key]
  return true
}

type Holder = Record<string | number, unknown>

function holderAt(value: unknown, path: Path): Holder | undefined {
  let current = value
  for (const part of path) {
    if (typeof current !== 'object' || current === null) return undefined
    current = (current as Holder)[part]
  }
  return typeof current === 'object' && current !== null ? (current as Holder) : undefined
}

/** A touchpoint that there is in no definition: whoever looks it up complains of what nobody wrote. */
const standInType = 'care.x.v1'

/** What a check finds where a stand-in stands is left out: of what stood there its author is `told`. */
export function withoutTold(found: readonly Fault[], told: readonly Fault[]): Fault[] {
  const places = new Set(told.map(placeOf))
  return found.filter((fault) => fault.found !== standInType && !places.has(placeOf(fault)))
}

function placeOf({ file, line, column }: Fault): string {
  return `${file}:${line}:${column}`
}

const anyone = { field: 'person.locale', op: 'exists', value: true }

/** Something of every kind that a definition holds; the first that a schema takes stands in. */
const standIns: readonly unknown[] = [
  ...[
    'P1D',
    '10:00',
    '2026-01-01 12:00',
    'iso',
    'x',
    'entity.x',
    'event.x',
    standInType,
    'NL',
    'Europe/Amsterdam',
  ],
  ...[true, 1, { end: true }, [{ end: true }], anyone, [], {}],
  { when: anyone, steps: [{ end: true }] },
  { touchpoint: standInType },
  { nl: 'x', en: 'x' },
]

function standInFor(schemas: readonly Schema[], found: unknown): unknown {
  const enumerated = schemas.flatMap(wordsOf)
  const { nearest } = typeof found === 'string' ? withNearest(found, enumerated) : {}
  const fits = (each: unknown) =>
    each !== undefined && schemas.some((schema) => (schema as z.ZodType).safeParse(each).success)
  return [nearest, ...enumerated, ...standIns].find(fits) ?? schemas.map(madeFor).find(fits)
}

/** What has all that it must have, of something as small as each may be; undefined when that is not enough. */
function madeFor(schema: Schema): unknown {
  const { def } = (schema as z.core.$ZodTypes)._zod
  if (def.type === 'array') {
    const item = standInAt(def.element)
    return item === undefined ? undefined : [item]
  }
  if (def.type !== 'object') return undefined
  const entries = Object.entries(def.shape)
    .filter(([, child]) => !(child as z.ZodType).safeParse(undefined).success)
    .map(([key, child]) => [key, standInAt(child)])
  return Object.fromEntries(entries)
}

function standInAt(schema: Schema): unknown {
  return standInFor(
    schemasAt(schema, []).map((found) => found.schema),
    undefined,
  )
}

function isMeant(schemas: readonly Schema[], found: unknown, standIn: unknown): boolean {
  return (
    typeof found === 'string' && withNearest(found, schemas.flatMap(wordsOf)).nearest === standIn
  )
}

function isOptional(schema: Schema, path: Path): boolean {
  const key = path.at(-1)
  return schemasAt(schema, path.slice(0, -1)).some(({ schema: holder }) => {
    const { def } = (holder as z.core.$ZodTypes)._zod
    const child = def.type === 'object' && typeof key === 'string' ? def.shape[key] : undefined
    return child !== undefined && (child as z.ZodType).safeParse(undefined).success
  })
}
