import type { Condition, Leaf } from '@wegwijs/campaign/condition'
import type { Happened, Times } from '@wegwijs/campaign/happened'

/** A condition on one line, as somebody would say it: `person.age ≥ 65 and event.kind is operation`. */
export function inWords(condition: Condition): string {
  if ('all' in condition) return condition.all.map((part) => within(part, 'any')).join(' and ')
  if ('any' in condition) return condition.any.map((part) => within(part, 'all')).join(' or ')
  if ('not' in condition) return `not (${inWords(condition.not)})`
  return 'happened' in condition ? happenedInWords(condition.happened) : leafInWords(condition)
}

/** `and` among `or`, or the other way round, needs its brackets. */
function within(part: Condition, other: 'all' | 'any'): string {
  const isMixed = other in part && Object.values(part).flat().length > 1
  return isMixed ? `(${inWords(part)})` : inWords(part)
}

const words: Readonly<Record<Leaf['op'], string>> = {
  eq: 'is',
  neq: 'is not',
  in: 'is one of',
  notIn: 'is none of',
  lt: '<',
  lte: '≤',
  gt: '>',
  gte: '≥',
  between: 'is between',
  contains: 'contains',
  startsWith: 'starts with',
  within: 'is within',
  daysUntil: 'in days:',
  exists: 'is known:',
}

function leafInWords({ field, op, value }: Leaf): string {
  if (op === 'exists') return `${field} is ${value === true ? 'known' : 'not known'}`
  const values = [value].flat().map(String)
  return `${field} ${words[op]} ${values.join(op === 'between' ? ' and ' : ', ')}`
}

/** `care.appointment.missed.v1 happened at least 2 times within P90D` */
function happenedInWords({ touchpoint, within, times, where }: Happened): string {
  const which = where ? `${touchpoint} (${inWords(where)})` : touchpoint
  return `${which} happened ${timesInWords(times)} within ${within}`
}

function timesInWords({ atLeast, atMost, exactly }: Times = { atLeast: 1 }): string {
  const often = (count: number) => (count === 1 ? 'once' : `${count} times`)
  if (exactly !== undefined) return exactly === 0 ? 'never' : `just ${often(exactly)}`
  if (atLeast === undefined) return `at most ${often(atMost ?? 0)}`
  return atMost === undefined ? `at least ${often(atLeast)}` : `${atLeast} to ${atMost} times`
}
