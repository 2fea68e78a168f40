import type { CompiledCampaign } from './compiled-campaign.ts'
import type { DecideContext, Draft } from './draft.ts'
import { campaignOf, end, goOnBehind, hasOpen } from './enrolments.ts'
import { journeyEntryKey } from './entry.ts'
import { subtractDuration } from './instant.ts'
import {
  type Enrolment,
  type EntityReference,
  entityKey,
  entryOf,
  type Intent,
  isPending,
  type Person,
} from './state.ts'
import { type StepNode, stepsBehind } from './step-node.ts'
import { withdrawMessage } from './steps/message-plan.ts'
import { turnOf } from './steps/message-status.ts'
import { partsOf } from './steps/registry.ts'

/** It goes on behind what the run of the other record told, too: nobody gets that over a further channel (P2). */
function leaveCascade(draft: Draft, enrolment: Enrolment, context: DecideContext): void {
  for (const intent of [...draft.intents.values()]) {
    const isNext = intent.enrolmentId === enrolment.enrolmentId && intent.step === enrolment.step
    if (isNext && turnOf(intent) > 0 && isPending(intent))
      withdrawMessage(draft, enrolment, intent, 'merged_duplicate')
  }
  goOnBehind(draft, enrolment, context)
}

/** A run through a campaign as `mergePeople` looks at it; `entry` is null where it may repeat. */
export type JoinedRun = { readonly enrolment: Enrolment; readonly entry: string | null }

/**
 * The runs of one of the two records, before they are one person, with the entry key that they have
 * as one; `journeys` are the places of that person.
 */
export function runsIn(
  record: Draft,
  journeys: Person['journeys'],
  context: DecideContext,
): JoinedRun[] {
  return [...record.enrolments.values()].map((before) => {
    const { entry, journey } = campaignOf(before, context).file
    if (entry === 'every-time') return { enrolment: before, entry: null }
    if (typeof entry === 'object') {
      const since = subtractDuration(context.now, entry.again, context.definition.timeZone)
      return before.enteredAt > since ? joined(before) : { enrolment: before, entry: null }
    }
    if (entry !== 'once-per-journey') return joined(before)
    const isOfNewest = before.entryKey === journeyEntryKey(journey, record.person.journeys)
    if (!isOfNewest) return { enrolment: before, entry: null }
    const entryKey = journeyEntryKey(journey, journeys)
    return joined(entryKey === before.entryKey ? before : { ...before, entryKey })
  })
}

function joined(enrolment: Enrolment): JoinedRun {
  return { enrolment, entry: entryOf(enrolment.campaignId, enrolment.entryKey) }
}

/**
 * Ends what would repeat; see `mergePeople` for the rule. Both records are in the draft, and what hangs
 * on an entity has been taken along to its newest version.
 */
export function endRepeats(draft: Draft, runs: readonly JoinedRun[], context: DecideContext): void {
  const entries = Map.groupBy(
    runs.filter(({ entry }) => entry !== null),
    ({ entry }) => entry,
  )
  for (const same of entries.values()) {
    if (same.length === 1) continue
    const stories = same.map(({ enrolment: { enrolmentId }, enrolment }) =>
      storyOf(draft, draft.enrolments.get(enrolmentId) ?? enrolment, context),
    )
    const goesOn = chooseStory(stories)
    for (const story of stories) {
      if (story !== goesOn && mayTellMore(draft, story))
        end(draft, story.enrolment, 'exited', 'merged_duplicate', context)
    }
    if (goesOn && triesAgain(goesOn, stories)) leaveCascade(draft, goesOn.enrolment, context)
  }
}

/** What a run told, and what it may still tell. */
type RunStory = {
  readonly enrolment: Enrolment
  /** Handed over. */
  readonly told: Messages
  /** Perhaps handed over: a worker has it, or nobody knows. */
  readonly open: Messages
  /** Planned, or in a step that it may come to. */
  readonly ahead: Messages
  /** Being tried over one channel after the other: it may be told once more, over the next. */
  readonly tried: Messages
}

/** Ids of messages, each with the newest version of the entity of which it tells; 0 without an entity. */
type Messages = ReadonlyMap<string, number>

function storyOf(draft: Draft, enrolment: Enrolment, context: DecideContext): RunStory {
  const own = [...draft.intents.values()].filter(
    (intent) => intent.enrolmentId === enrolment.enrolmentId,
  )
  const messagesOf = (holds: (intent: Intent) => boolean) =>
    own
      .filter(holds)
      .map(({ messageId, entity }): [string, number] => [messageId, versionOf(entity)])
  const isTold = ({ state }: Intent) => ['sent', 'delivered', 'bounced'].includes(state)
  const isUnknown = ({ state, duplicate }: Intent) =>
    duplicate || state === 'sending' || state === 'held'
  // Past its moment, though nobody has written it down yet.
  const isOver = ({ expiresAt }: Intent) => expiresAt <= context.now
  const campaign = campaignOf(enrolment, context)
  const waitsAt =
    enrolment.state === 'running' ? campaign.nodes.get(enrolment.step ?? '') : undefined
  const inThisVersion = (id: string): [string, number] => [id, versionOf(enrolment.entity)]
  const toCome = waitsAt ? messagesBehind(waitsAt, campaign) : []
  const retried = waitsAt ? retriedAt(waitsAt) : []
  return {
    enrolment,
    told: newestOf(messagesOf(isTold)),
    open: newestOf(messagesOf((intent) => isUnknown(intent) && !isTold(intent))),
    ahead: newestOf([
      ...messagesOf((intent) => isPending(intent) && !intent.duplicate && !isOver(intent)),
      ...toCome.map(inThisVersion),
    ]),
    tried: new Map(retried.map(inThisVersion)),
  }
}

function versionOf(entity: EntityReference | null): number {
  return entity?.version ?? 0
}

function newestOf(messages: readonly [string, number][]): Messages {
  return new Map(messages.toSorted(([, one], [, other]) => one - other))
}

/** Ids of the messages of all steps behind this one. Where somebody waits, nothing is sent any more: a question has been asked by then. */
function messagesBehind(node: StepNode, { nodes }: CompiledCampaign): string[] {
  return [...stepsBehind(node, nodes)].flatMap(({ step }) => partsOf(step).message?.id ?? [])
}

function retriedAt({ step }: StepNode): string[] {
  const { message, isRetried } = partsOf(step)
  return message && isRetried ? [message.id] : []
}

function chooseStory(stories: readonly RunStory[]): RunStory | undefined {
  return stories
    .filter(({ enrolment }) => enrolment.state !== 'exited')
    .filter((story) => !stories.some((other) => repeats(story, other)))
    .sort((one, other) => extentOf(other) - extentOf(one))
    .sort((one, other) => newsOf(other) - newsOf(one))
    .sort((one, other) => Number(isUnderWay(other)) - Number(isUnderWay(one)))
    .sort((one, other) => Number(triesAgain(one, stories)) - Number(triesAgain(other, stories)))[0]
}

/** Whether the next channel of what it is trying would tell what another one told, or may have. */
function triesAgain(story: RunStory, stories: readonly RunStory[]): boolean {
  const next: RunStory = { ...story, open: new Map(), ahead: story.tried }
  return stories.some((other) => other !== story && repeats(next, other))
}

function isUnderWay({ ahead, open }: RunStory): boolean {
  return ahead.size + open.size > 0
}

/** One that has run through tells more when the appointment moves that it hangs on. */
function mayTellMore(draft: Draft, { enrolment }: RunStory): boolean {
  const { state, entity } = enrolment
  if (state === 'exited') return false
  return state === 'running' || entity !== null || hasOpen(draft, enrolment)
}

/**
 * Whether going on with the one would tell what the other told, or may have. Of one entity, what told of
 * an older version does not tell of the newer one (P1); of two, any does: the entry may not repeat (P2).
 */
function repeats(story: RunStory, other: RunStory): boolean {
  if (story === other) return false
  const counts = isOfOneEntity(story.enrolment, other.enrolment)
    ? (known: number, version: number) => known >= version
    : () => true
  const isAmong = (messages: Messages) => (told: [string, number]) => {
    const [message, version] = told
    const known = messages.get(message)
    return known !== undefined && counts(known, version)
  }
  const { told, open } = other
  return (
    [...story.ahead].some((next) => isAmong(told)(next) || isAmong(open)(next)) ||
    [...story.open].some(isAmong(told))
  )
}

function isOfOneEntity({ entity: one }: Enrolment, { entity: other }: Enrolment): boolean {
  return one !== null && other !== null && entityKey(one) === entityKey(other)
}

function extentOf({ told, open, ahead }: RunStory): number {
  return new Set([...told.keys(), ...open.keys(), ...ahead.keys()]).size
}

/** How much of what it tells, or may, is of the newest version. */
function newsOf({ enrolment, told, open, ahead }: RunStory): number {
  const newest = versionOf(enrolment.entity)
  const all = [...told, ...open, ...ahead].filter(([, version]) => version === newest)
  return new Set(all.map(([message]) => message)).size
}
