import type { Chance } from '../chance.ts'
import { eventFields, hospitalWith } from '../clinic.ts'
import { arrivalByEmail, type Draft } from '../drafts.ts'
import { clockOf } from '../dutch-days.ts'
import type { EndedMessage, Ending } from '../history.ts'
import { type Call, type Heard, identityOf, type Sight } from '../sight.ts'
import { stopsBefore } from '../stops.ts'
import type { Fault, Meeting, Situation } from '../story.ts'
import type { Violation } from '../violation.ts'
import type { Chapter } from './chapter.ts'

/**
 * Whoever answers a survey hears of it, and not between nine in the evening and eight in the morning; whoever comes home
 * does from nine until five: all on their own clocks, as they are when it goes out.
 */
const hour = 3_600_000
const quarter = hour / 4
const names = ['news', 'brief', 'visit'] as const
type Name = (typeof names)[number]
type Rule = {
  readonly class: string
  readonly touchpoint: string
  readonly hoursWorth: number
  /** At this hour of the day. */
  readonly allows: (shown: number) => boolean
}
const rules: Readonly<Record<Name, Rule>> = {
  news: {
    class: 'service',
    touchpoint: 'care.survey.answered.v1',
    hoursWorth: 24,
    allows: isAwake,
  },
  // Of the morning it is over before the quiet hours are.
  brief: {
    class: 'service',
    touchpoint: 'care.survey.answered.v1',
    hoursWorth: 20,
    allows: isAwake,
  },
  visit: {
    class: 'care',
    touchpoint: 'care.discharge.completed.v1',
    hoursWorth: 48,
    allows: (shown) => shown >= 9 && shown < 17,
  },
}
function isAwake(shown: number): boolean {
  return shown >= 8 && shown < 21
}

const japan = 'Asia/Tokyo'
type Zone = typeof japan | null

const hospital = hospitalWith({
  campaigns: [
    ...(['news', 'brief'] as const).map((id) => ({
      id,
      class: 'service' as const,
      entry: 'every-time' as const,
      trigger: { touchpoint: rules[id].touchpoint },
      steps: [{ message: { id, template: id, expires: `PT${rules[id].hoursWorth}H` } }],
    })),
    {
      id: 'visit',
      entry: 'every-time',
      trigger: { touchpoint: rules.visit.touchpoint },
      steps: [
        {
          message: {
            id: 'visit',
            template: 'visit',
            send: { between: ['09:00', '17:00'], on: 'any-day' },
            expires: 'PT48H',
          },
        },
      ],
    },
  ],
  templates: { news: eventFields, brief: eventFields, visit: eventFields },
})
const { classes } = hospital.policies

export const peace: Chapter = {
  published: {
    ...hospital,
    policies: {
      ...hospital.policies,
      classes: {
        ...classes,
        service: { ...classes.service, quietHours: { from: '21:00', until: '08:00' } },
      },
    },
  },
  situations: [
    ['quiet hours begin before a message is claimed', quietBegins],
    ['the hours of a message end before it is claimed', hoursEnd],
  ],
  judge: (seen, ending) =>
    names.flatMap((name) =>
      seen
        .all(/^care\./)
        .filter(({ event }) => event.type === rules[name].touchpoint)
        .flatMap((about) => judgeMessage({ name, about }, seen, ending)),
    ),
}

const commit = { who: 'journey', what: 'commit' }

function profile(zone: Zone): Draft {
  const { type, data } = arrivalByEmail('p1')
  return { type, data: { ...data, timeZone: zone }, times: 1 }
}

function quietBegins(chance: Chance): Situation {
  return passes(chance, rules.news, { home: 665, away: 185 })
}

function hoursEnd(chance: Chance): Situation {
  return passes(chance, rules.visit, { home: 425, away: 10 })
}

/** Time goes on beyond the hours while it is with somebody; whoever gets it may be elsewhere by then. */
function passes(
  chance: Chance,
  { touchpoint }: Rule,
  beyond: { home: number; away: number },
): Situation {
  const zone = chance.pick<Zone>([null, null, japan], 'zone')
  const said: Draft = { type: touchpoint, data: {}, times: 1 }
  const moves = chance.is(0.4, 'moves') ? [profile(zone === null ? japan : null)] : []
  const minutes = zone === japan ? beyond.away : beyond.home
  const when = chance.pick(['claimed', 'claimed', 'planned', 'heard'] as const, 'when')
  const isAfterwards = chance.is(0.4, 'afterwards')
  return {
    drafts: [profile(zone), said, ...moves, ...(isAfterwards ? [said] : [])],
    steps: [minutes + chance.pick([0, 15, 120], 'more')],
    meetings: [
      ...whileTimePasses(when, touchpoint),
      {
        who: 'ehr about p1',
        what: 'thinks of p1-2',
        until: [{ who: 'calendar', what: 'minutes pass' }],
      },
    ],
    faults: chance.is(0.3, 'fault') ? [faultOf(chance)] : [],
    workers: { journey: 1, scheduler: 1, delivery: 1 + chance.whole(2, 'deliveries'), gateway: 1 },
    roughness: chance.pick([0, 0, 0.5], 'roughness'),
    manners: ['defer'],
    silent: true,
    leisure: 8,
  }
}

function faultOf(chance: Chance): Fault {
  const kind = chance.pick(['kill before', 'kill after', 'lose the answer'] as const, 'kind')
  const on = chance.pick(['commit', 'takes from'], 'on')
  return { slot: 'delivery-1', at: 1, on, kind }
}

function whileTimePasses(
  when: 'claimed' | 'planned' | 'heard',
  touchpoint: string,
): readonly Meeting[] {
  const isOver = { who: 'calendar', what: 'minutes pass' }
  const place = {
    claimed: { who: 'delivery', what: 'takes from' },
    planned: { who: 'scheduler', what: 'adds to' },
    heard: { who: 'journey', what: `${touchpoint} p1-1` },
  }[when]
  if (when === 'heard') return [{ ...isOver, until: [place, commit] }]
  return [
    { ...isOver, until: [{ ...place, isStanding: true }] },
    { ...place, until: [isOver] },
  ]
}

type Message = { readonly name: Name; readonly about: Heard }

function judgeMessage(message: Message, seen: Sight, ending: Ending): Violation[] {
  const { name, about } = message
  if (about.readAt === Infinity) return []
  const text = `${name} ${about.event.data.ref}`
  const calls = seen.calls.filter((call) => call.taken && call.text === text)
  const rows = ending.messages.filter(
    (row) => row.campaign === name && row.event === about.event.key,
  )
  const [row] = rows
  const found: Violation[] = []
  if (rows.length > 1) found.push({ kind: 'doubled', text: `${text}: planned twice` })
  if (calls.length > 1) found.push({ kind: 'doubled', text: `${text}: ${calls.length} times` })
  for (const call of calls) found.push(...judgeCall(message, call, seen))
  const isHere = row !== undefined && isRightEnd(message, row, calls, seen)
  if (!isHere) found.push({ kind: 'lost', text: `${text}: ${row?.state} (${row?.reason})` })
  return found
}

/** P3: never at an hour at which it may not go out, nor when it is over; P1: not later than it could have. */
function judgeCall({ name, about }: Message, call: Call, seen: Sight): Violation[] {
  const { allows, hoursWorth, class: ofClass } = rules[name]
  const at = new Date(call.claimedNow).toISOString()
  const zones = zonesAt(about, call, seen)
  const found: Violation[] = []
  if (!zones.some((zone) => allows(shownIn(zone, call.claimedNow))))
    found.push({ kind: 'sent at a quiet time', text: `${call.text}: claimed at ${at}` })
  const opens = firstAllowed(name, about.readNow, toldBefore(about, call.claimedAt, seen))
  const latest = Math.max(opens ?? Infinity, leapBefore(call.claimedNow, seen))
  const ends = (opens ?? about.readNow) + hoursWorth * hour
  if (call.claimedNow >= Math.max(call.expires, ends))
    found.push({ kind: 'sent late', text: `${call.text}: claimed at ${at}` })
  const goesOn = firstAllowed(name, latest, toldBefore(about, call.claimedAt, seen))
  if (goesOn !== null && call.claimedNow > goesOn + longestRetries && wasNeverDeferred(call, seen))
    found.push({ kind: 'held for nothing', text: `${call.text}: claimed at ${at}` })
  const people = new Set([identityOf(about.event)])
  for (const { stop } of stopsBefore(call, { people, class: ofClass }, seen))
    found.push({ kind: 'sent after a stop', text: `${call.text}: ${stop.event.id}` })
  return found
}

/** Where nobody turned it away it goes out when it may, but for what has to look again after a while. */
const longestRetries = quarter

function wasNeverDeferred({ text }: Call, seen: Sight): boolean {
  return seen.calls
    .filter((call) => call.text === text)
    .every(({ answer }) => answer === 'accepted')
}

/** It was handed over; or it is over, and there was no hour at which it could have been. */
function isRightEnd(
  { name, about }: Message,
  { state, reason }: EndedMessage,
  calls: readonly Call[],
  seen: Sight,
): boolean {
  if (['sent', 'delivered', 'held'].includes(state)) return calls.length > 0 || state === 'held'
  const given = seen.calls.filter(({ text }) => text === `${name} ${about.event.data.ref}`)
  if (given.some(({ answer }) => answer !== 'accepted')) return true
  if (state !== 'expired' || reason !== 'expired' || calls.length > 0) return false
  // It may have been decided when it was said, and read when that had been written down.
  const ends = about.saidNow + rules[name].hoursWorth * hour
  const from = Math.max(about.readNow, leapBefore(Infinity, seen))
  const could = firstAllowed(name, from, toldBefore(about, Infinity, seen))
  return could === null || could >= ends
}

/** The first moment from `ms` on at which it may go out, whichever of these clocks they have; null when there is none. */
function firstAllowed(name: Name, ms: number, zones: readonly Zone[]): number | null {
  for (let at = ms; at < ms + 48 * hour; at = Math.floor(at / quarter + 1) * quarter)
    if (zones.every((zone) => rules[name].allows(shownIn(zone, at)))) return at
  return null
}

function shownIn(zone: Zone, ms: number): number {
  return zone === japan ? ((ms + 9 * hour) % (24 * hour)) / hour : clockOf(ms) / hour
}

/** Which clocks they may have had when it was claimed: the last that were read, and what was told since. */
function zonesAt(about: Heard, { claimedAt, givenAt }: Call, seen: Sight): Zone[] {
  const profiles = profilesOf(about, seen).filter(({ saidAt }) => saidAt < givenAt)
  const read = profiles.findLastIndex(({ readAt }) => readAt < claimedAt)
  return profiles.slice(Math.max(0, read)).map(zoneOf)
}

/** Every clock that they have had by then: what is planned keeps its moment. */
function toldBefore(about: Heard, at: number, seen: Sight): Zone[] {
  return profilesOf(about, seen)
    .filter(({ saidAt }) => saidAt < at)
    .map(zoneOf)
}

function profilesOf({ event }: Heard, seen: Sight): Heard[] {
  return seen
    .all(/^person\.upserted/)
    .filter((profile) => identityOf(profile.event) === identityOf(event))
}

function zoneOf({ event }: Heard): Zone {
  return event.data.timeZone as Zone
}

/** When business time had last leapt, for whatever was at work then, by `ms`. */
function leapBefore(ms: number, { entries }: Sight): number {
  let [latest, slot] = [-Infinity, '']
  for (const entry of entries) {
    if (entry.kind === 'operation') slot = entry.slot
    const now = Date.parse(entry.now)
    if (entry.kind === 'business' && slot === 'calendar' && now <= ms) latest = now
  }
  return latest
}
