import type { Chance } from '../chance.ts'
import { eventFields, hospitalWith } from '../clinic.ts'
import { arrivalByEmail, beginnings, type Draft } from '../drafts.ts'
import { dayOf, hourOn } from '../dutch-days.ts'
import { type Call, type Heard, identityOf, isAfter, type Sight } from '../sight.ts'
import { stopsBefore } from '../stops.ts'
import type { Situation } from '../story.ts'
import type { Violation } from '../violation.ts'
import type { Chapter } from './chapter.ts'

/** Whoever was asked is told at six in the evening of the day before the one that they expect, on their own clocks. */
const hour = 3_600_000
const dayMs = 24 * hour
/** What is heard of later than this begins nothing; on the day on which clocks change it is an hour less. */
const maxAgeMs = dayMs - hour
const japan = 'Asia/Tokyo'

export const waits: Chapter = {
  published: hospitalWith({
    campaigns: [
      {
        id: 'eve',
        entry: 'every-time',
        trigger: { touchpoint: 'care.survey.answered.v1' },
        steps: [
          { wait: { until: 'person.expectedOn', offset: '-P1D', at: '18:00', on: 'any-day' } },
          { message: { id: 'eve', template: 'eve', expires: 'P9D' } },
        ],
      },
    ],
    templates: { eve: eventFields },
    attributes: { expectedOn: { type: 'date', sensitivity: 'personal', required: false } },
  }),
  situations: [['people wait for a date of their own', waiting]],
  judge: (seen) =>
    seen
      .all(/^care\.survey/)
      .filter(({ readAt }) => readAt < Infinity)
      .flatMap((about) => judgeRun(about, seen)),
}

const survey: Draft = { type: 'care.survey.answered.v1', data: {}, times: 1 }
const ehr = 'ehr about p1'
const commit = { who: 'journey', what: 'commit' } as const

/** A profile that names these things, beside where somebody is written to. */
function profile(data: Draft['data']): Draft {
  const { type, data: reached } = arrivalByEmail('p1')
  return { type, data: { ...reached, ...data }, times: 1 }
}

function expecting(day: string | null): Draft['data'] {
  return day === null ? {} : { attributes: { expectedOn: day } }
}

const beforeIt = ['before', 'a day later'] as const

/** The date moves before it comes, on another day, as it comes, or when it has come. */
function waiting(chance: Chance): Situation {
  const begins = beginnings[chance.pick(['monday', 'spring', 'autumn'] as const, 'begins')]
  const beginsMs = Date.parse(begins)
  const expects = (nth: number) => {
    // Mostly earlier than it was: whoever waited on would be told too late.
    const days = nth === 0 ? [1, 3, 4, 6] : [0, 1, 2, 3, 5]
    return dayOf(beginsMs + chance.pick(days, 'days', nth) * dayMs)
  }
  const drafts = chance.is(0.2, 'one of two') ? oneOfTwo(chance, expects) : alone(chance, expects)
  const told = chance.pick([...beforeIt, ...beforeIt, 'as it comes', 'after'] as const, 'told')
  const kind = chance.pick(['kill before', 'kill after', 'lose the answer'] as const, 'kind')
  const leapMs =
    told === 'before' ? 0 : told === 'a day later' ? 23 * hour : firstMoment(drafts) - beginsMs
  return {
    begins,
    drafts,
    workers: { journey: 1 + chance.whole(2, 'journeys'), scheduler: 1, delivery: 1, gateway: 1 },
    faults: chance.is(0.3, 'fault')
      ? [{ slot: 'journey-1', at: 1, after: 'select business_now() as now', on: 'commit', kind }]
      : [],
    steps: leapMs > 0 ? [leapMs / 60_000] : [],
    meetings: [...meetingsOf(told, drafts), ...readBefore(drafts)],
    silent: true,
    leisure: 12,
  }
}

/** When the date comes that was told first; in the past when none was. */
function firstMoment(drafts: readonly Draft[]): number {
  const profiles = drafts.map(({ data }) => data as ProfileData)
  const first = profiles.find(({ attributes }) => attributes?.expectedOn)
  return comesAt(withProfile(nothing, first ?? {})) ?? -Infinity
}

function alone(chance: Chance, expects: (nth: number) => string): Draft[] {
  const news = Array.from({ length: 1 + chance.whole(2, 'news') }, (_, nth) =>
    chance.pick<Draft>(
      [
        profile(expecting(expects(nth + 1))),
        profile(expecting(expects(nth + 1))),
        profile(expecting(expects(nth + 1))),
        profile(expecting(expects(nth + 1))),
        profile({ ...expecting(expects(nth + 1)), timeZone: japan }),
        profile({ timeZone: japan }),
        profile({ timeZone: null }),
        profile({ attributes: { expectedOn: null } }),
        { type: 'person.deceased.v1', data: {}, times: 1 },
      ],
      'news',
      nth,
    ),
  )
  const day = chance.is(0.9, 'known') ? expects(0) : null
  const more = chance.is(0.3, 'far away') ? { timeZone: japan } : {}
  const again = chance.is(0.2, 'again') ? [survey] : []
  return [profile({ ...expecting(day), ...more }), survey, ...again, ...news]
}

/** The same person as the customer system knows them, with a date of their own, until both are one. */
function oneOfTwo(chance: Chance, expects: (nth: number) => string): Draft[] {
  const fromCrm = { publisher: 'crm', subject: 'c1' } as const
  const day = chance.is(0.6, 'known') ? expects(0) : null
  const away = chance.is(0.3, 'far away') ? { timeZone: japan } : {}
  return [
    profile(expecting(day)),
    { ...profile({ ...expecting(expects(1)), ...away }), ...fromCrm },
    { ...survey, ...fromCrm },
    survey,
    { type: 'person.merged.v1', data: { idSpace: 'crm', externalId: 'c1' }, times: 1 },
    ...(chance.is(0.4, 'news') ? [profile(expecting(expects(2)))] : []),
  ]
}

function meetingsOf(told: string, drafts: readonly Draft[]): NonNullable<Situation['meetings']> {
  const last = `p1-${drafts.length - 1}`
  const asked = drafts.findLastIndex(({ type }) => type === survey.type)
  const passes = { who: 'calendar', what: 'minutes pass' }
  const comes = { who: 'journey', what: 'select business_now() as now' }
  const entered = {
    ...passes,
    until: [{ who: 'journey', what: `${survey.type} p1-${asked}` }, commit],
  }
  switch (told) {
    case 'a day later':
      return [entered, { who: ehr, what: `thinks of ${last}`, until: [passes] }]
    case 'as it comes':
      return [
        entered,
        { who: ehr, what: `says ${last} `, until: [passes, { ...comes, isStanding: true }] },
        { ...comes, until: [passes, { who: ehr, what: `says ${last} ` }, commit] },
      ]
    case 'after':
      return [
        entered,
        {
          who: ehr,
          what: `thinks of ${last}`,
          until: [passes, { who: 'delivery', what: 'gives' }],
        },
      ]
    default:
      return []
  }
}

/** Both records are known, and wait, when they are said to be one. */
function readBefore(drafts: readonly Draft[]): NonNullable<Situation['meetings']> {
  const merged = drafts.findIndex(({ type }) => type.startsWith('person.merged'))
  if (merged < 0) return []
  const of = drafts.findIndex(({ type, publisher }) => type === survey.type && publisher === 'crm')
  const isRead = [{ who: 'journey', what: `${survey.type} p1-${of}` }, commit]
  return [{ who: ehr, what: `thinks of p1-${merged}`, until: isRead }]
}

/** What is known of somebody: the day that they expect, and their time zone where that was told. */
type Known = { readonly day: string | null; readonly zone: string | null }
/** What was told, and what is known from then on. */
type Telling = { readonly by: Heard; readonly known: Known }
/** The moment that holds from then on: one that has passed, and none, do not wait. */
type Held = { readonly by: Heard; readonly moment: number }

const nothing: Known = { day: null, zone: null }

/** P1, P2, P3: told once, when the date that held had come, and at once by then. */
function judgeRun(about: Heard, seen: Sight): Violation[] {
  const text = `eve ${about.event.data.ref}`
  const told = seen.calls.filter((call) => call.taken && call.text === text)
  const [call] = told
  if (!call) return isOwed(about, seen) ? [{ kind: 'lost', text: `${text}: nobody was told` }] : []
  if (told.length > 1) return [{ kind: 'doubled', text: `${text}: ${told.length} times` }]
  const people = seen.identitiesOf(about.event, call.claimedAt)
  return [
    ...stopsBefore(call, { people, class: 'care' }, seen).map(
      ({ stop: { event } }): Violation => ({
        kind: 'sent after a stop',
        text: `${text}: and ${event.type} ${event.id} held`,
      }),
    ),
    ...judgeMoment(about, call, seen),
  ]
}

/** Nothing is told of the dead; and what is heard of a day after it was said begins nothing. */
function isOwed({ event, saidNow, readNow }: Heard, seen: Sight): boolean {
  const people = seen.identitiesOf(event, Infinity)
  const dead = seen.all(/^person\.deceased/).filter((death) => people.has(identityOf(death.event)))
  return dead.length === 0 && readNow - saidNow < maxAgeMs
}

function judgeMoment(about: Heard, call: Call, seen: Sight): Violation[] {
  const held = heldOf(about, tellingsOf(about, seen))
  const at = new Date(call.claimedNow).toISOString()
  const found: Violation[] = []
  if (!held.some((_, nth) => mayHaveCome(held, nth, { about, call })))
    found.push({ kind: 'sent early', text: `${call.text}: at ${at}` })
  const last = held.at(-1)
  const latest = last && Math.max(last.moment, last.by.readNow, about.readNow)
  if (latest !== undefined && call.claimedNow > afterLeap(latest, seen))
    found.push({ kind: 'sent late', text: `${call.text}: at ${at}` })
  return found
}

/** True when that moment may have come while it held for somebody who waited. */
function mayHaveCome(
  held: readonly Held[],
  nth: number,
  { about, call }: { about: Heard; call: Call },
): boolean {
  const [own, next] = [held[nth], held[nth + 1]]
  if (!own || own.by.saidAt > call.claimedAt || (next && isAfter(about, next.by))) return false
  return own.moment <= Math.min(call.claimedNow, next?.by.readNow ?? Infinity)
}

/** Whoever lets business time leap gives nobody the time to do before it what is to be done by then. */
function afterLeap(ms: number, { entries }: Sight): number {
  let [latest, slot] = [ms, '']
  for (const entry of entries) {
    if (entry.kind === 'operation') slot = entry.slot
    if (entry.kind === 'business' && slot === 'calendar')
      latest = Math.max(latest, Date.parse(entry.now))
  }
  return latest
}

/** A date that is taken away while somebody waits leaves them the last one; before that there is none to wait for. */
function heldOf(about: Heard, tellings: readonly Telling[]): Held[] {
  const held: Held[] = []
  for (const { by, known } of tellings) {
    const kept = isAfter(by, about) ? held.at(-1)?.moment : undefined
    held.push({ by, moment: comesAt(known) ?? kept ?? -Infinity })
  }
  return held
}

function comesAt({ day, zone }: Known): number | undefined {
  if (day === null) return undefined
  const noon = Date.parse(`${day}T12:00:00.000Z`)
  return zone === japan ? noon - dayMs - 3 * hour : hourOn(noon, -1, 18)
}

/** In their order; from when two records are one, what the one that stays knows, else what the other did. */
function tellingsOf(about: Heard, seen: Sight): Telling[] {
  const [merge] = seen.all(/^person\.merged/)
  const of = (identity: string) =>
    seen.all(/^person\.upserted/).filter(({ event }) => identityOf(event) === identity)
  const own = of(identityOf(about.event))
  if (!merge) return toldBy(own, nothing)
  const stays = of(identityOf(merge.event))
  const isBefore = ({ saidAt }: Heard) => saidAt < merge.saidAt
  const [one, other] = [stays.filter(isBefore), of('crm/c1')].map(
    (profiles) => toldBy(profiles, nothing).at(-1)?.known ?? nothing,
  ) as [Known, Known]
  const known = { day: one.day ?? other.day, zone: one.zone ?? other.zone }
  return [
    ...toldBy(own.filter(isBefore), nothing),
    { by: merge, known },
    ...toldBy(
      stays.filter((profile) => !isBefore(profile)),
      known,
    ),
  ]
}

function toldBy(profiles: readonly Heard[], before: Known): Telling[] {
  let known = before
  return profiles.map((by) => {
    known = withProfile(known, by.event.data as ProfileData)
    return { by, known }
  })
}

type ProfileData = {
  readonly attributes?: { readonly expectedOn?: string | null }
  readonly timeZone?: string | null
}

/** Only what a profile names changes. */
function withProfile(
  { day, zone }: Known,
  { attributes: { expectedOn = day } = {}, timeZone = zone }: ProfileData,
): Known {
  return { day: expectedOn, zone: timeZone }
}
