import type { Fates } from './fates.ts'
import { type MessageLine, sortLines } from './lines.ts'
import type { People } from './people.ts'

/** What one simulation came to, as far as another one is compared with it. */
export type Compared = { lines: readonly MessageLine[]; people: People; fates: Fates }

/**
 * A message that a person would get and does not get now (`more`), gets now and would not (`less`), or
 * would get over another channel or for another moment (`other`).
 */
export type Difference = {
  change: 'more' | 'less' | 'other'
  person: string
  campaign: string
  /** Id of the message step. */
  step: string
  /** For `more` why they do not get it now, for `less` why they would not, for `other` what is other. */
  reason: string
  now: MessageLine | null
  would: MessageLine | null
}

export type Differences = { same: number; differences: Difference[] }

/**
 * Compares what two definitions send of the same events. Of one person and step what is the same on both
 * sides is set apart, and the others are compared in their order; what was handed over counts, also when it bounced: that is the same provider either way.
 */
export function compare(now: Compared, draft: Compared): Differences {
  const [sent, wouldSend] = [bySlot(now.lines), bySlot(draft.lines)]
  const differences: Difference[] = []
  let same = 0
  for (const slot of new Set([...sent.keys(), ...wouldSend.keys()])) {
    const [own, other] = [sent.get(slot) ?? [], wouldSend.get(slot) ?? []]
    const [gets, wouldGet] = unlike(own.filter(isHandedOver), other.filter(isHandedOver))
    same += own.filter(isHandedOver).length - gets.length
    for (let index = 0; index < Math.max(gets.length, wouldGet.length); index += 1) {
      const [before, after] = [gets[index], wouldGet[index]]
      const difference =
        before && after
          ? otherOf(before, after)
          : after
            ? differenceOf('more', after, own, now)
            : before && differenceOf('less', before, other, draft)
      if (difference) differences.push(difference)
      else same += 1
    }
  }
  return { same, differences: sorted(differences) }
}

/** What of each is not on the other side: over all channels one may be, and another not. */
function unlike(
  gets: readonly MessageLine[],
  wouldGet: readonly MessageLine[],
): [MessageLine[], MessageLine[]] {
  const rest = [...wouldGet]
  const own = gets.filter((before) => {
    const place = rest.findIndex((after) => isToSame(before, after) && !otherOf(before, after))
    if (place >= 0) rest.splice(place, 1)
    return place < 0
  })
  return [own, rest]
}

function isToSame(one: MessageLine, other: MessageLine): boolean {
  return one.to === other.to
}

function differenceOf(
  change: 'more' | 'less',
  line: MessageLine,
  /** What was planned of it for this person on the side on which it is not sent. */
  planned: readonly MessageLine[],
  { people, fates }: Compared,
): Difference {
  const { person, campaign, step } = line
  const missing = planned.find(isNotHandedOver) ?? null
  const before = planned.some(isHandedOver)
  const isOverOther = planned.some(
    (each) => isHandedOver(each) && isToSame(each, line) && each.plannedFor === line.plannedFor,
  )
  const whyNot = isOverOther ? 'other_channel' : null
  const reason =
    missing?.reason ?? whyNot ?? fates.whyNot(people, person, { campaign, step, before })
  return change === 'more'
    ? { change, person, campaign, step, reason, now: missing, would: line }
    : { change, person, campaign, step, reason, now: line, would: missing }
}

function otherOf(now: MessageLine, would: MessageLine): Difference | null {
  const { person, campaign, step } = would
  const of = { change: 'other', person, campaign, step, now, would } as const
  if (now.channel !== would.channel) return { ...of, reason: 'other_channel' }
  return now.plannedFor === would.plannedFor ? null : { ...of, reason: 'other_moment' }
}

function bySlot(lines: readonly MessageLine[]): Map<string, MessageLine[]> {
  return Map.groupBy(sortLines(lines), ({ person, campaign, step }) =>
    JSON.stringify([campaign, step, person]),
  )
}

function sorted(differences: readonly Difference[]): Difference[] {
  return differences
    .map((difference) => {
      const { campaign, step, change, person } = difference
      const at = (difference.would ?? difference.now)?.plannedFor
      return { difference, key: JSON.stringify([campaign, step, change, person, at]) }
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ difference }) => difference)
}

function isHandedOver({ outcome }: MessageLine): boolean {
  return outcome === 'sent' || outcome === 'delivered' || outcome === 'bounced'
}

function isNotHandedOver(line: MessageLine): boolean {
  return !isHandedOver(line)
}
