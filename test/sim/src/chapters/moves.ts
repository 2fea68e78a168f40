import type { Chance } from '../chance.ts'
import { eventFields, hospitalWith } from '../clinic.ts'
import { arrivalByEmail, type Draft } from '../drafts.ts'
import type { Heard, Sight } from '../sight.ts'
import type { Situation } from '../story.ts'
import type { Violation } from '../violation.ts'
import type { Chapter } from './chapter.ts'

/**
 * A course of two messages, nine and thirty-three hours after a discharge; each is planned three hours
 * before. A later version tells other words, and at the end another thing; it takes people along, or not.
 */
const hour = 3_600_000
const planned = { first: 6 * hour, last: 30 * hour }
const due = { first: 9 * hour, last: 33 * hour }
const words = {
  old: { first: 'one-old', last: 'two-old' },
  new: { first: 'one-new', last: 'three' },
} as const
type Part = 'first' | 'last'

const says = (id: string, template: string) => ({
  message: { id, template, send: { for: 'PT3H', on: 'any-day' as const } },
})

function course(
  steps: readonly ReturnType<typeof says>[],
  more: { move?: { from: number; steps: Record<string, string>; withdraw: string[] } } = {},
) {
  const waits = [
    { wait: { id: 'begin', for: 'PT6H', on: 'any-day' as const } },
    { wait: { id: 'rest', for: 'PT24H', on: 'any-day' as const } },
  ]
  return hospitalWith({
    campaigns: [
      {
        id: 'course',
        entry: 'every-time',
        steps: steps.flatMap((step, index) => [...waits.slice(index, index + 1), step]),
        ...more,
      },
    ],
    templates: Object.fromEntries(
      [...Object.values(words.old), ...Object.values(words.new)].map((id) => [id, eventFields]),
    ),
  })
}

const next = [says('one', words.new.first), says('three', words.new.last)]

export const moves: Chapter = {
  published: course([says('one', words.old.first), says('two', words.old.last)]),
  later: {
    moves: course(next, { move: { from: 1, steps: {}, withdraw: [] } }),
    stays: course(next),
  },
  situations: [['people are moved to a new version', moved]],
  judge: (seen) =>
    seen
      .all(/^care\.discharge/)
      .filter(({ readAt }) => readAt < Infinity)
      .flatMap((about) => [...judgePart('first', about, seen), ...judgePart('last', about, seen)]),
}

const discharge: Draft = { type: 'care.discharge.completed.v1', data: {}, times: 1 }

const commit = { who: 'journey', what: 'commit' } as const

/** Some have come to their first message when it is published, some have not, and some come later. */
function moved(chance: Chance): Situation {
  const people = ['p1', 'p2', 'p3']
  const published: Draft = {
    type: 'staff.version.applied',
    data: { version: chance.is(0.75, 'moves') ? 'moves' : 'stays' },
    publisher: 'staff',
  }
  const entered = [{ who: 'journey', what: `${discharge.type} p1-3` }, commit]
  const told = [{ who: 'journey', what: 'insert into "intent"' }, commit]
  const moments = ['at once', 'while it waits', 'planned', 'planned', 'told', 'told'] as const
  const moment = chance.pick(moments, 'moment')
  const steps = { 'at once': [], 'while it waits': [300], planned: [360], told: [360, 180] }[moment]
  const until = {
    'at once': [],
    'while it waits': [{ who: 'calendar', what: '300 minutes pass' }],
    planned: [{ who: 'calendar', what: '360 minutes pass' }, ...told],
    told: [{ who: 'delivery', what: 'gives email one' }],
  }[moment]
  const kind = chance.pick(['kill before', 'kill after', 'lose the answer'] as const, 'kind')
  return {
    drafts: [
      ...people.map((subject) => ({ ...arrivalByEmail(subject), subject })),
      ...people.map((subject) => ({ ...discharge, subject })),
      published,
    ],
    workers: { journey: 1 + chance.whole(2, 'journeys'), scheduler: 1, delivery: 1, gateway: 1 },
    faults: chance.is(0.5, 'fault')
      ? [{ slot: 'journey-1', at: 1, after: 'select rollout_id', on: 'commit', kind }]
      : [],
    steps,
    meetings: [
      { who: 'staff', what: 'does', until },
      { who: 'calendar', what: `${steps[0]} minutes pass`, until: entered },
      { who: 'calendar', what: '180 minutes pass', until: told, afresh: true },
      // One of them comes when it is being published.
      { who: 'ehr about p3', what: 'thinks of p1-5', until: [{ who: 'staff', what: 'does' }] },
    ],
    silent: true,
    leisure: 12,
  }
}

/** P2, P5: each part once, of the version that holds for this run; at the moment at which it always was. */
function judgePart(part: Part, about: Heard, seen: Sight): Violation[] {
  const { ref } = about.event.data
  const taken = seen.calls.filter(
    (call) =>
      call.taken && [words.old, words.new].some((each) => call.text === `${each[part]} ${ref}`),
  )
  const text = `${part} of ${ref}`
  const [call] = taken
  if (!call) return [{ kind: 'lost', text: `${text}: nobody was told` }]
  if (taken.length > 1) {
    const texts = taken.map((each) => each.text).join(', ')
    return [{ kind: 'doubled', text: `${text}: ${texts}` }]
  }
  const version = call.text.startsWith(words.new[part]) ? 'new' : 'old'
  const found: Violation[] = []
  if (!versionsOf(part, about, seen).includes(version))
    found.push({ kind: 'wrong version', text: `${text}: told was the ${version} one` })
  if (call.now < about.saidNow + due[part])
    found.push({ kind: 'sent early', text: `${text}: at ${new Date(call.now).toISOString()}` })
  if (call.now > about.readNow + due[part])
    found.push({ kind: 'sent late', text: `${text}: at ${new Date(call.now).toISOString()}` })
  return found
}

/** Of which version it may be: it is that of the moment at which it was planned, when people move. */
function versionsOf(part: Part, about: Heard, seen: Sight): ('old' | 'new')[] {
  const [published] = seen.all(/^staff\.version/)
  if (!published || (about.readAt < published.saidAt && published.event.data.version === 'stays'))
    return ['old']
  if (published.keptAt === Infinity) return ['old', 'new']
  if (about.saidAt > published.keptAt) return ['new']
  if (published.event.data.version === 'stays') return ['old', 'new']
  // What is planned in the same instant may be planned by either.
  return published.saidNow < about.saidNow + planned[part] ? ['new'] : ['old', 'new']
}
