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
type InPlace = { readonly firsts: readonly string[]; readonly second: string }

const survey: Draft = { type: 'care.survey.answered.v1', data: {}, times: 1 }

/** The hour is over before, while or after the first one is handed over. */
export function comes(chance: Chance): Situation {
  const isTold = { who: 'delivery', what: 'is told' }
  const passes = { who: 'calendar', what: 'minutes pass' }
  const when = chance.pick(
    ['meanwhile', 'meanwhile', 'before it is claimed', 'later'] as const,
    'when',
  )
  const claims = { who: 'delivery', what: 'with look as' }
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
  const { ref } = about.event.data
  const of = (id: string) => seen.calls.filter((call) => call.text === `${id} ${ref}`)
  const [parts, seconds] = [names.firsts.map(of), of(names.second)]
  const firsts = parts.flat()
  const isBounced = reportsOf(about, /^message\.bounced/, seen, names).length > 0
  const second = seconds.find(({ taken }) => taken)
  const found: Violation[] = []
  const say = (kind: Violation['kind'], how: string) => found.push({ kind, text: `${ref}: ${how}` })
  for (const calls of [...parts, seconds])
    if (calls.filter(({ taken }) => taken).length > 1)
      say('doubled', `${calls[0]?.text} came twice`)
  if (second) {
    const behind = firsts.find((call) => call.taken && call.claimedAt > second.givenAt)
    if (behind) say('doubled', 'the first one went behind the one that came in its place')
    // Then it did not arrive after all.
    if (isOpen(firsts, second) && !isBounced)
      say('doubled', 'the second one went while nobody knew of the first')
    if (
      // What went out late has the time that was the next one's.
      wentLate(
        about.readNow,
        firsts.filter(({ answeredNow }) => second.claimedNow < answeredNow + waitsMs),
      ) &&
      !isBounced
    )
      say('doubled', 'the first one had gone out after all')
    const arrivals = reportsOf(about, /^message\.(delivered|opened)/, seen, names)
    if (!isBounced && arrivals.some(({ readAt }) => readAt < second.claimedAt))
      say('doubled', 'the second one went though the first had arrived')
  } else if (isOwed(about, { firsts, seconds }, seen)) say('lost', 'neither of both arrived')
  return found
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

function reportsOf({ event }: Heard, type: RegExp, seen: Sight, { firsts }: InPlace): Heard[] {
  const texts = firsts.map((first) => `${first} ${event.data.ref}`)
  return seen.all(type).filter(({ event: { data } }) => texts.includes(String(data.text)))
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
  return !isSaid && isDefinite && !wentLate(about.saidNow, firsts)
}
