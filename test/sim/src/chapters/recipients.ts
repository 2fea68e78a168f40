import type { Chance } from '../chance.ts'
import { eventFields, hospitalWith } from '../clinic.ts'
import { arrivalByEmail, consent, type Draft } from '../drafts.ts'
import type { EndedMessage, Ending } from '../history.ts'
import { type Call, type Heard, identityOf, type Sight } from '../sight.ts'
import { stopsBefore } from '../stops.ts'
import type { Situation } from '../story.ts'
import type { Violation } from '../violation.ts'
import type { Chapter } from './chapter.ts'

/**
 * Half an hour after a survey, and at once when they are invited to one, the person is written to, and
 * whoever may hear of their appointments.
 */
const asked = 'care.survey.answered.v1'
const invited = 'care.survey.invited.v1'
const tells: Readonly<Record<string, string>> = { [asked]: 'family', [invited]: 'note' }
const scope = 'appointments'
/** Nobody gets more than so many of these within any 24 hours. */
const most = 1
const dayMs = 24 * 3_600_000
const group = 'service'

export const recipients: Chapter = {
  published: hospitalWith({
    campaigns: [
      {
        id: 'family',
        class: group,
        entry: 'every-time',
        trigger: { touchpoint: asked },
        steps: [
          {
            message: {
              id: 'family',
              template: 'family',
              to: ['person', 'caregiver'],
              send: { for: 'PT30M', on: 'any-day' },
              expires: 'P9D',
            },
          },
        ],
      },
      {
        id: 'note',
        class: group,
        entry: 'every-time',
        trigger: { touchpoint: invited },
        steps: [
          {
            message: {
              id: 'note',
              template: 'note',
              to: ['person', 'caregiver'],
              expires: 'P9D',
            },
          },
        ],
      },
    ],
    templates: { family: eventFields, note: eventFields },
    policies: { budgets: [{ id: 'enough', most, per: 'PT24H', classes: [group] }] },
  }),
  situations: [
    ['a caregiver is told, too', told],
    ['what a caregiver may hear of changes', changes],
    ['people have had enough', enough],
  ],
  judge: (seen, ending) => [
    ...seen.calls.filter(({ taken }) => taken).flatMap((call) => judgeCopy(call, seen)),
    ...judgeCounts(seen),
    ...judgeEnds(seen, ending),
  ],
}

const patient = 'ehr/p1'
const caregiver = 'ehr/p2'
const fromCaregiver = { subject: 'p2', times: 1 } as const
const survey: Draft = { type: asked, data: {}, times: 1 }

function relation(state: 'granted' | 'ended', scopes: readonly string[], minutesAgo = 0): Draft {
  const other = { idSpace: 'ehr', externalId: 'p2', kind: 'caregiver' }
  const data = state === 'granted' ? { ...other, scope: [...scopes] } : other
  return { type: `relation.${state}.v1`, data, minutesAgo, times: 1 }
}

const granted = relation('granted', ['appointments', 'care'], 60)

/** What may come in between, of either. */
function something(chance: Chance): Draft {
  const purpose = chance.pick(['all', group], 'purpose')
  return chance.pick<Draft>(
    [
      relation('ended', []),
      relation('granted', ['care']),
      consent('withdrawn', purpose, 0),
      { ...consent('withdrawn', purpose, 0), ...fromCaregiver },
      { ...consent('withdrawn', purpose, 0), ...fromCaregiver, by: 'http' },
      { type: 'person.deceased.v1', data: {}, ...fromCaregiver },
      { type: 'person.deceased.v1', data: {} },
      { type: 'staff.person.stopped', data: {}, publisher: 'staff', ...fromCaregiver },
      survey,
    ],
    'something',
  )
}

/** The caregiver is known, and their relation, when there is something to tell; or not quite yet. */
function told(chance: Chance): Situation {
  const isKnown = chance.is(0.8, 'known')
  const drafts = [arrivalByEmail('p1'), granted, survey, something(chance)]
  return {
    drafts: [...drafts, { ...arrivalByEmail('p2'), ...fromCaregiver }],
    meetings: [
      {
        who: 'ehr about p1',
        what: isKnown ? 'thinks of p1-1' : 'thinks of p1-3',
        until: [{ who: 'journey', what: 'person.upserted.v1 p1-4' }, commit('journey')],
      },
    ],
    leisure: 6,
  }
}

/** It has been planned, and queued; the claim looks at it when the change is known. */
function changes(chance: Chance): Situation {
  const ended = chance.pick([relation('ended', []), relation('granted', ['care'])], 'ended')
  const change = chance.is(0.5, 'their relation') ? ended : something(chance)
  const drafts = [
    arrivalByEmail('p1'),
    granted,
    survey,
    { ...arrivalByEmail('p2'), ...fromCaregiver },
  ]
  const who = change.publisher === 'staff' ? 'staff' : `ehr about ${change.subject ?? 'p1'}`
  const claims = { who: 'delivery', what: 'select intent_id from intent where intent_id' }
  const isStaff = change.publisher === 'staff'
  const isAnswered = { who, what: 'is answered: p1-4 is kept' }
  const isStopped = { who, what: 'insert into "person_stop"' }
  const isKnown = isStaff ? isStopped : change.by === 'http' ? isAnswered : commit('journey')
  return {
    drafts: [...drafts, change],
    meetings: [
      {
        who: 'ehr about p1',
        what: 'thinks of p1-2',
        until: [{ who: 'journey', what: 'person.upserted.v1 p1-3' }, commit('journey')],
      },
      { who, what: 'thinks of p1-4', until: [{ ...claims, isStanding: true }] },
      { ...claims, until: [{ who, what: 'thinks of p1-4' }, isKnown], afresh: true },
    ],
    leisure: 6,
  }
}

/** More than anybody may get within a day, by workers that do not wait for each other. */
function enough(chance: Chance): Situation {
  const surveys = Array.from({ length: 2 + chance.whole(2, 'surveys') }, (_, nth) => ({
    ...survey,
    type: chance.pick([asked, invited, invited], 'type', nth),
  }))
  const claims = { who: 'delivery-1', what: 'with look as' }
  const known = [arrivalByEmail('p1'), { ...arrivalByEmail('p2'), ...fromCaregiver }]
  return {
    drafts: [
      ...known,
      granted,
      ...surveys,
      ...(chance.is(0.3, 'change') ? [something(chance)] : []),
    ],
    meetings: [
      {
        who: 'ehr about p1',
        what: 'thinks of p1-2',
        until: [{ who: 'journey', what: 'person.upserted.v1 p1-1' }, commit('journey')],
      },
      // In a job of its own, which another worker may take.
      {
        who: 'ehr about p1',
        what: 'thinks of p1-4',
        until: [{ who: 'scheduler', what: 'adds to' }],
      },
      ...(chance.is(0.7, 'both claim')
        ? [{ ...commit('delivery-1'), after: [claims], until: [{ ...claims, who: 'delivery-2' }] }]
        : []),
    ],
    workers: { journey: 1, scheduler: 1, delivery: 2, gateway: 1 },
    roughness: chance.pick([0, 0, 0.4], 'roughness'),
    manners: ['refuse', 'defer'],
    leisure: 12,
  }
}

function commit(who: string) {
  return { who, what: 'commit' }
}

function receiverOf({ to }: Call): string {
  return `ehr/${to.split('.')[0]}`
}

/** P3: each copy is held to the wishes of whoever gets it, and to what they may still hear of. */
function judgeCopy(call: Call, seen: Sight): Violation[] {
  if (call.channel !== 'email') return []
  const receiver = receiverOf(call)
  const people = new Set([receiver])
  const held = stopsBefore(call, { people, class: group }, seen)
  const ofPatient = stopsBefore(call, { people: new Set([patient]), class: group }, seen).filter(
    ({ stop }) => /^(person\.deceased|staff)/.test(stop.event.type),
  )
  const text = `${call.text} for ${call.to}: claimed at ${call.claimedAt}`
  return [
    ...[...held, ...ofPatient].map(({ stop: { event }, holdsFrom }): Violation => {
      const why = `${event.type} ${event.id} held from ${holdsFrom}`
      return { kind: 'sent after a stop', text: `${text}, and ${why}` }
    }),
    ...(receiver === patient || mayHear(call, seen)
      ? []
      : [{ kind: 'sent without consent', text: `${text}, and they may not hear of it` } as const]),
  ]
}

/** What was said of the two. */
function saidOf(seen: Sight): Heard[] {
  return seen.all(/^relation\./)
}

/** True when it may have been allowed: said before, and nothing newer was known that forbids it. */
function mayHear(call: Call, seen: Sight): boolean {
  return saidOf(seen).some(
    (grant) =>
      gives(grant) &&
      grant.saidAt < call.givenAt &&
      !saidOf(seen).some(
        (other) =>
          !gives(other) && other.event.time >= grant.event.time && other.readAt < call.claimedAt,
      ),
  )
}

function gives({ event: { type, data } }: Heard): boolean {
  return type.includes('granted') && (data.scope as string[]).includes(scope)
}

/** P2: each copy once; and nobody more than is enough, whoever it is about. */
function judgeCounts(seen: Sight): Violation[] {
  const taken = seen.calls.filter((call) => call.taken)
  const found: Violation[] = []
  for (const [to, own] of Map.groupBy(taken, receiverOf)) {
    for (const [text, same] of Map.groupBy(own, (call) => call.text)) {
      if (same.length > 1)
        found.push({ kind: 'doubled', text: `${text} for ${to}: ${same.length} times` })
    }
    const times = own.map(({ claimedNow }) => claimedNow).sort((a, b) => a - b)
    const isTooSoon = times.some((ms, index) => ms - (times[index - most] ?? -Infinity) < dayMs)
    if (isTooSoon)
      found.push({ kind: 'more than enough', text: `${to}: more than ${most} within 24 hours` })
  }
  return found
}

/** P1, P4: everybody who is to get it does, or there is a reason that what happened bears out. */
function judgeEnds(seen: Sight, ending: Ending): Violation[] {
  const idOf = (identity: string) =>
    ending.people.find(({ identities }) => identities.includes(identity))?.person
  return seen.all(/^care\.survey/).flatMap((about) => {
    if (about.readAt === Infinity) return []
    return [patient, caregiver].flatMap((receiver): Violation[] => {
      const name = `${tells[about.event.type]} ${about.event.data.ref} for ${receiver}`
      const rows = ending.messages.filter(
        (row) =>
          row.event === about.event.key &&
          row.recipient === (receiver === patient ? null : idOf(receiver)),
      )
      const [row] = rows
      if (rows.length > 1) return [{ kind: 'doubled', text: `${name}: planned more than once` }]
      if (row) return judgeEnd(name, row, receiver, seen)
      return isExcused(about, receiver, seen)
        ? []
        : [{ kind: 'lost', text: `${name}: nothing was planned` }]
    })
  })
}

/** Who has died gets nothing; nor does a caregiver who may not have been one when it was planned. */
function isExcused(about: Heard, receiver: string, seen: Sight): boolean {
  if (ofAny(/^person\.deceased/, [patient, receiver], seen)) return true
  if (receiver === patient) return false
  const isKnown = seen
    .all(/^person\.upserted/)
    .some(({ event, readAt }) => identityOf(event) === receiver && readAt < about.saidAt)
  const isSure = saidOf(seen).every((said) => gives(said) && said.readAt < about.saidAt)
  return !isKnown || !isSure
}

function judgeEnd(name: string, row: EndedMessage, receiver: string, seen: Sight): Violation[] {
  const ref = name.split(' for ')[0]
  const isTaken = seen.calls.some(
    (call) => call.taken && call.text === ref && receiverOf(call) === receiver,
  )
  const isSent = ['sent', 'delivered', 'bounced'].includes(row.state)
  const text = `${name}: ${row.state} (${row.reason})`
  if (isSent) return isTaken ? [] : [{ kind: 'lost', text: `${text}, and no provider took it` }]
  if (isTaken) return [{ kind: 'wrong record', text: `${text}, and a provider has taken it` }]
  if (!['skipped', 'cancelled', 'failed'].includes(row.state))
    return [{ kind: 'lost', text: `${text}, and it is not over` }]
  return isBorneOut(row.reason, receiver, seen) ? [] : [{ kind: 'unexplained', text }]
}

/** Whose word it is matters: what the person asked for themselves says nothing of their caregiver. */
function isBorneOut(reason: string | null, receiver: string, seen: Sight): boolean {
  const own = [receiver]
  const no = /^(consent\.withdrawn|message\.(complained|replied))/
  switch (reason) {
    case 'relation_ended':
      return saidOf(seen).some(({ event }) => event.type.includes('ended'))
    case 'relation_scope_missing':
      return saidOf(seen).some((said) => !gives(said))
    case 'recipient_deceased':
      return receiver !== patient && ofAny(/^person\.deceased/, own, seen)
    case 'person_deceased':
      return ofAny(/^person\.deceased/, [patient], seen)
    case 'person_stopped':
      return ofAny(/^staff\.person\.stopped/, [patient, receiver], seen)
    case 'consent_withdrawn':
      return ofAny(no, own, seen)
    case 'no_usable_channel':
    case 'provider_refused':
      return (
        ofAny(no, own, seen) ||
        ofAny(/^message\.bounced/, own, seen) ||
        seen.calls.some((call) => call.answer === 'refused' && receiverOf(call) === receiver)
      )
    case 'provider_unavailable':
      return seen.calls.some((call) => call.answer === 'deferred' && receiverOf(call) === receiver)
    default:
      return false
  }
}

function ofAny(type: RegExp, identities: readonly string[], seen: Sight): boolean {
  return seen.all(type).some(({ event }) => identities.includes(identityOf(event)))
}
