import { ownIdSpace, ownSource } from '@wegwijs/campaign/event-check'
import { isStopWord, unclearReply } from '@wegwijs/campaign/receipts'
import { answerBy } from '@wegwijs/campaign/steps/ask'
import { parsePhone } from '@wegwijs/channels/phone'
import { fail } from '@wegwijs/runtime/failure'
import {
  type Answerable,
  type AnsweredMessage,
  findAnswerable,
  type NumberHolder,
  numberEnding,
} from '@wegwijs/store/questions'
import { type ReplyMeaning, rememberReplies } from '@wegwijs/store/replies'
import { findJsonFault, isJsonObject, type JsonValue, parseJson } from '@wegwijs/wire/json'
import { maxRepliesPerRequest, type Reply, replySchema } from '@wegwijs/wire/reply'
import { signEvent } from '@wegwijs/wire/signature'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import type { FastifyInstance } from 'fastify'
import { answerEvent } from './answer-events.ts'
import type { GatewayContext } from './context.ts'
import { withinDeadline } from './deadline.ts'
import { providerOf, verifySignature } from './receipts-route.ts'
import { asSaid, type ClockNow } from './said-at.ts'
import { bodyOf, sendFailure } from './server.ts'

type Read = { reply: Reply } | { replyId: string | null; path: string }

/**
 * `answered`: it is an answer to a question. `kept`: it is none, and was written down as a reply, without
 * its words. `unknown`: nobody with this number got an SMS of ours, or, of STOP, nobody has it. `refused` with the path of the fault.
 */
type ReplyAnswer = {
  replyId: string | null
  status: 'answered' | 'kept' | 'unknown' | 'refused'
  path?: string
}

/** As the SMS channel reads numbers that have no country of their own. */
const country = 'NL'

/**
 * `POST /v1/replies/{provider}`: what people wrote back by SMS, signed as receipts are. One of the words
 * of the newest open question to that number is its answer; where the provider tells which message was
 * answered, of the question of that one. Whatever else was written leaves the question open, and is kept
 * as a reply to the newest message, without its words (P7). STOP stops whoever got the message that was
 * answered, or everybody who has the number (P3). The same reply again means what it meant at first (P2).
 *
 * 202 with an answer for each; 400 when every one is refused; 503 when one could not be kept.
 */
export function routeReplies(app: FastifyInstance, context: GatewayContext): void {
  app.post<{ Params: { provider: string } }>(
    '/v1/replies/:provider',
    { config: { name: 'replies' } },
    async (request, reply) => {
      const provider = providerOf(request.params.provider)
      verifySignature(request, context.secret)
      const read = readReplies(bodyOf(request))
      context.metrics.received(read.length)
      const meant = await meaningsOf(read, provider, context)
      const kept = await context.keep(meant.flatMap((each) => stopEventsOf(each, context)))
      const lost = kept.find((each) => each.kind === 'failed')
      if (lost) return sendFailure(reply, lost.failure, context.limits.retryAfterSeconds)
      const replies = read.map((each, index): ReplyAnswer => {
        if ('path' in each) return { replyId: each.replyId, status: 'refused', path: each.path }
        return { replyId: each.reply.replyId, status: meant[index]?.status ?? 'unknown' }
      })
      for (const { status } of replies) {
        if (status === 'answered' || status === 'kept') context.metrics.sent()
        else context.metrics.discarded(`reply_${status}`)
      }
      const allRefused = replies.every(({ status }) => status === 'refused')
      return reply.code(allRefused ? 400 : 202).send({ replies })
    },
  )
}

function readReplies(body: Buffer): Read[] {
  const parsed = parseJson(body)
  if (!parsed) throw fail('WEGWIJS_REQUEST_INVALID', { reason: 'the body is not JSON in UTF-8' })
  const replies = isJsonObject(parsed.value) ? parsed.value.replies : undefined
  if (!Array.isArray(replies) || replies.length === 0) {
    throw fail('WEGWIJS_REQUEST_INVALID', { reason: 'expected a list', path: 'replies' })
  }
  if (replies.length > maxRepliesPerRequest) {
    throw fail('WEGWIJS_REQUEST_TOO_LARGE', { reason: `more than ${maxRepliesPerRequest}` })
  }
  return replies.map(readReply)
}

function readReply(value: JsonValue, index: number): Read {
  const path = `replies[${index}]`
  const fault = findJsonFault(value, path)
  if (fault) return { replyId: null, path: fault.path }
  const result = replySchema.safeParse(value)
  if (result.success) return { reply: result.data }
  const replyId = isJsonObject(value) && typeof value.replyId === 'string' ? value.replyId : null
  const [place = ''] = result.error.issues.map((issue) => issue.path.join('.'))
  return { replyId, path: [path, place].filter(Boolean).join('.') }
}

type Saying = ClockNow & { provider: string; secret: string }

/**
 * What each of them means, in order, or meant when it first came; one query for all of them, and a
 * statement that remembers them before anything comes of them.
 */
async function meaningsOf(
  read: readonly Read[],
  provider: string,
  { store, limits, time, clock, secret }: GatewayContext,
): Promise<(ReplyMeaning | null)[]> {
  const replies = read.flatMap((each) => ('reply' in each ? [each.reply] : []))
  const found = findAnswerable(store.db, {
    endings: replies.map(({ from }) => numberEnding(from)),
    intentIds: replies.flatMap(({ reference }) => reference ?? []),
  })
  const answerable = await withinDeadline(found, limits.databaseDeadlineMs, clock)
  const saying = { ...(await time.standing()), provider, secret }
  const meanings = new Map<string, ReplyMeaning>()
  for (const reply of replies) {
    // Twice in one request: the first one counts.
    if (meanings.has(reply.replyId)) continue
    meanings.set(reply.replyId, meaningOf(reply, answerable, saying))
  }
  const remembered = rememberReplies(store.db, provider, meanings)
  const meant = await withinDeadline(remembered, limits.databaseDeadlineMs, clock)
  return read.map((each) => ('reply' in each ? (meant.get(each.reply.replyId) ?? null) : null))
}

/** Signed anew, for the secret may be another one since. */
function stopEventsOf(meant: ReplyMeaning | null, { secret }: GatewayContext) {
  const events = meant?.events ?? []
  return events.map((event) => ({ event: signEvent(event, secret), idSpace: ownIdSpace }))
}

function meaningOf(reply: Reply, { named, holders }: Answerable, saying: Saying): ReplyMeaning {
  const message = reply.reference === undefined ? undefined : named.get(reply.reference)
  if (message) return meaningFor(reply, message.question ? message : undefined, message, saying)
  const ofNumber = (holders.get(numberEnding(reply.from)) ?? []).filter(
    ({ number }) => parsePhone(number, country) === reply.from,
  )
  // People may share a number.
  const sent = ofNumber
    .flatMap(({ messages }) => messages)
    .sort((a, b) => (a.plannedFor > b.plannedFor ? -1 : a.plannedFor < b.plannedFor ? 1 : 0))
  const [newest] = sent
  if (isStopWord(reply.text) && ofNumber.length > 0) {
    return { status: 'kept', events: stopsOfHolders(reply, ofNumber, newest, saying) }
  }
  if (!newest) return { status: 'unknown', events: [] }
  const open = sent.find((each) => isOpen(each) && wasDue(each, reply, saying))
  return meaningFor(reply, open, open ?? newest, saying)
}

/** What was written about this message, which may have asked something. */
function meaningFor(
  reply: Reply,
  asked: AnsweredMessage | undefined,
  about: AnsweredMessage,
  saying: Saying,
): ReplyMeaning {
  const { text, at } = reply
  const answer = asked?.question && !isStopWord(text) ? answerBy(text, asked.question) : null
  if (asked && answer !== null) {
    const { intentId, personId } = asked
    const given = answerEvent({ intentId, personId, answer, by: 'sms', at }, saying)
    return { status: 'answered', events: [given.event] }
  }
  const detail = isStopWord(text) ? 'stop' : asked && isOpen(asked) ? unclearReply : undefined
  return { status: 'kept', events: repliesAbout(reply, about, detail, saying) }
}

function isOpen({ question, answer, standing }: AnsweredMessage): boolean {
  return question !== null && answer === null && standing === 'open'
}

/**
 * A reply that comes late answers nothing that was asked after it was written. In a rehearsal the clocks
 * of others say nothing of business time.
 */
function wasDue({ dueAt }: AnsweredMessage, { at }: Reply, { stands }: ClockNow): boolean {
  return stands || Date.parse(dueAt) <= Date.parse(at)
}

/**
 * STOP from a number that several people have is the word of each of them: nobody can tell who wrote it,
 * and none of them may go on getting messages there. Nor need any of ours have gone there: who knows the
 * number from elsewhere has said it all the same (P3).
 */
function stopsOfHolders(
  reply: Reply,
  holders: readonly NumberHolder[],
  newest: AnsweredMessage | undefined,
  saying: Saying,
): TouchpointEvent[] {
  const bySubject = new Map<string, TouchpointEvent>()
  const keep = (event: TouchpointEvent) => bySubject.set(event.subject, event)
  for (const { messages } of holders) {
    const [own] = messages
    if (own) for (const event of repliesAbout(reply, own, 'stop', saying)) keep(event)
  }
  // Last, for a message about one of them may have gone to another one: that is no stop of theirs.
  for (const { personId, messages } of holders) {
    const about = messages[0] ?? newest
    const isTheirs = about?.recipientId === null && about.personId === personId
    const said = { intentId: about?.intentId, recipientId: isTheirs ? null : personId }
    keep(replyEvent(reply, said, personId, 'stop', saying))
  }
  return [...bySubject.values()]
}

/** Of a message to somebody else there are two events, as of a receipt: what it says is the recipient's (P6). */
function repliesAbout(
  reply: Reply,
  about: AnsweredMessage,
  detail: string | undefined,
  saying: Saying,
): TouchpointEvent[] {
  const { personId, recipientId } = about
  return [...new Set([personId, recipientId ?? personId])].map((subject) =>
    replyEvent(reply, about, subject, detail, saying),
  )
}

function replyEvent(
  { replyId, at }: Reply,
  { intentId, recipientId }: { intentId: string | undefined; recipientId: string | null },
  subject: string,
  detail: string | undefined,
  { provider, ...clock }: Saying,
): TouchpointEvent {
  const event = {
    id: replyId,
    source: `${ownSource}:receipts:${provider}`,
    type: 'message.replied.v1',
    subject,
    time: clock.now,
    data: {
      ...(intentId !== undefined && { intentId }),
      provider,
      channel: 'sms',
      ...(detail !== undefined && { detail }),
      ...(recipientId !== null && { recipientId }),
    },
  }
  return asSaid(event, at, clock)
}
