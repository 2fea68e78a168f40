import type { Addressee } from '../addressees.ts'
import type { CompiledCampaign } from '../compiled-campaign.ts'
import { type ChannelName, channelNames } from '../definition/words.ts'
import { type DecideContext, type Draft, noteOf } from '../draft.ts'
import type { ReasonCode } from '../reasons.ts'
import { type Enrolment, type Intent, isPending, type Recipient } from '../state.ts'
import type { MessageStep } from './message.ts'
import { allChannelsOf, channelsNamedBy, partIn, partOf } from './message-channels.ts'
import { turnOf } from './message-status.ts'
import { templateOf } from './message-template.ts'
import type { Times } from './message-times.ts'
import type { StepRun } from './step-run.ts'

type PlanReason = ReasonCode & `message_${string}`

type Planned = { times: Times; addressee: Addressee }

/** Puts the message to one recipient into the draft, over all channels once for each. */
export function planEach(
  step: MessageStep,
  run: StepRun,
  planned: Planned,
  reason: PlanReason,
  options: { insteadOf?: string | null; isAmended?: boolean } = {},
): void {
  const parts = allChannelsOf(step.message)
  if (!parts) planMessage(step, run, planned, reason, options)
  for (const part of parts ?? []) planMessage(step, run, planned, reason, { ...options, part })
}

/**
 * Plans once more what one told: of a message over all channels what went over the same one, and unless it
 * `isWhole` of a cascade what was left of it then. Whether there is still anything of it to plan.
 */
export function planAgain(
  step: MessageStep,
  run: StepRun,
  planned: Planned,
  told: Intent,
  { isWhole, ...options }: { isWhole: boolean; insteadOf: string | null; isAmended: boolean },
): boolean {
  const part = partIn(step.message, told)
  if (part && !allChannelsOf(step.message)?.includes(part)) return false
  const { turn, channels } = told
  const rest = isWhole || turn === undefined ? undefined : { turn, channels }
  if (part) planMessage(step, run, planned, 'message_replanned', { ...options, part })
  else if (rest) planMessage(step, run, planned, 'message_replanned', { ...options, rest })
  else planEach(step, run, planned, 'message_replanned', options)
  return true
}

/**
 * What is left of a cascade: `turn` counts from 1, `after` is the channel that did not deliver it, and
 * `hasBounced` that it could not, and was not only too late.
 */
type RestOfCascade = {
  readonly channels: readonly ChannelName[]
  readonly turn: number
  readonly after?: string
  readonly hasBounced?: boolean
}

/**
 * Puts the message to one recipient into the draft. Its id is derived from the enrolment, the step, the
 * version of the entity and who gets it, and when more became known of that version (`isAmended`) from how many there were
 * before: the same decision made again plans the same message (P2).
 */
export function planMessage(
  step: MessageStep,
  run: StepRun,
  { times, addressee }: Planned,
  reason: PlanReason,
  {
    insteadOf = null,
    isAmended = false,
    rest,
    part,
  }: {
    insteadOf?: string | null
    isAmended?: boolean
    rest?: RestOfCascade
    /** Of a message over all channels, the one over which this goes. */
    part?: ChannelName
  } = {},
): void {
  const { draft, context, campaign, enrolment, node, inPlaceOf } = run
  const template = templateOf(step.message.template, addressee.persona)
  const version = String(enrolment.entity?.version ?? 0)
  // An amended cascade begins anew, and may come to the same channels again.
  const nth = isAmended || rest ? [String(countPlanned(run, addressee, part))] : []
  const left = rest ? ['rest', ...rest.channels] : []
  const { recipient, byAge } = addressee
  const to = recipient ? ['to', recipient.personId] : []
  // Whoever was moved here may have had a message at this path in the version before.
  const moved = campaign.file.move ? ['moved', String(campaign.version)] : []
  if (
    moved.length > 0 &&
    reason === 'message_planned' &&
    isToldBefore(run, step, addressee, part)
  ) {
    noteOf(draft, enrolment, 'message_kept', { detail: { message: step.message.id } })
    return
  }
  const { enrolmentId } = enrolment
  const parts = [enrolmentId, node.path, version, ...nth, ...left, ...to, ...moved]
  const intent: Intent = {
    intentId: context.deriveId('intent', ...parts, ...(part ? ['over', part] : [])),
    enrolmentId: enrolment.enrolmentId,
    campaignId: campaign.id,
    version: campaign.version,
    messageId: step.message.id,
    step: node.path,
    class: campaign.file.class,
    lane: campaign.policy.lane,
    unknownOutcome: campaign.policy.unknownOutcome,
    templateId: template,
    templateHash: templateHashOf(campaign, template),
    question: step.message.question ?? null,
    answer: null,
    channels:
      (part && [part]) ??
      rest?.channels ??
      channelsNamedBy(step.message) ??
      ownChannels(addressee, context),
    state: 'planned',
    reason: null,
    duplicate: false,
    entity: enrolment.entity,
    insteadOf: rest ? insteadOf : (insteadOf ?? inPlaceOf?.intentId ?? null),
    ...(rest && { turn: rest.turn }),
    ...(part && { partOf: context.deriveId('all', ...parts) }),
    ...(recipient && { recipient }),
    ...(byAge && { byAge }),
    ...(times.window && { window: times.window }),
    plannedAt: context.now,
    dueAt: times.dueAt,
    expiresAt: times.expiresAt,
    traceparent: enrolment.traceparent,
  }
  if (draft.intents.has(intent.intentId)) return
  draft.intents.set(intent.intentId, intent)
  noteOf(draft, enrolment, reason, {
    intentId: intent.intentId,
    detail: {
      message: intent.messageId,
      dueAt: times.dueAt,
      ...(part && { over: part }),
      ...(rest?.after !== undefined && { after: rest.after }),
      ...(rest?.hasBounced && { hasBounced: true }),
      ...(recipient && { to: recipient.kind, recipient: recipient.personId }),
    },
  })
}

/**
 * Whether the same message of an older version of the campaign went out, or still may, for the same version of
 * the entity: it is not told twice (P2).
 */
function isToldBefore(
  { draft, campaign, enrolment, context }: StepRun,
  step: MessageStep,
  { recipient }: Addressee,
  part: ChannelName | undefined,
): boolean {
  return [...draft.intents.values()].some(
    (intent) =>
      intent.enrolmentId === enrolment.enrolmentId &&
      intent.messageId === step.message.id &&
      // Of a version that told it over one channel alone, it is told.
      (partOf(intent) ?? part) === (part ?? partOf(intent)) &&
      intent.version !== campaign.version &&
      intent.entity?.version === enrolment.entity?.version &&
      isToSame(intent, recipient, context) &&
      !['cancelled', 'skipped', 'expired', 'failed', 'bounced'].includes(intent.state),
  )
}

/** Whether a message goes to this one, or to the person; its recipient may have become another record since. */
export function isToSame(
  { recipient: known }: Intent,
  recipient: Recipient | undefined,
  { otherOf }: DecideContext,
): boolean {
  if (!known) return recipient === undefined
  return recipient?.personId === (otherOf?.(known.personId)?.personId ?? known.personId)
}

/** How often the step has planned its message to this one. */
function countPlanned(
  { draft, enrolment, node }: StepRun,
  { recipient }: Addressee,
  part: ChannelName | undefined,
): number {
  return [...draft.intents.values()].filter(
    (intent) =>
      intent.enrolmentId === enrolment.enrolmentId &&
      intent.step === node.path &&
      partOf(intent) === part &&
      intent.recipient?.personId === recipient?.personId,
  ).length
}

function templateHashOf(campaign: CompiledCampaign, template: string): string {
  const hash = campaign.templates[template]
  if (hash === undefined)
    throw new RangeError(`campaign ${campaign.id} was published without template ${template}`)
  return hash
}

/** Those of their persona, the preferred one first. One that the persona has not is not taken: no text was made for it. */
function ownChannels(
  { persona: id, preferredChannel }: Addressee,
  { definition: { personas } }: DecideContext,
): readonly ChannelName[] {
  const persona = personas.find((each) => each.id === id) ?? personas.at(-1)
  const channels = persona?.channels ?? channelNames
  if (preferredChannel === null || !channels.includes(preferredChannel)) return channels
  return [preferredChannel, ...channels.filter((channel) => channel !== preferredChannel)]
}

/** Withdraws a message that has not been handed to a worker; leaves any other as it is. */
export function withdrawMessage(
  draft: Draft,
  enrolment: Enrolment,
  intent: Intent,
  reason: ReasonCode,
): void {
  draft.intents.set(intent.intentId, { ...intent, state: 'cancelled', reason })
  noteOf(draft, enrolment, reason, {
    intentId: intent.intentId,
    detail: { message: intent.messageId },
  })
}

/**
 * Takes back what of a cascade came after a channel of which a receipt tells only now that it delivered. The
 * messages themselves say so: the version that planned them may be one that nobody reads any more.
 */
export function standDownFor(draft: Draft, enrolment: Enrolment, delivered: Intent): void {
  for (const intent of [...draft.intents.values()]) {
    if (turnOf(intent) <= turnOf(delivered) || !isPending(intent)) continue
    if (trailOf(intent, draft).includes(delivered))
      withdrawMessage(draft, enrolment, intent, 'awaited_after_all')
  }
}

/** It, and those before it that may have gone out; the last one first. */
export function trailOf(newest: Intent, { intents }: Pick<Draft, 'intents'>): Intent[] {
  const trail: Intent[] = []
  for (let at: Intent | undefined = newest; at; at = intents.get(at.insteadOf ?? '')) {
    if (at.messageId !== newest.messageId) break
    trail.push(at)
  }
  return trail
}
