import type { Leaf } from './condition.ts'
import type { FieldType } from './definition/field.ts'
import { isDuration } from './definition/words.ts'

export const operators = [
  'eq',
  'neq',
  'in',
  'notIn',
  'lt',
  'lte',
  'gt',
  'gte',
  'between',
  'contains',
  'startsWith',
  'within',
  'daysUntil',
  'exists',
] as const

export type Operator = (typeof operators)[number]

const always: readonly Operator[] = ['eq', 'neq', 'in', 'notIn', 'exists']

const ordering: readonly Operator[] = ['lt', 'lte', 'gt', 'gte', 'between']

const ofTimes: readonly Operator[] = ['within', 'daysUntil']

/** What can be asked of a field of each type. */
export const operatorsOf: Readonly<Record<FieldType, readonly Operator[]>> = {
  text: [...always, 'contains', 'startsWith'],
  number: [...always, ...ordering],
  boolean: always,
  instant: [...always, ...ordering, ...ofTimes],
  date: [...always, ...ordering, ...ofTimes],
}

/** What a value must be for its operator, when it is not one value of the field's own type. */
export const valueShapes: Readonly<
  Partial<Record<Operator, { expected: string; fits: (value: Leaf['value']) => boolean }>>
> = {
  exists: { expected: 'true or false', fits: (value) => typeof value === 'boolean' },
  within: {
    expected: 'a duration such as "P30D", or "-P30D" for the past',
    fits: (value) => typeof value === 'string' && isDuration(value),
  },
  daysUntil: {
    expected: 'a whole number of days, or two such as [0, 7]',
    fits: (value) =>
      Array.isArray(value)
        ? value.length === 2 && value.every(Number.isInteger)
        : Number.isInteger(value),
  },
}
