import { z } from 'zod'
import type { JsonValue } from './json.ts'

/**
 * Conditions are data: `all`, `any`, `not` over leaves `{field, op, value}`.
 *
 * A missing value satisfies no leaf except `{op: exists, value: false}`; so `neq` on a field that
 * a person lacks is false. That is the whole rule about missing values.
 */
export const operators = [
  'eq',
  'neq',
  'in',
  'notIn',
  'lt',
  'lte',
  'gt',
  'gte',
  'contains',
  'exists',
] as const
export type Operator = (typeof operators)[number]

const scalarSchema = z.union([z.string(), z.number(), z.boolean()])

const leafSchema = z
  .strictObject({
    field: z
      .string()
      .regex(/^[a-z]+(\.[A-Za-z][A-Za-z0-9-]*)+$/, 'expected a field such as "person.age"')
      .describe('What is looked at, such as `person.age` or `event.kind`.'),
    op: z
      .enum(operators)
      .describe('How it is compared. `in` and `notIn` take a list, `exists` true or false.'),
    value: z
      .union([scalarSchema, z.array(scalarSchema).min(1)])
      .describe('What it is compared with.'),
  })
  .describe(
    'One comparison. A missing value satisfies none, except `{ op: exists, value: false }`.',
  )
export type Leaf = z.infer<typeof leafSchema>

export type Condition = Leaf | { all: Condition[] } | { any: Condition[] } | { not: Condition }

export const conditionSchema: z.ZodType<Condition> = z.lazy(() => anyCondition)

// Made once, not by each call of a getter: what walks the schema would walk for ever.
const anyCondition: z.ZodType<Condition> = z
  .union([
    leafSchema,
    z
      .strictObject({ all: z.array(conditionSchema).min(1).describe('Each of these must hold.') })
      .describe('Holds when each part holds.'),
    z
      .strictObject({
        any: z.array(conditionSchema).min(1).describe('At least one of these must hold.'),
      })
      .describe('Holds when at least one part holds.'),
    z
      .strictObject({ not: conditionSchema.describe('This must not hold.') })
      .describe('Holds when its part does not.'),
  ])
  .meta({
    id: 'condition',
    title: 'A condition',
    description:
      'One comparison, or `all`, `any` and `not` of others. A missing value satisfies no comparison except `{ op: exists, value: false }`; so `neq` on a field that somebody lacks is false.',
  })

/** Gives the value of a dotted field name; undefined when there is none. */
export type FieldReader = (field: string) => JsonValue | undefined

export type Predicate = (read: FieldReader) => boolean

/** What one leaf saw, in the order of the text. */
export type LeafTrace = {
  field: string
  op: Operator
  expected: JsonValue
  actual: JsonValue | null
  holds: boolean
}

/** Turns a condition into a closure, once, when a definition is loaded. */
export function compileCondition(condition: Condition): Predicate {
  if ('all' in condition) {
    const parts = condition.all.map(compileCondition)
    return (read) => parts.every((part) => part(read))
  }
  if ('any' in condition) {
    const parts = condition.any.map(compileCondition)
    return (read) => parts.some((part) => part(read))
  }
  if ('not' in condition) {
    const part = compileCondition(condition.not)
    return (read) => !part(read)
  }
  return (read) => leafHolds(condition, read(condition.field))
}

/**
 * The tracing twin of {@link compileCondition}: the same answer, with what each leaf saw.
 * Every leaf is evaluated, also where the closure would have stopped.
 */
export function traceCondition(
  condition: Condition,
  read: FieldReader,
): { holds: boolean; leaves: LeafTrace[] } {
  if ('all' in condition) {
    const parts = condition.all.map((part) => traceCondition(part, read))
    return {
      holds: parts.every((part) => part.holds),
      leaves: parts.flatMap((part) => part.leaves),
    }
  }
  if ('any' in condition) {
    const parts = condition.any.map((part) => traceCondition(part, read))
    return { holds: parts.some((part) => part.holds), leaves: parts.flatMap((part) => part.leaves) }
  }
  if ('not' in condition) {
    const part = traceCondition(condition.not, read)
    return { holds: !part.holds, leaves: part.leaves }
  }
  const actual = read(condition.field)
  const holds = leafHolds(condition, actual)
  return {
    holds,
    leaves: [
      {
        field: condition.field,
        op: condition.op,
        expected: condition.value,
        actual: actual ?? null,
        holds,
      },
    ],
  }
}

/** Every leaf of a condition with the path that leads to it (`['all', 0]`). */
export function leavesOf(
  condition: Condition,
  path: (string | number)[] = [],
): { leaf: Leaf; path: (string | number)[] }[] {
  if ('all' in condition)
    return condition.all.flatMap((part, index) => leavesOf(part, [...path, 'all', index]))
  if ('any' in condition)
    return condition.any.flatMap((part, index) => leavesOf(part, [...path, 'any', index]))
  if ('not' in condition) return leavesOf(condition.not, [...path, 'not'])
  return [{ leaf: condition, path }]
}

function leafHolds(leaf: Leaf, actual: JsonValue | undefined): boolean {
  const missing = actual === undefined || actual === null
  if (leaf.op === 'exists') return leaf.value !== missing
  if (missing) return false
  return compare(leaf.op, actual, leaf.value)
}

function compare(
  op: Exclude<Operator, 'exists'>,
  actual: JsonValue,
  expected: Leaf['value'],
): boolean {
  switch (op) {
    case 'eq':
      return actual === expected
    case 'neq':
      return actual !== expected
    case 'in':
      return Array.isArray(expected) && expected.some((value) => value === actual)
    case 'notIn':
      return Array.isArray(expected) && expected.every((value) => value !== actual)
    case 'contains':
      return typeof actual === 'string' && typeof expected === 'string' && actual.includes(expected)
    case 'lt':
      return ordered(actual, expected, (order) => order < 0)
    case 'lte':
      return ordered(actual, expected, (order) => order <= 0)
    case 'gt':
      return ordered(actual, expected, (order) => order > 0)
    case 'gte':
      return ordered(actual, expected, (order) => order >= 0)
  }
}

/** Numbers by size, texts (and so instants and dates) by their characters; anything else has no order. */
function ordered(
  actual: JsonValue,
  expected: Leaf['value'],
  test: (order: number) => boolean,
): boolean {
  if (typeof actual === 'number' && typeof expected === 'number') return test(actual - expected)
  if (typeof actual === 'string' && typeof expected === 'string') {
    return test(actual < expected ? -1 : actual > expected ? 1 : 0)
  }
  return false
}
