import type { Facts } from './condition.ts'
import { timesIn } from './counts.ts'
import type { DecideContext, Draft } from './draft.ts'
import { yearOf } from './instant.ts'
import type { JsonObject, JsonValue } from './json.ts'
import { relatedPeople } from './relations.ts'
import { campaignKey, type Enrolment, entityKey, type Trigger } from './state.ts'

/** What a condition may look at; the roots are those of the field catalogue. */
export type FactSources = {
  trigger: Trigger | null
  entityData: JsonObject | null
  enrolment: Enrolment | null
}

/** Fields of a person, of the event, of the entity and of the enrolment, as they are now. */
export function factsFrom(draft: Draft, context: DecideContext, sources: FactSources): Facts {
  const read = (field: string) => {
    const { root, name } = partsOfField(field)
    switch (root) {
      case 'person':
        return personField(draft, context, name)
      case 'event':
        return own(sources.trigger?.data, name)
      case 'entity':
        return own(sources.entityData, name)
      case 'enrolment':
        return enrolmentField(draft, context, sources.enrolment, name)
      case 'relation':
        return relationField(draft, context, name)
      case 'consent':
        return consentField(draft, name)
      case 'journey':
        return journeyField(draft, name)
      default:
        return undefined
    }
  }
  return {
    read,
    now: context.now,
    timeZone: timeZoneOf(draft, context),
    timesOf: (happened) =>
      timesIn(draft.person.happened, happened, {
        now: context.now,
        timeZone: context.definition.timeZone,
      }),
  }
}

/**
 * Where a field is found: `person.age` is `age` of `person`. Each that a definition names is taken apart
 * once: a name that is cut out anew is looked up in an object several times as slowly.
 */
export function partsOfField(field: string): { root: string; name: string } {
  const known = fields.get(field)
  if (known) return known
  const dot = field.indexOf('.')
  const parts = { root: field.slice(0, dot), name: field.slice(dot + 1) }
  fields.set(field, parts)
  return parts
}

const fields = new Map<string, { root: string; name: string }>()

/** What the steps of an enrolment see; of another event than the one that began it with `trigger`. */
export function factsOf(
  draft: Draft,
  context: DecideContext,
  enrolment: Enrolment,
  trigger: Trigger = enrolment.trigger,
): Facts {
  const entity = enrolment.entity ? draft.entities.get(entityKey(enrolment.entity)) : undefined
  return factsFrom(draft, context, { trigger, entityData: entity?.data ?? null, enrolment })
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

/** `caregiver`, or `caregiver.appointments`: true when there is one who may; else there is no value. */
function relationField(draft: Draft, context: DecideContext, name: string): true | undefined {
  const [kind, scope] = name.split('.')
  const isThere = relatedPeople(draft, context, context.now).some(
    (each) => each.kind === kind && (scope === undefined || isAmong(each.scope, scope)),
  )
  return isThere || undefined
}

function isAmong(names: readonly string[], name: string): boolean {
  return names.includes(name)
}

/**
 * `marketing`, or `marketing.email`: what the person has said of it, and of everything; a withdrawal beats
 * what else was said, as when a message is sent. There is no value where they never said anything.
 */
function consentField({ consents }: Draft, name: string): 'granted' | 'withdrawn' | undefined {
  const [purpose, channel = null] = name.split('.')
  const said = [...consents.values()].filter(
    (each) =>
      (each.purpose === purpose || each.purpose === 'all') &&
      (each.channel === null || each.channel === channel),
  )
  if (said.some(({ state }) => state === 'withdrawn')) return 'withdrawn'
  return said.length > 0 ? 'granted' : undefined
}

/** What a step of the campaign answers for: `welcome.status`, `tone.arm`. */
function enrolmentField(
  draft: Draft,
  { definition }: DecideContext,
  enrolment: Enrolment | null,
  name: string,
): JsonValue | undefined {
  if (!enrolment) return undefined
  const { campaignId, version } = enrolment
  return definition.campaigns.get(campaignKey(campaignId, version))?.reads.get(name)?.(
    draft,
    enrolment,
  )
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
