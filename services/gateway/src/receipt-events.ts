import { ownIdSpace, ownSource } from '@wegwijs/campaign/event-check'
import { isStopWord } from '@wegwijs/campaign/receipts'
import { findReceiptTargets, type ReceiptTarget } from '@wegwijs/store/receipt-targets'
import type { StopEvent } from '@wegwijs/store/stops'
import { messageType, type Receipt } from '@wegwijs/wire/receipt'
import { signEvent } from '@wegwijs/wire/signature'
import { answerEvent } from './answer-events.ts'
import type { GatewayContext } from './context.ts'
import { withinDeadline } from './deadline.ts'
import { asSaid, type ClockNow } from './said-at.ts'

const CODE = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/

export type ReceiptDependencies = Pick<
  GatewayContext,
  'store' | 'limits' | 'time' | 'clock' | 'secret'
>

/**
 * What a receipt comes to. `tracks`: it says that somebody opened the message, which may be kept only where
 * the class of the message lets us; that is for the caller to ask.
 */
export type ToldOfMessage = { target: ReceiptTarget; tracks: boolean; events: StopEvent[] }

/**
 * The events of each receipt about a message that we know, in order; one query for all of them. Of a message
 * to somebody else than whom it is about there are two: what became of it is the person's, what it says of
 * an address or a wish is the recipient's (P6). Null is a message that we do not know.
 */
export async function receiptEvents(
  receipts: readonly (Receipt | null)[],
  provider: string,
  { store, limits, time, clock, secret }: ReceiptDependencies,
): Promise<(ToldOfMessage | null)[]> {
  const ids = [...new Set(receipts.flatMap((receipt) => receipt?.reference ?? []))]
  const found = findReceiptTargets(store.db, ids, provider)
  const targets = await withinDeadline(found, limits.databaseDeadlineMs, clock)
  const clockNow = await time.standing()
  return receipts.map((receipt) => {
    const target = receipt && targets.get(receipt.reference)
    if (!target) return null
    const { status, answer, at } = receipt
    if (status === 'answered') {
      const given = { ...target, answer: answer ?? '', by: 'provider' as const, at }
      if (answer === undefined) return null
      return { target, tracks: false, events: [answerEvent(given, { ...clockNow, secret })] }
    }
    const { personId, recipientId } = target
    const events = [personId, ...(recipientId === null ? [] : [recipientId])].map((subject) =>
      eventOf(receipt, target, subject, { provider, ...clockNow, secret }),
    )
    return { target, tracks: isOfTracking(status), events }
  })
}

function isOfTracking(status: Receipt['status']): boolean {
  return status === 'opened' || status === 'clicked'
}

function eventOf(
  receipt: Receipt,
  target: ReceiptTarget,
  subject: string,
  { provider, secret, ...clock }: ClockNow & { provider: string; secret: string },
): StopEvent {
  const detail = detailOf(receipt)
  const event = {
    id: receipt.receiptId,
    source: `${ownSource}:receipts:${provider}`,
    type: messageType(receipt.status),
    subject,
    time: clock.now,
    data: {
      intentId: target.intentId,
      provider,
      channel: target.channel,
      ...(detail !== undefined && { detail }),
      ...(receipt.status === 'bounced' &&
        target.addressSince !== null && { addressSince: target.addressSince }),
      ...(target.recipientId !== null && { recipientId: target.recipientId }),
    },
  }
  return { event: signEvent(asSaid(event, receipt.at, clock), secret), idSpace: ownIdSpace }
}

/**
 * What may be kept of a detail: a code. A sentence of a mail server quotes the address, and an
 * answer by SMS may say anything (P7); of that only counts whether it asks us to stop (P3).
 */
function detailOf({ status, detail }: Receipt): string | undefined {
  if (status === 'replied') return isStopWord(detail) ? 'stop' : undefined
  return detail !== undefined && CODE.test(detail) ? detail : undefined
}
