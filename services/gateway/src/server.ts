import type { Socket } from 'node:net'
import type { Clock } from '@wegwijs/runtime/clock'
import { fail, type WegwijsError } from '@wegwijs/runtime/failure'
import type { Logger } from '@wegwijs/runtime/log'
import type { ApiKey, ApiKeyScope } from '@wegwijs/store/api-keys'
import { maxBatchBytes } from '@wegwijs/wire/cloudevents-http'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import type { GatewayContext } from './context.ts'
import { problemOf, problemType, toFailure } from './problem.ts'

declare module 'fastify' {
  interface FastifyRequest {
    apiKey: ApiKey | null
    startedMs: number
  }
  interface FastifyContextConfig {
    /** Name of the route in the metrics. */
    name?: string
  }
}

export type ServerOptions = {
  context: GatewayContext
  log: Logger
  clock: Clock
  /** Aborted when nothing more is to be taken. */
  closing: AbortSignal
  /** What is not there yet and without which nothing can be taken, if anything. */
  refuses: () => WegwijsError | null
  observe: (route: string, status: number, seconds: number) => void
}

const LONGEST_PARAMETER = 2_500
const LONGEST_HEADERS_BYTES = 32 * 1024

/**
 * An HTTP server without routes. Every way in which Fastify or Node would answer by itself is
 * replaced: their answers quote the address or the fault, which may name a person (P7).
 *
 * A request goes through: room for it, its encoding, its credential (route), its body, the route.
 * A body is only read for a caller that is known.
 */
export function createServer(options: ServerOptions): FastifyInstance {
  const { context, log, clock, closing, refuses, observe } = options
  const { limits } = context
  const onFailure = (error: unknown, request: FastifyRequest | null, reply: FastifyReply) => {
    const failure = toFailure(error)
    if (failure.code === 'WEGWIJS_INTERNAL') log.error('a request met a defect', { error: failure })
    context.metrics.error(failure.code)
    // What the caller still sends of this body is nobody's.
    if (request && !request.raw.complete) reply.header('connection', 'close')
    return sendFailure(reply, failure, limits.retryAfterSeconds)
  }
  const app = fastify({
    logger: false,
    bodyLimit: maxBatchBytes,
    requestTimeout: limits.requestDeadlineMs,
    http: {
      // Node takes the smaller of the two for the headers and the larger for the whole request.
      headersTimeout: limits.requestDeadlineMs,
      connectionsCheckingInterval: limits.lateCheckMs,
      maxHeaderSize: LONGEST_HEADERS_BYTES,
    },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    routerOptions: { maxParamLength: LONGEST_PARAMETER },
    frameworkErrors: (error, request, reply) => {
      void onFailure(error, request, reply)
    },
    clientErrorHandler: (error, socket) => answerSocket(error, socket, limits.requestDeadlineMs),
  })
  app.decorateRequest('apiKey', null)
  app.decorateRequest('startedMs', 0)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.setErrorHandler(onFailure)
  app.setNotFoundHandler((request, reply) =>
    onFailure(fail('WEGWIJS_ROUTE_UNKNOWN'), request, reply),
  )
  app.addHook('onRequest', async (request, reply) => {
    request.startedMs = clock.monotonicMs()
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
    const refusal = closing.aborted ? fail('WEGWIJS_CLOSING') : refuses()
    if (refusal) throw refusal
    // 'close' comes when the answer is out and also when the caller hung up.
    reply.raw.once('close', context.admission.enter(announcedBytes(request)))
    refuseEncoded(request)
  })
  app.addHook('onSend', async (_request, reply) => {
    // A connection that is kept would hold up the closing until its own time-out.
    if (closing.aborted) reply.header('connection', 'close')
  })
  app.addHook('onResponse', async (request, reply) => {
    const seconds = (clock.monotonicMs() - request.startedMs) / 1_000
    observe(request.routeOptions.config?.name ?? 'unknown', reply.statusCode, seconds)
  })
  return app
}

/** A hook that lets a request through when its API key has the scope. */
export function authenticated(context: GatewayContext, scope: ApiKeyScope) {
  return async (request: FastifyRequest): Promise<void> => {
    request.apiKey = await context.credentials.authenticate(request.headers.authorization, scope)
  }
}

/** The key that {@link authenticated} has found. */
export function keyOf(request: FastifyRequest): ApiKey {
  if (!request.apiKey) throw fail('WEGWIJS_INTERNAL')
  return request.apiKey
}

/** The body as it was sent; empty when there was none. */
export function bodyOf(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
}

export function sendFailure(reply: FastifyReply, failure: WegwijsError, retryAfterSeconds: number) {
  const problem = problemOf(failure)
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="wegwijs"')
  if (failure.retryable) reply.header('retry-after', retryAfterSeconds)
  return reply.code(problem.status).type(problemType).send(problem)
}

function announcedBytes(request: FastifyRequest): number {
  if (request.method === 'GET' || request.method === 'HEAD') return 0
  const length = Number(request.headers['content-length'] ?? maxBatchBytes)
  return Number.isFinite(length) ? Math.min(length, maxBatchBytes) : maxBatchBytes
}

/** A body that unpacks to a thousand times its size would get past every limit on bytes. */
function refuseEncoded(request: FastifyRequest): void {
  const encoding = request.headers['content-encoding']
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return
  throw fail('WEGWIJS_MEDIA_TYPE_UNKNOWN', { reason: 'it is compressed' })
}

/** Answers what never became a request: too slow, headers too large, not HTTP at all. */
function answerSocket(error: NodeJS.ErrnoException, socket: Socket, deadlineMs: number): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const failure = socketFailure(error, deadlineMs)
  const problem = problemOf(failure)
  const body = JSON.stringify(problem)
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    `content-type: ${problemType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

function socketFailure({ code }: NodeJS.ErrnoException, deadlineMs: number): WegwijsError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return fail('WEGWIJS_REQUEST_TOO_SLOW', { deadlineMs })
  const reason =
    code === 'HPE_HEADER_OVERFLOW' ? 'its headers are too long' : 'it is not well-formed HTTP'
  return fail('WEGWIJS_REQUEST_INVALID', { reason })
}
