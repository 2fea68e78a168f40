import type { OutcomeRates } from '@wegwijs/dry-run/outcome-model'
import type { FastifyInstance } from 'fastify'
import type { Calls } from './calls.ts'
import { type FaultChannel, type Faults, readFault } from './faults.ts'
import type { Outbox } from './outbox.ts'
import { readRates } from './outcomes.ts'
import type { Receipts } from './receipts.ts'
import type { SendReply } from './replies.ts'

/** How a rehearsal's conductor sees that the sandbox is done with everything it was given. */
export type SandboxStatus = {
  accepted: { email: number; sms: number }
  repeatedSms: number
  receiptsPending: number
  receiptsSent: number
  /** Messages that are read and not yet answered. */
  underWay: number
  /** The most at once since the start. */
  mostUnderWay: number
  /** The most beyond what had been answered, of each channel (calls.ts). */
  mostAhead: Readonly<Record<FaultChannel, number>>
  /** SMS calls that came although a Retry-After was not over (rate-limit.ts). */
  calledTooEarly: number
  /** How often each fault was met since the start: `sms hang`. */
  faultsMet: Readonly<Record<string, number>>
  /** Nothing under way and no receipt pending. */
  idle: boolean
  lastAcceptedAt: string | null
}

export type ControlOptions = {
  outbox: Outbox
  receipts: Receipts
  faults: Faults
  rates: { get(): OutcomeRates; set(rates: OutcomeRates): void }
  calls: Pick<Calls, 'underWay' | 'mostUnderWay' | 'mostAhead'>
  calledTooEarly: () => number
  /** Null where there is no gateway to tell. */
  replies: SendReply | null
}

/**
 * `GET /status`; `GET`, `PUT` and `DELETE /faults` (`?channel=` for those of one channel); `GET` and
 * `PUT /outcomes`, what becomes of messages that are accepted from then on; `POST /replies` with `{ from,
 * text }`, what somebody with that number writes back by SMS, answered as the gateway does.
 */
export function routeControls(app: FastifyInstance, options: ControlOptions): void {
  const { faults, rates } = options
  app.get('/outcomes', async () => rates.get())
  app.put('/outcomes', async ({ body }, reply) => {
    const read = readRates(body)
    if (typeof read === 'string') return reply.code(400).send({ error: read })
    rates.set(read)
    return rates.get()
  })
  app.post('/replies', async ({ body }, reply) => {
    const { from, text } = (body ?? {}) as Record<string, unknown>
    if (typeof from !== 'string' || typeof text !== 'string') {
      return reply
        .code(400)
        .send({ error: 'expected from, a number such as +31612345678, and text' })
    }
    if (options.replies === null) return reply.code(409).send({ error: 'there is no gateway' })
    const { status, body: answer } = await options.replies({ from, text })
    return reply.code(status).send(answer)
  })
  app.get('/status', async () => statusOf(options))
  app.get('/faults', async () => ({ faults: faults.list() }))
  app.put('/faults', async ({ body }, reply) => {
    const read = (Array.isArray(body) ? body : [body]).map(readFault)
    const wrong = read.find((fault) => typeof fault === 'string')
    if (wrong !== undefined) return reply.code(400).send({ error: wrong })
    for (const fault of read) if (typeof fault !== 'string') faults.set(fault)
    return { faults: faults.list() }
  })
  app.delete<{ Querystring: { channel?: string } }>('/faults', async ({ query }, reply) => {
    const { channel } = query
    if (channel !== undefined && channel !== 'email' && channel !== 'sms') {
      return reply.code(400).send({ error: 'channel: expected email or sms' })
    }
    faults.clear(channel)
    return { faults: faults.list() }
  })
}

export function statusOf({ outbox, receipts, faults, calls, calledTooEarly }: ControlOptions) {
  const { repeatedSms, ...accepted } = outbox.counts()
  const { pending, sent } = receipts.counts()
  const status: SandboxStatus = {
    accepted,
    repeatedSms,
    receiptsPending: pending,
    receiptsSent: sent,
    underWay: calls.underWay(),
    mostUnderWay: calls.mostUnderWay(),
    mostAhead: calls.mostAhead(),
    calledTooEarly: calledTooEarly(),
    faultsMet: faults.met(),
    idle: pending === 0 && calls.underWay() === 0,
    lastAcceptedAt: outbox.lastAcceptedAt(),
  }
  return status
}
