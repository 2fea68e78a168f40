import type { CompiledDefinition } from './compile.ts'
import { DraftMap } from './draft-map.ts'
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
 * A person's state while it is being decided: whoever changes a member of a map puts a new object in its
 * place, and a map that nothing is put into stays the one that was loaded.
 */
export type Draft = {
  person: Person
  readonly entities: DraftMap<Entity>
  readonly consents: DraftMap<Consent>
  readonly relations: DraftMap<Relation>
  readonly enrolments: DraftMap<Enrolment>
  readonly timers: DraftMap<Timer>
  readonly intents: DraftMap<Intent>
  readonly tasks: DraftMap<Task>
  readonly entries: DraftMap<Instant>
  readonly decisions: Decision[]
}

export function draftOf(state: PersonState): Draft {
  return {
    person: state.person,
    entities: new DraftMap(state.entities),
    consents: new DraftMap(state.consents),
    relations: new DraftMap(state.relations),
    enrolments: new DraftMap(state.enrolments),
    timers: new DraftMap(state.timers),
    intents: new DraftMap(state.intents),
    tasks: new DraftMap(state.tasks),
    entries: new DraftMap(state.entries),
    decisions: [],
  }
}

export function stateOf(draft: Draft): PersonState {
  return {
    person: draft.person,
    entities: draft.entities.kept(),
    consents: draft.consents.kept(),
    relations: draft.relations.kept(),
    enrolments: draft.enrolments.kept(),
    timers: draft.timers.kept(),
    intents: draft.intents.kept(),
    tasks: draft.tasks.kept(),
    entries: draft.entries.kept(),
  }
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

/** Notes a conclusion about one enrolment, or one of its messages or tasks. */
export function noteOf(
  draft: Draft,
  enrolment: Pick<Enrolment, 'campaignId' | 'version' | 'enrolmentId'>,
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
