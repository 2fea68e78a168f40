import type { Chance } from '../chance.ts'
import { eventFields, hospitalWith } from '../clinic.ts'
import { arrivalByEmail, type Draft } from '../drafts.ts'
import type { EndedMessage, Ending } from '../history.ts'
import { type Call, type Heard, otherOf, type Sight } from '../sight.ts'
import type { Situation } from '../story.ts'
import type { Violation } from '../violation.ts'
import type { Chapter } from './chapter.ts'

/**
 * Half an hour after a survey whoever cares for the person is told, a caregiver and a parent, who turn out to be one
 * person: they get it once, and get it.
 */
const asked = 'care.survey.answered.v1'
const campaign = 'family'

export const sameReceiver: Chapter = {
  published: hospitalWith({
    campaigns: [
      {
        id: campaign,
        class: 'service',
        entry: 'every-time',
        trigger: { touchpoint: asked },
        steps: [
          {
            message: {
              id: campaign,
              template: campaign,
              to: ['caregiver', 'parent'],
              send: { for: 'PT30M', on: 'any-day' },
              expires: 'PT3H',
            },
          },
        ],
      },
    ],
    templates: { [campaign]: eventFields },
  }),
  situations: [
    ['two recipients become one person', becomeOne],
    ['one of two recipients who become one is held back', heldBack],
  ],
  judge: (seen, ending) =>
    seen
      .all(/^care\.survey/)
      .flatMap((about) => [...judgeOnce(about, seen), ...judgeEnds(about, seen, ending)]),
}

const survey: Draft = { type: asked, data: {}, times: 1 }
const merged: Draft = {
  type: 'person.merged.v1',
  data: { idSpace: 'ehr', externalId: 'p3' },
  subject: 'p2',
  times: 1,
}
const mergeThought = { who: 'ehr about p2', what: 'thinks of p1-5' }

type Kind = 'caregiver' | 'parent'

function subjectOf(kind: Kind): string {
  return kind === 'caregiver' ? 'p2' : 'p3'
}

function relation(state: 'granted' | 'ended', kind: Kind): Draft {
  const other = { idSpace: 'ehr', externalId: subjectOf(kind), kind }
  const data = state === 'granted' ? { ...other, scope: ['appointments', 'care'] } : other
  const minutesAgo = state === 'granted' ? 60 : 0
  return { type: `relation.${state}.v1`, data, minutesAgo, times: 1 }
}

/** Whoever cares for the patient, and that these are one: the last is `p1-5`. */
function drafts(byPhone: Kind | null = null): Draft[] {
  const arrivals = (['caregiver', 'parent'] as const).map((kind): Draft => {
    const subject = subjectOf(kind)
    const arrival = kind === byPhone ? arrivalByPhone : arrivalByEmail(subject)
    return { ...arrival, subject, times: 1 }
  })
  return [
    relation('granted', 'caregiver'),
    relation('granted', 'parent'),
    survey,
    ...arrivals,
    merged,
  ]
}

const arrivalByPhone: Draft = {
  type: 'person.upserted.v1',
  data: { contacts: { phone: '+447700900123' }, test: true },
}

/** Before either of the two is looked at; or while a worker has the one, and the other is tried over its next channel. */
function becomeOne(chance: Chance): Situation {
  const ends = relation('ended', chance.pick(['caregiver', 'parent'], 'whose'))
  const situation = chance.is(0.5, 'meanwhile') ? whileOneIsSent(chance) : beforeBoth(chance)
  return {
    drafts: [...drafts(), ...(chance.is(0.3, 'ends') ? [ends] : [])],
    workers: { journey: 1, scheduler: 1, delivery: 1 + chance.whole(2, 'deliveries'), gateway: 1 },
    silent: true,
    leisure: 6,
    ...situation,
  }
}

function beforeBoth(chance: Chance): Partial<Situation> {
  const isKilled = chance.is(0.3, 'killed')
  return {
    faults: isKilled ? [{ slot: 'delivery-1', at: 1, kind: 'kill after', on: 'gives' }] : [],
    roughness: chance.pick([0, 0.5, 0.8], 'roughness'),
    manners: ['defer', 'cut before', 'cut after', 'refuse', 'take and hang'],
  }
}

function whileOneIsSent(chance: Chance): Partial<Situation> {
  const claims = { who: 'delivery', what: 'with look as' }
  const isTold = { who: 'delivery', what: 'is told accepted' }
  const areOne = [mergeThought, commit('journey')]
  return {
    drafts: drafts(chance.pick(['caregiver', 'parent'], 'by phone')),
    meetings: [
      { ...mergeThought, until: [{ ...isTold, isStanding: true }] },
      { ...isTold, until: [...areOne, claims] },
      { ...claims, after: [{ who: 'delivery', what: 'gives email' }], until: areOne },
    ],
  }
}

/** One of them has no address for e-mail, and no SMS goes out; of the other one a provider says "later". */
function heldBack(chance: Chance): Situation {
  const byPhone = chance.pick(['caregiver', 'parent', 'parent'] as const, 'by phone')
  const stopped: Draft = {
    type: 'staff.operation.stopped',
    data: { scope: 'channel', target: 'sms' },
    publisher: 'staff',
  }
  const claims = { who: 'delivery', what: 'with look as' }
  return {
    drafts: [...drafts(byPhone), stopped],
    meetings: [{ ...mergeThought, until: [{ who: 'delivery', what: 'is told deferred' }, claims] }],
    roughness: 1,
    manners: ['defer'],
    silent: true,
    leisure: 6,
  }
}

function commit(who: string) {
  return { who, what: 'commit' }
}

function textOf({ event }: Heard): string {
  return `${campaign} ${event.data.ref}`
}

/** From when on they are surely one. */
function oneFrom(seen: Sight): number {
  return Math.min(Infinity, ...seen.all(/^person\.merged/).map(({ readAt }) => readAt))
}

/** P2: nothing beside what has gone out; and beside what may have, marked. */
function judgeOnce(about: Heard, seen: Sight): Violation[] {
  const text = textOf(about)
  const calls = seen.calls
    .filter((call) => call.text === text)
    .toSorted((one, other) => one.claimedAt - other.claimedAt)
  return calls.flatMap((call, nth): Violation[] => {
    if (!call.taken || call.claimedAt <= oneFrom(seen)) return []
    const beside = calls.slice(0, nth).filter((each) => each.taken)
    if (beside.every((each) => call.marked && mayBeUnknown(each, seen))) return []
    return [
      { kind: 'doubled', text: `${text} for ${call.to}: claimed at ${call.claimedAt}, once more` },
    ]
  })
}

/** Whoever was stopped may not have written down what they were told. */
function mayBeUnknown({ answer, claim }: Call, seen: Sight): boolean {
  return answer !== 'accepted' || seen.isLost(claim)
}

/** P1, P4: they get it, unless what happened to each of the two bears out that they do not. */
function judgeEnds(about: Heard, seen: Sight, { messages }: Ending): Violation[] {
  const text = textOf(about)
  const rows = messages.filter(({ event, recipient }) => event === about.event.key && recipient)
  const calls = seen.calls.filter((call) => call.text === text)
  const isTaken = calls.some(({ taken }) => taken)
  const unsent = rows.filter(({ state }) => !['sent', 'delivered', 'bounced'].includes(state))
  const found = unsent.flatMap((row): Violation[] =>
    isBorneOut(row, { rows, calls, seen, isTaken })
      ? []
      : [{ kind: 'unexplained', text: `${text}: ${row.state} (${row.reason})` }],
  )
  if (rows.length > 2) found.push({ kind: 'doubled', text: `${text}: planned more than twice` })
  if (rows.length > unsent.length && !isTaken)
    found.push({ kind: 'lost', text: `${text}: sent, and no provider took it` })
  if (isTaken || rows.length === 0 || found.length > 0) return found
  const isOwed = unsent.some(({ state }) => state === 'expired') && oneFrom(seen) < Infinity
  return isOwed ? [{ kind: 'lost', text: `${text}: nobody got it` }] : []
}

type Around = {
  readonly rows: readonly EndedMessage[]
  readonly calls: readonly Call[]
  readonly seen: Sight
  readonly isTaken: boolean
}

function isBorneOut({ state, reason }: EndedMessage, around: Around): boolean {
  const { rows, calls, seen, isTaken } = around
  const isUnknown = calls.some(({ answer }) => answer === null || answer === 'unknown')
  switch (reason) {
    case 'merged_duplicate':
      // The other one went, or nobody knows.
      return oneFrom(seen) < Infinity && (isTaken || isUnknown)
    case 'relation_ended': {
      const ended = new Set(seen.all(/^relation\.ended/).map(({ event }) => otherOf(event)))
      return rows.filter((row) => row.reason === reason).length <= ended.size
    }
    case 'outcome_unknown':
      return state === 'held' && isUnknown
    case 'provider_refused':
    case 'no_usable_channel':
      return calls.some(({ answer }) => answer === 'refused')
    case 'provider_unavailable':
      return calls.some(({ answer }) => answer === 'deferred')
    case 'expired':
      return true
    default:
      return false
  }
}
