import { fail, type WegwijsError } from '@wegwijs/runtime/failure'
import { type DecodedRequest, decodeRequest } from '@wegwijs/wire/cloudevents-http'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { type Answer, acceptEvents } from './accept-events.ts'
import type { GatewayContext } from './context.ts'
import { problemOf } from './problem.ts'
import { authenticated, bodyOf, keyOf, sendFailure } from './server.ts'

/**
 * `POST /v1/events`: one event or a batch, as CloudEvents 1.0.
 *
 * One event: 202, or its failure. A batch: 202 when every event is kept, else 207 with an answer for
 * each in its order; when none could be kept because we cannot keep any, 503 for the whole of it.
 */
export function routeEvents(app: FastifyInstance, context: GatewayContext): void {
  app.post(
    '/v1/events',
    { onRequest: authenticated(context, 'events'), config: { name: 'events' } },
    async (request, reply) => {
      const key = keyOf(request)
      const decoded = decodeRequest(
        request.headers['content-type'],
        request.raw.headersDistinct,
        bodyOf(request),
      )
      if (decoded.kind === 'refused') throw refusedRequest(decoded)
      context.metrics.received(decoded.items.length)
      const waitSeconds = context.admission.charge(key.keyId, Math.max(1, decoded.items.length))
      if (waitSeconds > 0) {
        const limited = fail('WEGWIJS_RATE_LIMITED', { perSecond: context.limits.eventsPerSecond })
        return sendFailure(reply, limited, waitSeconds)
      }
      const answers = await acceptEvents(context, key, decoded.items)
      count(context, answers)
      return decoded.kind === 'single'
        ? sendOne(reply, answers, context)
        : sendMany(reply, answers, context)
    },
  )
}

function sendOne(reply: FastifyReply, answers: readonly Answer[], { limits }: GatewayContext) {
  const failure = answers[0]?.failure
  return failure
    ? sendFailure(reply, failure, limits.retryAfterSeconds)
    : reply.code(202).send({ accepted: 1 })
}

function sendMany(reply: FastifyReply, answers: readonly Answer[], { limits }: GatewayContext) {
  const failures = answers.flatMap(({ failure }) => failure ?? [])
  const [first] = failures
  if (!first) return reply.code(202).send({ accepted: answers.length })
  const waits = failures.some((failure) => failure.retryable)
  if (failures.length === answers.length && failures.every((failure) => failure.retryable)) {
    return sendFailure(reply, first, limits.retryAfterSeconds)
  }
  if (waits) reply.header('retry-after', limits.retryAfterSeconds)
  return reply.code(207).send(answers.map(statusOf))
}

function statusOf({ id, failure }: Answer) {
  if (!failure) return { id, status: 202 }
  const error = problemOf(failure)
  return { id, status: error.status, error }
}

function refusedRequest(refused: Extract<DecodedRequest, { kind: 'refused' }>): WegwijsError {
  const { reason } = refused.rejection
  if (refused.status === 413) return fail('WEGWIJS_REQUEST_TOO_LARGE', { reason })
  if (refused.status === 415) return fail('WEGWIJS_MEDIA_TYPE_UNKNOWN', { reason })
  return fail('WEGWIJS_REQUEST_INVALID', { reason })
}

function count({ metrics }: GatewayContext, answers: readonly Answer[]): void {
  for (const { failure } of answers) {
    if (!failure) metrics.sent()
    else if (failure.code === 'WEGWIJS_EVENT_REFUSED') {
      metrics.discarded(String(failure.detail.errorClass))
    }
  }
}
