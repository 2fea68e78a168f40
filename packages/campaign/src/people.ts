import type { ChannelName } from './definition/words.ts'
import type { DecideContext, Draft } from './draft.ts'
import type { DraftMap } from './draft-map.ts'
import { factsFrom } from './facts.ts'
import type { Instant } from './instant.ts'
import type { JsonObject, JsonValue } from './json.ts'
import type { ReasonCode } from './reasons.ts'
import { givenAt, saidAt } from './said-at.ts'
import {
  type Consent,
  type ConsentPurpose,
  type Contact,
  type ContactKind,
  consentKey,
  contactKinds,
  type JourneyEvent,
} from './state.ts'

/**
 * Applies `person.upserted`: only what it names changes, null removes; an older profile changes nothing. Of one that
 * may be older only what it removes counts: no message goes where it may not any more (P3).
 */
export function applyProfile(
  draft: Draft,
  event: JourneyEvent,
  { now }: Pick<DecideContext, 'now'>,
): ReasonCode {
  const { person } = draft
  const profileAt = givenAt(event, now)
  if (person.profileAt !== null && profileAt < person.profileAt)
    return saidAt(event, now) < person.profileAt
      ? 'profile_not_newer'
      : removeContacts(draft, event)
  const { data } = event
  draft.person = {
    ...person,
    fields: withChanges(person.fields, {
      ...pick(data, ['givenName', 'familyName', 'birthYear', 'preferredChannel']),
      ...objectOf(data.attributes),
    }),
    contacts: withContacts(person.contacts, objectOf(data.contacts), { profileAt, now }),
    locale: textOr(data, 'locale', person.locale),
    timeZone: textOr(data, 'timeZone', person.timeZone),
    assignedPersona: textOr(data, 'persona', person.assignedPersona),
    test: typeof data.test === 'boolean' ? data.test : person.test,
    profileAt,
  }
  return 'applied'
}

function removeContacts(draft: Draft, { data }: JourneyEvent): ReasonCode {
  const { contacts } = draft.person
  const changes = objectOf(data.contacts)
  const removed = contactKinds.filter((kind) => contacts[kind] && changes[kind] === null)
  if (removed.length === 0) return 'profile_not_newer'
  const kept = Object.entries(contacts).filter(([kind]) => !removed.some((each) => each === kind))
  draft.person = { ...draft.person, contacts: Object.fromEntries(kept) }
  return 'applied'
}

/**
 * Applies a consent by its own time: the newer one holds, a tie goes to the restrictive one, and
 * an import never lifts what the person said (P3).
 */
export function applyConsent(
  draft: Draft,
  event: JourneyEvent,
  { now }: Pick<DecideContext, 'now'>,
): ReasonCode {
  const isGranted = event.type === 'consent.granted.v1'
  const consent: Consent = {
    purpose: event.data.purpose as ConsentPurpose,
    channel: (event.data.channel as ChannelName | undefined) ?? null,
    state: isGranted ? 'granted' : 'withdrawn',
    origin: event.data.origin === 'import' ? 'import' : 'person',
    at: isGranted ? givenAt(event, now) : saidAt(event, now),
    proof: typeof event.data.proof === 'string' ? event.data.proof : null,
  }
  return keepConsent(draft.consents, consent)
}

/**
 * Puts a consent into the map if it holds against what is there; says why not otherwise. What the
 * person withdrew only the person gives again: their withdrawal beats an import's grant of whatever
 * time, and stays theirs when an import repeats it. So the order of arrival decides nothing.
 */
export function keepConsent(
  consents: Pick<DraftMap<Consent>, 'get' | 'set'>,
  consent: Consent,
): ReasonCode {
  const key = consentKey(consent)
  const known = consents.get(key)
  const [kept, reason] = known ? strongerConsent(known, consent) : ([consent, 'applied'] as const)
  consents.set(key, kept)
  return reason
}

function strongerConsent(known: Consent, consent: Consent): readonly [Consent, ReasonCode] {
  const bothWithdrawn = known.state === 'withdrawn' && consent.state === 'withdrawn'
  if (bothWithdrawn) {
    const united = uniteWithdrawals(known, consent)
    return consent.at > known.at ? [united, 'applied'] : [united, 'consent_not_newer']
  }
  if (isByPerson(consent) && consent.state === 'withdrawn' && known.origin === 'import') {
    return [consent, 'applied']
  }
  const restrictsTie = consent.at === known.at && consent.state === 'withdrawn'
  if (consent.at <= known.at && !restrictsTie) return [known, 'consent_not_newer']
  const lifts = known.state === 'withdrawn' && isByPerson(known) && !isByPerson(consent)
  return lifts ? [known, 'consent_import_yields'] : [consent, 'applied']
}

/** Of two withdrawals: the person's if either is, as of the later. */
export function uniteWithdrawals(one: Consent, other: Consent): Consent {
  const later = other.at > one.at ? other : one
  const origin = isByPerson(one) || isByPerson(other) ? 'person' : 'import'
  return later.origin === origin ? later : { ...later, origin }
}

function isByPerson(consent: Consent): boolean {
  return consent.origin === 'person'
}

/**
 * Moves the person along the journey of the touchpoint. A late event does not move them back; one
 * that was overtaken may be an old one told anew, and begins no episode that has begun.
 */
export function moveOnJourney(
  draft: Draft,
  event: JourneyEvent,
  context: DecideContext,
  { isOvertaken = false } = {},
): void {
  const touchpoint = context.definition.touchpoints.get(event.type)
  if (!touchpoint?.journey || !touchpoint.phase) return
  const place = draft.person.journeys[touchpoint.journey]
  if (place && event.time < place.since) return
  if (place?.since === event.time && isOvertaken) return
  const begins = !place || touchpoint.starts
  draft.person = {
    ...draft.person,
    journeys: {
      ...draft.person.journeys,
      [touchpoint.journey]: {
        phase: touchpoint.phase,
        episode: (place?.episode ?? 0) + (begins ? 1 : 0),
        since: event.time,
      },
    },
  }
}

/** The assigned persona, or the first whose condition holds by now: time alone may have made it another. */
export function choosePersona(draft: Draft, context: DecideContext): void {
  const facts = factsFrom(draft, context, {
    trigger: null,
    entityData: null,
    enrolment: null,
  })
  const { personas } = context.definition
  const { assignedPersona } = draft.person
  const assigned = assignedPersona !== null && personas.find(({ id }) => id === assignedPersona)
  const persona = (assigned || personas.find((each) => each.holds(facts)))?.id ?? null
  if (persona !== draft.person.persona) draft.person = { ...draft.person, persona }
}

/**
 * Marks an address at which nothing arrives, so that the next message takes another channel. Not one that
 * was told after the message had gone to the address before it.
 */
export function refuseContact(draft: Draft, kind: ContactKind, bounce: JourneyEvent): void {
  const contact = draft.person.contacts[kind]
  const { addressSince } = bounce.data
  if (!contact) return
  if (addressSince !== undefined && !toldSince(contact).some((since) => since === addressSince))
    return
  draft.person = {
    ...draft.person,
    contacts: { ...draft.person.contacts, [kind]: { ...contact, refusedAt: bounce.time } },
  }
}

type Contacts = Partial<Record<ContactKind, Contact>>
const nothing: Contact = { address: '', refusedAt: null }

/** The times of the profiles by which an address is known. */
export function toldSince({ since, alsoSince = [] }: Contact): readonly Instant[] {
  return since === undefined ? alsoSince : [since, ...alsoSince]
}

function withContacts(
  known: Readonly<Contacts>,
  changes: JsonObject,
  { profileAt, now }: { profileAt: Instant; now: Instant },
): Contacts {
  const contacts: Contacts = { ...known }
  for (const kind of contactKinds) {
    const address = changes[kind]
    if (address === null) delete contacts[kind]
    else if (typeof address === 'string' && address !== known[kind]?.address) {
      // Told under the time of the address before, as by a publisher that tells days alone, it has one of its own.
      const isTold = toldSince(known[kind] ?? nothing).some((since) => since >= profileAt)
      contacts[kind] = { address, refusedAt: null, since: isTold ? now : profileAt }
    }
  }
  return contacts
}

function withChanges(fields: JsonObject, changes: JsonObject): JsonObject {
  const kept = Object.entries({ ...fields, ...changes }).filter(
    ([, value]) => value !== null && value !== undefined,
  )
  return Object.fromEntries(kept)
}

function pick(data: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(
    names.flatMap((name): [string, JsonValue][] => {
      const value = data[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
}

function textOr(data: JsonObject, name: string, known: string | null): string | null {
  const value = data[name]
  return typeof value === 'string' || value === null ? value : known
}
