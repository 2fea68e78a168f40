import type { Chance } from '../chance.ts'
import { appointmentFields, hospitalWith } from '../clinic.ts'
import { arrivalByEmail, beginnings, type Draft } from '../drafts.ts'
import { hourOn } from '../dutch-days.ts'
import type { Heard, Sight } from '../sight.ts'
import type { Situation } from '../story.ts'
import type { Violation } from '../violation.ts'
import type { Chapter } from './chapter.ts'

/** At six in the evening of the day before an appointment, whenever that comes to be. */
const dayMs = 24 * 3_600_000
const comesAt = (startsAt: number) => hourOn(startsAt, -1, 18)
/** A moment that has passed by no more than this still counts. */
const maxAgeMs = dayMs
const entity = 'appointment/a1'

export const dates: Chapter = {
  published: hospitalWith({
    campaigns: [
      {
        id: 'eve',
        journey: 'operation',
        entry: 'once-per-entity',
        trigger: {
          date: {
            entity: 'appointment',
            field: 'startsAt',
            before: 'P1D',
            at: '18:00',
            on: 'any-day',
          },
        },
        steps: [{ message: { id: 'eve', template: 'eve', until: 'entity.startsAt' } }],
      },
    ],
    templates: { eve: appointmentFields },
  }),
  situations: [
    ['a date comes, and has moved', moves],
    ['a date is taken away as it comes', taken],
  ],
  judge: (seen) => judgeDates(seen),
}

function version(nth: number, startsAt: number | null): Draft {
  const type = startsAt === null ? 'cancelled' : nth === 1 ? 'booked' : 'moved'
  return {
    type: `care.appointment.${type}.v1`,
    entity,
    version: nth,
    data: startsAt === null ? {} : { startsAt: new Date(startsAt).toISOString() },
    times: 1,
  }
}

/** How many hours ahead an appointment may be. */
const later = [5, 20, 26, 30, 49, 74]

/** Forward and back, over the night in which clocks change, before and when the evening has come. */
function moves(chance: Chance): Situation {
  const begins = beginnings[chance.pick(['monday', 'spring', 'autumn'] as const, 'begins')]
  const isTold = chance.is(0.6, 'told before')
  // Whoever books for the same day is told at once, and it moves after that; else the evening is to come first.
  const first = isTold ? [5, 5, 5, 20, 30] : later
  const startsAt = (nth: number) => {
    const hours = chance.pick(nth === 1 ? first : later, 'hours', nth)
    return Date.parse(begins) + hours * 3_600_000
  }
  const count = 2 + chance.whole(2, 'versions')
  const versions = Array.from({ length: count }, (_, index) =>
    version(index + 1, startsAt(index + 1)),
  )
  return {
    begins,
    drafts: [arrivalByEmail('p1'), ...versions],
    meetings: isTold
      ? [
          {
            who: 'ehr about p1',
            what: 'thinks of p1-2',
            until: [{ who: 'delivery', what: 'gives' }],
          },
        ]
      : [],
    partitionsApart: chance.is(0.2, 'partitions apart'),
    workers: { journey: 1 + chance.whole(2, 'journeys'), scheduler: 1, delivery: 1, gateway: 1 },
    silent: true,
    leisure: 12,
  }
}

/** The change is read while who it was for is entering, or when their message is claimed. */
function taken(chance: Chance): Situation {
  const begins = Date.parse(beginnings.monday)
  const change = chance.pick([null, begins + 80 * 3_600_000], 'change')
  const place = chance.pick(
    [
      { who: 'journey', what: 'select business_now() as now' },
      { who: 'delivery', what: 'select intent_id from intent where intent_id' },
    ],
    'place',
  )
  const kind = chance.pick(['kill before', 'kill after', 'lose the answer'] as const, 'kind')
  return {
    drafts: [arrivalByEmail('p1'), version(1, begins + 30 * 3_600_000), version(2, change)],
    meetings: [
      { who: 'ehr about p1', what: 'says p1-2', until: [{ ...place, isStanding: true }] },
      {
        ...place,
        until: [
          { who: 'ehr about p1', what: 'says p1-2' },
          { who: 'journey', what: 'commit' },
        ],
      },
    ],
    workers: { journey: 2, scheduler: 1, delivery: 1, gateway: 1 },
    faults: chance.is(0.4, 'fault')
      ? [{ slot: 'journey-1', at: 1, after: 'select business_now() as now', on: 'commit', kind }]
      : [],
    silent: true,
    leisure: 12,
  }
}

/** P1, P2, P3: of the version that holds, in its time, once; of no other when that was known. */
function judgeDates(seen: Sight): Violation[] {
  const versions = seen
    .all(/^care\.appointment/)
    .filter(({ readAt }) => readAt < Infinity)
    .toSorted((a, b) => (a.event.version ?? 0) - (b.event.version ?? 0))
  const found = versions.flatMap((about) => judgeVersion(about, versions, seen))
  const newest = versions.at(-1)
  if (newest && isLate(newest, seen))
    found.push({ kind: 'sent late', text: `${textOf(newest)}: its evening had come before` })
  if (newest && isOwed(newest, versions, seen) && tellings(newest, seen).length === 0)
    found.push({ kind: 'lost', text: `${textOf(newest)}: nobody was told` })
  return found
}

function textOf({ event: { data } }: Heard): string {
  return `eve ${data.ref} ${data.startsAt}`
}

function startOf({ event: { data } }: Heard): number {
  return Date.parse(String(data.startsAt))
}

function tellings(about: Heard, seen: Sight) {
  return seen.calls.filter((call) => call.taken && call.text === textOf(about))
}

/** Nothing holds it up: of an evening that lies ahead it is told when that comes. */
function isLate(newest: Heard, seen: Sight): boolean {
  if (Number.isNaN(startOf(newest))) return false
  const comes = comesAt(startOf(newest))
  return (
    comes > newest.readNow && tellings(newest, seen).some(({ claimedNow }) => claimedNow > comes)
  )
}

function judgeVersion(about: Heard, versions: readonly Heard[], seen: Sight): Violation[] {
  const told = tellings(about, seen)
  const found: Violation[] = []
  const text = textOf(about)
  if (told.length > 1) found.push({ kind: 'doubled', text: `${text}: ${told.length} times` })
  const newer = versions.slice(versions.indexOf(about) + 1)
  for (const { now, claimedAt, claimedNow } of told) {
    const at = new Date(now).toISOString()
    if (now < comesAt(startOf(about))) found.push({ kind: 'sent early', text: `${text}: at ${at}` })
    if (claimedNow >= startOf(about)) found.push({ kind: 'sent late', text: `${text}: at ${at}` })
    const known = newer.find(({ readAt }) => readAt < claimedAt)
    if (known)
      found.push({
        kind: 'sent for an old appointment',
        text: `${text}: claimed at ${claimedAt}, version ${known.event.version} was read at ${known.readAt}`,
      })
  }
  return found
}

/** Whether somebody must be told of the newest version: of one that had come before it was heard of, once is enough. */
function isOwed(newest: Heard, versions: readonly Heard[], seen: Sight): boolean {
  const [starts, heardOf] = [startOf(newest), newest.readNow]
  if (Number.isNaN(starts) || starts <= heardOf) return false
  const comes = comesAt(starts)
  if (comes > heardOf) return true
  const isFresh = heardOf - comes < maxAgeMs
  return isFresh && versions.every((each) => each === newest || tellings(each, seen).length === 0)
}
