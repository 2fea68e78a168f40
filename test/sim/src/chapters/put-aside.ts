import type { Chance } from '../chance.ts'
import { appointmentFields, eventFields, hospitalWith } from '../clinic.ts'
import { arrivalByEmail, beginnings, consent, type Draft } from '../drafts.ts'
import { sameTimeOn } from '../dutch-days.ts'
import type { EndedMessage, Ending } from '../history.ts'
import { type Call, type Heard, identityOf, type Sight } from '../sight.ts'
import { stopsBefore } from '../stops.ts'
import type { Situation } from '../story.ts'
import type { Violation } from '../violation.ts'
import type { Chapter } from './chapter.ts'

/**
 * A row of somebody cannot be read, so that nothing can be decided of them: what is said meanwhile is put aside, and
 * decided when staff have mended the row and replay it. What it forbids holds from when it was put aside.
 */
const hour = 3_600_000
const classOf = { reminder: 'care', service: 'service' } as const
type Name = keyof typeof classOf
/** What happened longer ago begins nothing. */
const oldestMs = 24 * hour

export const putAside: Chapter = {
  published: hospitalWith({
    campaigns: [
      {
        id: 'reminder',
        journey: 'operation',
        entry: 'once-per-entity',
        trigger: { touchpoint: 'care.appointment.booked.v1' },
        steps: [
          {
            message: {
              id: 'reminder',
              template: 'reminder',
              send: { until: 'entity.startsAt', offset: '-P1D', on: 'any-day' },
              until: 'entity.startsAt',
            },
          },
        ],
      },
      {
        id: 'service',
        class: 'service',
        entry: 'every-time',
        trigger: { touchpoint: 'care.survey.answered.v1' },
        steps: [{ message: { id: 'service', template: 'service', expires: 'P9D' } }],
      },
    ],
    templates: { reminder: appointmentFields, service: eventFields },
  }),
  situations: [['what was put aside is replayed', replayed]],
  judge: (seen, ending) => [
    ...seen.all(/^care\.survey/).flatMap((about) => judgeSurvey(about, seen, ending)),
    ...seen
      .all(/^care\.appointment\.(booked|moved)/)
      .flatMap((about) => judgeReminder(about, seen, ending)),
  ],
}

const survey: Draft = { type: 'care.survey.answered.v1', data: {}, times: 1 }
const commit = { who: 'journey', what: 'commit' }
const beginsMs = Date.parse(beginnings.monday)
/** From when business time begins until the appointment does, and until somebody is told of it. */
const hoursAhead = 26
const due = (hoursAhead - 24) * 60

function appointment(version: number, hours: number): Draft {
  const type = version === 1 ? 'booked' : hours === 0 ? 'cancelled' : 'moved'
  const startsAt = new Date(beginsMs + hours * hour).toISOString()
  return {
    type: `care.appointment.${type}.v1`,
    entity: 'appointment/a1',
    version,
    data: hours === 0 ? {} : { startsAt },
    times: 1,
  }
}

/** It is known of the appointment when the row breaks; the moment to tell of it may come before it is mended. */
function replayed(chance: Chance): Situation {
  const said = saidMeanwhile(chance)
  const staff = (type: string): Draft => ({ type, data: {}, publisher: 'staff', times: 1 })
  const damaged = 2 + said.length
  const aside = { who: 'journey', what: 'insert into dead_letter' }
  const isHeld = chance.is(0.6, 'held')
  const isDue = { who: 'calendar', what: 'minutes pass' }
  const looks = { who: 'delivery', what: 'with named as' }
  return {
    drafts: [
      { ...arrivalByEmail('p1'), times: 1 },
      appointment(1, hoursAhead),
      ...said,
      staff('staff.record.damaged'),
      staff('staff.record.mended'),
      { ...staff('staff.letters.replayed'), isDoubled: chance.is(0.6, 'by two') },
    ],
    steps: [due + 1],
    meetings: [
      {
        who: 'staff about p1',
        what: `does p1-${damaged}`,
        until: [{ who: 'journey', what: 'care.appointment.booked.v1 p1-1' }, commit],
      },
      {
        who: 'ehr about p1',
        what: 'says p1-2 ',
        until: [{ who: 'staff about p1', what: 'person set happened' }],
      },
      {
        who: 'staff about p1',
        what: `does p1-${damaged + 1}`,
        until: [aside, commit, ...(isHeld ? [isDue, looks] : [])],
      },
      { ...isDue, until: [aside, commit] },
    ],
    workers: { journey: 1 + chance.whole(2, 'journeys'), scheduler: 1, delivery: 1, gateway: 1 },
    faults: chance.is(0.3, 'fault')
      ? [
          {
            slot: 'journey-1',
            at: 1,
            on: 'commit',
            after: 'insert into dead_letter',
            kind: chance.pick(['kill before', 'kill after', 'lose the answer'] as const, 'kind'),
          },
        ]
      : [],
    silent: true,
    leisure: 8,
  }
}

function saidMeanwhile(chance: Chance): Draft[] {
  const change = appointment(2, chance.pick([50, 50, 30, 20, 0, 0], 'hours'))
  const no: Draft = chance.is(0.3, 'death')
    ? { type: 'person.deceased.v1', data: {} }
    : consent('withdrawn', chance.pick(['all', 'care', 'service'], 'purpose'), 0)
  return chance.pick<Draft[]>(
    [
      [change],
      [change],
      [change, survey],
      [survey, change, appointment(3, 74)],
      [survey],
      [{ ...no, by: 'kafka', times: 1 }],
      [{ ...no, by: 'kafka', times: 1 }, survey],
    ],
    'said',
  )
}

/** When it was read for the last time: it is surely applied by then, when it can be. */
function lastReadOf({ event }: Heard, seen: Sight): number {
  const read = seen.entries.filter((entry) => entry.kind === 'read' && entry.event === event.key)
  return Date.parse(read.at(-1)?.now ?? seen.entries.at(-1)?.now ?? '')
}

function callsOf(text: string, seen: Sight): Call[] {
  return seen.calls.filter((call) => call.taken && call.text === text)
}

/** P2, P3: once, and never after something that forbids it was put aside or read. */
function judgeCalls(name: Name, about: Heard, calls: readonly Call[], seen: Sight): Violation[] {
  const people = new Set([identityOf(about.event)])
  return [
    ...(calls.length > 1
      ? [{ kind: 'doubled', text: `${calls[0]?.text}: ${calls.length} times` } as const]
      : []),
    ...calls.flatMap((call) =>
      stopsBefore(call, { people, class: classOf[name] }, seen).map(
        ({ stop: { event }, holdsFrom }): Violation => {
          const why = `${event.type} ${event.id} held from ${holdsFrom}`
          const text = `${call.text}: claimed at ${call.claimedAt}, ${why}`
          return { kind: 'sent after a stop', text }
        },
      ),
    ),
  ]
}

/** P1: it is decided in the end, once, however often it was replayed. */
function judgeSurvey(about: Heard, seen: Sight, ending: Ending): Violation[] {
  if (about.readAt === Infinity) return []
  const text = `service ${about.event.data.ref}`
  const calls = callsOf(text, seen)
  const rows = ending.messages.filter((row) => row.event === about.event.key)
  const [row] = rows
  const isOld = lastReadOf(about, seen) >= Date.parse(about.event.time) + oldestMs
  const end = row
    ? judgeEnd({ text, row, calls, about, class: 'service' }, seen)
    : isOld || isForbidden('service', about, seen)
      ? []
      : [{ kind: 'lost', text: `${text}: nothing was planned` } as const]
  const planned =
    rows.length > 1 ? [{ kind: 'doubled', text: `${text}: planned twice` } as const] : []
  return [...planned, ...judgeCalls('service', about, calls, seen), ...end]
}

/** P1, P3: the newest version is told of, at its time, and no older one from when that was put aside. */
function judgeReminder(about: Heard, seen: Sight, ending: Ending): Violation[] {
  const { event } = about
  const startsAt = String(event.data.startsAt)
  const text = `reminder ${event.data.ref} ${startsAt}`
  const calls = callsOf(text, seen)
  const newer = versionsOf(about, seen).filter((each) => versionOf(each) > versionOf(about))
  const found = judgeCalls('reminder', about, calls, seen)
  for (const call of calls) {
    const known = newer.find(({ readAt }) => readAt < call.claimedAt)
    const dueAt = sameTimeOn(Date.parse(startsAt), -1).earliest
    if (known) {
      const how = `${text}: claimed at ${call.claimedAt}, and version ${versionOf(known)} came at ${known.readAt}`
      found.push({ kind: 'sent for an old appointment', text: how })
    }
    if (call.now < dueAt) found.push({ kind: 'sent early', text })
    if (call.claimedNow >= Date.parse(startsAt)) found.push({ kind: 'sent late', text })
  }
  if (newer.length > 0) return found
  return [...found, ...judgeNewest({ about, text, calls }, seen, ending)]
}

type Told = { readonly about: Heard; readonly text: string; readonly calls: readonly Call[] }

function judgeNewest({ about, text, calls }: Told, seen: Sight, ending: Ending): Violation[] {
  if (about.readAt === Infinity) return []
  const row = ending.messages.find(({ version }) => version === versionOf(about))
  if (row) return judgeEnd({ text, row, calls, about, class: 'care' }, seen)
  const wasTold = versionsOf(about, seen)
    .flatMap(({ event: { data } }) => callsOf(`reminder ${data.ref} ${data.startsAt}`, seen))
    .some((call) => call.taken)
  const isOver = lastReadOf(about, seen) >= Date.parse(String(about.event.data.startsAt))
  if (wasTold || isOver || isForbidden('care', about, seen)) return []
  return [{ kind: 'lost', text: `${text}: nothing was planned` }]
}

function versionsOf({ event }: Heard, seen: Sight): Heard[] {
  return seen.all(/^care\.appointment/).filter((each) => each.event.entity === event.entity)
}

function versionOf({ event }: Heard): number {
  return event.version ?? 0
}

type End = Told & { readonly row: EndedMessage; readonly class: 'care' | 'service' }

function judgeEnd(end: End, seen: Sight): Violation[] {
  const { text, row, calls, about } = end
  const how = `${text}: ${row.state} (${row.reason})`
  if (['sent', 'delivered'].includes(row.state))
    return calls.length > 0 ? [] : [{ kind: 'lost', text: `${how}, and no provider took it` }]
  if (calls.length > 0) return [{ kind: 'wrong record', text: `${how}, and a provider has it` }]
  if (row.state === 'expired' && seen.latest >= Date.parse(String(about.event.data.startsAt)))
    return mayHaveOutlasted(about, seen) ? [] : [{ kind: 'lost', text: how }]
  return isForbidden(end.class, about, seen) ? [] : [{ kind: 'lost', text: how }]
}

/** True when it was applied so late that nobody could have been told before it began. */
function mayHaveOutlasted(about: Heard, seen: Sight): boolean {
  return lastReadOf(about, seen) >= Date.parse(String(about.event.data.startsAt))
}

function isForbidden(ofClass: string, about: Heard, seen: Sight): boolean {
  return seen
    .all(/^(person\.deceased|consent\.withdrawn)/)
    .filter(({ event }) => identityOf(event) === identityOf(about.event))
    .some(({ event }) => ['all', ofClass, undefined].includes(event.data.purpose as string))
}
