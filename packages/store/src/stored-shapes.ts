import { contactKinds } from '@wegwijs/campaign/state'
import { fail } from '@wegwijs/runtime/failure'

/*
 * What a column has to hold of a person for anything to be decided by it. Looked at by hand: these rows are read
 * for every event, where a schema would cost as much as deciding it (P8) and would leave out what a newer Wegwijs
 * has put there, which is written back as it was.
 */

export type Shape = (value: unknown) => boolean

/**
 * The value of a column as `Value`, of which `isSuch` holds.
 *
 * @throws WEGWIJS_STORED_ROW_UNREADABLE with the column and the row, for whoever works people off one by one to
 * put this one aside; never with the value (P7)
 */
export function stored<Value>(isSuch: Shape, value: unknown, column: string, id: string): Value {
  if (!isSuch(value)) throw fail('WEGWIJS_STORED_ROW_UNREADABLE', { column, id })
  return value as Value
}

type Members = Readonly<Record<string, unknown>>

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const isText: Shape = (value) => typeof value === 'string'
const isNumber: Shape = (value) => typeof value === 'number'

export function orNothing(isSuch: Shape): Shape {
  return (value) => value === null || value === undefined || isSuch(value)
}

function listOf(isSuch: Shape): Shape {
  return (value) => Array.isArray(value) && value.every(isSuch)
}

function eachOf(isSuch: Shape): Shape {
  return (value) => {
    if (!isMembers(value)) return false
    for (const name in value) if (!isSuch(value[name])) return false
    return true
  }
}

/** Has at least these members. */
function having(shapes: Readonly<Record<string, Shape>>): Shape {
  const entries = Object.entries(shapes)
  return (value) => isMembers(value) && entries.every(([name, isSuch]) => isSuch(value[name]))
}

export function oneOf(words: readonly string[]): Shape {
  const known: ReadonlySet<unknown> = new Set(words)
  return (value) => known.has(value)
}

export function someOf(words: readonly string[]): Shape {
  return listOf(oneOf(words))
}

/** PostgreSQL has moments, too, that no calendar has, such as `infinity`. */
export const isMoment: Shape = (value) =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)

const isContact = having({
  address: isText,
  refusedAt: orNothing(isText),
  since: orNothing(isText),
  alsoSince: orNothing(listOf(isText)),
})

export const isContacts = having(
  Object.fromEntries(contactKinds.map((kind) => [kind, orNothing(isContact)])),
)

export const isJourneys = eachOf(having({ phase: isText, episode: isNumber, since: isText }))

export const isPersonCounts = eachOf(eachOf(isNumber))

export const isSaidIn = having({ fields: eachOf(isNumber), touchpoints: eachOf(isNumber) })

export const isTrigger = having({
  source: isText,
  id: isText,
  type: isText,
  time: isText,
  data: isMembers,
  day: orNothing(isText),
  traceparent: orNothing(isText),
  dividedAs: orNothing(isText),
  unplanned: orNothing(listOf(isText)),
})

export const isArms = orNothing(eachOf(isText))

export const isInEachLanguage = having({ nl: isText, en: isText })

export const isQuestion = orNothing(
  having({
    text: isInEachLanguage,
    answers: listOf(
      having({
        answer: isText,
        says: isInEachLanguage,
        words: orNothing(having({ nl: listOf(isText), en: listOf(isText) })),
      }),
    ),
  }),
)

const isLocalTime: Shape = (value) => typeof value === 'string' && /^\d\d:\d\d$/.test(value)

export const isSendingWindow = orNothing(
  having({
    days: listOf(isNumber),
    closed: listOf(isText),
    opens: isLocalTime,
    closes: orNothing(isLocalTime),
    before: orNothing(isText),
  }),
)

export const isOutcomes = listOf(having({ outcome: isText, says: isInEachLanguage }))
