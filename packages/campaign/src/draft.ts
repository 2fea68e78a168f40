import type { CompiledDefinition } from './compile.ts'
import type { Instant } from './instant.ts'
import type { JsonObject } from './json.ts'
import type { ReasonCode } from './reasons.ts'
import type {
  Consent,
  Enrolment,
  Entity,
  Intent,
  OtherPerson,
  Person,
  PersonState,
  Relation,
  Task,
  Timer,
} from './state.ts'
import type { Watch } from './watch.ts'

/** One conclusion, with its reason (P4). `detail` holds ids, times and what conditions saw. */
export type Decision = {
  campaignId: string | null
  version: number | null
  enrolmentId: string | null
  intentId: string | null
  reason: ReasonCode
  detail: JsonObject | null
}

export type DecideContext = {
  definition: CompiledDefinition
  now: Instant
  /** Makes an id from its parts: the same parts always give the same id. */
  deriveId(...parts: string[]): string
  /** Who somebody is to whom a relation leads; null, or no such function: nobody is known. */
  otherOf?: (personId: string) => OtherPerson | null
  /** Who looks on. */
  watch?: Watch
}

/**
 * A person's state while it is being decided: the maps are copies, their members are not, and
 * whoever changes a member puts a new object in its place.
 */
export type Draft = {
  person: Person
  entities: Map<string, Entity>
  consents: Map<string, Consent>
  relations: Map<string, Relation>
  enrolments: Map<string, Enrolment>
  timers: Map<string, Timer>
  intents: Map<string, Intent>
  tasks: Map<string, Task>
  entries: Map<string, Instant>
  decisions: Decision[]
}

export function draftOf(state: PersonState): Draft {
  return {
    person: state.person,
    entities: new Map(state.entities),
    consents: new Map(state.consents),
    relations: new Map(state.relations),
    enrolments: new Map(state.enrolments),
    timers: new Map(state.timers),
    intents: new Map(state.intents),
    tasks: new Map(state.tasks),
    entries: new Map(state.entries),
    decisions: [],
  }
}

export function stateOf(draft: Draft): PersonState {
  const { decisions: _, ...state } = draft
  return state
}

/** Notes a conclusion about a person as a whole. */
export function note(draft: Draft, reason: ReasonCode, detail: JsonObject | null = null): void {
  draft.decisions.push({
    campaignId: null,
    version: null,
    enrolmentId: null,
    intentId: null,
    reason,
    detail,
  })
}

/** Notes a conclusion about one enrolment or one of its messages. */
export function noteOf(
  draft: Draft,
  enrolment: Enrolment,
  reason: ReasonCode,
  more: { intentId?: string; detail?: JsonObject } = {},
): void {
  draft.decisions.push({
    campaignId: enrolment.campaignId,
    version: enrolment.version,
    enrolmentId: enrolment.enrolmentId,
    intentId: more.intentId ?? null,
    reason,
    detail: more.detail ?? null,
  })
}
