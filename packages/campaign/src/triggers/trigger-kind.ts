import type { z } from 'zod'
import type { Condition, Facts, Predicate } from '../condition.ts'
import type { InEachLanguage, Words } from '../explain/words.ts'
import type { Instant } from '../instant.ts'
import type { JsonValue } from '../json.ts'
import type { ReasonCode } from '../reasons.ts'
import type { JourneyEvent, Person } from '../state.ts'
import type { WorkingDays } from '../working-days.ts'

type Path = readonly (string | number)[]

/** What whoever checks, indexes or tells of a campaign needs to know of its trigger, but not its kind. */
export type TriggerParts = {
  /** Types of the events that may start it. */
  readonly types: readonly string[]
  /** The touchpoint whose data and entity the campaign sees, with where it stands in the trigger. */
  readonly touchpoint?: { readonly path: Path; readonly type: string }
  /** The type of the entity that the campaign sees, when no touchpoint says it. */
  readonly entity?: { readonly path: Path; readonly type: string }
  readonly where?: { readonly path: Path; readonly condition: Condition }
  /** It starts when `where` begins to hold: types of the events by which that may be. */
  readonly becomes?: { readonly types: readonly string[] }
  /** A date that starts it, which no event does. */
  readonly date?: DatePart
  /** A field of the person with the values that it is compared with. */
  readonly attribute?: {
    readonly path: Path
    readonly field: string
    readonly values: readonly { readonly path: Path; readonly value: string | number | boolean }[]
  }
}

/** A field that holds a day or a moment, with what is said of it: `entity.startsAt`, `person.operationOn`. */
export type DatePart = {
  readonly path: Path
  readonly field: string
  /** How long before or after it, where it stands. */
  readonly span: { readonly path: Path; readonly duration: string } | null
  /** How long after it its moment may come. */
  readonly latestAfter: string
  /** Whether the time of day is said. */
  readonly hasTime: boolean
  readonly isYearly: boolean
}

/** What a date is resolved with: the value of its field, and the earliest moment that is asked for. */
export type DateFacts = {
  readonly value: JsonValue | undefined
  /** Of a date that comes back the first moment from here on is meant. */
  readonly from: Instant
  readonly timeZone: string
  readonly isWorkingDay: WorkingDays
}

/**
 * When a date comes. `day` (YYYY-MM-DD) says which of the days of one that comes back every year: the same in
 * every time zone, and whatever is said of how far from it; null for one that comes once.
 */
export type Coming = { readonly moment: Instant; readonly day: string | null }

/** An event that may start a campaign, for somebody of whom `before` is what was known until then. */
export type TriggerRun = {
  readonly event: JourneyEvent
  readonly campaignId: string
  readonly before: Person
  readonly person: Person
  readonly facts: Facts
  readonly whereHolds: Predicate | null
}

/** Why the event does not start the campaign; `false` when it was never meant for it. */
export type TriggerRefusal = { reason: ReasonCode; leaves?: true } | false

/** One kind of trigger: everything that is particular to it, in a file of its own. */
export type TriggerKind<Own extends object> = {
  /** The key by which it is known in a campaign. */
  readonly key: string
  /** What it does, as the reference tells it to whoever writes a campaign. */
  readonly meaning: string
  /** What the campaign waits for, to follow its name: `wacht op "Ontslag"`, `waits for "Discharge"`. */
  readonly explanation: InEachLanguage<(trigger: Own, words: Words) => string>
  readonly schema: z.ZodType<Own>
  parts(trigger: Own): TriggerParts
  /** Null when the event starts the campaign. */
  decide(trigger: Own, run: TriggerRun): TriggerRefusal | null
  /** When its date comes; null when there is none. Only of kinds that wait for one. */
  comesAt?(trigger: Own, facts: DateFacts): Coming | null
}
