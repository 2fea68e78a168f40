import type { Condition, LeafTrace } from '../condition.ts'
import type { LocaleName } from '../definition/words.ts'
import type { Instant } from '../instant.ts'
import type { JsonObject } from '../json.ts'
import type { ReasonCode } from '../reasons.ts'
import type { ConditionTrace } from './condition-trace.ts'

/** Something in each language in which Wegwijs explains itself. */
export type InEachLanguage<Thing> = Readonly<Record<LocaleName, Thing>>

/** What an explanation is made with: one language, one person's clocks, the names of one definition. */
export type Words = {
  /** `13 maart 2026 om 10:00`, as the person's clocks show it. */
  moment(instant: Instant): string
  /** `3 dagen`, of an ISO 8601 duration. */
  duration(duration: string): string
  /** What a touchpoint is called, in quotes. */
  touchpoint(type: string): string
  /** What a field is called: its label, or its name. */
  field(name: string): string
  /** Whether what a field held may be told here, also by what follows from it. */
  shows(field: string): boolean
  /** What a field held: `ja`, `13 maart 2026`, `"dagopname"`. What is not to be shown is left out. */
  value(field: string, value: unknown): string
  /** A value that stands in the definition: it tells of nobody, so it is always shown. */
  written(field: string, value: unknown): string
  /** What a condition asks: `leeftijd: minstens 70`. */
  condition(condition: Condition): string
  /** What a condition saw where it was decided: `leeftijd was 66 (gevraagd: minstens 70)`. */
  because(trace: ConditionTrace): string
  /** What one leaf saw: the same, of that leaf alone. */
  seen(leaf: LeafTrace): string
  /** What a reason means, to follow a colon. */
  reason(code: ReasonCode): string
}

/** A decision as an explanation gets it. `detail` is what is stored of it. */
export type ToldDecision = {
  /** When it was decided. */
  readonly at: Instant
  readonly reason: ReasonCode
  readonly detail: JsonObject | null
  /** About a message that there is: planned by it, or taken back. */
  readonly isOfMessage: boolean
  /** The conditions of the step and what they saw, as far as that could be found out again. */
  readonly traces: readonly LabelledTrace[]
}

/** A condition of a step: `label` is that of its arm, or null for one beside the arms. */
export type LabelledTrace = { readonly label: string | null; readonly trace: ConditionTrace }

/**
 * What somebody is told of a thing: the rest of a sentence that has begun with its moment, without the
 * full stop. "Op 13 maart om 10:00 …" asks for the verb first in Dutch: `is het bericht ingepland`.
 */
export type Explanation<Own> = InEachLanguage<
  (own: Own, told: ToldDecision, words: Words) => string
>
