import type { Condition, Leaf } from '@wegwijs/campaign/condition'

/** A condition on one line, as somebody would say it: `person.age ≥ 65 and event.kind is operation`. */
export function inWords(condition: Condition): string {
  if ('all' in condition) return condition.all.map((part) => within(part, 'any')).join(' and ')
  if ('any' in condition) return condition.any.map((part) => within(part, 'all')).join(' or ')
  if ('not' in condition) return `not (${inWords(condition.not)})`
  return leafInWords(condition)
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
