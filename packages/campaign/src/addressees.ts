import { z } from 'zod'
import type { CompiledCampaign } from './compiled-campaign.ts'
import { type RecipientWord, recipientWords } from './definition/recipient-words.ts'
import {
  type CampaignClass,
  type ChannelName,
  channelNames,
  type RelationScope,
} from './definition/words.ts'
import type { DecideContext, Draft } from './draft.ts'
import { timeZoneOf } from './facts.ts'
import { type Instant, yearOf } from './instant.ts'
import { relatedPeople } from './relations.ts'
import type { Enrolment, OtherPerson, Person, Recipient } from './state.ts'

export const toSchema = z.union([
  z.enum([...recipientWords, 'by-age']),
  z.array(z.enum(recipientWords)).min(1),
])

/** Who is written to below an age; the first rule that fits holds. */
export type AgeRule = { readonly under: number; readonly to: readonly RecipientWord[] }

type Message = {
  readonly to?: z.infer<typeof toSchema> | undefined
  readonly scope?: RelationScope | undefined
  /** A question is asked of the person alone, whose answer it wants. */
  readonly question?: unknown
}

/** What somebody else must be allowed to hear of, by the class of the campaign that tells it. */
const scopeOfClass: Readonly<Record<CampaignClass, RelationScope>> = {
  care: 'care',
  service: 'appointments',
  marketing: 'news',
  research: 'news',
}

/** Classes whose messages go to nobody but the person: to take part in research nobody decides for another. */
export const classesForThePersonAlone: ReadonlySet<CampaignClass> = new Set(['research'])

export function scopeOf(message: Message, campaignClass: CampaignClass): RelationScope {
  return message.scope ?? scopeOfClass[campaignClass]
}

/** Whether the rules of age say who gets it. */
export function isByAge({ to, question }: Message, ages: readonly AgeRule[]): boolean {
  if (question) return false
  return to === 'by-age' || (to === undefined && ages.length > 0)
}

/** Whom a message may go to, of somebody of any age. */
export function wordsOf(message: Message, ages: readonly AgeRule[]): readonly RecipientWord[] {
  if (isByAge(message, ages))
    return [...new Set([...ages.flatMap(({ to }) => to), 'person' as const])]
  const { to = 'person' } = message
  if (to === 'by-age') return ['person']
  return typeof to === 'string' ? [to] : to
}

/** Who is written to about somebody of this age; of whom it is not known, the person themselves. */
export function wordsByAge(
  ages: readonly AgeRule[],
  age: number | undefined,
): readonly RecipientWord[] {
  const rule = age === undefined ? undefined : ages.find(({ under }) => age < under)
  return rule?.to ?? ['person']
}

/** In whole years, as far as a year of birth tells it. */
export function ageAt(
  { fields: { birthYear } }: Pick<Person, 'fields'>,
  at: Instant,
  timeZone: string,
): number | undefined {
  return typeof birthYear === 'number' ? yearOf(at, timeZone) - birthYear : undefined
}

/** What of somebody else it hangs on whether and how a message goes to them. */
export function otherPersonOf(person: Person): OtherPerson {
  const { personId, timeZone, persona, deceasedAt } = person
  return { personId, timeZone, persona, preferredChannel: preferredChannelOf(person), deceasedAt }
}

/** Over which channel they like to be reached, as far as they said so. */
function preferredChannelOf({ fields }: Pick<Person, 'fields'>): ChannelName | null {
  return channelNames.find((name) => name === fields.preferredChannel) ?? null
}

/** One who gets a message: what of them its planning hangs on. */
export type Addressee = {
  /** Absent: the person whom it is about. */
  readonly recipient?: Recipient
  readonly byAge?: true
  readonly timeZone: string
  readonly persona: string | null
  readonly preferredChannel: ChannelName | null
}

type AddressedRun = {
  draft: Draft
  context: DecideContext
  campaign: CompiledCampaign
  enrolment: Enrolment
}

/**
 * Everybody who is to get a message, each once: first the person, then by kind and id. Age and relations are
 * those of the moment at which it is due; when it is sent they are looked at again (P3).
 */
export function addresseesOf(
  message: Message,
  { draft, context, campaign }: AddressedRun,
  dueAt: Instant = context.now,
): Addressee[] {
  const { ages } = context.definition
  const { question } = message
  const timeZone = timeZoneOf(draft, context)
  const byAge = isByAge(message, ages)
  const words = byAge
    ? wordsByAge(ages, ageAt(draft.person, dueAt, timeZone))
    : wordsOf(message, ages)
  // Nobody answers for somebody else, and who is too young to be written to is not asked.
  if (question && !wordsByAge(ages, ageAt(draft.person, dueAt, timeZone)).includes('person'))
    return []
  const mark = byAge ? ({ byAge } as const) : {}
  const { persona } = draft.person
  const preferredChannel = preferredChannelOf(draft.person)
  const self = { ...mark, timeZone, persona, preferredChannel }
  const found: Addressee[] = words.includes('person') ? [self] : []
  if (classesForThePersonAlone.has(campaign.file.class)) return found
  const scope = scopeOf(message, campaign.file.class)
  const kinds = words.filter((word) => word !== 'person')
  const ways = kinds.length > 1 ? { ways: kinds } : {}
  const seen = new Set<string>()
  for (const { other, kind, scope: may } of relatedPeople(draft, context, dueAt)) {
    if (!kinds.includes(kind) || !may.includes(scope) || seen.has(other.personId)) continue
    seen.add(other.personId)
    found.push({
      ...mark,
      recipient: { personId: other.personId, kind, scope, ...ways },
      timeZone: other.timeZone ?? context.definition.timeZone,
      persona: other.persona,
      preferredChannel: other.preferredChannel,
    })
  }
  return found
}
