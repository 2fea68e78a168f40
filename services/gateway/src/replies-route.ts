import { ownIdSpace, ownSource } from '@wegwijs/campaign/event-check'
import { isStopWord, unclearReply } from '@wegwijs/campaign/receipts'
import { answerBy } from '@wegwijs/campaign/steps/ask'
import { parsePhone } from '@wegwijs/channels/phone'
import { fail } from '@wegwijs/runtime/failure'
import { findSmsTo, numberEnding, type SmsToNumber } from '@wegwijs/store/questions'
import type { StopEvent } from '@wegwijs/store/stops'
import { findJsonFault, isJsonObject, type JsonValue, parseJson } from '@wegwijs/wire/json'
import { maxRepliesPerRequest, type Reply, replySchema } from '@wegwijs/wire/reply'
import { signEvent } from '@wegwijs/wire/signature'
import type { FastifyInstance } from 'fastify'
import { answerEvent } from './answer-events.ts'
import type { GatewayContext } from './context.ts'
import { withinDeadline } from './deadline.ts'
import { providerOf, verifySignature } from './receipts-route.ts'
import { bodyOf, sendFailure } from './server.ts'

type Read = { reply: Reply } | { replyId: string | null; path: string }

/**
 * `answered`: it is an answer to a question. `kept`: it is none, and was written down as a reply, without
 * its words. `unknown`: nobody with this number got an SMS of ours. `refused` with the path of the fault.
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
 * as a reply to the newest message, without its words (P7); STOP stops (P3).
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
      const kept = await context.keep(meant.flatMap((each) => each?.event ?? []))
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

type Meaning = { status: 'answered' | 'kept'; event: StopEvent } | null

/** What each of them means, in order; one query for all of them. */
async function meaningsOf(
  read: readonly Read[],
  provider: string,
  { store, limits, time, clock, secret }: GatewayContext,
): Promise<Meaning[]> {
  const replies = read.flatMap((each) => ('reply' in each ? [each.reply] : []))
  const endings = replies.map(({ from }) => numberEnding(from))
  const found = findSmsTo(store.db, endings)
  const sent = await withinDeadline(found, limits.databaseDeadlineMs, clock)
  const now = await time.fresh()
  return read.map((each) => {
    if (!('reply' in each)) return null
    const { reply } = each
    const toNumber = (sent.get(numberEnding(reply.from)) ?? []).filter(
      ({ number }) => parsePhone(number, country) === reply.from,
    )
    return meaningOf(reply, toNumber, { provider, now, secret })
  })
}

function meaningOf(
  reply: Reply,
  toNumber: readonly SmsToNumber[],
  context: { provider: string; now: string; secret: string },
): Meaning {
  const { reference, text, at } = reply
  const named = toNumber.find(({ intentId }) => intentId === reference)
  const open = named?.question ? named : toNumber.find(isOpen)
  const answer = open?.question && !isStopWord(text) ? answerBy(text, open.question) : null
  if (open && answer !== null) {
    const { intentId, personId } = open
    return {
      status: 'answered',
      event: answerEvent({ intentId, personId, answer, by: 'sms', at }, context),
    }
  }
  const about = open ?? named ?? toNumber[0]
  return about ? { status: 'kept', event: replyEvent(reply, about, context) } : null
}

function isOpen({ question, answer, standing }: SmsToNumber): boolean {
  return question !== null && answer === null && standing === 'open'
}

function replyEvent(
  { replyId, text, at }: Reply,
  about: SmsToNumber,
  { provider, now, secret }: { provider: string; now: string; secret: string },
): StopEvent {
  const time = new Date(at).toISOString()
  const detail = isStopWord(text) ? 'stop' : isOpen(about) ? unclearReply : undefined
  const event = {
    id: replyId,
    source: `${ownSource}:receipts:${provider}`,
    type: 'message.replied.v1',
    subject: about.personId,
    time: time < now ? time : now,
    data: {
      intentId: about.intentId,
      provider,
      channel: 'sms',
      ...(detail !== undefined && { detail }),
    },
  }
  return { event: signEvent(event, secret), idSpace: ownIdSpace }
}
