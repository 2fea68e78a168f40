import type { Chance } from '../chance.ts'
import { eventFields, hospitalWith, shownInTheApp } from '../clinic.ts'
import { consent, type Draft } from '../drafts.ts'
import type { EndedMessage, Ending } from '../history.ts'
import { type Call, type Heard, identityOf, type Sight } from '../sight.ts'
import { stopsBefore } from '../stops.ts'
import type { Fault, Meeting, Situation } from '../story.ts'
import type { Violation } from '../violation.ts'
import type { Chapter } from './chapter.ts'

/**
 * Whoever answers a survey finds a note of the care and one of the service in the app, which is there for
 * everybody: so nothing goes by e-mail. The inbox of the app stands with the records: of what is put there it is
 * always known in the end whether it is.
 */
const hour = 3_600_000
const worth = 12
const classes = { note: 'care', notice: 'service' } as const
type Name = keyof typeof classes
const names = Object.keys(classes) as Name[]

export const app: Chapter = {
  published: shownInTheApp(
    hospitalWith({
      campaigns: names.map((id) => ({
        id,
        class: classes[id],
        entry: 'every-time',
        trigger: { touchpoint: 'care.survey.answered.v1' },
        steps: [
          { message: { id, template: id, channels: ['app', 'email'], expires: `PT${worth}H` } },
        ],
      })),
      templates: { note: eventFields, notice: eventFields },
    }),
  ),
  situations: [
    ['a message is put into the app', put],
    ['a message waits behind another one that is put into the app', putBehind],
    ['somebody is merged while a message is put into their app', mergedMeanwhile],
  ],
  judge: (seen, ending) =>
    seen
      .all(/^care\.survey/)
      .flatMap((about) => names.flatMap((name) => judgeNote({ name, about }, seen, ending))),
}

const survey: Draft = { type: 'care.survey.answered.v1', data: {}, times: 1 }
const puts = { who: 'delivery', what: 'with claimed as' }
const checks = { who: 'delivery', what: 'with named as' }
const commit = { who: 'journey', what: 'commit' }

function arrival(subject: string): Draft {
  const contacts = { email: `${subject}@example.org`, app: `app-of-${subject}` }
  return { type: 'person.upserted.v1', data: { contacts, test: true }, subject, times: 1 }
}

/** Whoever puts it there ends, hears nothing, or is so slow that another one does; and somebody says no. */
function put(chance: Chance): Situation {
  const no = chance.is(0.3, 'death')
    ? { type: 'person.deceased.v1', data: {} }
    : consent('withdrawn', chance.pick(['all', 'service', 'care'], 'purpose'), 0)
  const says = chance.is(0.6, 'says no')
  const more = chance.is(0.4, 'more') ? [survey] : []
  const until = [{ ...chance.pick([puts, puts, checks], 'says when'), isStanding: true }]
  return {
    drafts: [
      arrival('p1'),
      survey,
      ...more,
      ...(says ? [{ ...no, by: 'http', times: 1 } as const] : []),
    ],
    workers: { journey: 1, scheduler: 1, delivery: 1 + chance.whole(2, 'deliveries'), gateway: 1 },
    faults: chance.is(0.5, 'fault') ? [faultOf(chance)] : [],
    meetings: [
      ...(says ? [{ who: 'ehr about p1', what: `thinks of p1-${2 + more.length}`, until }] : []),
      ...(chance.is(0.7, 'slow') ? [slow(chance, says)] : []),
    ],
    silent: true,
    leisure: 4,
  }
}

function faultOf(chance: Chance): Fault {
  const kind = chance.pick(
    ['kill before', 'kill after', 'lose the answer', 'lose the answer', 'pause'] as const,
    'kind',
  )
  return { slot: 'delivery-1', at: 1, on: puts.what, kind }
}

/** It stands still until it is given up, and asked for again, or somebody has said no meanwhile. */
function slow(chance: Chance, says: boolean): Meeting {
  const isAnswered = { who: 'ehr about p1', what: 'is answered' }
  const until = says && chance.is(0.5, 'until they say no') ? [isAnswered] : [checks]
  return { ...puts, paused: chance.is(0.3, 'paused'), until, afresh: true }
}

/** The one takes so long that both are given up, or the worker stands still meanwhile. */
function putBehind(chance: Chance): Situation {
  const [checked, rendered] = [checks, { who: 'delivery', what: 'select template_id as' }]
  const behind = [checked, rendered]
  const isPaused = chance.is(0.5, 'paused')
  return {
    drafts: [arrival('p1'), survey],
    workers: { journey: 1, scheduler: 1, delivery: isPaused ? 2 : 1, gateway: 1 },
    meetings: [
      { ...puts, until: isPaused ? behind : [...behind, checked], afresh: true },
      ...(isPaused
        ? [{ ...puts, after: [...behind, ...behind], until: [checked], paused: true, afresh: true }]
        : []),
    ],
    silent: true,
    leisure: 4,
  }
}

/** The statement is under way under the one record when it is put again under the other one. */
function mergedMeanwhile(chance: Chance): Situation {
  const areOne: Draft = {
    type: 'person.merged.v1',
    data: { idSpace: 'ehr', externalId: 'p2' },
    by: 'kafka',
    times: 1,
  }
  const merges = [{ who: 'journey', what: 'person.merged.v1' }, commit]
  const isAgain = chance.is(0.7, 'again')
  const more = chance.is(0.3, 'more') ? [survey] : []
  return {
    drafts: [arrival('p1'), arrival('p2'), { ...survey, subject: 'p2' }, ...more, areOne],
    workers: { journey: 1, scheduler: 1, delivery: 1 + chance.whole(2, 'deliveries'), gateway: 1 },
    faults: chance.is(0.4, 'fault') ? [faultOf(chance)] : [],
    meetings: [
      {
        who: 'ehr about p1',
        what: `says p1-${3 + more.length} `,
        until: [{ ...puts, isStanding: true }],
      },
      { ...puts, until: isAgain ? [...merges, checks] : merges, afresh: true },
    ],
    silent: true,
    leisure: 4,
  }
}

/** A note that somebody is owed. */
type Note = { readonly name: Name; readonly about: Heard }

function judgeNote(note: Note, seen: Sight, ending: Ending): Violation[] {
  const { name, about } = note
  if (about.readAt === Infinity) return []
  const text = `${name} ${about.event.data.ref}`
  const calls = seen.calls.filter((call) => call.text === text)
  const times = ending.inbox.filter(({ title }) => title === text).length
  const rows = ending.messages.filter(
    (row) => row.campaign === name && row.event === about.event.key,
  )
  const [row] = rows
  const fault = row
    ? faultOfEnd({ ...note, row, times }, calls, seen)
    : (['lost', 'nothing was planned'] as const)
  return [
    ...judgeCount(text, { times, calls, planned: rows.length }),
    ...calls.flatMap((call) => judgeCall(note, call, seen)),
    ...(fault
      ? [{ kind: fault[0], text: `${text}: ${row?.state} (${row?.reason}), ${fault[1]}` }]
      : []),
  ]
}

/** P2: once, in the app. */
function judgeCount(
  text: string,
  { times, calls, planned }: { times: number; calls: readonly Call[]; planned: number },
): Violation[] {
  const found: Violation[] = []
  if (planned > 1) found.push({ kind: 'doubled', text: `${text}: planned ${planned} times` })
  if (times > 1) found.push({ kind: 'doubled', text: `${text}: ${times} times in the app` })
  if (calls.some(({ channel }) => channel !== 'app'))
    found.push({ kind: 'doubled', text: `${text}: goes by e-mail, too` })
  return found
}

/** P3: nothing against a stop that held when it was claimed, nothing that is over. */
function judgeCall({ name, about }: Note, call: Call, seen: Sight): Violation[] {
  if (!call.taken) return []
  const people = seen.identitiesOf(about.event, call.claimedAt)
  const held = stopsBefore(call, { people, class: classes[name] }, seen)
  const isLate = call.claimedNow >= about.readNow + worth * hour
  return [
    ...held.map(({ stop: { event }, holdsFrom }): Violation => {
      const why = `${event.type} ${event.id} held from ${holdsFrom}`
      return {
        kind: 'sent after a stop',
        text: `${call.text}: claimed at ${call.claimedAt}, ${why}`,
      }
    }),
    ...(isLate ? [{ kind: 'sent late', text: call.text } as const] : []),
  ]
}

/** P1, P2, P4: it is there, and the record says so; or it is not, and there was a reason. Never does nobody know. */
function faultOfEnd(
  { name, about, row, times }: Note & { row: EndedMessage; times: number },
  calls: readonly Call[],
  seen: Sight,
): readonly [Violation['kind'], string] | null {
  switch (row.state) {
    case 'delivered':
      return times > 0 ? null : ['lost', 'and it is not in the app']
    case 'held':
      return ['held for nothing', 'though the app could be asked again']
    case 'skipped':
    case 'cancelled': {
      // Of one that was being put nobody could know until it was put again, which must not be any more.
      const wasOpen = calls.some(({ answer }) => answer === null || answer === 'unknown')
      if (times > 0 && !wasOpen) return ['wrong record', 'and it is in the app']
      return isBorneOut(row, { name, about }, seen) ? null : ['unexplained', 'for nothing']
    }
    default:
      return ['lost', 'and nothing stood in its way']
  }
}

function isBorneOut({ reason }: EndedMessage, { name, about }: Note, seen: Sight): boolean {
  const people = seen.identitiesOf(about.event, Infinity)
  const mine = (type: RegExp) => seen.all(type).filter(({ event }) => people.has(identityOf(event)))
  switch (reason) {
    case 'person_deceased':
      return mine(/^person\.deceased/).length > 0
    case 'consent_withdrawn':
      return mine(/^consent\.withdrawn/).some(({ event }) =>
        ['all', classes[name]].includes(String(event.data.purpose)),
      )
    default:
      return false
  }
}
