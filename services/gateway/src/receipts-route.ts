import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import { identifierSchema } from '@wegwijs/campaign/definition/words'
import { mayTrack } from '@wegwijs/campaign/receipts'
import { fail } from '@wegwijs/runtime/failure'
import { findJsonFault, isJsonObject, type JsonValue, parseJson } from '@wegwijs/wire/json'
import {
  maxReceiptsPerRequest,
  type Receipt,
  receiptSchema,
  receiptSignatureHeader,
} from '@wegwijs/wire/receipt'
import { verifyBody } from '@wegwijs/wire/signature'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { GatewayContext } from './context.ts'
import { askDefinition } from './definition-in-force.ts'
import type { Kept } from './keep.ts'
import { receiptEvents, type ToldOfMessage } from './receipt-events.ts'
import { bodyOf, sendFailure } from './server.ts'

type Read =
  | { kind: 'receipt'; receipt: Receipt }
  | { kind: 'unknown'; receiptId: string | null }
  | { kind: 'refused'; receiptId: string | null; path: string }

type ReceiptAnswer = {
  receiptId: string | null
  status: 'accepted' | 'unknown' | 'refused'
  path?: string
}

/**
 * `POST /v1/receipts/{provider}`: what became of messages that a provider accepted. They come in
 * again as `message.*` events with our signature, so that services/journey applies them like any
 * other event.
 *
 * 202 with an answer for each: `accepted`, `unknown` (no such message: trying again cannot help, so
 * it is no error), `refused` with the path of the fault. 400 when every one is refused; 503 when one
 * of them could not be kept, or nobody knows whether it may be, for all of them: the others are kept all the
 * same, and count once (P2).
 */
export function routeReceipts(app: FastifyInstance, context: GatewayContext): void {
  app.post<{ Params: { provider: string } }>(
    '/v1/receipts/:provider',
    { config: { name: 'receipts' } },
    async (request, reply) => {
      const provider = providerOf(request.params.provider)
      verifySignature(request, context.secret)
      const read = readReceipts(bodyOf(request))
      context.metrics.received(read.length)
      const told = await receiptEvents(
        read.map((each) => (each.kind === 'receipt' ? each.receipt : null)),
        provider,
        context,
      )
      const kept = await keepTold(
        told.filter((each) => each !== null),
        context,
      )
      const lost = [...kept.values()].find((each) => each.kind === 'failed')
      if (lost) return sendFailure(reply, lost.failure, context.limits.retryAfterSeconds)
      const receipts = read.map((each, index): ReceiptAnswer => {
        const own = told[index] ?? null
        // Where its class does not let us keep it there is nothing to tell, and nothing is wrong.
        return answerOf(each, own !== null && (kept.get(own)?.kind ?? 'kept') === 'kept')
      })
      count(context, receipts)
      const allRefused = receipts.every(({ status }) => status === 'refused')
      return reply.code(allRefused ? 400 : 202).send({ receipts })
    },
  )
}

/**
 * What became of each; one that may not be kept is not there. A bounce, a complaint or a stop waits for no
 * look at what may be tracked (P3): that comes after, and while nobody can say, those are kept all the same.
 *
 * @throws WEGWIJS_UNAVAILABLE, WEGWIJS_DEFINITION_MISSING (both retryable) when nobody knows whether one may
 * be kept
 */
async function keepTold(
  told: readonly ToldOfMessage[],
  context: GatewayContext,
): Promise<Map<ToldOfMessage, Kept>> {
  const [tracking, others] = [
    told.filter(({ tracks }) => tracks),
    told.filter((each) => !each.tracks),
  ]
  const kept = await keepEach(others, context)
  if (tracking.length === 0) return kept
  const known = await definitionNow(context)
  const allowed = tracking.filter(({ target }) => mayTrack(target, known))
  return new Map([...kept, ...(await keepEach(allowed, context))])
}

/** Of two events about one message the first, of the person, is the one that tells. */
async function keepEach(
  told: readonly ToldOfMessage[],
  { keep }: GatewayContext,
): Promise<Map<ToldOfMessage, Kept>> {
  const outcomes = (await keep(told.flatMap(({ events }) => events))).values()
  return new Map(
    told.flatMap((each) => {
      const own = each.events.flatMap(() => outcomes.next().value ?? [])
      const first = own.find(({ kind }) => kind === 'failed') ?? own[0]
      return first ? [[each, first] as const] : []
    }),
  )
}

/**
 * Asks for it first: the one that is known may be some seconds old, and does not know that nobody is to be
 * tracked any more. While nobody can say, nothing is thrown away
 * nor taken: the provider tells it again. So it is while only a newer gateway reads what is in force.
 */
async function definitionNow(context: GatewayContext): Promise<CompiledDefinition> {
  await askDefinition(context)
  const known = context.definition()
  if (known === null) throw fail('WEGWIJS_DEFINITION_MISSING')
  return known
}

/** Of the path; what no provider is called is refused. */
export function providerOf(name: string): string {
  if (identifierSchema.safeParse(name).success) return name
  throw fail('WEGWIJS_REQUEST_INVALID', { reason: 'the provider has no name such as smtp-main' })
}

/** A provider signs what it tells us, receipts and replies alike. */
export function verifySignature(request: FastifyRequest, secret: string): void {
  const given = request.headers[receiptSignatureHeader]
  const signature = typeof given === 'string' ? given : undefined
  if (!verifyBody(bodyOf(request), signature, secret)) {
    throw fail('WEGWIJS_CREDENTIAL_INVALID', {
      reason: `its ${receiptSignatureHeader} is not that of the body`,
    })
  }
}

function readReceipts(body: Buffer): Read[] {
  const parsed = parseJson(body)
  if (!parsed) throw fail('WEGWIJS_REQUEST_INVALID', { reason: 'the body is not JSON in UTF-8' })
  const receipts = isJsonObject(parsed.value) ? parsed.value.receipts : undefined
  if (!Array.isArray(receipts) || receipts.length === 0) {
    throw fail('WEGWIJS_REQUEST_INVALID', { reason: 'expected a list', path: 'receipts' })
  }
  if (receipts.length > maxReceiptsPerRequest) {
    throw fail('WEGWIJS_REQUEST_TOO_LARGE', { reason: `more than ${maxReceiptsPerRequest}` })
  }
  return receipts.map(readReceipt)
}

function readReceipt(value: JsonValue, index: number): Read {
  const path = `receipts[${index}]`
  const receiptId =
    isJsonObject(value) && typeof value.receiptId === 'string' ? value.receiptId : null
  const fault = findJsonFault(value, path)
  if (fault) return { kind: 'refused', receiptId: null, path: fault.path }
  const result = receiptSchema.safeParse(value)
  if (result.success) {
    const lacksAnswer = result.data.status === 'answered' && result.data.answer === undefined
    return lacksAnswer
      ? { kind: 'refused', receiptId, path: `${path}.answer` }
      : { kind: 'receipt', receipt: result.data }
  }
  const places = result.error.issues.map((issue) => issue.path.join('.'))
  // A reference that is none of ours: an account that others send with too.
  if (places.every((place) => place === 'reference') && isReference(value)) {
    return { kind: 'unknown', receiptId }
  }
  return { kind: 'refused', receiptId, path: [path, places[0]].filter(Boolean).join('.') }
}

function isReference(value: JsonValue): boolean {
  return isJsonObject(value) && typeof value.reference === 'string'
}

function answerOf(read: Read, known: boolean): ReceiptAnswer {
  if (read.kind === 'refused') {
    return { receiptId: read.receiptId, status: 'refused', path: read.path }
  }
  const receiptId = read.kind === 'receipt' ? read.receipt.receiptId : read.receiptId
  return { receiptId, status: known ? 'accepted' : 'unknown' }
}

function count({ metrics }: GatewayContext, receipts: readonly ReceiptAnswer[]): void {
  for (const { status } of receipts) {
    if (status === 'accepted') metrics.sent()
    else metrics.discarded(`receipt_${status}`)
  }
}
