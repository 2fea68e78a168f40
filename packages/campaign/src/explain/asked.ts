import type { Times } from '../happened.ts'
import type { JsonValue } from '../json.ts'
import type { Operator } from '../operators.ts'
import type { InEachLanguage } from './words.ts'

/** What a leaf asks, with what its values are called. `isTime`: of a moment or a day. */
export type AskedLeaf = {
  readonly value: JsonValue
  readonly values: readonly string[]
  readonly isTime: boolean
  /** Of an ISO 8601 duration. */
  duration(duration: string): string
}

/** What each operator asks, to follow "asked:". A new operator says it here, or does not compile. */
export const asked: InEachLanguage<Readonly<Record<Operator, (asked: AskedLeaf) => string>>> = {
  nl: {
    eq: ({ values: [value] }) => `${value}`,
    neq: ({ values: [value] }) => `iets anders dan ${value}`,
    in: ({ values }) => listed(values, 'of'),
    notIn: ({ values }) => `niet ${listed(values, 'of')}`,
    lt: ({ values: [value], isTime }) => `${isTime ? 'vóór' : 'minder dan'} ${value}`,
    lte: ({ values: [value], isTime }) => `${isTime ? 'uiterlijk' : 'hoogstens'} ${value}`,
    gt: ({ values: [value], isTime }) => `${isTime ? 'na' : 'meer dan'} ${value}`,
    gte: ({ values: [value], isTime }) => `${isTime ? 'vanaf' : 'minstens'} ${value}`,
    between: ({ values: [from, to] }) => `van ${from} tot en met ${to}`,
    contains: ({ values: [value] }) => `iets met ${value} erin`,
    startsWith: ({ values: [value] }) => `iets dat begint met ${value}`,
    within: ({ value, duration }) =>
      isBack(value)
        ? `in de ${duration(String(value))} ervoor`
        : `in de ${duration(String(value))} erna`,
    daysUntil: ({ value }) =>
      Array.isArray(value)
        ? `over ${value[0]} tot en met ${value[1]} dagen`
        : `over ${value} ${value === 1 ? 'dag' : 'dagen'}`,
    exists: ({ value }) => (value === true ? 'dat het bekend is' : 'dat het niet bekend is'),
  },
  en: {
    eq: ({ values: [value] }) => `${value}`,
    neq: ({ values: [value] }) => `anything but ${value}`,
    in: ({ values }) => listed(values, 'or'),
    notIn: ({ values }) => `not ${listed(values, 'or')}`,
    lt: ({ values: [value], isTime }) => `${isTime ? 'before' : 'less than'} ${value}`,
    lte: ({ values: [value], isTime }) => `${isTime ? 'no later than' : 'at most'} ${value}`,
    gt: ({ values: [value], isTime }) => `${isTime ? 'after' : 'more than'} ${value}`,
    gte: ({ values: [value], isTime }) => `${isTime ? 'no earlier than' : 'at least'} ${value}`,
    between: ({ values: [from, to] }) => `from ${from} to ${to}`,
    contains: ({ values: [value] }) => `something with ${value} in it`,
    startsWith: ({ values: [value] }) => `something that begins with ${value}`,
    within: ({ value, duration }) =>
      isBack(value)
        ? `within the ${duration(String(value))} before`
        : `within the ${duration(String(value))} after`,
    daysUntil: ({ value }) =>
      Array.isArray(value)
        ? `${value[0]} to ${value[1]} days ahead`
        : `${value} ${value === 1 ? 'day' : 'days'} ahead`,
    exists: ({ value }) => (value === true ? 'that it is known' : 'that it is not known'),
  },
}

/** How often something happened, and since when: what `happened` asks and what it saw. */
export const askedOften: InEachLanguage<{
  happened: (touchpoint: string, count: number, within: string) => string
  times: (times: Times) => string
}> = {
  nl: {
    happened: (touchpoint, count, within) =>
      `${touchpoint} was in de laatste ${within} ${count} keer gebeurd`,
    times: ({ exactly, atLeast, atMost }) => {
      if (exactly !== undefined) return `precies ${exactly} keer`
      if (atLeast === undefined) return `hoogstens ${atMost} keer`
      return atMost === undefined
        ? `minstens ${atLeast} keer`
        : `${atLeast} tot en met ${atMost} keer`
    },
  },
  en: {
    happened: (touchpoint, count, within) =>
      `${touchpoint} had happened ${timesInEnglish(count)} in the last ${within}`,
    times: ({ exactly, atLeast, atMost }) => {
      if (exactly !== undefined) return `exactly ${timesInEnglish(exactly)}`
      if (atLeast === undefined) return `at most ${timesInEnglish(atMost ?? 0)}`
      return atMost === undefined
        ? `at least ${timesInEnglish(atLeast)}`
        : `${atLeast} to ${timesInEnglish(atMost)}`
    },
  },
}

function timesInEnglish(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

function isBack(value: JsonValue): boolean {
  return typeof value === 'string' && value.startsWith('-')
}

/** `a, b of c` */
export function listed(values: readonly string[], word: string): string {
  const last = values.at(-1) ?? ''
  return values.length < 2 ? last : `${values.slice(0, -1).join(', ')} ${word} ${last}`
}
