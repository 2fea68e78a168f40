import type { JsonObject, JsonValue } from '../json.ts'

/** One field that is another one than it was; undefined where there was, or is, none. */
export type Difference = {
  /** Names and numbers on the way to it, lists counting from 1: `steps[2].wait.for`. */
  path: string
  from?: JsonValue
  to?: JsonValue
}

/**
 * What has changed between two values of one kind, field by field, in the order of the new one.
 *
 * Items of a list are the same item when they bear the same name (`id`, `type`, `source`, `name`), or
 * are equal, whatever their place; what lies between two that are is compared one by one.
 */
export function differencesBetween(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  path = '',
): Difference[] {
  if (isEqual(before, after)) return []
  if (Array.isArray(before) && Array.isArray(after)) return ofLists(before, after, path)
  if (isMapping(before) && isMapping(after)) return ofMappings(before, after, path)
  return [
    {
      path,
      ...(before === undefined ? {} : { from: before }),
      ...(after === undefined ? {} : { to: after }),
    },
  ]
}

function ofMappings(before: JsonObject, after: JsonObject, path: string): Difference[] {
  const keys = new Set([...Object.keys(after), ...Object.keys(before)])
  return [...keys].flatMap((key) =>
    differencesBetween(before[key], after[key], path === '' ? key : `${path}.${key}`),
  )
}

type List = readonly JsonValue[]

function ofLists(before: List, after: List, path: string): Difference[] {
  if (![...before, ...after].some((item) => typeof item === 'object'))
    return [{ path, from: [...before], to: [...after] }]
  const pairs = pairsOf(before, after)
  const here = (index: number, item: JsonValue | undefined) =>
    `${path}[${nameOf(item) ?? index + 1}]`
  const inside = pairs.flatMap(([old, now]) =>
    differencesBetween(
      before[old ?? -1],
      after[now ?? -1],
      now === null ? here(old ?? 0, before[old ?? 0]) : here(now, after[now]),
    ),
  )
  const kept = pairs.flatMap(([old, now]) => (old === null || now === null ? [] : [old]))
  const moved = kept.some((old, index) => old < (kept[index - 1] ?? -1))
  return moved ? [...inside, { path: `${path} (order)` }] : inside
}

/** Which item of one list is which of the other: by name, else those that are equal, else in turn. */
function pairsOf(before: List, after: List): [number | null, number | null][] {
  const old = before.map(nameOf)
  const isNamed = [...old, ...after.map(nameOf)].every((name) => name !== undefined)
  const kept = isNamed
    ? after.map((item) => nullIfNone(old.indexOf(nameOf(item))))
    : alignment(before, after)
  const gone = before.flatMap((_, index): [number, null][] =>
    kept.includes(index) ? [] : [[index, null]],
  )
  return [...kept.map((index, now): [number | null, number] => [index, now]), ...gone]
}

/**
 * For each item of the new list the one that it was: equal ones in their order, as many as there can
 * be (the longest common subsequence), and between two of those in turn while both lists have some.
 */
function alignment(before: List, after: List): (number | null)[] {
  const equal = longestCommon(before, after)
  const kept: (number | null)[] = after.map(() => null)
  let [old, now] = [0, 0]
  for (const [untilOld, untilNow] of [...equal, [before.length, after.length] as const]) {
    const both = Math.min(untilOld - old, untilNow - now)
    for (let turn = 0; turn < both; turn += 1) kept[now + turn] = old + turn
    if (untilNow < after.length) kept[untilNow] = untilOld
    old = untilOld + 1
    now = untilNow + 1
  }
  return kept
}

function longestCommon(before: List, after: List): (readonly [number, number])[] {
  const lengths = Array.from({ length: before.length + 1 }, () =>
    new Array<number>(after.length + 1).fill(0),
  )
  const at = (row: number, column: number) => lengths[row]?.[column] ?? 0
  for (let row = before.length - 1; row >= 0; row -= 1)
    for (let column = after.length - 1; column >= 0; column -= 1) {
      const line = lengths[row] ?? []
      line[column] = isEqual(before[row], after[column])
        ? at(row + 1, column + 1) + 1
        : Math.max(at(row + 1, column), at(row, column + 1))
    }
  const pairs: [number, number][] = []
  let [row, column] = [0, 0]
  while (row < before.length && column < after.length) {
    if (isEqual(before[row], after[column])) pairs.push([row++, column++])
    else if (at(row + 1, column) >= at(row, column + 1)) row += 1
    else column += 1
  }
  return pairs
}

function nameOf(item: JsonValue | undefined): string | undefined {
  if (!isMapping(item)) return undefined
  const names = [item.id, item.type, item.source, item.name]
  return names.find((name) => typeof name === 'string')
}

function isMapping(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function nullIfNone(index: number): number | null {
  return index < 0 ? null : index
}

/** The order of keys means nothing. */
function isEqual(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => isEqual(item, b[index]))
  if (!isMapping(a) || !isMapping(b)) return false
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].every((key) => isEqual(a[key], b[key]))
}
