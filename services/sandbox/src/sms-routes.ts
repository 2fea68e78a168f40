import { createHash, timingSafeEqual } from 'node:crypto'
import type { Clock } from '@wegwijs/runtime/clock'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Calls } from './calls.ts'
import type { AnswerFault } from './faults.ts'
import type { MetFaults } from './met-faults.ts'
import type { NewSms, Outbox, SmsAnswer } from './outbox.ts'
import type { RateLimit } from './rate-limit.ts'

export type SmsProviderOptions = {
  outbox: Outbox
  meet: MetFaults['meet']
  clock: Clock
  signal: AbortSignal
  /** When given, calls must carry it as bearer token. */
  token?: string
  calls: Pick<Calls, 'begin'>
  rateLimit: RateLimit
}

const usualDelayMs = 2_000
const usualRetryAfterSeconds = 1

/**
 * An SMS provider as many are: `POST /sms/messages` with a bearer token and an Idempotency-Key that
 * it honours for as long as its files are kept; 202 with its reference. The same key again gets the
 * same answer and sends nothing; the key of another message gets 422.
 */
export function routeSms(app: FastifyInstance, options: SmsProviderOptions): void {
  const begun = new WeakMap<FastifyRequest, ReturnType<Calls['begin']>>()
  // Not for one that is left without an answer.
  const onSend = async (request: FastifyRequest) => begun.get(request)?.answered()
  app.get('/sms/sandbox', async () => ({ sandbox: 'wegwijs' }))
  app.post('/sms/messages', { onSend }, async (request, reply) => {
    const call = options.calls.begin('sms')
    options.rateLimit.called(request.raw.socket)
    begun.set(request, call)
    reply.raw.once('close', call.over)
    if (!isAuthorised(request, options.token)) return reply.code(401).send({ error: 'token' })
    const message = readSms(request, options.clock.instant())
    if (typeof message === 'string') return reply.code(400).send({ error: message })
    const fault = await options.meet('sms', message.intentId)
    return answerUnder(fault, message, { request, reply, options })
  })
}

type Call = { request: FastifyRequest; reply: FastifyReply; options: SmsProviderOptions }

async function answerUnder(fault: AnswerFault | undefined, message: NewSms, call: Call) {
  const { request, reply, options } = call
  switch (fault?.mode) {
    case 'refuse4xx':
      return reply.code(422).send({ error: 'told to refuse' })
    case 'refuse5xx':
      return reply.code(500).send({ error: 'told to fail' })
    case 'rateLimit': {
      const seconds = fault.retryAfterSeconds ?? usualRetryAfterSeconds
      options.rateLimit.told(request.raw.socket, seconds)
      return reply.code(429).header('retry-after', seconds).send({ error: 'told to be too busy' })
    }
    case 'resetBeforeAccept':
      return reset(request, reply)
    case 'hang':
      return reply.hijack()
    case 'resetAfterAccept':
      await options.outbox.acceptSms(message)
      return reset(request, reply)
    case 'hangAfterAccept':
      await options.outbox.acceptSms(message)
      return reply.hijack()
    case 'slow':
      await options.clock.sleep(fault.delayMs ?? usualDelayMs, options.signal)
      return send(reply, await options.outbox.acceptSms(message))
    case 'accept':
    case undefined:
      return send(reply, await options.outbox.acceptSms(message))
  }
}

function send(reply: FastifyReply, answer: SmsAnswer) {
  if (answer.kind === 'conflict') {
    return reply.code(422).send({ error: 'this Idempotency-Key belongs to another message' })
  }
  return reply.code(202).send({ reference: answer.reference })
}

function reset(request: FastifyRequest, reply: FastifyReply) {
  request.raw.socket.resetAndDestroy()
  return reply.hijack()
}

/** Compared by their hashes, which are of one length whatever was sent. */
function isAuthorised({ headers }: FastifyRequest, token: string | undefined): boolean {
  if (token === undefined) return true
  const [given, expected] = [headers.authorization ?? '', `Bearer ${token}`].map((text) =>
    createHash('sha256').update(text).digest(),
  )
  return given !== undefined && expected !== undefined && timingSafeEqual(given, expected)
}

/** The call as a message, or what is wrong with it. */
function readSms({ body, headers }: FastifyRequest, receivedAt: string): NewSms | string {
  if (typeof body !== 'object' || body === null) return 'expected a JSON object'
  const { to, from, text, reference, validitySeconds } = body as Record<string, unknown>
  if (!isText(to) || !/^\+\d{6,15}$/.test(to)) return 'to: expected a number in E.164'
  if (!isText(from)) return 'from: expected a sender'
  if (!isText(text)) return 'text: expected a text'
  if (!isText(reference)) return 'reference: expected an id'
  const key = headers['idempotency-key']
  return {
    receivedAt,
    intentId: reference,
    idempotencyKey: isText(key) ? key : null,
    duplicate: headers['x-wegwijs-possible-duplicate'] === 'yes',
    from,
    to,
    text,
    validitySeconds: typeof validitySeconds === 'number' ? validitySeconds : null,
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
