import type { Identity } from '@wegwijs/campaign/journey-event'
import { fail } from '@wegwijs/runtime/failure'
import {
  type AppMessage,
  type InboxPlace,
  listAppMessages,
  markAppMessageRead,
} from '@wegwijs/store/app-inbox'
import { isJsonObject, parseJson } from '@wegwijs/wire/json'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { GatewayContext } from './context.ts'
import { withinDeadline } from './deadline.ts'
import { authenticated, keyOf, sendFailure } from './server.ts'

type PersonParams = { idSpace: string; externalId: string }

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const STANDARD_PAGE = 50
const LARGEST_PAGE = 100
const LONGEST_ID = 255

/**
 * The app inbox, for the server behind the organisation's app or portal: it has told its user apart
 * already, and asks with an API key of scope `app.read` for people of the key's id space only.
 *
 * `GET /v1/app/people/{idSpace}/{externalId}/messages?limit=&after=` gives a page, the newest first,
 * and `next` for the one after it. `POST …/messages/{intentId}/read` marks one as read.
 */
export function routeAppInbox(app: FastifyInstance, context: GatewayContext): void {
  const { store, limits, clock } = context
  const route = { onRequest: authenticated(context, 'app.read'), config: { name: 'app_inbox' } }
  const path = '/v1/app/people/:idSpace/:externalId/messages'

  app.get<{ Params: PersonParams; Querystring: Record<string, unknown> }>(
    path,
    route,
    async (request, reply) => {
      const identity = identityOf(request, request.params)
      const page = pageOf(request.query)
      const waitSeconds = context.admission.charge(keyOf(request).keyId, 1)
      if (waitSeconds > 0) return sendFailure(reply, limited(context), waitSeconds)
      const messages = await withinDeadline(
        listAppMessages(store.db, identity, { ...page, limit: page.limit + 1 }),
        limits.databaseDeadlineMs,
        clock,
      )
      return reply.send(asPage(messages, page.limit))
    },
  )

  app.post<{ Params: PersonParams & { intentId: string } }>(
    `${path}/:intentId/read`,
    route,
    async (request, reply) => {
      const identity = identityOf(request, request.params)
      const { intentId } = request.params
      const waitSeconds = context.admission.charge(keyOf(request).keyId, 1)
      if (waitSeconds > 0) return sendFailure(reply, limited(context), waitSeconds)
      const read = UUID.test(intentId)
        ? await withinDeadline(
            markAppMessageRead(store.db, identity, intentId),
            limits.databaseDeadlineMs,
            clock,
          )
        : null
      if (!read) throw fail('WEGWIJS_APP_MESSAGE_UNKNOWN')
      return reply.send(read)
    },
  )
}

/** Whose inbox it is; a key sees the people of its own id space and nobody else. */
function identityOf(request: FastifyRequest, { idSpace, externalId }: PersonParams): Identity {
  if (keyOf(request).idSpace !== idSpace) {
    throw fail('WEGWIJS_CREDENTIAL_NOT_ALLOWED', { reason: 'it is for people of another id space' })
  }
  if (externalId.length > LONGEST_ID || externalId.includes('\0')) {
    throw fail('WEGWIJS_REQUEST_INVALID', {
      reason: 'it is not the id of a person',
      path: 'externalId',
    })
  }
  return { idSpace, externalId }
}

function pageOf(query: Record<string, unknown>): { limit: number; after?: InboxPlace } {
  const limit = query.limit === undefined ? STANDARD_PAGE : Number(query.limit)
  if (!Number.isInteger(limit) || limit < 1 || limit > LARGEST_PAGE) {
    const reason = `it is not a number from 1 to ${LARGEST_PAGE}`
    throw fail('WEGWIJS_REQUEST_INVALID', { reason, path: 'limit' })
  }
  if (query.after === undefined) return { limit }
  const after = readPlace(String(query.after))
  if (!after) {
    throw fail('WEGWIJS_REQUEST_INVALID', { reason: 'it is no `next` of ours', path: 'after' })
  }
  return { limit, after }
}

/** One more than a page was asked for: it tells whether there is a next one. */
function asPage(messages: readonly AppMessage[], limit: number) {
  const shown = messages.slice(0, limit)
  const last = shown.at(-1)
  return messages.length > limit && last
    ? { messages: shown, next: writePlace(last) }
    : { messages: shown }
}

function writePlace({ at, intentId }: InboxPlace): string {
  return Buffer.from(JSON.stringify({ at, intentId })).toString('base64url')
}

function readPlace(text: string): InboxPlace | null {
  const value = parseJson(Buffer.from(text, 'base64url'))?.value
  if (!isJsonObject(value)) return null
  const [at, intentId] = [String(value.at), String(value.intentId)]
  return INSTANT.test(at) && !Number.isNaN(Date.parse(at)) && UUID.test(intentId)
    ? { at, intentId }
    : null
}

function limited({ limits }: GatewayContext) {
  return fail('WEGWIJS_RATE_LIMITED', { perSecond: limits.eventsPerSecond })
}
