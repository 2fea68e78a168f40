import { join } from 'node:path'
import type { Question } from '@wegwijs/campaign/state'
import type { OutcomeRates } from '@wegwijs/dry-run/outcome-model'
import type { Clock } from '@wegwijs/runtime/clock'
import { derivedUuid } from '@wegwijs/runtime/derived-id'
import type { Logger } from '@wegwijs/runtime/log'
import { type Receipt, receiptSignatureHeader } from '@wegwijs/wire/receipt'
import { signBody } from '@wegwijs/wire/signature'
import { request } from 'undici'
import { type AcceptedMessage, fileNames } from './accepted.ts'
import type { Faults, ReceiptMode } from './faults.ts'
import { atGateway } from './gateway-address.ts'
import { openJournal } from './journal.ts'
import { receiptsOf } from './outcomes.ts'

export type ReceiptOptions = {
  directory: string
  /** The gateway's address; without it nothing is sent and nothing is pending. */
  gatewayUrl?: string
  secret: string
  /** Those in force when a message is accepted. */
  rates: () => OutcomeRates
  faults: Pick<Faults, 'meetReceipt'>
  /** What a message asked, if anything; without it nobody answers a question by name. */
  questionOf?: (intentId: string) => Promise<Pick<Question, 'answers'> | null>
  /** The provider's name at the gateway, by channel. */
  providers: Readonly<Record<AcceptedMessage['channel'], string>>
  log: Logger
  clock: Clock
  signal: AbortSignal
}

export type Receipts = {
  /** The receipts of this message, if there are to be any, will be sent. Once, unless told to fail. */
  add(message: AcceptedMessage): void
  /** `sent` counts what the model says comes; what a fault adds to it counts as pending only. */
  counts(): { pending: number; sent: number }
  close(): Promise<void>
}

/** One receipt on its way. `isExtra`: a fault has added it. */
type Posting = { receipt: Receipt; isExtra: boolean }

const usualDelayMs = 500
const maxPerCall = 200
const callTimeoutMs = 15_000
const firstPauseMs = 100
const longestPauseMs = 2_000

/**
 * Sends receipts to the gateway, and each of them until it was taken. What has been taken is kept in
 * a file. What is pending is not: after a restart it is every receipt of what was accepted, less
 * those, which comes to the same at whatever moment the last process ended.
 */
export async function openReceipts(options: ReceiptOptions): Promise<Receipts> {
  const { gatewayUrl, rates, faults, providers, clock, signal } = options
  const done = new Set<string>()
  const path = join(options.directory, fileNames.receiptsSent)
  const journal = await openJournal<{ receiptId: string }>(path, ({ receiptId }) => {
    done.add(receiptId)
  })
  const queues = new Map<string, Posting[]>()
  const running = new Map<string, Promise<void>>()
  let sent = done.size
  let pending = 0

  const sendAll = async (provider: string, queue: Posting[]) => {
    // Without this turn the first of many receipts would go alone.
    await Promise.resolve()
    while (queue.length > 0 && !signal.aborted) {
      const postings = queue.slice(0, maxPerCall)
      await sendUntilTaken(
        provider,
        postings.map(({ receipt }) => receipt),
        options,
      )
      if (signal.aborted) return
      const own = postings.filter(({ isExtra }) => !isExtra)
      await Promise.all(own.map(({ receipt: { receiptId } }) => journal.append({ receiptId })))
      queue.splice(0, postings.length)
      pending -= postings.length
      sent += own.length
    }
  }

  const wake = (provider: string, queue: Posting[]) => {
    if (running.has(provider)) return
    const run = sendAll(provider, queue).finally(() => {
      running.delete(provider)
      if (queue.length > 0 && !signal.aborted) wake(provider, queue)
    })
    running.set(provider, run)
  }

  const post = async (provider: string, posting: Posting, delayMs: number) => {
    pending += 1
    if (delayMs > 0) await clock.sleep(delayMs, signal)
    const queue = queues.get(provider) ?? []
    queues.set(provider, queue)
    queue.push(posting)
    wake(provider, queue)
  }

  const postOnce = ({ channel }: AcceptedMessage, receipt: Receipt) => {
    if (done.has(receipt.receiptId)) return
    done.add(receipt.receiptId)
    for (const { delayMs, ...posting } of postingsOf(receipt, channel, faults)) {
      // Who closes leaves those that wait: after a restart they are pending again.
      post(providers[channel], posting, delayMs).catch(() => undefined)
    }
  }

  /** What is said depends on what was asked, and until that is known the answer is pending. */
  const answer = async (message: AcceptedMessage, inForce: OutcomeRates) => {
    pending += 1
    const question = await questionUntilKnown(message, options)
    if (!signal.aborted) {
      const [, last] = receiptsOf(message, inForce, question)
      if (last) postOnce(message, last)
    }
    pending -= 1
  }

  return {
    add(message) {
      if (gatewayUrl === undefined) return
      const inForce = rates()
      const receipts = receiptsOf(message, inForce)
      const told = receipts.filter(({ status }) => status !== 'replied')
      for (const receipt of told) postOnce(message, receipt)
      if (told.length < receipts.length) void answer(message, inForce)
    },
    counts: () => ({ pending, sent }),
    async close() {
      await Promise.all(running.values())
      await journal.close()
    },
  }
}

/** Asked for as long as it takes: the record may be away for a while. */
async function questionUntilKnown(
  { intentId }: AcceptedMessage,
  { questionOf, clock, signal, log }: ReceiptOptions,
): Promise<Pick<Question, 'answers'> | null> {
  if (!questionOf || intentId === null) return null
  while (!signal.aborted) {
    try {
      return await questionOf(intentId)
    } catch (error) {
      log.warn('what a message asked is not known yet', { intentId, error })
      await clock.sleep(longestPauseMs, signal).catch(() => undefined)
    }
  }
  return null
}

/** The receipt of a message and what faults make of it, with the time until each is posted. */
function postingsOf(
  receipt: Receipt,
  channel: AcceptedMessage['channel'],
  faults: ReceiptOptions['faults'],
): (Posting & { delayMs: number })[] {
  const met = faults.meetReceipt(channel, receipt.reference)
  const waitOf = (mode: ReceiptMode) => met.get(mode)?.delayMs ?? usualDelayMs
  const beginsMs = met.has('receiptLate') ? waitOf('receiptLate') : 0
  const isDisordered = met.has('receiptDisordered') && receipt.status === 'delivered'
  const ownMs = beginsMs + (isDisordered ? waitOf('receiptDisordered') : 0)
  const postings = [{ receipt, isExtra: false, delayMs: ownMs }]
  if (isDisordered) {
    const receiptId = derivedUuid('sandbox-receipt', channel, receipt.reference, 'opened')
    const opened = { ...receipt, receiptId, status: 'opened' as const }
    postings.push({ receipt: opened, isExtra: true, delayMs: beginsMs })
  }
  if (met.has('receiptTwice')) {
    postings.push({ receipt, isExtra: true, delayMs: ownMs + waitOf('receiptTwice') })
  }
  return postings
}

async function sendUntilTaken(
  provider: string,
  receipts: readonly Receipt[],
  options: ReceiptOptions,
): Promise<void> {
  const { log, clock, signal } = options
  for (
    let pauseMs = firstPauseMs;
    !signal.aborted;
    pauseMs = Math.min(pauseMs * 2, longestPauseMs)
  ) {
    if (await isTaken(provider, receipts, options)) return
    if (pauseMs >= longestPauseMs) {
      log.warn('the gateway does not take receipts', { provider, count: receipts.length })
    }
    await clock.sleep(pauseMs, signal).catch(() => undefined)
  }
}

async function isTaken(
  provider: string,
  receipts: readonly Receipt[],
  { gatewayUrl = '', secret, signal }: ReceiptOptions,
): Promise<boolean> {
  const body = JSON.stringify({ receipts })
  try {
    const answer = await request(atGateway(gatewayUrl, `/v1/receipts/${provider}`), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        [receiptSignatureHeader]: signBody(body, secret),
      },
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(callTimeoutMs)]),
    })
    await answer.body.dump()
    return answer.statusCode >= 200 && answer.statusCode < 300
  } catch {
    return false
  }
}
