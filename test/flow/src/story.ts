import type { JsonObject } from '@wegwijs/wire/json'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { Temporal } from 'temporal-polyfill'

/** Times in stories are those of the hospital. */
const zone = 'Europe/Amsterdam'

const ehr = 'urn:example:delinde:ehr'
export const website = 'urn:example:delinde:website'

export type Person = {
  givenName?: string
  birthYear: number
  locale?: 'nl' | 'en'
  attributes: {
    contactIs: 'self' | 'caregiver'
    usesPortal: boolean
    youngChildren: boolean
    role?: 'referrer'
  }
  /** By what they can be reached; their addresses are made from their subject. */
  reach: readonly ('app' | 'email' | 'phone')[]
}

/**
 * What happens, at which local time (`03-02 14:05`, in 2026). `late` is when it reaches us, where
 * that is not when it happened.
 */
export type Happening = {
  at: string
  type: string
  data?: JsonObject
  late?: string
} & Partial<Pick<TouchpointEvent, 'source' | 'subject' | 'entity' | 'version' | 'id'>>

/**
 * One person and one campaign. `outcome` is everything that the campaign came to for them, in the
 * words of told.ts.
 */
export type Story = {
  given: Person
  when: readonly Happening[]
  outcome: readonly string[]
}

/** The stories of one campaign, by what each of them shows. */
export type Stories = { campaign: string; stories: Readonly<Record<string, Story>> }

const self = { contactIs: 'self', usesPortal: false, youngChildren: false } as const

/** One person of each persona, who can be reached by every road that there is. */
export const senior: Person = {
  birthYear: 1950,
  attributes: { ...self, usesPortal: true },
  reach: ['app', 'email', 'phone'],
}
export const parent: Person = {
  birthYear: 1986,
  attributes: { ...self, youngChildren: true },
  reach: ['app', 'email', 'phone'],
}
export const caregiver: Person = {
  birthYear: 1970,
  attributes: { ...self, contactIs: 'caregiver' },
  reach: ['email', 'phone'],
}
/** A family doctor. */
export const referrer: Person = {
  birthYear: 1975,
  attributes: { ...self, role: 'referrer' },
  reach: ['email'],
}
/** Everybody else. */
export const other: Person = {
  birthYear: 1964,
  attributes: self,
  reach: ['email', 'phone'],
}

/** `03-02 14:05` of 2026 in the hospital, as an instant in UTC. */
export function instantOf(local: string): string {
  return Temporal.PlainDateTime.from(`2026-${local.replace(' ', 'T')}`)
    .toZonedDateTime(zone)
    .toInstant()
    .toString({ fractionalSecondDigits: 3 })
}

/** The other way round. */
export function localOf(instant: string): string {
  return Temporal.Instant.from(instant)
    .toZonedDateTimeISO(zone)
    .toPlainDateTime()
    .toString({ smallestUnit: 'minute' })
    .slice(5)
    .replace('T', ' ')
}

/** The person's introduction, and everything that happens to them, in the order of arrival. */
function eventsOf(
  subject: string,
  { given, when }: Pick<Story, 'given' | 'when'>,
): TouchpointEvent[] {
  const introduction = happen(subject, 0, {
    at: '03-01 12:00',
    type: 'person.upserted.v1',
    data: profileOf(subject, given),
  })
  return [introduction, ...when.map((happening, index) => happen(subject, index + 1, happening))]
}

/**
 * Of all the stories together: sorted by when each event reaches us. A conductor takes an event for
 * late when it stands below a later one, so before each of those somebody else tells the time.
 */
export function inOrderOfArrival(
  told: readonly { subject: string; story: Pick<Story, 'given' | 'when'> }[],
): TouchpointEvent[] {
  const arrivals = told.flatMap(({ subject, story }) =>
    eventsOf(subject, story).flatMap((event, index) => {
      const late = story.when[index - 1]?.late
      if (late === undefined) return [{ event, at: event.time }]
      const at = instantOf(late)
      const tick = happen(`before-${event.id}`, 0, { at: late, type: 'care.infusion.started.v1' })
      return [
        { event: tick, at },
        { event, at },
      ]
    }),
  )
  return arrivals
    .toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
    .map(({ event }) => event)
}

function happen(subject: string, index: number, happening: Happening): TouchpointEvent {
  const { at, late: _, data = {}, ...more } = happening
  return {
    id: `${subject}-${index}`,
    source: ehr,
    subject,
    time: instantOf(at),
    data,
    ...more,
  }
}

function profileOf(subject: string, person: Person): JsonObject {
  const addresses = { app: subject, email: `${subject}@example.org`, phone: '+447700900123' }
  const { givenName, birthYear, locale = 'nl', attributes, reach } = person
  return {
    ...(givenName && { givenName }),
    birthYear,
    locale,
    attributes,
    contacts: Object.fromEntries(reach.map((kind) => [kind, addresses[kind]])),
    test: true,
  }
}
