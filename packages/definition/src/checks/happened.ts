import { type Condition, happenedIn, leavesOf } from '@wegwijs/campaign/condition'
import type { Field } from '@wegwijs/campaign/definition/field'
import type { Happened } from '@wegwijs/campaign/happened'
import type { Operator } from '@wegwijs/campaign/operators'
import { type Fault, unknownName } from '../fault.ts'
import type { Path } from '../yaml-source.ts'
import { checkCondition } from './condition.ts'
import { about, type Loaded, type Parts } from './parts.ts'

/**
 * What a condition asks of the past: of a touchpoint that there is, and of its data alone. How often it
 * happened is counted when it happens, so what hangs on anything else cannot be asked afterwards.
 */
export function checkHappened(
  loaded: Loaded<unknown>,
  path: (string | number)[],
  condition: Condition,
  parts: Parts,
): Fault[] {
  return happenedIn(condition, path).flatMap(({ happened, path: at }) => {
    const known = parts.touchpoints?.value.touchpoints.map(({ type }) => type)
    if (!known) return []
    if (!known.includes(happened.touchpoint)) {
      const complaint = unknownName('touchpoint', happened.touchpoint, known)
      return [about(loaded, [...at, 'touchpoint'], complaint)]
    }
    return checkWhere(loaded, [...at, 'where'], happened, parts)
  })
}

function checkWhere(
  loaded: Loaded<unknown>,
  path: (string | number)[],
  { touchpoint, where }: Happened,
  parts: Parts,
): Fault[] {
  if (!where) return []
  const nested = happenedIn(where, path).map(({ happened, path: at }) =>
    about(loaded, [...at, 'touchpoint'], {
      message: `what is counted cannot hang on another count: expected a condition on the data of ${touchpoint}`,
      found: happened.touchpoint,
    }),
  )
  return [
    ...nested,
    ...checkCondition(loaded, path, where, dataOf(touchpoint, parts)),
    ...leavesOf(where, path)
      .filter(({ leaf }) => onTheClock.has(leaf.op))
      .map(({ leaf, path: at }) =>
        about(loaded, [...at, 'op'], {
          message: `"${leaf.op}" hangs on the day on which it is asked, and ${touchpoint} is counted when it happens: the window is "within" beside "touchpoint"`,
          found: leaf.op,
        }),
      ),
  ]
}

const onTheClock: ReadonlySet<Operator> = new Set<Operator>(['within', 'daysUntil'])

/** The fields that a condition on a past event may name. */
function dataOf(type: string, { touchpoints }: Parts): ReadonlyMap<string, Field> {
  const data = touchpoints?.value.touchpoints.find((each) => each.type === type)?.data ?? {}
  return new Map(Object.entries(data).map(([name, field]) => [`event.${name}`, field]))
}

/** Touchpoints that a condition asks after and that tell about somebody's health by their name alone. */
export function healthTouchpointsIn(
  condition: Condition,
  parts: Parts,
): { type: string; path: Path }[] {
  return happenedIn(condition).flatMap(({ happened: { touchpoint }, path }) =>
    isOfHealth(touchpoint, parts) ? [{ type: touchpoint, path: [...path, 'touchpoint'] }] : [],
  )
}

/** That it happened tells about somebody's health, whatever is in its data. */
export function isOfHealth(type: string, { touchpoints }: Parts): boolean {
  return touchpoints?.value.touchpoints.find((each) => each.type === type)?.sensitivity === 'health'
}

/** Fields of past events that tell about somebody's health, with the path to each. */
export function healthInHistory(
  condition: Condition,
  parts: Parts,
): { field: string; path: Path }[] {
  return happenedIn(condition).flatMap(({ happened: { touchpoint, where }, path }) => {
    const fields = dataOf(touchpoint, parts)
    const leaves = where ? leavesOf(where, [...path, 'where']) : []
    return leaves
      .filter(({ leaf }) => fields.get(leaf.field)?.sensitivity === 'health')
      .map(({ leaf, path: at }) => ({ field: leaf.field, path: at }))
  })
}
