import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { GoalCount, HeldOut, Outcome } from '@wegwijs/store/outcomes'

type Assumption = NonNullable<CampaignFile['goal']>['assumption']

/** What came of a version of a campaign, in the words in which a simulation tells what would. */
export function outcomeLines({
  campaign,
  name,
  version,
  isLive,
  unread,
  goal,
  entered,
  heldOut,
  splits,
}: Outcome): string[] {
  const state = isLive ? 'live' : 'not live any more'
  return [
    `${campaign}: ${name} (version ${version}, ${state})`,
    entered.times === 0 ? '  nobody entered' : `  ${timesOf(entered.times)} entered`,
    ...groupsOf(heldOut)
      .filter(([, { times }]) => times > 0)
      .map(([words, { times }]) => `  ${number(times)} did not begin: ${words}`),
    ...(unread === null ? [] : [`  not all of it can be read: ${unread}`]),
    ...(goal === null
      ? [unread === null ? '  it does not say what it is for: no goal' : '  no goal can be read']
      : [...reachedLines(entered, heldOut), ...openLines(goal.within, entered, heldOut)]),
    ...splits.flatMap(({ split, arms }) => [
      `  of the split ${split}`,
      ...arms.map((each) => `    ${each.arm}: ${armText(each, goal !== null)}`),
    ]),
    ...assumptionLines(goal?.assumption),
  ]
}

/** Those who entered beside those who get nothing of it. */
export function reachedLines(
  entered: Reached,
  heldOut: Readonly<Record<keyof HeldOut, Reached>>,
): string[] {
  const groups = groupsOf(heldOut).filter(([, { times }]) => times > 0)
  if (entered.times === 0 && groups.length === 0) return []
  const ways = [
    `${share(entered.reached, entered.times)} who entered`,
    ...groups.map(([words, { reached, times }]) => `${share(reached, times)} ${words}`),
  ]
  return [`  reached the goal: ${ways.join(', ')}`]
}

type Reached = Pick<GoalCount, 'times' | 'reached'>

/** Those who get nothing, with what they are called. */
function groupsOf<Count>({
  ofCampaign,
  ofAll,
}: Readonly<Record<keyof HeldOut, Count>>): [string, Count][] {
  return [
    ['held out', ofCampaign],
    ['held out of all campaigns', ofAll],
  ]
}

/** What the author of a campaign expects of it. */
export function assumptionLines(assumption: Assumption): string[] {
  if (!assumption) return []
  const { what, from, to, unit } = assumption
  return [`  assumed: ${what} from ${from} to ${to} ${unit}`]
}

/** Whoever came in yesterday has not failed to reach what may take a month. */
function openLines(within: string, entered: GoalCount, heldOut: HeldOut): string[] {
  const ways = [
    ...(entered.open > 0 ? [`${number(entered.open)} who entered`] : []),
    ...groupsOf(heldOut)
      .filter(([, { open }]) => open > 0)
      .map(([words, { open }]) => `${number(open)} ${words}`),
  ]
  return ways.length === 0 ? [] : [`  may still reach it (${within}): ${ways.join(', ')}`]
}

function armText({ times, reached, open }: GoalCount, hasGoal: boolean): string {
  if (!hasGoal) return timesOf(times)
  const still = open === 0 ? '' : `, ${number(open)} may still`
  return `${share(reached, times)} reached the goal${still}`
}

/** Of fewer, one person more or less is several percent, and two groups differ by chance alone. */
const fewestForPercent = 30

/** `12 of 30 (40.0 %)`, or `1 of 3` where a percentage would tell more than is known. */
function share(part: number, whole: number): string {
  const percent = shareOf(part, whole)
  return `${number(part)} of ${number(whole)}${percent === null ? '' : ` (${percent} %)`}`
}

/** In percent, as it is told; null where it would tell more than is known. */
export function shareOf(part: number, whole: number): string | null {
  return whole < fewestForPercent ? null : ((100 * part) / whole).toFixed(1)
}

/** `1 time`, or `12,345 times`. */
export function timesOf(count: number): string {
  return `${number(count)} ${count === 1 ? 'time' : 'times'}`
}

/** 12,345: as the British write it. */
export function number(count: number): string {
  return count.toLocaleString('en-GB')
}
