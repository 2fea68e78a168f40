import type { z } from 'zod'
import type { Condition, Facts, Predicate } from '../condition.ts'
import type { InEachLanguage, Words } from '../explain/words.ts'
import type { ReasonCode } from '../reasons.ts'
import type { JourneyEvent, Person } from '../state.ts'

type Path = readonly (string | number)[]

/** What whoever checks, indexes or tells of a campaign needs to know of its trigger, but not its kind. */
export type TriggerParts = {
  /** Types of the events that may start it. */
  readonly types: readonly string[]
  /** The touchpoint whose data and entity the campaign sees, with where it stands in the trigger. */
  readonly touchpoint?: { readonly path: Path; readonly type: string }
  readonly where?: { readonly path: Path; readonly condition: Condition }
  /** A field of the person with the values that it is compared with. */
  readonly attribute?: {
    readonly path: Path
    readonly field: string
    readonly values: readonly { readonly path: Path; readonly value: string | number | boolean }[]
  }
}

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
}
