import type { Chance } from '../chance.ts'
import { eventFields, hospitalWith } from '../clinic.ts'
import { arrival, type Draft } from '../drafts.ts'
import type { Call, Heard, Sight } from '../sight.ts'
import type { Situation } from '../story.ts'
import type { Violation } from '../violation.ts'
import type { Chapter } from './chapter.ts'

const waitsMs = 3_600_000

/** A message by e-mail, and one by SMS in its place when nobody says within an hour that it arrived. */
export const standIns: Chapter = {
  published: hospitalWith({
    campaigns: [
      {
        id: 'urgent',
        entry: 'every-time',
        trigger: { touchpoint: 'care.survey.answered.v1' },
        steps: [
          { message: { id: 'first', template: 'first', channels: ['email'] } },
          {
            waitFor: {
              message: 'first',
              status: ['delivered'],
              within: 'PT1H',
              otherwise: [{ message: { id: 'second', template: 'second', channels: ['sms'] } }],
            },
          },
        ],
      },
    ],
    templates: { first: eventFields, second: eventFields },
  }),
  situations: [['one message comes in the place of another', comes]],
  judge: (seen) =>
    seen
      .all(/^care\.survey/)
      .filter(({ readAt }) => readAt < Infinity)
      .flatMap((about) => judgeInPlace(about, seen, { firsts: ['first'], second: 'second' })),
}

/** By what their texts begin: what is waited for, over one channel or over all, and what comes in its place. */
type InPlace = {
  readonly firsts: readonly string[]
  readonly second: string
  /** What turns out late to have gone out gets the hour of the second, which comes when that is over, too. */
  readonly getsTheHour?: boolean
}

const survey: Draft = { type: 'care.survey.answered.v1', data: {}, times: 1 }

/** The hour is over before, while or after the first one is handed over; `told` is what the worker is about to hear. */
export function comes(chance: Chance, told = 'is told'): Situation {
  const isTold = { who: 'delivery', what: told }
  const passes = { who: 'calendar', what: 'minutes pass' }
  const when = chance.pick(
    ['meanwhile', 'meanwhile', 'before it is claimed', 'later'] as const,
    'when',
  )
  const claims = { who: 'delivery', what: 'with named as' }
  const place = when === 'meanwhile' ? isTold : claims
  return {
    drafts: [arrival('p1', 0), survey, ...(chance.is(0.3, 'more') ? [survey] : [])],
    workers: { journey: 1, scheduler: 1, delivery: 1 + chance.whole(2, 'deliveries'), gateway: 1 },
    roughness: chance.pick([0, 0.5, 0.8], 'roughness'),
    manners: ['defer', 'defer', 'cut before', 'cut after', 'refuse', 'take and hang'],
    steps: when === 'later' ? [] : [61],
    meetings:
      when === 'later'
        ? []
        : [
            { ...passes, until: [{ ...place, isStanding: true }] },
            {
              ...place,
              until: [
                passes,
                { who: 'journey', what: 'select business_now() as now' },
                { who: 'journey', what: 'commit' },
              ],
            },
          ],
    leisure: 4,
    silent: chance.is(0.3, 'silent'),
  }
}

/** P2: never the second beside one that arrived or may have; and never the first behind the second. */
export function judgeInPlace(about: Heard, seen: Sight, names: InPlace): Violation[] {
  const parts = names.firsts.map((name) => partOf(name, about, seen))
  const seconds = partOf(names.second, about, seen)
  const second = seconds.calls.find(({ taken }) => taken)
  const firsts = parts.flatMap(({ calls }) => calls)
  const found: Violation[] = []
  const say = (kind: Violation['kind'], how: string) =>
    found.push({ kind, text: `${about.event.data.ref}: ${how}` })
  for (const { calls } of [...parts, seconds])
    if (calls.filter(({ taken }) => taken).length > 1)
      say('doubled', `${calls[0]?.text} came twice`)
  if (second) {
    const isBehind = (call: Call) => call.claimedAt > second.givenAt
    // What bounced did not arrive after all: then the other one may go.
    const standing = parts.filter((part) => !isBounced(part))
    const calls = standing.flatMap((part) => part.calls).filter((call) => !isBehind(call))
    if (!isBounced(seconds) && firsts.some((call) => call.taken && isBehind(call)))
      say('doubled', 'the first one went behind the one that came in its place')
    const isInItsHour = ({ answeredNow }: Call) => second.claimedNow < answeredNow + waitsMs
    if (isOpen(calls, second)) say('doubled', 'the second one went while nobody knew of the first')
    if (wentLate(about.readNow, names.getsTheHour ? calls.filter(isInItsHour) : calls))
      say('doubled', 'the first one had gone out after all')
    const arrivals = standing.flatMap(({ reports }) =>
      reports.filter(says(/^message\.(delivered|opened)/)),
    )
    if (arrivals.some(({ readAt }) => readAt < second.claimedAt))
      say('doubled', 'the second one went though the first had arrived')
  } else if (isOwed(about, { firsts, seconds: seconds.calls }, seen))
    say('lost', 'neither of both arrived')
  return found
}

/** What was given and reported of a message, over the channel whose texts begin so. */
function partOf(name: string, { event }: Heard, seen: Sight): { calls: Call[]; reports: Heard[] } {
  const text = `${name} ${event.data.ref}`
  return {
    calls: seen.calls.filter((call) => call.text === text),
    reports: seen.all(/^message\./).filter((report) => report.event.data.text === text),
  }
}

function isBounced({ reports }: { reports: readonly Heard[] }): boolean {
  return reports.some(says(/^message\.bounced/))
}

function says(type: RegExp): (report: Heard) => boolean {
  return ({ event }) => type.test(event.type)
}

/** Of one of them nobody knew when the second was claimed, or a worker had it. */
function isOpen(firsts: readonly Call[], second: Call): boolean {
  return firsts.some(
    (call) =>
      call.givenAt < second.claimedAt && (call.answer === null || call.answer === 'unknown'),
  )
}

/** A worker had it when the hour was over, and it went out: it stands for both. */
function wentLate(heardNow: number, firsts: readonly Call[]): boolean {
  return firsts.some(
    ({ taken, answer, answeredNow }) =>
      taken && answer === 'accepted' && answeredNow > heardNow + waitsMs,
  )
}

/** A worker may have had it when the hour was over: it had not written down that it went out. */
function mayHaveGoneLate(saidNow: number, firsts: readonly Call[]): boolean {
  return firsts.some(({ taken, claim }) => taken && claim.settledNow >= saidNow + waitsMs)
}

/** Neither came, though every answer was definite and nobody said anything of either. */
function isOwed(
  about: Heard,
  { firsts, seconds }: { firsts: readonly Call[]; seconds: readonly Call[] },
  seen: Sight,
): boolean {
  const { event } = about
  const isSaid = seen
    .all(/^message\./)
    .some(({ event: report }) => report.subject === event.subject)
  const isDefinite =
    firsts.every(({ answer }) => answer !== null && answer !== 'unknown') &&
    seconds.every(({ answer }) => answer === 'deferred')
  return !isSaid && isDefinite && !mayHaveGoneLate(about.saidNow, firsts)
}
