import { type DecideContext, type Draft, draftOf, note, stateOf } from './draft.ts'
import { end, hasOpen } from './enrolments.ts'
import { choosePersona, keepConsent, uniteWithdrawals } from './people.ts'
import { contactKinds, entryOf, type PersonState } from './state.ts'

/**
 * Makes one person of two (`person.merged`). The most restrictive wins: consents unite with
 * withdrawals first, a death of either counts, and where both went through the same campaign the
 * run that joins is ended so that nobody gets the same message twice (P2, P3).
 *
 * `from` has already been re-keyed: its rows carry the id of `into`.
 */
export function mergePeople(
  into: PersonState,
  from: PersonState,
  context: DecideContext,
): { state: PersonState; decisions: Draft['decisions'] } {
  const draft = draftOf(into)
  const other = draftOf(from)
  mergeConsents(draft, other)
  mergeEntities(draft, other)
  for (const [id, intent] of other.intents) draft.intents.set(id, intent)
  for (const [id, timer] of other.timers) draft.timers.set(id, timer)
  for (const [id, enrolment] of other.enrolments) draft.enrolments.set(id, enrolment)
  for (const enrolment of other.enrolments.values()) {
    const twice = draft.entries.has(entryOf(enrolment.campaignId, enrolment.entryKey))
    if (twice && (enrolment.state === 'running' || hasOpen(draft, enrolment))) {
      end(draft, enrolment, 'exited', 'merged_duplicate', context)
    }
  }
  for (const entry of other.entries) draft.entries.add(entry)
  mergePerson(draft, other)
  choosePersona(draft, context)
  if (draft.person.deceasedAt !== null) endAll(draft, context)
  note(draft, 'merged', { from: from.person.personId })
  return { state: stateOf(draft), decisions: draft.decisions }
}

/** Ends everything that runs: the person has died (P3). */
export function endAll(draft: Draft, context: DecideContext): void {
  for (const enrolment of [...draft.enrolments.values()]) {
    if (enrolment.state === 'running' || hasOpen(draft, enrolment)) {
      end(draft, enrolment, 'exited', 'person_deceased', context)
    }
  }
}

function mergePerson(draft: Draft, other: Draft): void {
  const { person } = draft
  const from = other.person
  draft.person = {
    ...person,
    fields: { ...from.fields, ...person.fields },
    contacts: mergeContacts(person.contacts, from.contacts),
    locale: person.locale ?? from.locale,
    timeZone: person.timeZone ?? from.timeZone,
    assignedPersona: person.assignedPersona ?? from.assignedPersona,
    journeys: mergeJourneys(person.journeys, from.journeys),
    deceasedAt: person.deceasedAt ?? from.deceasedAt,
    profileAt: latest(person.profileAt, from.profileAt),
    test: person.test || from.test,
  }
}

type Contacts = PersonState['person']['contacts']

/** What was refused for one record is refused for both. */
function mergeContacts(into: Contacts, from: Contacts): Contacts {
  const contacts = { ...from, ...into }
  for (const kind of contactKinds) {
    const [own, other] = [into[kind], from[kind]]
    if (!own || own.refusedAt !== null || own.address !== other?.address) continue
    contacts[kind] = { ...own, refusedAt: other.refusedAt }
  }
  return contacts
}

type Journeys = PersonState['person']['journeys']

function mergeJourneys(into: Journeys, from: Journeys): Journeys {
  const journeys = { ...from, ...into }
  for (const [id, place] of Object.entries(from)) {
    const own = into[id]
    if (own)
      journeys[id] = {
        ...(own.since >= place.since ? own : place),
        episode: Math.max(own.episode, place.episode),
      }
  }
  return journeys
}

function mergeConsents(draft: Draft, other: Draft): void {
  for (const [key, consent] of other.consents) {
    const known = draft.consents.get(key)
    if (known?.state === 'withdrawn') {
      if (consent.state === 'withdrawn') draft.consents.set(key, uniteWithdrawals(known, consent))
    } else if (consent.state === 'withdrawn') draft.consents.set(key, consent)
    else keepConsent(draft.consents, consent)
  }
}

function mergeEntities(draft: Draft, other: Draft): void {
  for (const [key, entity] of other.entities) {
    const known = draft.entities.get(key)
    if (!known || entity.version > known.version) draft.entities.set(key, entity)
  }
}

function latest(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b
  return a > b ? a : b
}
