import { z } from 'zod'
import { addresseesOf, toSchema } from '../addressees.ts'
import {
  identifierSchema,
  positiveDurationSchema,
  type RelationKind,
  relationScopes,
} from '../definition/words.ts'
import { noteOf } from '../draft.ts'
import type { Explanation } from '../explain/words.ts'
import type { JsonObject } from '../json.ts'
import { momentSchema } from '../moment.ts'
import type { Question } from '../state.ts'
import { channelListSchema, messageChannelsSchema } from './message-channels.ts'
import { planEach } from './message-plan.ts'
import { latestOfMessage, statusFieldOf } from './message-status.ts'
import { messageTemplateSchema, templatesFor } from './message-template.ts'
import { messageTimes, momentsOf } from './message-times.ts'
import type { StepKind } from './step-kind.ts'
import { keepUnplanned } from './unplanned-message.ts'

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
  send: momentSchema
    .optional()
    .describe(
      'When it is due; without it, at once. The days and hours that it names hold, too, when something puts it off.',
    ),
  expires: positiveDurationSchema
    .optional()
    .describe(
      'How long after its due time it is still worth having; without it, what its class says.',
    ),
  until: z
    .string()
    .regex(/^entity\.[a-z][A-Za-z0-9]*$/, {
      error: ({ input }) =>
        /^person\./.test(String(input))
          ? 'only a wait counts from a date of the person: say with "expires" how long it is worth having'
          : 'expected a moment such as "entity.startsAt"',
    })
    .optional()
    .describe('A moment of the entity after which it is not worth having any more.'),
}

const messageStepSchema = z.strictObject({
  message: z
    .strictObject({
      ...messageShape,
      channels: messageChannelsSchema
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
    "Plans one message. `template` is one for everybody, or `{ <persona>: …, otherwise: … }`: what somebody reads hangs on who they are when it is planned. `channels` are tried in this order until one can be used (when left out, the order of the persona, with the person's preferred channel first); with `{ all: [app, email] }` it goes over each of them over which whoever gets it can be reached, and a contact budget counts that as one; with `{ cascade: [app, sms], after: PT30M }` one after the other, until one delivers it: the campaign waits here, at most `after` from when it is due over each; then the next comes in its place, or at once when it bounced. What has not gone out by then is taken back; what a worker has, or nobody knows of, goes first, and the next is only sent when that one turns out not to have been. A late delivery takes the next one back, if that has not gone out. It goes on when it is delivered, or when the time of the last one is over. When the appointment or stay moves that it hangs on, the next tells of the newer version; it begins anew over the first channel when its own moment lies ahead. `send` plans it for later; without it, it is due at once. Whatever puts it off then, such as quiet hours, a contact budget or a provider that asks for time, it goes out on the days and in the part of the day that `send` names, or expires. `expires` says how long after its due time it is still worth having; `until` ends it at a moment of the entity. A moment that has already passed makes the message due now, so that somebody whose appointment is tomorrow still hears what they would have heard yesterday, unless `until` has passed too. `to` says who gets it: each gets a message of their own, in their language and time zone, at their address, held to their own consents, quiet hours and contact budget; and all of that is looked at again when it is sent.",
  shortest: { message: { id: 'welcome', template: 'welcome-home' } },
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
        noteOf(draft, enrolment, times.outlastedBy ?? 'moment_passed', { detail })
      } else planEach(step, run, { times, addressee }, 'message_planned')
    }
    keepUnplanned(step, run)
    return { goTo: run.node.next }
  },
  read: ({ message }, _, { draft, enrolment }) =>
    latestOfMessage(draft, enrolment, message.id)[0]?.state,
}
