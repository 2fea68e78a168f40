import { z } from 'zod'
import { type Addressee, addresseesOf, toSchema } from '../addressees.ts'
import type { CompiledCampaign } from '../compile.ts'
import type { Field } from '../definition/field.ts'
import {
  type ChannelName,
  channelNames,
  identifierSchema,
  positiveDurationSchema,
  type RelationKind,
  relationScopes,
} from '../definition/words.ts'
import { type DecideContext, type Draft, noteOf } from '../draft.ts'
import type { Explanation } from '../explain/words.ts'
import { factsOf } from '../facts.ts'
import { addDuration, type Instant } from '../instant.ts'
import type { JsonObject } from '../json.ts'
import { fieldOf, momentSchema, resolveMoment } from '../moment.ts'
import { quietUntil } from '../quiet-hours.ts'
import type { ReasonCode } from '../reasons.ts'
import {
  type Enrolment,
  type Intent,
  type IntentState,
  intentStates,
  type Question,
  type Recipient,
  statesByReach,
} from '../state.ts'
import { messageTemplateSchema, templateOf, templatesFor } from './message-template.ts'
import type { StepKind, StepParts } from './step-kind.ts'
import type { StepRun } from './step-run.ts'

const channelListSchema = z.array(z.enum(channelNames)).min(1)

const severalChannelsSchema = z
  .array(z.enum(channelNames))
  .refine(
    (channels) => channels.length > 1,
    'expected two channels or more; over one alone it is `channels: [sms]`',
  )
  .refine((channels) => new Set(channels).size === channels.length, 'expected each channel once')

const cascadeSchema = z
  .strictObject({
    cascade: severalChannelsSchema.describe('The channels, in the order in which they are tried.'),
    after: positiveDurationSchema.describe(
      'How long it is waited for after it was due over one channel that it is delivered, such as `PT30M`; then the next.',
    ),
  })
  .describe('One channel after the other, until one delivers it.')

const allSchema = z
  .strictObject({
    all: severalChannelsSchema.describe('The channels, over each of which it goes.'),
  })
  .describe('Over each of these channels over which whoever gets it can be reached.')

/** What a message step says that goes over one channel after the other. */
export type Cascade = z.infer<typeof cascadeSchema>

/** What every step says that sends a message. */
export const messageShape = {
  id: identifierSchema.describe(
    'How later conditions name it (`enrolment.<id>.status`); once in a campaign.',
  ),
  template: messageTemplateSchema,
  channels: channelListSchema
    .optional()
    .describe(
      "Tried in this order until one can be used; without it, the persona's own order with the person's preferred channel first.",
    ),
  send: momentSchema.optional().describe('When it is due; without it, at once.'),
  expires: positiveDurationSchema
    .optional()
    .describe(
      'How long after its due time it is still worth having; without it, what its class says.',
    ),
  until: z
    .string()
    .regex(/^entity\.[a-z][A-Za-z0-9]*$/, 'expected a moment such as "entity.startsAt"')
    .optional()
    .describe('A moment of the entity after which it is not worth having any more.'),
}

const messageStepSchema = z.strictObject({
  message: z
    .strictObject({
      ...messageShape,
      channels: z
        .union([channelListSchema, cascadeSchema, allSchema])
        .optional()
        .describe(
          "Tried in this order until one can be used; without it, the persona's own order with the person's preferred channel first. With `cascade`, when it is not delivered within `after`, the next one; with `all`, over each of them.",
        ),
      to: toSchema
        .optional()
        .describe(
          'Who gets it: the `person`, or whoever is their `caregiver`, `representative` or `parent` and may hear of it; several as a list, such as `[person, caregiver]`. `by-age`, and leaving it out: as the rules of age in `policies.yaml` say; without such rules, the person.',
        ),
      scope: z
        .enum(relationScopes)
        .optional()
        .describe(
          'What somebody else must be allowed to hear of to get it. Without it, by its class: `care` for care, `appointments` for service, `news` for marketing.',
        ),
    })
    .describe('The message.'),
})
/** `question` is there in what an `ask` sends, and in no file. */
export type MessageStep = {
  message: z.infer<typeof messageStepSchema>['message'] & { question?: Question }
}

const kindWords: Readonly<Record<RelationKind, { nl: string; en: string }>> = {
  caregiver: { nl: 'mantelzorger', en: 'caregiver' },
  representative: { nl: 'vertegenwoordiger', en: 'representative' },
  parent: { nl: 'ouder', en: 'parent' },
}

type ChannelsOfMessage = Pick<MessageStep['message'], 'channels'>

/** Null for a message that is not tried over one channel after the other. */
export function cascadeOf({ channels }: ChannelsOfMessage): Cascade | null {
  return channels && 'cascade' in channels ? channels : null
}

/** The channels over each of which it goes; null for a message that goes over one. */
export function allChannelsOf({ channels }: ChannelsOfMessage): readonly ChannelName[] | null {
  return channels && 'all' in channels ? channels.all : null
}

/** Those that the file names, in their order; undefined where it names none. */
export function channelsNamedBy({
  channels,
}: ChannelsOfMessage): readonly ChannelName[] | undefined {
  if (channels === undefined || Array.isArray(channels)) return channels
  return 'all' in channels ? channels.all : channels.cascade
}

/** Of a message over all channels, the one over which this goes, beside the others. */
export function partOf({ partOf, channels }: Intent): ChannelName | undefined {
  return partOf === undefined ? undefined : channels[0]
}

/** Nothing of a message to the person. */
const toWhom = {
  nl: (kind: unknown) => (isKind(kind) ? `${toRecipient.nl(kind)} ` : ''),
  en: (kind: unknown) => (isKind(kind) ? ` ${toRecipient.en(kind)}` : ''),
}

/** As what somebody else gets it, in words. */
export const toRecipient = {
  nl: (kind: string) => `aan een ${isKind(kind) ? kindWords[kind].nl : kind}`,
  en: (kind: string) => `to a ${isKind(kind) ? kindWords[kind].en : kind}`,
}

function isKind(kind: unknown): kind is RelationKind {
  return typeof kind === 'string' && Object.hasOwn(kindWords, kind)
}

/** What a step says of the message that it sends. */
export const messageExplanation: Explanation<MessageStep> = {
  nl: ({ message: { id } }, { at, reason, detail, isOfMessage }, words) => {
    const due = typeof detail?.dueAt === 'string' && detail.dueAt > at ? detail.dueAt : null
    const forWhen = due === null ? 'om meteen te versturen' : `voor ${words.moment(due)}`
    if (reason === 'message_planned')
      return `is het bericht "${id}" ${toWhom.nl(detail?.to)}ingepland ${forWhen}${over(detail)}`
    if (reason === 'message_replanned')
      return `is het bericht "${id}" ${toWhom.nl(detail?.to)}opnieuw ingepland ${forWhen}${over(detail)}`
    const what = isOfMessage ? 'ingetrokken' : 'niet ingepland'
    return `is het bericht "${id}" ${what}: ${words.reason(reason)}`
  },
  en: ({ message: { id } }, { at, reason, detail, isOfMessage }, words) => {
    const due = typeof detail?.dueAt === 'string' && detail.dueAt > at ? detail.dueAt : null
    const forWhen = due === null ? ', to be sent at once' : ` for ${words.moment(due)}`
    if (reason === 'message_planned')
      return `the message "${id}"${toWhom.en(detail?.to)} was planned${forWhen}${over(detail)}`
    if (reason === 'message_replanned')
      return `the message "${id}"${toWhom.en(detail?.to)} was planned again${forWhen}${over(detail)}`
    const what = isOfMessage ? 'taken back' : 'not planned'
    return `the message "${id}" was ${what}: ${words.reason(reason)}`
  },
}

/** Both languages have the word. */
function over(detail: JsonObject | null | undefined): string {
  return typeof detail?.over === 'string' ? `, over ${detail.over}` : ''
}

/** All of which somebody may read one. */
export function templatesOf({ template }: Pick<MessageStep['message'], 'template'>): string[] {
  return templatesFor(template).map((each) => each.template)
}

export const messageStep: StepKind<MessageStep> = {
  key: 'message',
  meaning:
    "Plans one message. `template` is one for everybody, or `{ <persona>: …, otherwise: … }`: what somebody reads hangs on who they are when it is planned. `channels` are tried in this order until one can be used (when left out, the order of the persona, with the person's preferred channel first); with `{ all: [app, email] }` it goes over each of them over which whoever gets it can be reached, and a contact budget counts that as one; with `{ cascade: [app, sms], after: PT30M }` one after the other, until one delivers it: the campaign waits here, at most `after` from when it is due over each; then the next comes in its place, or at once when it bounced. What has not gone out by then is taken back; what a worker has, or nobody knows of, goes first, and the next is only sent when that one turns out not to have been. A late delivery takes the next one back, if that has not gone out. It goes on when it is delivered, or when the time of the last one is over. When the appointment or stay moves that it hangs on, the next tells of the newer version; it begins anew over the first channel when its own moment lies ahead. `send` plans it for later; without it, it is due at once. `expires` says how long after its due time it is still worth having; `until` ends it at a moment of the entity. A moment that has already passed makes the message due now, so that somebody whose appointment is tomorrow still hears what they would have heard yesterday, unless `until` has passed too. `to` says who gets it: each gets a message of their own, in their language and time zone, at their address, held to their own consents, quiet hours and contact budget; and all of that is looked at again when it is sent.",
  explanation: messageExplanation,
  schema: () => messageStepSchema,
  parts: ({ message }) => ({
    id: { name: message.id, path: ['message', 'id'] },
    message,
    templates: templatesOf(message),
    moments: momentsOf(message, 'message'),
    fields: [statusFieldOf(message)],
  }),
  decide(step, run) {
    const { draft, enrolment, context } = run
    const detail = { message: step.message.id }
    const own = messageTimes(step, run)
    const addressees = addresseesOf(step.message, run, own?.dueAt)
    if (addressees.length === 0) noteOf(draft, enrolment, 'no_recipient', { detail })
    for (const addressee of addressees) {
      const times = addressee.recipient ? messageTimes(step, run, addressee) : own
      if (times === null) {
        noteOf(draft, enrolment, 'moment_unknown', { detail })
        break
      }
      if (times.expiresAt <= context.now) {
        const reason = times.isOutlasted ? 'quiet_hours_outlast' : 'moment_passed'
        noteOf(draft, enrolment, reason, { detail })
      } else planEach(step, run, { times, addressee }, 'message_planned')
    }
    return { goTo: run.node.next }
  },
  read: ({ message }, _, { draft, enrolment }) =>
    latestOfMessage(draft, enrolment, message.id)[0]?.state,
}

/** Fields that a message counts its moments from; `key` is that of its step. */
export function momentsOf(
  { send, until }: Pick<MessageStep['message'], 'send' | 'until'>,
  key: string,
): NonNullable<StepParts['moments']> {
  return [
    ...(send ? fieldOf(send) : []).map((field) => ({ path: [key, 'send', 'until'], field })),
    ...(until ? [{ path: [key, 'until'], field: until }] : []),
  ]
}

/** What has become of it, for later conditions. */
export function statusFieldOf({
  id,
}: Pick<MessageStep['message'], 'id'>): readonly [string, Field] {
  return [
    `${id}.status`,
    {
      type: 'text',
      sensitivity: 'neutral',
      required: false,
      values: [...intentStates],
      label: { nl: `status van het bericht "${id}"`, en: `status of the message "${id}"` },
      valueLabels: stateLabels,
    },
  ]
}

const stateLabels: Readonly<Record<IntentState, { nl: string; en: string }>> = {
  planned: { nl: 'ingepland', en: 'planned' },
  queued: { nl: 'klaar om te versturen', en: 'queued' },
  sending: { nl: 'onderweg', en: 'being sent' },
  sent: { nl: 'verstuurd', en: 'sent' },
  delivered: { nl: 'bezorgd', en: 'delivered' },
  bounced: { nl: 'niet aangekomen', en: 'bounced' },
  skipped: { nl: 'overgeslagen', en: 'skipped' },
  cancelled: { nl: 'ingetrokken', en: 'cancelled' },
  expired: { nl: 'verlopen', en: 'expired' },
  failed: { nl: 'mislukt', en: 'failed' },
  held: { nl: 'vastgehouden', en: 'held' },
}

/** The newest message that the step of that id planned. */
export function newestOf(
  draft: Draft,
  enrolment: Enrolment,
  messageId: string,
): Intent | undefined {
  let newest: Intent | undefined
  for (const intent of draft.intents.values()) {
    if (intent.enrolmentId !== enrolment.enrolmentId || intent.messageId !== messageId) continue
    if (!newest || isNewer(intent, newest)) newest = intent
  }
  return newest
}

/**
 * By the time of planning; of one time, the one for the newer version of the entity; of several recipients,
 * the one that has come furthest.
 */
export function isNewer(intent: Intent, than: Intent): boolean {
  if (intent.plannedAt !== than.plannedAt) return intent.plannedAt > than.plannedAt
  const [version, known] = [intent.entity?.version ?? -1, than.entity?.version ?? -1]
  if (version !== known) return version > known
  const isToTheSame = intent.recipient?.personId === than.recipient?.personId
  const isLater = isToTheSame ? isLaterOfCascade(intent, than) : undefined
  return isLater ?? isFurther(intent, than)
}

/**
 * Of two of a cascade that were planned in one instant, since the first bounced in it or more became known
 * of its appointment; undefined when it is not told by that which one came later.
 */
export function isLaterOfCascade(intent: Intent, than: Intent): boolean | undefined {
  const [isReplaced, isKnownReplaced] = [intent, than].map(isSuperseded)
  if (isReplaced !== isKnownReplaced) return isKnownReplaced
  const [turn, known] = [turnOf(intent), turnOf(than)]
  return turn === known ? undefined : turn > known
}

function isSuperseded({ reason }: Intent): boolean {
  return reason === 'entity_superseded'
}

export function turnOf({ turn = 0 }: Intent): number {
  return turn
}

function isFurther({ state }: Intent, than: Intent): boolean {
  return statesByReach.indexOf(state) < statesByReach.indexOf(than.state)
}

/**
 * What the step of that id planned last, to all who get it, and what came of it over one channel after the
 * other; the furthest first.
 */
export function latestOf(messages: Iterable<Intent>): Intent[] {
  const own = [...messages]
  const firsts = own.filter((intent) => turnOf(intent) === 0)
  const [first] = firsts.toSorted((one, other) => (isNewer(one, other) ? -1 : 1))
  if (!first) return []
  const isLatest = (intent: Intent) =>
    turnOf(intent) === 0
      ? intent.plannedAt === first.plannedAt && intent.entity?.version === first.entity?.version
      : intent.plannedAt >= first.plannedAt
  return own
    .filter(isLatest)
    .toSorted((one, other) => Number(isFurther(other, one)) - Number(isFurther(one, other)))
}

/** What has become of the message of that id: of the one that has come furthest. */
export function latestOfMessage(
  { intents }: Pick<Draft, 'intents'>,
  { enrolmentId }: Enrolment,
  messageId: string,
): Intent[] {
  return latestOf(
    [...intents.values()].filter(
      (intent) => intent.enrolmentId === enrolmentId && intent.messageId === messageId,
    ),
  )
}

/** `moment` is what the step says, which may have passed; `dueAt` when it can be sent at the earliest;
 * `isOutlasted`: the quiet hours last longer than it is worth having. */
type Times = { moment: Instant; dueAt: Instant; expiresAt: Instant; isOutlasted: boolean }

/**
 * When the message is due and until when it is worth sending, on the clocks of whoever gets it; null when
 * its moment has no data.
 */
export function messageTimes(
  step: MessageStep,
  run: Omit<StepRun, 'node'>,
  addressee?: Addressee,
): Times | null {
  const { draft, context, campaign, enrolment } = run
  const own = factsOf(draft, context, enrolment)
  const facts = addressee ? { ...own, timeZone: addressee.timeZone } : own
  const { send, expires, until } = step.message
  const moment = send
    ? resolveMoment(send, { ...facts, isWorkingDay: context.definition.isWorkingDay })
    : context.now
  const end = until ? facts.read(until) : null
  if (moment === null || end === undefined) return null
  const { quietHours } = campaign.policy
  const earliest = moment > context.now ? moment : context.now
  const dueAt = (quietHours && quietUntil(earliest, quietHours, facts.timeZone)) ?? earliest
  const latest = addDuration(dueAt, expires ?? campaign.policy.expires, facts.timeZone)
  const expiresAt = typeof end === 'string' && end < latest ? end : latest
  // Who would be woken by it gets it in the morning, if it is still worth having then.
  const isOutlasted = dueAt > earliest && expiresAt <= dueAt
  return { moment, dueAt, expiresAt: isOutlasted ? context.now : expiresAt, isOutlasted }
}

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

/** What is left of a cascade: `turn` counts from 1, `after` is the channel that did not deliver it. */
export type RestOfCascade = {
  readonly channels: readonly ChannelName[]
  readonly turn: number
  readonly after?: string
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
