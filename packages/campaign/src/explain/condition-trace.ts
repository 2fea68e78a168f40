import { z } from 'zod'
import {
  type Condition,
  conditionSchema,
  type Facts,
  type Leaf,
  type LeafTrace,
  traceCondition,
} from '../condition.ts'
import type { HappenedLeaf } from '../happened.ts'
import type { JsonObject } from '../json.ts'
import { operators } from '../operators.ts'

/**
 * What a condition came to, part by part. All parts are evaluated, also those that the decision itself
 * had no need to look at any more: those have `reached: false`.
 */
export type ConditionTrace = { readonly holds: boolean; readonly reached: boolean } & (
  | { readonly all: readonly ConditionTrace[] }
  | { readonly any: readonly ConditionTrace[] }
  | { readonly not: ConditionTrace }
  | { readonly leaf: LeafTrace }
)

const askedOftenSchema = z.object({
  times: z.record(z.string(), z.number()).optional(),
  within: z.string(),
  where: conditionSchema.optional(),
})

const happenedTraceSchema = z.object({
  field: z.string(),
  op: z.literal('happened'),
  expected: z
    .record(z.string(), z.json())
    .refine((expected) => askedOftenSchema.safeParse(expected).success),
  actual: z.number(),
  holds: z.boolean(),
})

const comparedTraceSchema = z.object({
  field: z.string(),
  op: z.enum(operators),
  expected: z.json(),
  actual: z.json(),
  holds: z.boolean(),
})

const leafTracesSchema = z.array(z.union([happenedTraceSchema, comparedTraceSchema]))

/** The leaves that are stored with a decision. Null where there are none, or nobody can read them. */
export function leavesStoredWith({ leaves }: JsonObject): LeafTrace[] | null {
  return leafTracesSchema.safeParse(leaves).data ?? null
}

/** The verdict is that of the compiled condition, always; performs nothing. */
export function traceOf(condition: Condition, facts: Facts): ConditionTrace {
  return build(condition, (leaf) => traceCondition(leaf, facts).leaves[0], true)
}

/**
 * A trace made of what is stored of one, with the values that were seen at the time. Null when the
 * condition has other leaves than were stored.
 */
export function traceOfStored(
  condition: Condition,
  stored: readonly LeafTrace[],
): ConditionTrace | null {
  const leaves = everyLeaf(condition)
  const isSame =
    leaves.length === stored.length &&
    leaves.every((leaf, index) => {
      const { field, op } = stored[index] ?? {}
      return 'happened' in leaf
        ? leaf.happened.touchpoint === field && op === 'happened'
        : leaf.field === field && leaf.op === op
    })
  const left = [...stored]
  return isSame ? build(condition, () => left.shift(), true) : null
}

/** In the order of the text. */
function everyLeaf(condition: Condition): (Leaf | HappenedLeaf)[] {
  if ('all' in condition) return condition.all.flatMap(everyLeaf)
  if ('any' in condition) return condition.any.flatMap(everyLeaf)
  return 'not' in condition ? everyLeaf(condition.not) : [condition]
}

type TraceLeaf = (leaf: Leaf | HappenedLeaf) => LeafTrace | undefined

function build(condition: Condition, traceLeaf: TraceLeaf, reached: boolean): ConditionTrace {
  if ('all' in condition) {
    const all = buildParts(condition.all, traceLeaf, { reached, until: false })
    return { holds: all.every(({ holds }) => holds), reached, all }
  }
  if ('any' in condition) {
    const any = buildParts(condition.any, traceLeaf, { reached, until: true })
    return { holds: any.some(({ holds }) => holds), reached, any }
  }
  if ('not' in condition) {
    const not = build(condition.not, traceLeaf, reached)
    return { holds: !not.holds, reached, not }
  }
  const leaf = traceLeaf(condition)
  if (!leaf) throw new RangeError('a leaf leaves one trace')
  return { holds: leaf.holds, reached, leaf }
}

/** In their order; the first that comes out as `until` settles it. */
function buildParts(
  parts: readonly Condition[],
  traceLeaf: TraceLeaf,
  { reached, until }: { reached: boolean; until: boolean },
): ConditionTrace[] {
  let isOpen = reached
  return parts.map((part) => {
    const trace = build(part, traceLeaf, isOpen)
    if (trace.holds === until) isOpen = false
    return trace
  })
}

/** Every leaf, in the order of the text. */
export function leavesOfTrace(trace: ConditionTrace): LeafTrace[] {
  if ('all' in trace) return trace.all.flatMap(leavesOfTrace)
  if ('any' in trace) return trace.any.flatMap(leavesOfTrace)
  return 'not' in trace ? leavesOfTrace(trace.not) : [trace.leaf]
}

/** A leaf, and whether it was asked to be so or, under an odd number of `not`, to be otherwise. */
type DecidingLeaf = LeafTrace & { readonly isNegated: boolean }

/**
 * The leaves without which it would have come out otherwise: of `all` that fails the parts that fail,
 * of `any` that holds the first that holds.
 */
export function decidingLeaves(trace: ConditionTrace, isNegated = false): DecidingLeaf[] {
  if ('leaf' in trace) return [{ ...trace.leaf, isNegated }]
  if ('not' in trace) return decidingLeaves(trace.not, !isNegated)
  const leavesOf = (parts: readonly ConditionTrace[]) =>
    parts.flatMap((part) => decidingLeaves(part, isNegated))
  if ('all' in trace)
    return leavesOf(trace.holds ? trace.all : trace.all.filter(({ holds }) => !holds))
  return leavesOf(trace.holds ? trace.any.filter(({ holds }) => holds).slice(0, 1) : trace.any)
}
