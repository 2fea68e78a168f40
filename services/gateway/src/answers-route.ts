import { type AskedQuestion, findQuestion } from '@wegwijs/store/questions'
import { answerPath, readAnswerToken } from '@wegwijs/wire/answer-link'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { answerEvent } from './answer-events.ts'
import {
  answeredPage,
  overPage,
  type PageFacts,
  pageLocale,
  questionPage,
  unknownPage,
} from './answer-page.ts'
import type { GatewayContext } from './context.ts'
import { withinDeadline } from './deadline.ts'
import { bodyOf, sendFailure } from './server.ts'

type Parameters = { Params: { token: string; answer?: string } }

/** How often it is asked what has become of an answer. */
const LOOK_MS = 50

/**
 * `GET /a/{token}/{answer}` shows the question of a message, with a button for each answer; whoever only
 * looks, as the scanners of mail servers do, answers nothing. `POST` is the press of a button: it becomes
 * an event, like a receipt, and the page says what counted: the first answer.
 *
 * 404 for a link that is none of ours, 410 when the campaign waits for no answer any more, 400 for what
 * is none of the answers; always a page that a person can read. 503 when the answer could not be kept.
 */
export function routeAnswers(app: FastifyInstance, context: GatewayContext): void {
  const config = { name: 'answers' }
  for (const path of [`${answerPath}/:token`, `${answerPath}/:token/:answer`]) {
    app.get<Parameters>(path, { config }, async ({ params }, reply) => {
      const asked = await askedBy(params.token, context)
      return show(asked, { wanted: params.answer ?? null, given: null }, { reply, context })
    })
    app.post<Parameters>(path, { config }, async (request, reply) => {
      const asked = await askedBy(request.params.token, context)
      const given = new URLSearchParams(bodyOf(request).toString('utf8')).get('answer')
      const isAnswer = asked?.question.answers.some(({ answer }) => answer === given)
      if (asked === null || given === null || !isAnswer) {
        return show(asked, { wanted: null, given: null, isWrong: true }, { reply, context })
      }
      if (asked.answer !== null || asked.standing !== 'open') {
        return show(asked, { wanted: null, given }, { reply, context })
      }
      context.metrics.received(1)
      const failure = await keepAnswer(asked, given, context)
      if (failure) return sendFailure(reply, failure, context.limits.retryAfterSeconds)
      context.metrics.sent()
      const decided = await decidedOn(asked, context)
      return show(decided, { wanted: null, given, isKept: true }, { reply, context })
    })
  }
}

async function askedBy(token: string, context: GatewayContext): Promise<AskedQuestion | null> {
  const intentId = readAnswerToken(token, context.secret)
  return intentId === null ? null : lookUp(intentId, context)
}

function lookUp(intentId: string, { store, limits, clock }: GatewayContext) {
  return withinDeadline(findQuestion(store.db, intentId), limits.databaseDeadlineMs, clock)
}

async function keepAnswer(asked: AskedQuestion, answer: string, context: GatewayContext) {
  const { intentId, personId } = asked
  const { keep, secret, time } = context
  const now = await time.fresh()
  const given = { intentId, personId, answer, by: 'link' as const, at: now }
  const [kept] = await keep([answerEvent(given, { now, secret })])
  return kept?.kind === 'failed' ? kept.failure : null
}

/** As it is once the answer was decided; as it was when that takes too long to wait for. */
async function decidedOn(before: AskedQuestion, context: GatewayContext): Promise<AskedQuestion> {
  const { clock, limits } = context
  const endsMs = clock.monotonicMs() + limits.answerShownMs
  let asked: AskedQuestion | null = before
  while (asked?.answer === null && asked.standing === 'open' && clock.monotonicMs() < endsMs) {
    await clock.sleep(LOOK_MS)
    asked = await lookUp(before.intentId, context).catch(() => before)
  }
  return asked ?? before
}

type Shown = { wanted: string | null; given: string | null; isWrong?: boolean; isKept?: boolean }

function show(
  asked: AskedQuestion | null,
  { wanted, given, isWrong = false, isKept = false }: Shown,
  { reply, context }: { reply: FastifyReply; context: GatewayContext },
) {
  reply
    .type('text/html; charset=utf-8')
    .header('referrer-policy', 'no-referrer')
    .header('x-robots-tag', 'noindex, nofollow')
    .header(
      'content-security-policy',
      "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    )
  const facts = factsOf(asked, context)
  if (asked === null) return reply.code(404).send(unknownPage(facts))
  if (asked.answer !== null) return reply.send(answeredPage(asked, given, facts))
  if (asked.standing !== 'open') return reply.code(410).send(overPage(asked, facts))
  if (isKept) return reply.send(answeredPage(asked, given, facts))
  return reply.code(isWrong ? 400 : 200).send(questionPage(asked, wanted, facts))
}

function factsOf(asked: AskedQuestion | null, { definition }: GatewayContext): PageFacts {
  const known = definition()
  return {
    locale: pageLocale(asked?.locale ?? null, known?.locale),
    organisation: known?.organisation ?? {},
  }
}
