import {
  type Condition,
  compileCondition,
  happenedIn,
  type Leaf,
  leavesOf,
} from '@wegwijs/campaign/condition'
import type { Field } from '@wegwijs/campaign/definition/field'
import type { JsonValue } from '@wegwijs/campaign/json'
import type { Operator } from '@wegwijs/campaign/operators'

/**
 * What conditions can tell apart, tried out instead of reasoned about: for every field that they name
 * a few values that stand for all (those it is compared with, what lies between and beside them,
 * nothing at all), and every combination of those. What holds in no case holds for nobody.
 *
 * Values that no publisher sends may be among them, so something may pass for possible that is not;
 * never the other way round. A warning is therefore always right.
 */
export type Case = ReadonlyMap<string, JsonValue>

/** Beyond these nobody waits for an answer, and none is given. */
const mostCases = 20_000
const mostParts = 10

/** Null when there are too many to try. `neverMissing` are fields that everybody has. */
export function casesOf(
  conditions: readonly Condition[],
  fields: ReadonlyMap<string, Field>,
  neverMissing: ReadonlySet<string>,
): Case[] | null {
  const leaves = conditions.flatMap((condition) => leavesOf(condition)).map(({ leaf }) => leaf)
  if (leaves.filter(({ op }) => op === 'contains').length > mostParts) return null
  const questions = new Map<string, Question[1]>(
    leaves.map((leaf): Question => {
      const key = questionOf(leaf)
      if (!isComparison(leaf)) return [key, [true, false]]
      const values = valuesOf(leaf.field, leaves, fields.get(leaf.field))
      return [key, neverMissing.has(leaf.field) ? values : [undefined, ...values]]
    }),
  )
  // How often something happened may be anything, whatever another question about it has for an answer.
  for (const condition of conditions)
    for (const { happened } of happenedIn(condition))
      questions.set(JSON.stringify(happened), [true, false])
  const size = [...questions.values()].reduce((product, values) => product * values.length, 1)
  return size > mostCases ? null : combine([...questions])
}

/** Whether a condition holds in a case; each of its leaves must be among those the cases were made of. */
export function holdsIn(condition: Condition, given: Case): boolean {
  if ('all' in condition) return condition.all.every((part) => holdsIn(part, given))
  if ('any' in condition) return condition.any.some((part) => holdsIn(part, given))
  if ('not' in condition) return !holdsIn(condition.not, given)
  if ('happened' in condition) return given.get(JSON.stringify(condition.happened)) === true
  if (!isComparison(condition)) return given.get(questionOf(condition)) === true
  return compileCondition(condition)({ ...noTime, read: (field) => given.get(field) })
}

const comparisons: ReadonlySet<Operator> = new Set<Operator>([
  ...(['eq', 'neq', 'in', 'notIn', 'lt', 'lte', 'gt', 'gte', 'between'] as const),
  ...(['contains', 'exists'] as const),
])

/** For what is compared without looking at the clock, or at the past. */
const noTime = { now: '2026-01-01T00:00:00.000Z', timeZone: 'UTC', timesOf: () => 0 }

/** What asks for anything else than a value, such as the clock, may hold or not as it likes. */
function isComparison(leaf: Leaf): boolean {
  return comparisons.has(leaf.op)
}

function questionOf(leaf: Leaf): string {
  return isComparison(leaf) ? leaf.field : JSON.stringify(leaf)
}

function valuesOf(
  name: string,
  leaves: readonly Leaf[],
  field: Field | undefined,
): readonly (JsonValue | undefined)[] {
  if (field?.type === 'boolean') return [true, false]
  if (field?.values) return field.values
  const own = leaves.filter((leaf) => isComparison(leaf) && leaf.field === name)
  const constants = [...new Set(own.flatMap(({ value }) => value))]
  const numbers = aroundNumbers(constants.filter((constant) => typeof constant === 'number'))
  if (field?.type === 'number') return numbers
  const texts = aroundTexts(constants.filter((constant) => typeof constant === 'string'))
  const parts = own.filter(({ op }) => op === 'contains').map(({ value }) => String(value))
  return [...numbers, ...texts, ...together([...new Set(parts)])]
}

function aroundNumbers(numbers: readonly number[]): number[] {
  const sorted = [...numbers].sort((a, b) => a - b)
  const between = sorted.slice(1).map((number, index) => (number + (sorted[index] ?? number)) / 2)
  const [first = 0, last = 0] = [sorted.at(0), sorted.at(-1)]
  return [first - 1, ...sorted, ...between, last + 1]
}

/** Instants and dates have an order too, that of their characters: just behind each one lies another. */
function aroundTexts(texts: readonly string[]): string[] {
  return ['', ...texts.flatMap((text) => [text, `${text}\u0000`])]
}

/** Texts that contain some of these parts, in every choice. */
function together(parts: readonly string[]): string[] {
  return parts.reduce<string[]>(
    (texts, part) => texts.flatMap((text) => [text, `${text}\u0001${part}`]),
    [''],
  )
}

type Question = readonly [key: string, values: readonly (JsonValue | undefined)[]]

function combine(questions: readonly Question[]): Case[] {
  return questions.reduce<Map<string, JsonValue>[]>(
    (cases, [key, values]) =>
      cases.flatMap((one) =>
        values.map((value) => (value === undefined ? one : new Map(one).set(key, value))),
      ),
    [new Map()],
  )
}
