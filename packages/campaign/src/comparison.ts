import { Temporal } from 'temporal-polyfill'
import type { Facts, Leaf } from './condition.ts'
import { addDuration, type Instant } from './instant.ts'
import type { JsonValue } from './json.ts'
import type { Operator } from './operators.ts'

export function leafHolds(leaf: Leaf, actual: JsonValue | undefined, facts: Facts): boolean {
  const missing = actual === undefined || actual === null
  if (leaf.op === 'exists') return leaf.value !== missing
  if (missing) return false
  return compare(leaf.op, actual, leaf.value, facts)
}

function compare(
  op: Exclude<Operator, 'exists'>,
  actual: JsonValue,
  expected: Leaf['value'],
  facts: Facts,
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
    case 'startsWith':
      return (
        typeof actual === 'string' && typeof expected === 'string' && actual.startsWith(expected)
      )
    case 'lt':
      return ordered(actual, expected, (order) => order < 0)
    case 'lte':
      return ordered(actual, expected, (order) => order <= 0)
    case 'gt':
      return ordered(actual, expected, (order) => order > 0)
    case 'gte':
      return ordered(actual, expected, (order) => order >= 0)
    case 'between':
      return isBetween(actual, expected)
    case 'within':
      return isWithin(actual, expected, facts)
    case 'daysUntil':
      return isSoManyDaysAhead(actual, expected, facts)
  }
}

type Scalar = string | number | boolean

/** Numbers by size, texts (and so instants and dates) by their characters; anything else has no order. */
function ordered(
  actual: JsonValue,
  expected: Leaf['value'] | Scalar | undefined,
  test: (order: number) => boolean,
): boolean {
  if (typeof actual === 'number' && typeof expected === 'number') return test(actual - expected)
  if (typeof actual === 'string' && typeof expected === 'string') {
    return test(actual < expected ? -1 : actual > expected ? 1 : 0)
  }
  return false
}

function isBetween(actual: JsonValue, expected: Leaf['value']): boolean {
  if (!Array.isArray(expected)) return false
  const [from, to] = expected
  return ordered(actual, from, (order) => order >= 0) && ordered(actual, to, (order) => order <= 0)
}

/** A date counts as a whole day: it lies within when any part of that day does. */
function isWithin(actual: JsonValue, expected: Leaf['value'], facts: Facts): boolean {
  if (typeof actual !== 'string' || typeof expected !== 'string') return false
  const { now, timeZone } = facts
  const other = addDuration(now, expected, timeZone)
  const [from, to] = other < now ? [other, now] : [now, other]
  if (!isDay(actual)) return actual >= from && actual <= to
  return actual >= dayOf(from, timeZone) && actual <= dayOf(to, timeZone)
}

function isSoManyDaysAhead(actual: JsonValue, expected: Leaf['value'], facts: Facts): boolean {
  if (typeof actual !== 'string') return false
  const { now, timeZone } = facts
  const day = isDay(actual) ? actual : dayOf(actual, timeZone)
  const days = Temporal.PlainDate.from(dayOf(now, timeZone)).until(day).days
  return Array.isArray(expected) ? isBetween(days, expected) : days === expected
}

function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text)
}

function dayOf(instant: Instant, timeZone: string): string {
  return Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone).toPlainDate().toString()
}
