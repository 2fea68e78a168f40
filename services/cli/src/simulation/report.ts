import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { HeldOutReason } from '@wegwijs/campaign/reasons'
import { everyStep, partsOf } from '@wegwijs/campaign/steps/registry'
import type { Difference, Differences, OtherCause } from '@wegwijs/dry-run/difference'
import type { People } from '@wegwijs/dry-run/people'
import type { MovedRuns } from '@wegwijs/dry-run/publication'
import type { Sample } from '@wegwijs/dry-run/samples'
import type { SimulationTally } from '@wegwijs/dry-run/simulation'
import type { StepCount, StepDifference } from '@wegwijs/dry-run/step-counts'
import type { MessageCount, RunCount, SimulationSummary } from '@wegwijs/dry-run/summary'
import type { UnreadableRows } from '@wegwijs/store/stored-history'
import { rejectionReasons } from '@wegwijs/wire/rejection-reasons'
import { rejectionClasses } from '@wegwijs/wire/touchpoint-event'
import { assumptionLines, number, reachedLines, shareOf, timesOf } from '../outcome-report.ts'
import { table } from '../output.ts'
import { localTime, reasonText } from '../story.ts'
import type { Move } from './comparison.ts'

export type SimulationReport = {
  bundle: DefinitionBundle
  tally: SimulationTally
  /** From when on what was planned counts; null for all of it. */
  since: string | null
  /** What of the history could not be read. */
  unreadable: UnreadableRows
  summary: SimulationSummary
  samples: readonly Sample[]
}

/** What a simulation came to, for people: the whole, then campaign by campaign, then some texts. */
export function reportLines(report: SimulationReport, people: People): string[] {
  const { bundle, summary } = report
  const campaigns = bundle.campaigns.flatMap((campaign) => [
    '',
    ...campaignLines(campaign, summary),
  ])
  return [
    ...headLines(report),
    ...campaigns,
    ...(campaigns.some((line) => line.startsWith(againstAssumption)) ? ['', ...ofRates] : []),
    ...sampleLines(report, people),
  ]
}

/** What a rate of a simulation is worth: it must not be read as what the campaign would do. */
const ofRates = [
  'Of goals: the events of this history decide who reached one, and the shares of --outcomes what became of',
  'messages. Nobody in it has read anything, so a rate says how often it happens, and not what a campaign changes.',
  'Whoever entered near the end of the history had less time than the goal allows.',
]

function headLines({ bundle, tally, since, unreadable, summary }: SimulationReport): string[] {
  const { timeZone } = bundle.policies
  const { events, applied, duplicates, deadLetters, from, until } = tally
  const messages = sumOf(summary.messages)
  const handedOver = sumOf(summary.messages.filter(isHandedOver))
  return [
    'A simulation: nothing was sent, nothing was written.',
    '',
    `events       ${number(events)} of ${number(tally.people)} people: ${number(applied)} applied, ${number(duplicates)} seen before`,
    ...unusableLines(deadLetters),
    ...unreadableLines(unreadable),
    ...(from && until
      ? [
          `time         ${localTime(since ?? from, timeZone)} to ${localTime(until, timeZone)} (${timeZone})`,
        ]
      : []),
    ...(since === null
      ? []
      : [
          `counted      what was planned since ${localTime(since, timeZone)}, people as they are known now`,
        ]),
    `messages     ${number(messages)}: ${number(handedOver)} sent, ${number(messages - handedOver)} not`,
    ...busiestLines(summary),
  ]
}

/** Each class with its sentence and what to do: a simulation is often the first to meet a publisher's events. */
function unusableLines(deadLetters: SimulationTally['deadLetters']): string[] {
  const classes = rejectionClasses.filter((each) => (deadLetters[each] ?? 0) > 0)
  return classes.flatMap((each, index) => {
    const { text, whatToDo } = rejectionReasons[each]
    const count = number(deadLetters[each] ?? 0)
    return [
      `${(index === 0 ? 'not usable' : '').padEnd(12)} ${count}: ${text} (${each})`,
      `${' '.repeat(12)} what to do: ${whatToDo}`,
    ]
  })
}

/** What is stored in a form that cannot be read, by its place, and who is left out therefore. */
export function unreadableLines({ count, first, people }: UnreadableRows): string[] {
  if (count === 0) return []
  const more = count - first.length
  const who = people.size === 1 ? '1 person is' : `${number(people.size)} people are`
  return [
    `not readable ${number(count)} stored ${count === 1 ? 'row is' : 'rows are'} left out`,
    ...(people.size === 0 ? [] : [`${who} left out with all their events`]),
    ...first.map(({ column, id }) => `${column} of ${id}`),
    ...(more > 0 ? [`and ${number(more)} others`] : []),
    'what to do: use the Wegwijs that wrote them, or mend the rows',
  ].map((line, index) => (index === 0 ? line : `${' '.repeat(12)} ${line}`))
}

function busiestLines({ busiestDay }: SimulationSummary): string[] {
  if (busiestDay === null) return []
  const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'long', timeZone: 'UTC' })
  const name = weekday.format(Date.parse(busiestDay.day))
  return [`busiest day  ${name} ${busiestDay.day}: ${number(busiestDay.count)} messages`]
}

function campaignLines(
  { id, name, steps, goal }: CampaignFile,
  { messages, runs, steps: counted }: SimulationSummary,
): string[] {
  // In the order in which the file has them.
  const order = everyStep(steps).flatMap((step) => partsOf(step).message?.id ?? [])
  const own = messages
    .filter(({ campaign }) => campaign === id)
    .sort((a, b) => order.indexOf(a.step) - order.indexOf(b.step))
  const ownRuns = runs.filter(({ campaign }) => campaign === id)
  const entered = sumOf(ownRuns.filter(({ what }) => what === 'entered'))
  return [
    `${id}: ${name}`,
    entered === 0 ? '  nobody entered' : `  ${timesOf(entered)} entered`,
    ...runLines(ownRuns, 'held out', 'did not begin'),
    ...runLines(ownRuns, 'refused', 'did not enter'),
    ...runLines(
      ownRuns.filter(({ reason }) => reason !== 'completed'),
      'ended',
      'left before the end',
    ),
    ...(goal ? goalLines(goal, ownRuns) : []),
    ...(own.length > 0 ? messageTable(own).map((line) => `  ${line}`) : []),
    ...stepTable(counted.filter(({ campaign }) => campaign === id)).map((line) => `  ${line}`),
  ]
}

function runLines(runs: readonly RunCount[], what: RunCount['what'], words: string): string[] {
  return runs
    .filter((run) => run.what === what)
    .map(({ count, reason }) => `  ${number(count)} ${words}: ${reasonText(reason)} (${reason})`)
}

/** What it is for, of those who entered beside those who get nothing of it; and what its author expects. */
function goalLines(
  { assumption }: NonNullable<CampaignFile['goal']>,
  runs: readonly RunCount[],
): string[] {
  const count = (what: RunCount['what'], reason?: HeldOutReason) =>
    sumOf(runs.filter((run) => run.what === what && (reason ?? run.reason) === run.reason))
  const heldOut = (reason: HeldOutReason) => ({
    times: count('held out', reason),
    reached: count('reached held out', reason),
  })
  const reached = reachedLines(
    { times: count('entered'), reached: count('reached') },
    { ofCampaign: heldOut('held_out'), ofAll: heldOut('held_out_of_all') },
  )
  if (reached.length === 0) return []
  const rate = shareOf(count('reached'), count('entered'))
  return [...reached, ...assumptionLines(assumption), ...comparedLines(assumption, rate)]
}

const againstAssumption = '  here: '

/** Only a share can be held against a share, and only one of enough people. */
function comparedLines(
  assumption: NonNullable<CampaignFile['goal']>['assumption'],
  rate: string | null,
): string[] {
  if (!assumption || assumption.unit !== '%' || rate === null) return []
  const { from, to } = assumption
  const is = Number(rate)
  const where =
    is < Math.min(from, to) ? 'below both' : is > Math.max(from, to) ? 'above both' : 'between them'
  return [`${againstAssumption}${rate} % who entered reached the goal, ${where}`]
}

/** What steps came to that send nothing: tasks, events for others, fields. */
function stepTable(counts: readonly StepCount[]): string[] {
  if (counts.length === 0) return []
  return table(
    ['STEP', 'KIND', 'NAME', 'CAME TO', 'ALL'],
    counts.map(({ step, kind, name, cameTo, count }) => [step, kind, name, wordOf(cameTo), count]),
  )
}

/** Plain words stay; a reason code is told. */
function wordOf(cameTo: string): string {
  return /^(made|told|set|done: .*)$/.test(cameTo) ? cameTo : reasonText(cameTo)
}

/** Which tasks, events and fields there would be more or fewer of. */
export function stepDifferenceLines(steps: readonly StepDifference[]): string[] {
  if (steps.length === 0) return []
  return [
    '',
    'Tasks, events for others and fields that would be otherwise',
    ...table(
      ['CAMPAIGN', 'STEP', 'KIND', 'NAME', 'CAME TO', 'NOW', 'WOULD'],
      steps.map(({ campaign, step, kind, name, cameTo, now, would }) => [
        campaign,
        step,
        kind,
        name,
        wordOf(cameTo),
        now,
        would,
      ]),
    ).map((line) => `  ${line}`),
  ]
}

/** A row for each step, channel, outcome and reason; a column for each persona that occurs. */
function messageTable(counts: readonly MessageCount[]): string[] {
  const personas = [...new Set(counts.map(({ persona }) => persona ?? 'none'))].sort()
  const rows = Map.groupBy(counts, ({ step, channel, outcome, reason }) =>
    JSON.stringify([step, channel, outcome, reason]),
  )
  return table(
    ['STEP', 'CHANNEL', 'OUTCOME', 'WHY', 'ALL', ...personas],
    [...rows].map(([key, own]) => {
      const [step, channel, outcome, reason] = JSON.parse(key) as [string, string, string, string]
      const ofPersona = personas.map((persona) =>
        cell(sumOf(own.filter((each) => (each.persona ?? 'none') === persona)), persona),
      )
      return [step, channel, outcome, reasonText(reason), sumOf(own), ...ofPersona]
    }),
  )
}

/** Nobody is an empty cell; a table of noughts hides what is in it. */
function cell(count: number, heading: string): string {
  return (count === 0 ? '' : number(count)).padStart(heading.length)
}

function sampleLines({ bundle, samples }: SimulationReport, people: People): string[] {
  if (samples.length === 0) return []
  const { timeZone } = bundle.policies
  return [
    '',
    `${samples.length} of the messages, as they would be read`,
    ...samples.flatMap(({ person, campaign, step, at, rendered }) => [
      '',
      `${localTime(at, timeZone)}  ${campaign} ${step} to ${people.nameOf(person)} by ${rendered.content.kind} (${rendered.locale})`,
      ...textOf(rendered).map((line) => `  | ${line}`),
    ]),
  ]
}

const longestSample = 12

function textOf({ content }: Sample['rendered']): string[] {
  const lines =
    content.kind === 'email'
      ? [content.subject, '', ...content.text.trim().split('\n')]
      : content.kind === 'sms'
        ? content.text.split('\n')
        : [content.title, '', ...content.body.trim().split('\n')]
  if (lines.length <= longestSample) return lines
  return [...lines.slice(0, longestSample), `… ${lines.length - longestSample} more lines`]
}

function isHandedOver({ outcome }: MessageCount): boolean {
  return outcome === 'sent' || outcome === 'delivered' || outcome === 'bounced'
}

function sumOf(counts: readonly { count: number }[]): number {
  return counts.reduce((sum, { count }) => sum + count, 0)
}

/** Who goes over when it is published, to where, and what they get that they would not if they stayed. */
export function moveLines({ at, moved, ...differences }: Move, timeZone: string): string[] {
  return [
    '',
    `Published at the end of these events, ${localTime(at, timeZone)}`,
    ...moved.flatMap(movedLines),
    ...differenceLines(differences, 'everybody staying as they are', timeZone),
  ]
}

/** Of whom there is nobody, nothing is said. */
function movedLines({ campaign, from, to, steps, through, throughTo }: MovedRuns): string[] {
  const underWay = sumOf(steps)
  const planned = `${number(through)} through version ${from}, with messages planned${throughTo === undefined ? '' : throughTo === null ? ': taken out' : `: on at "${throughTo}"`}`
  if (underWay === 0) return through === 0 ? [] : [`  ${campaign}: ${planned}`]
  return [
    `  ${campaign}: ${number(underWay)} under way in version ${from} go over to version ${to}`,
    ...steps.map((each) =>
      each.to === null
        ? `    ${number(each.count)} at "${each.from}": taken out`
        : `    ${number(each.count)} at "${each.from}": on at "${each.to}"`,
    ),
    ...(through > 0 ? [`    and ${planned}`] : []),
  ]
}

/** Who would get more, less or other than now, and why, message by message. */
export function differenceLines(
  { same, differences }: Differences,
  against: string,
  timeZone: string,
): string[] {
  const countOf = (change: Difference['change']) =>
    number(differences.filter((each) => each.change === change).length)
  const steps = Map.groupBy(differences, ({ campaign, step }) => `${campaign} ${step}`)
  return [
    '',
    `Compared with ${against}: ${countOf('more')} messages more, ${countOf('less')} less, ${countOf('other')} otherwise, ${number(same)} the same`,
    ...[...steps].flatMap(([name, own]) => [
      '',
      name,
      ...groupsOf(own).map((group) => groupLine(group, timeZone)),
    ]),
  ]
}

type DifferenceGroup = { change: Difference['change']; what: string; of: Difference[] }

/** Differences of one kind together, the largest group first. */
function groupsOf(differences: readonly Difference[]): DifferenceGroup[] {
  const groups = Map.groupBy(differences, (each) => `${each.change} ${whatDiffers(each)}`)
  return [...groups.values()]
    .flatMap((of) => (of[0] ? [{ change: of[0].change, what: whatDiffers(of[0]), of }] : []))
    .sort(
      (a, b) => changes.indexOf(a.change) - changes.indexOf(b.change) || b.of.length - a.of.length,
    )
}

const changes: readonly Difference['change'][] = ['more', 'less', 'other']

const differenceTexts: Readonly<Record<string, string>> = {
  step_not_there: 'the campaign has no such message',
  campaign_not_live: 'there is no such campaign',
  other_channel: 'it goes over other channels alone',
  branch_taken: 'another way through its steps was taken',
}

const causeTexts: Readonly<Record<OtherCause, string>> = {
  other_event: 'another event began it',
  other_persona: 'the person has another persona',
  message_changed: 'the message says so',
  campaign_changed: 'its trigger or another step was changed',
}

function whatDiffers(difference: Difference): string {
  const { change, reason, now, would, because, isOtherText } = difference
  if (change === 'other') {
    const what =
      reason === 'other_channel'
        ? `by ${would?.channel} instead of ${now?.channel}`
        : reason === 'other_text'
          ? 'with another text'
          : 'at another moment'
    const also = isOtherText ? ' and with another text' : ''
    return `${what}${also}${because ? `, because ${causeTexts[because]}` : ''}`
  }
  const text = differenceTexts[reason] ?? reasonText(reason)
  return `${change === 'more' ? 'now' : 'then'} not, because ${text} (${reason})`
}

const mostNamed = 3

/** From when to when, for example; each once. */
function momentsOf(of: readonly Difference[], timeZone: string): string {
  const moments = of.flatMap(({ reason, now, would }) =>
    reason === 'other_moment' && now && would
      ? [`from ${localTime(now.plannedFor, timeZone)} to ${localTime(would.plannedFor, timeZone)}`]
      : [],
  )
  const some = [...new Set(moments)].slice(0, 2)
  return some.length === 0 ? '' : ` (${some.join('; ')})`
}

function groupLine({ change, what, of }: DifferenceGroup, timeZone: string): string {
  const people = [...new Set(of.map(({ person }) => person))]
  const others = people.length > mostNamed ? ` and ${number(people.length - mostNamed)} others` : ''
  const names = `${people.slice(0, mostNamed).join(', ')}${others}`
  return `  ${number(of.length)} ${change === 'other' ? 'otherwise' : change}, ${what}${momentsOf(of, timeZone)}: ${names}`
}
