import type { z } from 'zod'
import type { Condition } from '../condition.ts'
import type { Field } from '../definition/field.ts'
import type { EntityMeant } from '../definition/words.ts'
import type { Draft } from '../draft.ts'
import type { Explanation } from '../explain/words.ts'
import type { Instant } from '../instant.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import type { Moment } from '../moment.ts'
import type { Enrolment, Intent, JourneyEvent, Task } from '../state.ts'
import type { EmittedValue } from './emit.ts'
import type { MessageStep } from './message.ts'
import type { Step } from './step.ts'
import type { Onward, StepResult, StepRun } from './step-run.ts'
import type { TaskStep } from './task.ts'

/** Where something stands within its step, as in the file: `['branch', 0, 'when']`. */
export type PathInStep = readonly (string | number)[]

type ConditionAt = { readonly path: PathInStep; readonly condition: Condition }

/** A way into steps that another step holds; `when` null is the way that is always open. */
export type StepArm = {
  readonly path: PathInStep
  /** As a reader of the campaign would call it. */
  readonly label: string
  readonly when: ConditionAt | null
  readonly steps: readonly Step[]
}

/** `within`: how long the step waits from when the message is due, where the file says it there. */
export type AwaitedMessage = {
  readonly path: PathInStep
  readonly id: string
  readonly within?: { readonly path: PathInStep; readonly duration: string }
  /** The arm whose messages come in its place when it has not arrived. */
  readonly inItsPlace?: number
}

/**
 * What everybody who is not the step itself needs to know of it: whoever checks a definition, indexes
 * it, draws it or tells of it asks this and never the kind.
 */
export type StepParts = {
  /** Its name, which no other step of the campaign has. */
  readonly id?: { readonly name: string; readonly path: PathInStep }
  readonly arms?: readonly StepArm[]
  /** The split that it is: its id, and the names of the arms over which it divides people. */
  readonly divides?: { readonly split: string; readonly arms: readonly string[] }
  /** Nobody goes on behind it. */
  readonly ends?: true
  /** Conditions beside those of its arms; `about` is the touchpoint whose data `event` then is. */
  readonly conditions?: readonly (ConditionAt & { readonly about: string })[]
  /** Fields that must be moments; `around` is how far from it, where it may be a date of the person. */
  readonly moments?: readonly {
    readonly path: PathInStep
    readonly field: string
    readonly around?: {
      readonly hasTime: boolean
      readonly span: { readonly path: PathInStep; readonly duration: string } | null
    }
  }[]
  /**
   * Touchpoints that it listens to for a duration, from when somebody comes to it; `entity` as the file says it,
   * `arm` the one of its arms that is taken when it comes.
   */
  readonly touchpoints?: readonly {
    readonly path: PathInStep
    readonly type: string
    readonly entity?: EntityMeant
    readonly within: string
    readonly arm: number
  }[]
  /** Messages of the same campaign whose receipts it listens to. */
  readonly messages?: readonly AwaitedMessage[]
  /** The message that it sends. */
  readonly message?: MessageStep['message']
  /** It may be told once more, over another channel, while somebody waits here. */
  readonly isRetried?: true
  /** The field of the person that it sets: to a value, or to what another field says. */
  readonly sets?: { readonly field: string; readonly to?: JsonValue; readonly from?: string }
  /** What it tells other systems. */
  readonly emits?: {
    readonly type: string
    readonly data: Readonly<Record<string, EmittedValue>>
  }
  /** The moment until which it waits, if that is all it does. */
  readonly pause?: Moment
  /** The task that it makes. */
  readonly task?: TaskStep['task']
  /** The team of `policies.yaml` that it gives work to. */
  readonly team?: { readonly name: string; readonly path: PathInStep }
  /** The templates of which it sends one. */
  readonly templates?: readonly string[]
  /** What later conditions may ask, without the root `enrolment`: `welcome.status`. */
  readonly fields?: readonly (readonly [name: string, field: Field])[]
}

/** One kind of step: everything that is particular to it, in a file of its own. */
export type StepKind<Own extends object> = {
  /** The key under which it stands in a campaign. */
  readonly key: string
  /** What it does, as the reference tells it to whoever writes a campaign. */
  readonly meaning: string
  /** The whole step as short as it can be, in plausible words: what somebody is shown who wrote it otherwise. */
  readonly shortest: JsonObject
  /**
   * What a decision at such a step meant for somebody. It is told by the step that the `detail` of the
   * decision names: by its path as `step`, or by its id as `message`.
   */
  readonly explanation: Explanation<Own>
  /** Of the whole step; `steps` is the schema of steps that it may hold. */
  schema(steps: z.ZodType<Step[]>): z.ZodType<Own>
  parts(step: Own): StepParts
  decide(step: Own, run: StepRun): StepResult
  /** Only a kind that stands in for another one under its key has it: for which of its steps. */
  isMeant?(step: Own): boolean
  /** Somebody may wait here. */
  readonly waits?: true
  /** Whether what is waited for here has been asked for in this run; only of a step that asks. */
  hasBegun?(step: Own, run: StepRun): boolean
  /** The value of one of its `fields` for one enrolment; undefined when there is none yet. */
  read?(step: Own, name: string, of: { draft: Draft; enrolment: Enrolment }): JsonValue | undefined
  /** The moment has come until which somebody waited here; without it the step behind follows. */
  onTimer?(step: Own, run: StepRun): StepResult
  /** A touchpoint that it listens to came while somebody waits here; null: not the one that is meant. */
  onTouchpoint?(step: Own, event: JourneyEvent, run: StepRun): Onward | null
  /**
   * Until when it is waited for here, counted anew: what it hangs on has moved. Only of a step that can
   * be come back to for that: one that asks a person again.
   */
  waitsUntil?(step: Own, run: StepRun): Instant
  /**
   * Whether what this message of it began is begun anew, when the entity moves that it hangs on: `always`
   * also since somebody waits here, `ahead` only where its own moment lies ahead. Else that message alone is
   * planned again. Only of a kind that has `waitsUntil`.
   */
  beginsAnew?(message: Intent): 'always' | 'ahead' | null
  /**
   * The date of the person that is waited for here (`person.expectedOn`), and the moment that it gives by
   * what is known now, null when it is not known; null of a step that waits for none.
   */
  dateOfPerson?(step: Own, run: StepRun): { field: string; moment: Instant | null } | null
  /** What it hangs on has moved while somebody waits here; it is waited for anew after it. */
  onMoved?(step: Own, run: StepRun): void
  /** Something was done of which a team had been told, while somebody waits here; null as above. */
  onTask?(step: Own, task: Task, run: StepRun): Onward | null
  /** A receipt came for a message that it listens to, while somebody waits here; null as above. */
  onReceipt?(step: Own, run: StepRun): StepResult | null
}
