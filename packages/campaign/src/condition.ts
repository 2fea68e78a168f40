import { z } from 'zod'
import { leafHolds } from './comparison.ts'
import { type Happened, type HappenedLeaf, happenedSchema, isAsOften } from './happened.ts'
import type { Instant } from './instant.ts'
import type { JsonValue } from './json.ts'
import { type Operator, operators } from './operators.ts'

/**
 * Conditions are data: `all`, `any`, `not` over leaves `{field, op, value}`.
 *
 * A missing value satisfies no leaf except `{op: exists, value: false}`; so `neq` on a field that
 * a person lacks is false. That is the whole rule about missing values.
 *
 * | op                            | on              | holds when the field                                      |
 * | ----------------------------- | --------------- | --------------------------------------------------------- |
 * | `eq`, `neq`                   | every type      | is, or is not, the value                                  |
 * | `in`, `notIn`                 | every type      | is, or is not, one of the values                          |
 * | `lt`, `lte`, `gt`, `gte`      | number, times   | is smaller or larger, earlier or later                    |
 * | `between: [from, to]`         | number, times   | lies between the two, both included                       |
 * | `contains`, `startsWith`      | text            | has the value in it, or at its beginning                  |
 * | `within: P30D`, `-P30D`       | times           | lies in the 30 days that come, or in those that went by   |
 * | `daysUntil: 3`, `[0, 7]`      | times           | is so many calendar days ahead; less than 0 is in the past |
 * | `exists: true`, `false`       | every type      | is there, or is not                                       |
 *
 * Times are instants and dates. Days are those of the person's own time zone.
 *
 * Beside them stands `{happened: …}`, which asks how often something has happened (happened.ts).
 */

const scalarSchema = z.union([z.string(), z.number(), z.boolean()])

const leafSchema = z
  .strictObject({
    field: z
      .string()
      .regex(/^[a-z]+(\.[A-Za-z][A-Za-z0-9-]*)+$/, 'expected a field such as "person.age"')
      .describe('What is looked at, such as `person.age` or `event.kind`.'),
    op: z
      .enum(operators)
      .describe(
        'How it is compared. `in` and `notIn` take a list, `between` two values, both included, `exists` true or false. Of a moment or a day: `within` takes a duration from now (`P30D` for what comes, `-P30D` for what went by), `daysUntil` whole days ahead in the time zone of the person, such as `3` or `[0, 7]`.',
      ),
    value: z
      .union([scalarSchema, z.array(scalarSchema).min(1)])
      .describe('What it is compared with.'),
  })
  .describe(
    'One comparison. A missing value satisfies none, except `{ op: exists, value: false }`.',
  )

export type Leaf = z.infer<typeof leafSchema>

export type Condition =
  | Leaf
  | HappenedLeaf
  | { all: Condition[] }
  | { any: Condition[] }
  | { not: Condition }

export const conditionSchema: z.ZodType<Condition> = z.lazy(() => anyCondition)

// Made once, not by each call of a getter: what walks the schema would walk for ever.
const anyCondition: z.ZodType<Condition> = z
  .union([
    leafSchema,
    happenedSchema(conditionSchema),
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
      'One comparison, `happened`, or `all`, `any` and `not` of others. A missing value satisfies no comparison except `{ op: exists, value: false }`; so `neq` on a field that somebody lacks is false.',
  })

/** Gives the value of a dotted field name; undefined when there is none. */
export type FieldReader = (field: string) => JsonValue | undefined

/** What a condition is held against: fields, the moment and the calendar, and what has happened. */
export type Facts = {
  readonly read: FieldReader
  readonly now: Instant
  readonly timeZone: string
  /** How often it happened within its window. */
  readonly timesOf: (happened: Happened) => number
}

export type Predicate = (facts: Facts) => boolean

/**
 * What one leaf saw, in the order of the text. Of `happened` the field is the touchpoint, what was
 * expected `{ times, within, where? }`, and what was seen how often it happened.
 */
export type LeafTrace = {
  field: string
  op: Operator | 'happened'
  expected: JsonValue
  actual: JsonValue | null
  holds: boolean
}

/** Turns a condition into a closure, once, when a definition is loaded. */
export function compileCondition(condition: Condition): Predicate {
  if ('all' in condition) {
    const parts = condition.all.map(compileCondition)
    return (facts) => parts.every((part) => part(facts))
  }
  if ('any' in condition) {
    const parts = condition.any.map(compileCondition)
    return (facts) => parts.some((part) => part(facts))
  }
  if ('not' in condition) {
    const part = compileCondition(condition.not)
    return (facts) => !part(facts)
  }
  if ('happened' in condition) {
    const { happened } = condition
    return (facts) => isAsOften(facts.timesOf(happened), happened.times)
  }
  return (facts) => leafHolds(condition, facts.read(condition.field), facts)
}

/**
 * The tracing twin of {@link compileCondition}: the same answer, with what each leaf saw.
 * Every leaf is evaluated, also where the closure would have stopped.
 */
export function traceCondition(
  condition: Condition,
  facts: Facts,
): { holds: boolean; leaves: LeafTrace[] } {
  if ('all' in condition) {
    const parts = condition.all.map((part) => traceCondition(part, facts))
    return {
      holds: parts.every((part) => part.holds),
      leaves: parts.flatMap((part) => part.leaves),
    }
  }
  if ('any' in condition) {
    const parts = condition.any.map((part) => traceCondition(part, facts))
    return { holds: parts.some((part) => part.holds), leaves: parts.flatMap((part) => part.leaves) }
  }
  if ('not' in condition) {
    const part = traceCondition(condition.not, facts)
    return { holds: !part.holds, leaves: part.leaves }
  }
  if ('happened' in condition) return traceHappened(condition, facts)
  const actual = facts.read(condition.field)
  const holds = leafHolds(condition, actual, facts)
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

function traceHappened(
  { happened }: HappenedLeaf,
  facts: Facts,
): { holds: boolean; leaves: LeafTrace[] } {
  const { touchpoint, within, times = { atLeast: 1 }, where } = happened
  const actual = facts.timesOf(happened)
  const holds = isAsOften(actual, times)
  const expected = JSON.parse(JSON.stringify({ times, within, where })) as JsonValue
  return { holds, leaves: [{ field: touchpoint, op: 'happened', expected, actual, holds }] }
}

/** Every comparison of a condition with the path that leads to it (`['all', 0]`). */
export function leavesOf(
  condition: Condition,
  path: (string | number)[] = [],
): { leaf: Leaf; path: (string | number)[] }[] {
  if ('all' in condition)
    return condition.all.flatMap((part, index) => leavesOf(part, [...path, 'all', index]))
  if ('any' in condition)
    return condition.any.flatMap((part, index) => leavesOf(part, [...path, 'any', index]))
  if ('not' in condition) return leavesOf(condition.not, [...path, 'not'])
  return 'happened' in condition ? [] : [{ leaf: condition, path }]
}

/** Everything of which a condition asks how often it happened, with the path that leads to it. */
export function happenedIn(
  condition: Condition,
  path: (string | number)[] = [],
): { happened: Happened; path: (string | number)[] }[] {
  if ('all' in condition)
    return condition.all.flatMap((part, index) => happenedIn(part, [...path, 'all', index]))
  if ('any' in condition)
    return condition.any.flatMap((part, index) => happenedIn(part, [...path, 'any', index]))
  if ('not' in condition) return happenedIn(condition.not, [...path, 'not'])
  return 'happened' in condition
    ? [{ happened: condition.happened, path: [...path, 'happened'] }]
    : []
}
