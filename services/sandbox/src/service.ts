import { mkdir } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import type { Question } from '@wegwijs/campaign/state'
import type { OutcomeRates } from '@wegwijs/dry-run/outcome-model'
import { type Clock, systemClock } from '@wegwijs/runtime/clock'
import type { Scope } from '@wegwijs/runtime/lifecycle'
import type { Logger } from '@wegwijs/runtime/log'
import type { OutboxPage } from '@wegwijs/store/outbox-page'
import fastify from 'fastify'
import type { AcceptedMessage } from './accepted.ts'
import { countCalls } from './calls.ts'
import { routeControls, type SandboxStatus, statusOf } from './control-routes.ts'
import { createFaults, type Faults } from './faults.ts'
import { startMailServer } from './mail-server.ts'
import { openMetFaults } from './met-faults.ts'
import { type Outbox, openOutbox } from './outbox.ts'
import { usualRates } from './outcomes.ts'
import { routePages } from './page-routes.ts'
import { createRateLimit } from './rate-limit.ts'
import { openReceipts, type Receipts } from './receipts.ts'
import { replierOf } from './replies.ts'
import { routeSms } from './sms-routes.ts'

export type SandboxOptions = {
  /** Where it writes what it accepted; what is there from before counts as accepted. */
  directory: string
  host?: string
  /** 0 takes a free port. */
  smtpPort: number
  httpPort: number
  /** Where receipts go; without it none are sent. */
  gatewayUrl?: string
  /** Signs receipts. */
  secret: string
  /** SMS calls must carry it, if it is given. */
  smsToken?: string
  /** Names under which receipts are posted, by channel. */
  providers?: Readonly<Record<AcceptedMessage['channel'], string>>
  rates?: OutcomeRates
  /** What a message asked, for people who answer (services/sandbox/src/receipts.ts). */
  questionOf?: (intentId: string) => Promise<Pick<Question, 'answers'> | null>
  /** People, journeys and app messages for the outbox page; without it there are addresses and real times. */
  source?: OutboxPage
  /** For times on the outbox page, of people whose own zone is not known. */
  timeZone?: string
  log: Logger
  clock?: Clock
}

export type Sandbox = {
  /** For WEGWIJS_SMTP_URL and WEGWIJS_SMS_URL. */
  smtpUrl: string
  smsUrl: string
  /** The outbox page; `/status` and `/faults` are below it. */
  pageUrl: string
  status(): SandboxStatus
  faults: Faults
}

/** As in examples/hospital. */
const usualProviders = { email: 'smtp', sms: 'sms-http' } as const

/**
 * Providers that accept, write down and report, and reach nobody: an SMTP server, an SMS provider,
 * their receipts, and a page that shows what came. Everything accepted is on disk before it is
 * answered, so a sandbox that is killed and started again goes on where it was.
 */
export async function startSandbox(scope: Scope, options: SandboxOptions): Promise<Sandbox> {
  const { host = '127.0.0.1', clock = systemClock, log } = options
  const { signal } = scope
  const faults = createFaults()
  let inForce = options.rates ?? usualRates
  const rates = {
    get: () => inForce,
    set: (other: OutcomeRates) => {
      inForce = other
    },
  }
  const { outbox, receipts } = await openFiles(scope, options, { clock, faults, rates: rates.get })

  const { meet, close } = await openMetFaults(options.directory, { faults, clock })
  scope.onClose('file of faults', close)
  const calls = countCalls()
  const rateLimit = createRateLimit(clock)
  const mail = await startMailServer({
    host,
    port: options.smtpPort,
    meet,
    clock,
    signal,
    calls,
    accept: outbox.acceptEmail,
  })
  scope.onClose('SMTP server', mail.close)

  const controls = {
    outbox,
    receipts,
    faults,
    rates,
    calls,
    calledTooEarly: rateLimit.calledTooEarly,
    replies: replierOf(options, clock),
  }
  const status = () => statusOf(controls)
  const app = fastify({ forceCloseConnections: true, bodyLimit: 1024 * 1024 })
  app.get('/sandbox', async () => ({ sandbox: 'wegwijs' }))
  routeControls(app, controls)
  const { smsToken, source, timeZone = 'Europe/Amsterdam' } = options
  const token = smsToken === undefined ? {} : { token: smsToken }
  routeSms(app, { outbox, meet, clock, signal, calls, rateLimit, ...token })
  await routePages(app, { outbox, ...(source && { source }), status, timeZone, log })
  await app.listen({ host, port: options.httpPort })
  scope.onClose('HTTP server', () => app.close())

  const { port: httpPort } = app.server.address() as AddressInfo
  const name = host === '0.0.0.0' ? '127.0.0.1' : host
  const pageUrl = `http://${name}:${httpPort}`
  log.info('takes messages', { port: mail.port })
  log.info('shows them', { port: httpPort })
  return {
    smtpUrl: `smtp://${name}:${mail.port}`,
    smsUrl: `${pageUrl}/sms`,
    pageUrl,
    status,
    faults,
  }
}

/** Receipts first: opening the outbox tells them of everything that was accepted before. */
async function openFiles(
  scope: Scope,
  options: SandboxOptions,
  { clock, faults, rates }: { clock: Clock; faults: Faults; rates: () => OutcomeRates },
): Promise<{ outbox: Outbox; receipts: Receipts }> {
  const { directory, gatewayUrl, secret, log } = options
  await mkdir(directory, { recursive: true })
  const receipts = await openReceipts({
    directory,
    ...(gatewayUrl === undefined ? {} : { gatewayUrl }),
    secret,
    rates,
    faults,
    ...(options.questionOf && { questionOf: options.questionOf }),
    providers: options.providers ?? usualProviders,
    log,
    clock,
    signal: scope.signal,
  })
  scope.onClose('receipts', receipts.close)
  const outbox = await openOutbox(directory, receipts.add)
  scope.onClose('outbox files', outbox.close)
  const { email, sms } = outbox.counts()
  if (email + sms > 0) log.info('has messages from before', { count: email + sms })
  return { outbox, receipts }
}
