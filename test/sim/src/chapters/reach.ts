import type { Chance } from '../chance.ts'
import { eventFields, hospitalWith } from '../clinic.ts'
import { arrivalByEmail, type Draft } from '../drafts.ts'
import { dayOf } from '../dutch-days.ts'
import type { Ending } from '../history.ts'
import type { Heard, Sight } from '../sight.ts'
import type { Fault, Situation } from '../story.ts'
import type { Violation } from '../violation.ts'
import type { Chapter } from './chapter.ts'

/** Whoever answers a survey is written to; no more than so many messages on one day, without a word. */
const most = 2

export const reach: Chapter = {
  published: hospitalWith({
    campaigns: [
      {
        id: 'bulletin',
        entry: 'every-time',
        trigger: { touchpoint: 'care.survey.answered.v1' },
        reach: { most, per: 'P1D' },
        steps: [{ message: { id: 'bulletin', template: 'bulletin', expires: 'P30D' } }],
      },
    ],
    templates: { bulletin: eventFields },
  }),
  situations: [
    ['a campaign reaches more people than was thought', tooMany],
    ['somebody lets a campaign go on', goesOn],
    ['two schedulers release at once', beside],
  ],
  judge: (seen, ending) => [...judgeDays(seen), ...judgeAll(seen, ending)],
}

const survey: Draft = { type: 'care.survey.answered.v1', data: {}, times: 1 }

function crowd(chance: Chance): Draft[] {
  const people = ['p1', 'p2', 'p3']
  const surveys = people.flatMap((subject) =>
    Array.from({ length: 1 + chance.whole(3, 'surveys', subject) }, () => ({ ...survey, subject })),
  )
  return [...people.map((subject) => ({ ...arrivalByEmail(subject), subject })), ...surveys]
}

/** Two schedulers count, and one of them is stopped when it has counted. */
function tooMany(chance: Chance): Situation {
  const on = chance.pick(['adds to', 'commit', 'insert into reach'], 'on')
  const fault: Fault = {
    slot: 'scheduler-1',
    at: 1 + chance.whole(20, 'at'),
    on,
    kind: chance.pick(['kill before', 'kill after', 'lose the answer'] as const, 'kind'),
  }
  return {
    drafts: crowd(chance),
    faults: chance.is(0.5, 'fault') ? [fault] : [],
    workers: { journey: 1, scheduler: 2, delivery: 1, gateway: 1 },
    silent: true,
    leisure: 12,
  }
}

/** One scheduler has released and not committed when there is more, which the other one releases. */
function beside(): Situation {
  const counts = { who: 'scheduler', what: 'with band as materialized' }
  const planned = { who: 'journey', what: 'insert into "intent"' }
  const commit = { who: 'journey', what: 'commit' }
  const [first, more] = [
    [planned, commit, counts],
    [planned, commit, planned, commit],
  ]
  return {
    drafts: [
      { ...arrivalByEmail('p1'), subject: 'p1' },
      { ...survey, subject: 'p1' },
      { ...arrivalByEmail('p2'), subject: 'p2' },
      ...Array.from({ length: 3 }, () => ({ ...survey, subject: 'p2' })),
    ],
    workers: { journey: 1, scheduler: 2, delivery: 1, gateway: 1 },
    meetings: [
      // The other person comes when what the first one is told has been planned, and counted.
      { who: 'ehr about p2', what: 'thinks of p1-3', until: first },
      {
        who: 'scheduler',
        what: 'commit',
        behind: counts.what,
        after: first,
        until: [...more, counts],
        afresh: true,
      },
      // Whoever counts next counts all that is told of the other one.
      { ...counts, after: first, until: more, afresh: true },
    ],
    silent: true,
    leisure: 12,
  }
}

/** Somebody says how many more may go, while there are some that wait or before. */
function goesOn(chance: Chance): Situation {
  const more = 1 + chance.whole(3, 'more')
  const allowed: Draft = {
    type: 'staff.reach.allowed',
    data: { campaign: 'bulletin', more },
    publisher: 'staff',
  }
  const counts = { who: 'scheduler', what: 'with band as materialized' }
  return {
    drafts: [...crowd(chance), allowed, ...(chance.is(0.3, 'again') ? [allowed] : [])],
    workers: { journey: 1, scheduler: 1 + chance.whole(2, 'schedulers'), delivery: 1, gateway: 1 },
    meetings: chance.is(0.7, 'held before')
      ? [{ who: 'staff', what: 'does', until: [counts, { who: 'scheduler', what: 'commit' }] }]
      : [],
    silent: true,
    leisure: 12,
  }
}

/** P5: on no day more than the band and whatever somebody allowed on that day; and not fewer for nothing. */
function judgeDays(seen: Sight): Violation[] {
  const found: Violation[] = []
  const sent = new Map(
    seen.calls.filter(({ taken }) => taken).map((call) => [call.text, dayOf(call.now)]),
  )
  const read = seen.all(/^care\.survey\.answered/).filter(({ readAt }) => readAt < Infinity)
  const days = new Set([...sent.values(), ...read.map(({ readNow }) => dayOf(readNow))])
  for (const day of days) {
    const own = [...sent.values()].filter((each) => each === day).length
    const room = most + allowedOn(day, seen)
    if (own > room)
      found.push({ kind: 'more than enough', text: `${day}: ${own} messages, ${room} may go` })
    const waiting = read.filter((survey) => waitsOver(day, survey, sent))
    if (waiting.length > 0 && own < room) {
      const text = `${day}: ${own} messages went, ${room} may go, and ${waiting.length} waited`
      found.push({ kind: 'held for nothing', text })
    }
  }
  return found
}

function allowedOn(day: string, seen: Sight): number {
  return seen
    .all(/^staff\.reach\.allowed/)
    .filter(({ keptAt, saidNow }) => keptAt < Infinity && dayOf(saidNow) === day)
    .reduce((sum, { event }) => sum + Number(event.data.more), 0)
}

/** It could have gone on that day, and went on a later one. */
function waitsOver(day: string, { event, readNow }: Heard, sent: ReadonlyMap<string, string>) {
  const went = sent.get(`bulletin ${event.data.ref}`)
  return dayOf(readNow) <= day && went !== undefined && went > day
}

/** P1, P2: everybody has it in the end, once. */
function judgeAll(seen: Sight, ending: Ending): Violation[] {
  return seen.all(/^care\.survey\.answered/).flatMap(({ event, readAt }): Violation[] => {
    if (readAt === Infinity) return []
    const text = `bulletin ${event.data.ref}`
    const times = seen.calls.filter((call) => call.taken && call.text === text).length
    const row = ending.messages.find((each) => each.event === event.key)
    if (times > 1) return [{ kind: 'doubled', text: `${text}: taken ${times} times` }]
    if (times === 1 && row?.state === 'sent') return []
    return [{ kind: 'lost', text: `${text}: ${row?.state} (${row?.reason}), taken ${times} times` }]
  })
}
