import type { CompiledCampaign, StepNode } from './compile.ts'
import type { DecideContext, Draft } from './draft.ts'
import { campaignOf, end, hasOpen, journeyEntryKey } from './enrolments.ts'
import { type Enrolment, entryOf, type Intent, isPending, type Person } from './state.ts'

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

/** Ends what would repeat; see `mergePeople` for the rule. Both records are in the draft. */
export function endRepeats(draft: Draft, runs: readonly JoinedRun[], context: DecideContext): void {
  const entries = Map.groupBy(
    runs.filter(({ entry }) => entry !== null),
    ({ entry }) => entry,
  )
  for (const same of entries.values()) {
    if (same.length === 1) continue
    const stories = same.map(({ enrolment }) => storyOf(draft, enrolment, context))
    const goesOn = chooseStory(stories)
    for (const story of stories) {
      if (story !== goesOn && mayTellMore(draft, story))
        end(draft, story.enrolment, 'exited', 'merged_duplicate', context)
    }
  }
}

/** What a run told, and what it may still tell: ids of its messages. */
type RunStory = {
  readonly enrolment: Enrolment
  /** Handed over. */
  readonly told: ReadonlySet<string>
  /** Perhaps handed over: a worker has it, or nobody knows. */
  readonly open: ReadonlySet<string>
  /** Planned, or in a step that it may come to. */
  readonly ahead: ReadonlySet<string>
}

function storyOf(draft: Draft, enrolment: Enrolment, context: DecideContext): RunStory {
  const own = [...draft.intents.values()].filter(
    (intent) => intent.enrolmentId === enrolment.enrolmentId,
  )
  const namesOf = (holds: (intent: Intent) => boolean) =>
    own.filter(holds).map((intent) => intent.messageId)
  const isTold = ({ state }: Intent) => ['sent', 'delivered', 'bounced'].includes(state)
  const isUnknown = ({ state, duplicate }: Intent) =>
    duplicate || state === 'sending' || state === 'held'
  // Past its moment, though nobody has written it down yet.
  const isOver = ({ expiresAt }: Intent) => expiresAt <= context.now
  const waitsAt = enrolment.state === 'running' ? enrolment.step : null
  return {
    enrolment,
    told: new Set(namesOf(isTold)),
    open: new Set(namesOf((intent) => isUnknown(intent) && !isTold(intent))),
    ahead: new Set([
      ...namesOf((intent) => isPending(intent) && !intent.duplicate && !isOver(intent)),
      ...(waitsAt === null ? [] : messagesAfter(campaignOf(enrolment, context), waitsAt)),
    ]),
  }
}

/** Ids of the messages of all steps that may come after this one. */
function messagesAfter({ nodes }: CompiledCampaign, path: string): string[] {
  const seen = new Set<StepNode>()
  const waiting = [nodes.get(path)?.next]
  while (waiting.length > 0) {
    const node = nodes.get(waiting.pop() ?? '')
    if (!node || seen.has(node)) continue
    seen.add(node)
    waiting.push(node.next, ...node.arms.map((arm) => arm.first))
  }
  return [...seen].flatMap(({ step }) => ('message' in step ? [step.message.id] : []))
}

function chooseStory(stories: readonly RunStory[]): RunStory | undefined {
  return stories
    .filter(({ enrolment }) => enrolment.state !== 'exited')
    .filter((story) => !stories.some((other) => repeats(story, other)))
    .sort((one, other) => extentOf(other) - extentOf(one))
    .sort((one, other) => Number(isUnderWay(other)) - Number(isUnderWay(one)))[0]
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

/** Whether going on with the one would tell what the other told, or may have. */
function repeats(story: RunStory, other: RunStory): boolean {
  if (story === other) return false
  const { told, open } = other
  return (
    [...story.ahead].some((message) => told.has(message) || open.has(message)) ||
    [...story.open].some((message) => told.has(message))
  )
}

function extentOf({ told, open, ahead }: RunStory): number {
  return told.union(open).union(ahead).size
}
