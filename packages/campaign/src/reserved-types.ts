import { z } from 'zod'
import {
  channelNames,
  identifierSchema,
  relationKinds,
  relationScopes,
  timeZoneSchema,
} from './definition/words.ts'
import { toInstant } from './instant.ts'

/**
 * The types whose meaning is ours, with the data they carry. Publishers send `person.*`,
 * `consent.*` and `relation.*`; `message.*` are published by Wegwijs alone and refused from anybody else.
 *
 * Contact details travel in `person.*` only, and what a type does not name is dropped (P7).
 */

const maxText = 200
const maxAttribute = 4_000
const text = z
  .string()
  .min(1)
  .max(maxText)
  .regex(/^\P{Cc}*$/u, 'no control characters')
const channel = z.enum(channelNames)

/**
 * As the publisher knows them: a channel that cannot use one says so, and the others still can. A
 * profile is not refused for the sake of one address.
 */
const contacts = z.object({
  email: text.nullable().optional(),
  phone: text.nullable().optional(),
  /** The person's id in the app. */
  app: text.nullable().optional(),
})

/** What is absent stays as it was; `null` takes it away. */
export const personUpserted = z.object({
  givenName: text.nullable().optional(),
  familyName: text.nullable().optional(),
  birthYear: z.int().min(1880).max(2200).nullable().optional(),
  /** BCP 47, such as nl or nl-BE. */
  locale: z
    .string()
    .regex(/^[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|\d{3}))?$/)
    .nullable()
    .optional(),
  /** IANA, such as Europe/Amsterdam. */
  timeZone: timeZoneSchema.nullable().optional(),
  contacts: contacts.optional(),
  /** Over which channel they like to be reached; it goes before the order of their persona. */
  preferredChannel: channel.nullable().optional(),
  attributes: z
    .record(
      z.string().regex(/^[a-zA-Z][a-zA-Z0-9]{0,63}$/),
      z.union([z.string().max(maxAttribute), z.number(), z.boolean(), z.null()]),
    )
    .optional(),
  persona: text.nullable().optional(),
  /** Marks a person of a rehearsal or a test. */
  test: z.boolean().optional(),
})

/** Another id of the subject (identified), or a person who is one with the subject (merged). */
const otherId = z.object({ idSpace: text, externalId: text })

/** Who stands to the subject as what: another person, by an id that some publisher has of them. */
const relation = otherId.extend({ kind: z.enum(relationKinds) })

const relationGranted = relation.extend({
  /** What they may hear of. */
  scope: z
    .array(z.enum(relationScopes))
    .min(1)
    .transform((scope) => [...new Set(scope)].sort()),
  /** Until when it holds; absent: until it is ended. */
  expires: z.iso.datetime({ offset: true }).transform(toInstant).optional(),
})

const consent = z.object({
  purpose: z.enum(['care', 'service', 'marketing', 'research', 'all']),
  /** Absent: every channel. */
  channel: channel.optional(),
  proof: z.string().min(1).max(maxAttribute).optional(),
  /** An import never lifts what the person said. */
  origin: z.enum(['person', 'import']).default('person'),
})

const message = z.object({
  intentId: z.uuid(),
  provider: text,
  channel,
  providerReference: text.optional(),
  detail: text.optional(),
  /** Who got it, where that is not whom it is about: two events tell of it, one about each. */
  recipientId: z.uuid().optional(),
})

/** `addressSince`: time of the profile that told of the address to which it went, where that is known. */
const bounce = message.extend({ addressSince: text.optional() })

/** `by`: pressed on the page of a link, written back by SMS, or told by the provider. */
const answer = z.object({
  intentId: z.uuid(),
  answer: identifierSchema,
  by: z.enum(['link', 'sms', 'provider']),
})

/** What came of a task. Who says so stands in the record alone (P7). */
const taskDone = z.object({ taskId: z.uuid(), outcome: identifierSchema })

export const reservedTypes = {
  'consent.granted.v1': consent,
  'consent.withdrawn.v1': consent,
  'message.answered.v1': answer,
  'message.bounced.v1': bounce,
  'message.clicked.v1': message,
  'message.complained.v1': message,
  'message.delivered.v1': message,
  'message.opened.v1': message,
  // STOP is heard of whoever has the number, also where no message of ours went.
  'message.replied.v1': message.partial({ intentId: true }),
  'message.sent.v1': message,
  'person.deceased.v1': z.object({}),
  'person.enrolled.v1': z.object({ campaign: identifierSchema }),
  'person.identified.v1': otherId,
  'person.merged.v1': otherId,
  'person.upserted.v1': personUpserted,
  'relation.ended.v1': relation,
  'relation.granted.v1': relationGranted,
  'task.done.v1': taskDone,
} as const

export type ReservedType = keyof typeof reservedTypes
export type ReservedData<Type extends ReservedType> = z.output<(typeof reservedTypes)[Type]>

export type PersonUpserted = ReservedData<'person.upserted.v1'>
export type ConsentData = ReservedData<'consent.granted.v1'>
export type RelationGranted = ReservedData<'relation.granted.v1'>
export type AnswerData = ReservedData<'message.answered.v1'>
export type MessageData = ReservedData<'message.sent.v1'>

const RESERVED_PREFIX = /^(?:consent|message|person|relation|task)\./

export function isReservedType(type: string): type is ReservedType {
  return Object.hasOwn(reservedTypes, type)
}

/** True for every name that only Wegwijs may give meaning to, those without a schema too. */
export function hasReservedName(type: string): boolean {
  return RESERVED_PREFIX.test(type)
}

/** True for what Wegwijs alone publishes; from anybody else it needs a valid signature. */
export function isOwnType(type: string): boolean {
  return type.startsWith('message.') || type.startsWith('task.')
}
