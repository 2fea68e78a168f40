import type { Expectation } from '@wegwijs/campaign/definition/expectation'
import type { Asked } from './asked.ts'
import { assign, insteadOf, isOfMessage, nameOf } from './message-expectations.ts'
import { type Fate, fatesOf, isMessage, tell } from './message-fates.ts'
import { contradictionOf } from './run-expectations.ts'

/** One thing that was expected and did not come. */
export type Unmet = {
  /** Where it stands in its specification, such as `['then', 2]`. */
  path: readonly (string | number)[]
  /** What was expected, in words. */
  expected: string
  /** What there was instead, a sentence each. */
  happened: readonly string[]
}

/** Everything that is expected and is not so, in the order of the lines. */
export function unmetExpectations(expectations: readonly Expectation[], asked: Asked): Unmet[] {
  const fates = fatesOf(asked)
  const claims = assign(expectations, fates, asked)
  const claimed = new Set(claims.values())
  const unnamed = fates.filter(
    (fate) => !claimed.has(fate) && fate.intent.campaignId === asked.campaign,
  )
  const unmet = expectations.flatMap((expectation, index): Unmet[] => {
    const happened = isOfMessage(expectation)
      ? claims.has(index)
        ? null
        : insteadOf(expectation, fates, asked)
      : typeof expectation === 'string'
        ? tellAll(unnamed, asked)
        : contradictionOf(expectation, asked)
    return happened === null ? [] : [{ path: [index], expected: wordsOf(expectation), happened }]
  })
  return asked.isLast ? [...unmet, ...forgotten(expectations, { unnamed, unmet }, asked)] : unmet
}

function tellAll(fates: readonly Fate[], asked: Asked): string[] | null {
  return fates.length === 0 ? null : fates.map((fate) => tell(fate, asked))
}

/** A message that nobody named is a message that nobody thought of; what an unmet line tells, it has told. */
function forgotten(
  expectations: readonly Expectation[],
  { unnamed, unmet }: { unnamed: readonly Fate[]; unmet: readonly Unmet[] },
  asked: Asked,
): Unmet[] {
  if (expectations.some((each) => typeof each === 'string')) return []
  const told = unmet.flatMap(({ path: [index] }) => {
    const expectation = expectations[Number(index)]
    return expectation && isOfMessage(expectation) ? [nameOf(expectation)] : []
  })
  const sent = unnamed.filter(
    ({ what, intent }) =>
      what === 'sent' && !told.some((name) => isMessage(name, intent, asked.campaign)),
  )
  const happened = tellAll(sent, asked)
  return happened === null ? [] : [{ path: [], expected: 'no message without a line', happened }]
}

/** `evening-before sent, at 2026-03-19 18:00` */
function wordsOf(expectation: Expectation): string {
  if (typeof expectation === 'string') return expectation
  return Object.entries(expectation)
    .map(([key, value]) => `${key} ${[value].flat().map(String).join(', ')}`)
    .join(', ')
}
