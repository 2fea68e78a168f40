import type { FieldReader } from './condition.ts'
import type { DecideContext, Draft } from './draft.ts'
import { yearOf } from './instant.ts'
import type { JsonObject, JsonValue } from './json.ts'
import { type Enrolment, entityKey, type Intent, type Trigger } from './state.ts'

/** What a condition may look at; the roots are those of the field catalogue. */
export type FactSources = {
  trigger: Trigger | null
  entityData: JsonObject | null
  enrolment: Enrolment | null
}

/** Reads fields of a person, of the event, of the entity and of the enrolment. */
export function createFieldReader(
  draft: Draft,
  context: DecideContext,
  sources: FactSources,
): FieldReader {
  return (field) => {
    const dot = field.indexOf('.')
    const name = field.slice(dot + 1)
    switch (field.slice(0, dot)) {
      case 'person':
        return personField(draft, context, name)
      case 'event':
        return own(sources.trigger?.data, name)
      case 'entity':
        return own(sources.entityData, name)
      case 'enrolment':
        return enrolmentField(draft, sources.enrolment, name)
      case 'journey':
        return journeyField(draft, name)
      default:
        return undefined
    }
  }
}

/** The reader for the steps of an enrolment. */
export function readerOf(draft: Draft, context: DecideContext, enrolment: Enrolment): FieldReader {
  const entity = enrolment.entity ? draft.entities.get(entityKey(enrolment.entity)) : undefined
  return createFieldReader(draft, context, {
    trigger: enrolment.trigger,
    entityData: entity?.data ?? null,
    enrolment,
  })
}

export function timeZoneOf(draft: Draft, context: DecideContext): string {
  return draft.person.timeZone ?? context.definition.timeZone
}

function personField(draft: Draft, context: DecideContext, name: string): JsonValue | undefined {
  const { person } = draft
  if (name === 'persona') return person.persona
  if (name === 'locale') return person.locale ?? context.definition.locale
  if (name !== 'age') return own(person.fields, name)
  const birthYear = person.fields.birthYear
  return typeof birthYear === 'number'
    ? yearOf(context.now, timeZoneOf(draft, context)) - birthYear
    : undefined
}

/** `welcome.status`: the state of the newest message that the step of that id planned. */
function enrolmentField(
  draft: Draft,
  enrolment: Enrolment | null,
  name: string,
): JsonValue | undefined {
  if (!enrolment || !name.endsWith('.status')) return undefined
  const messageId = name.slice(0, -'.status'.length)
  let newest: Intent | undefined
  for (const intent of draft.intents.values()) {
    if (intent.enrolmentId !== enrolment.enrolmentId || intent.messageId !== messageId) continue
    if (!newest || isNewer(intent, newest)) newest = intent
  }
  return newest?.state
}

/** By the time of planning; of one time, the one for the newer version of the entity. */
function isNewer(intent: Intent, than: Intent): boolean {
  if (intent.plannedAt !== than.plannedAt) return intent.plannedAt > than.plannedAt
  return (intent.entity?.version ?? 0) > (than.entity?.version ?? 0)
}

function journeyField(draft: Draft, name: string): JsonValue | undefined {
  const dot = name.lastIndexOf('.')
  return name.slice(dot + 1) === 'phase'
    ? draft.person.journeys[name.slice(0, dot)]?.phase
    : undefined
}

/** Own members only: a field called `constructor` is just missing. */
function own(data: JsonObject | null | undefined, name: string): JsonValue | undefined {
  return data && Object.hasOwn(data, name) ? data[name] : undefined
}
