import { inKeyOrder } from '@wegwijs/campaign/json'
import { everyStep, partsOf } from '@wegwijs/campaign/steps/registry'
import type { Fates } from './fates.ts'
import type { ComparedLine, MessageLine } from './lines.ts'
import type { People } from './people.ts'

/** What one simulation came to, as far as another one is compared with it. */
export type Compared = { lines: readonly ComparedLine[]; people: People; fates: Fates }

/**
 * A message that a person would get and does not get now (`more`), gets now and would not (`less`), or
 * would get over another channel, for another moment or with another text (`other`).
 */
export type Difference = {
  change: 'more' | 'less' | 'other'
  person: string
  campaign: string
  /** Id of the message step. */
  step: string
  /** For `more` why they do not get it now, for `less` why they would not, for `other` what is other first of all. */
  reason: string
  /** Of `other` why, where that can be told. */
  because?: OtherCause
  /** Of `other` whether it also says something else; another channel has its own text in any case. */
  isOtherText?: true
  now: MessageLine | null
  would: MessageLine | null
}

/** Why a message is another: what began it, whom it is for, what it says of itself, or what comes before it. */
export type OtherCause = 'other_event' | 'other_persona' | 'message_changed' | 'campaign_changed'

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
    const like = pairOff(own.filter(isHandedOver), other.filter(isHandedOver), isLike)
    same += like.pairs.length
    // What is other in its text alone is told of these two, and not of one and the next.
    const said = pairOff(like.gets, like.wouldGet, isLikeButForText)
    for (const [before, after] of said.pairs) {
      const difference = otherOf(before, after, [now, draft])
      if (difference) differences.push(difference)
    }
    const { gets, wouldGet } = said
    for (let index = 0; index < Math.max(gets.length, wouldGet.length); index += 1) {
      const [before, after] = [gets[index], wouldGet[index]]
      const difference =
        before && after
          ? otherOf(before, after, [now, draft])
          : after
            ? differenceOf('more', after, own, now)
            : before && differenceOf('less', before, other, draft)
      if (difference) differences.push(difference)
      else same += 1
    }
  }
  return { same, differences: sorted(differences) }
}

/** What of each has its like on the other side, and what is left: over all channels one may be, and another not. */
function pairOff(
  gets: readonly ComparedLine[],
  wouldGet: readonly ComparedLine[],
  isPair: (before: ComparedLine, after: ComparedLine) => boolean,
) {
  const rest = [...wouldGet]
  const pairs: [ComparedLine, ComparedLine][] = []
  const own = gets.filter((before) => {
    const place = rest.findIndex((after) => isToSame(before, after) && isPair(before, after))
    const [after] = place < 0 ? [] : rest.splice(place, 1)
    if (after) pairs.push([before, after])
    return !after
  })
  return { pairs, gets: own, wouldGet: rest }
}

function isLike(before: ComparedLine, after: ComparedLine): boolean {
  return differing(before, after).length === 0
}

function isLikeButForText(before: ComparedLine, after: ComparedLine): boolean {
  return differing(before, after)[0] === 'other_text'
}

function differing(before: ComparedLine, after: ComparedLine): OtherReason[] {
  if (before.channel !== after.channel) return ['other_channel']
  return [
    ...(before.plannedFor === after.plannedFor ? [] : (['other_moment'] as const)),
    ...(before.text === after.text ? [] : (['other_text'] as const)),
  ]
}

type OtherReason = 'other_channel' | 'other_moment' | 'other_text'

function isToSame(one: MessageLine, other: MessageLine): boolean {
  return one.to === other.to
}

function differenceOf(
  change: 'more' | 'less',
  line: ComparedLine,
  /** What was planned of it for this person on the side on which it is not sent. */
  planned: readonly ComparedLine[],
  { people, fates }: Compared,
): Difference {
  const { person, campaign, step } = line
  const refused = planned.find(isNotHandedOver)
  const missing = refused ? asLine(refused) : null
  const before = planned.some(isHandedOver)
  const isOverOther = planned.some(
    (each) => isHandedOver(each) && isToSame(each, line) && each.plannedFor === line.plannedFor,
  )
  const whyNot = isOverOther ? 'other_channel' : null
  const reason =
    missing?.reason ?? whyNot ?? fates.whyNot(people, person, { campaign, step, before })
  return change === 'more'
    ? { change, person, campaign, step, reason, now: missing, would: asLine(line) }
    : { change, person, campaign, step, reason, now: asLine(line), would: missing }
}

function otherOf(
  now: ComparedLine,
  would: ComparedLine,
  sides: readonly [Compared, Compared],
): Difference | null {
  const { person, campaign, step } = would
  const [reason, also] = differing(now, would)
  if (!reason) return null
  const because = causeOf(reason, [now, would], sides)
  return {
    change: 'other',
    person,
    campaign,
    step,
    reason,
    ...(because && { because }),
    ...(also && { isOtherText: true }),
    now: asLine(now),
    would: asLine(would),
  }
}

function causeOf(
  reason: OtherReason,
  [now, would]: readonly [ComparedLine, ComparedLine],
  sides: readonly [Compared, Compared],
): OtherCause | null {
  if (now.eventId !== would.eventId) return 'other_event'
  if (now.persona !== would.persona) return 'other_persona'
  if (reason === 'other_text') return null
  const own = reason === 'other_channel' ? 'channels' : 'send'
  const [before, after] = sides.map(({ fates }) => {
    const file = fates.fileOf(would.campaign)
    const messages = everyStep(file?.steps ?? []).map((step) => partsOf(step).message)
    const said = messages.find((message) => message?.id === would.step)?.[own]
    return { own: textOf(said), campaign: textOf([file?.trigger, file?.steps]) }
  })
  if (before?.own !== after?.own) return 'message_changed'
  return before?.campaign === after?.campaign ? null : 'campaign_changed'
}

function textOf(value: unknown): string | undefined {
  return JSON.stringify(inKeyOrder(value))
}

function asLine({ text: _, persona: __, ...line }: ComparedLine): MessageLine {
  return line
}

function bySlot(lines: readonly ComparedLine[]): Map<string, ComparedLine[]> {
  return Map.groupBy(lines, ({ person, campaign, step }) =>
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
