import { joinBecoming } from './becoming.ts'
import { addCounts } from './counts.ts'
import { dropDates, joinDates } from './dates.ts'
import { type DecideContext, type Draft, draftOf, note, stateOf } from './draft.ts'
import { end, hasOpen } from './enrolments.ts'
import { takeAlong } from './entities.ts'
import type { Instant } from './instant.ts'
import { endRepeats, runsIn } from './merged-runs.ts'
import { choosePersona, keepConsent, toldSince, uniteWithdrawals } from './people.ts'
import { keepRelation } from './relations.ts'
import { goOnForDates } from './retiming.ts'
import { type Contact, contactKinds, entryOf, type PersonState } from './state.ts'
import { type UnitedEntity, uniteEntities } from './united-entity.ts'
import { takeBackUnwanted } from './unwanted-tasks.ts'
import { waitForNewDates } from './waits-for-dates.ts'

/**
 * Makes one person of two (`person.merged`). The most restrictive wins: consents unite with
 * withdrawals first, a death of either counts, and of an entity that both know the newer version
 * holds, with all that hangs on it (P3). Of a relation that both had, what was said last holds.
 *
 * Both may have entered the same campaign, and nobody gets twice what may not repeat, nor loses it
 * (P2). Two runs are one and the same entry,
 *
 * - under `once`, when they are of the same campaign;
 * - under `once-per-entity`, when they are of the same entity, in whatever version;
 * - under `once-per-journey`, when each is of the newest episode of its own record: that episode is
 *   the one which runs now. The numbers of older episodes count the stays of one record and say
 *   nothing about those of the other, so runs of older ones are left alone;
 * - under `again: P30D`, when both were entered in the past 30 days;
 * - under `every-time`, never.
 *
 * Of the runs of one entry one goes on: one that has nothing ahead which went out, or may have gone
 * out, in another one of them. What told of an older version of the entity does not count: nobody was
 * told of the newer one by it. Are there several, it is one that has something ahead, then the one
 * that tells the person most of the newest version, then the one that tells most, and among equals
 * that of the record which stays. The others end as
 * `merged_duplicate`, all of them when none may go on. What a worker has at this moment counts as gone out; when it comes back and
 * its run has ended, the last check refuses it. It refuses that of the run which goes on, too, when a
 * worker had the same message of a run that ended, and that one was sent or may have been.
 *
 * Later entries count by the episode of the person who both have become: runs of the newest episode
 * of either get its number.
 *
 * `from` has already been re-keyed: its rows carry the id of `into`. Of both, the runs of every
 * campaign that may not repeat must be there, with their messages, however long ago they ended, and
 * those that hang on an entity which both know.
 */
export function mergePeople(
  into: PersonState,
  from: PersonState,
  context: DecideContext,
): { state: PersonState; decisions: Draft['decisions'] } {
  const draft = draftOf(into)
  const other = draftOf(dividedAsBefore(from))
  mergeConsents(draft, other)
  for (const relation of other.relations.values()) keepRelation(draft.relations, relation)
  const united = mergeEntities(draft, other)
  const journeys = mergeJourneys(draft.person.journeys, other.person.journeys)
  const runs = [...runsIn(draft, journeys, context), ...runsIn(other, journeys, context)]
  for (const [id, intent] of other.intents) draft.intents.set(id, intent)
  for (const [id, timer] of other.timers) draft.timers.set(id, timer)
  for (const [id, task] of other.tasks) draft.tasks.set(id, task)
  for (const { enrolment } of runs) {
    draft.enrolments.set(enrolment.enrolmentId, enrolment)
    const entry = entryOf(enrolment.campaignId, enrolment.entryKey)
    const known = draft.entries.get(entry)
    if (known === undefined || known < enrolment.enteredAt)
      draft.entries.set(entry, enrolment.enteredAt)
  }
  mergePerson(draft, other, context)
  choosePersona(draft, context)
  joinDates(draft, context)
  goOnForDates(draft, context)
  joinBecoming(draft, context)
  for (const { entity, changed } of united) takeAlong(draft, entity, changed, context)
  // Now that both tell of the same version: what they would tell is compared, not what they would have.
  endRepeats(draft, runs, context)
  // Of what would repeat one goes on: nobody is told twice what comes at once.
  waitForNewDates(draft, context.definition.datesInWaits.fields, context)
  if (draft.person.deceasedAt !== null) endAll(draft, context)
  else takeBackUnwanted(draft, context)
  note(draft, 'merged', { from: from.person.personId })
  return { state: stateOf(draft), decisions: draft.decisions }
}

/** Runs of a record that becomes another one stay in the arms in which they are. */
function dividedAsBefore(state: PersonState): PersonState {
  const { personId } = state.person
  const runs = [...state.enrolments].map(
    ([id, run]) => [id, { ...run, dividedAs: run.dividedAs ?? personId }] as const,
  )
  return { ...state, enrolments: new Map(runs) }
}

/** Ends everything that runs: the person has died (P3). */
export function endAll(draft: Draft, context: DecideContext): void {
  dropDates(draft)
  for (const enrolment of [...draft.enrolments.values()]) {
    if (enrolment.state === 'running' || hasOpen(draft, enrolment)) {
      end(draft, enrolment, 'exited', 'person_deceased', context)
    }
  }
}

function mergePerson(draft: Draft, other: Draft, { now }: Pick<DecideContext, 'now'>): void {
  const { person } = draft
  const from = other.person
  draft.person = {
    ...person,
    fields: { ...from.fields, ...person.fields },
    contacts: mergeContacts(person.contacts, from.contacts, now),
    locale: person.locale ?? from.locale,
    timeZone: person.timeZone ?? from.timeZone,
    assignedPersona: person.assignedPersona ?? from.assignedPersona,
    journeys: mergeJourneys(person.journeys, from.journeys),
    happened: addCounts(person.happened, from.happened),
    deceasedAt: person.deceasedAt ?? from.deceasedAt,
    profileAt: latest(person.profileAt, from.profileAt),
    test: person.test || from.test,
  }
}

type Contacts = PersonState['person']['contacts']

/**
 * What was refused for one record is refused for both, also when the bounce of what either was sent comes later. An
 * address that stays, told at the very time of another one that goes, is known by a time of its own from now on: the
 * bounce of that one says nothing of it.
 */
function mergeContacts(into: Contacts, from: Contacts, now: Instant): Contacts {
  const contacts = { ...from, ...into }
  for (const kind of contactKinds) {
    const [own, other] = [into[kind], from[kind]]
    if (!own || own.refusedAt !== null || !other) continue
    const { address, refusedAt } = own
    if (address === other.address)
      contacts[kind] = { ...own, refusedAt: other.refusedAt, ...alsoSince(own, other) }
    else if (toldSince(own).some((since) => toldSince(other).includes(since)))
      contacts[kind] = { address, refusedAt, since: now }
  }
  return contacts
}

function alsoSince(own: Contact, other: Contact): Pick<Contact, 'alsoSince'> {
  const since = [...(own.alsoSince ?? []), ...toldSince(other)]
  return since.length > 0 ? { alsoSince: [...new Set(since)] } : {}
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

/** Returns those that both know. What a version does not say again still holds, as within one record. */
function mergeEntities(draft: Draft, other: Draft): UnitedEntity[] {
  const united: UnitedEntity[] = []
  for (const [key, theirs] of other.entities) {
    const ours = draft.entities.get(key)
    const both = ours && uniteEntities(ours, theirs)
    draft.entities.set(key, both?.entity ?? theirs)
    if (both) united.push(both)
  }
  return united
}

function latest(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b
  return a > b ? a : b
}
