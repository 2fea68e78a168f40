import { join } from 'node:path'
import type { Clock } from '@wegwijs/runtime/clock'
import type { Logger } from '@wegwijs/runtime/log'
import { type Receipt, receiptSignatureHeader } from '@wegwijs/wire/receipt'
import { signBody } from '@wegwijs/wire/signature'
import { request } from 'undici'
import { type AcceptedMessage, fileNames } from './accepted.ts'
import { openJournal } from './journal.ts'
import { type OutcomeRates, receiptOf } from './outcomes.ts'

export type ReceiptOptions = {
  directory: string
  /** The gateway's address; without it nothing is sent and nothing is pending. */
  gatewayUrl?: string
  secret: string
  rates: OutcomeRates
  /** The provider's name at the gateway, by channel. */
  providers: Readonly<Record<AcceptedMessage['channel'], string>>
  log: Logger
  clock: Clock
  signal: AbortSignal
}

export type Receipts = {
  /** The receipt of this message, if there is to be one, will be sent. Once for each receipt id. */
  add(message: AcceptedMessage): void
  counts(): { pending: number; sent: number }
  close(): Promise<void>
}

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
  const { gatewayUrl, rates, providers, signal } = options
  const done = new Set<string>()
  const path = join(options.directory, fileNames.receiptsSent)
  const journal = await openJournal<{ receiptId: string }>(path, ({ receiptId }) => {
    done.add(receiptId)
  })
  const queues = new Map<string, Receipt[]>()
  const running = new Map<string, Promise<void>>()
  let sent = done.size
  let pending = 0

  const sendAll = async (provider: string, queue: Receipt[]) => {
    // Without this turn the first of many receipts would go alone.
    await Promise.resolve()
    while (queue.length > 0 && !signal.aborted) {
      const receipts = queue.slice(0, maxPerCall)
      await sendUntilTaken(provider, receipts, options)
      if (signal.aborted) return
      await Promise.all(receipts.map(({ receiptId }) => journal.append({ receiptId })))
      queue.splice(0, receipts.length)
      pending -= receipts.length
      sent += receipts.length
    }
  }

  const wake = (provider: string, queue: Receipt[]) => {
    if (running.has(provider)) return
    const run = sendAll(provider, queue).finally(() => {
      running.delete(provider)
      if (queue.length > 0 && !signal.aborted) wake(provider, queue)
    })
    running.set(provider, run)
  }

  return {
    add(message) {
      const receipt = gatewayUrl === undefined ? undefined : receiptOf(message, rates)
      if (receipt === undefined || done.has(receipt.receiptId)) return
      done.add(receipt.receiptId)
      const provider = providers[message.channel]
      const queue = queues.get(provider) ?? []
      queues.set(provider, queue)
      queue.push(receipt)
      pending += 1
      wake(provider, queue)
    },
    counts: () => ({ pending, sent }),
    async close() {
      await Promise.all(running.values())
      await journal.close()
    },
  }
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
  { gatewayUrl, secret, signal }: ReceiptOptions,
): Promise<boolean> {
  const body = JSON.stringify({ receipts })
  try {
    const answer = await request(`${gatewayUrl}/v1/receipts/${provider}`, {
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
