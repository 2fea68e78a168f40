import { join } from 'node:path'
import {
  type AcceptedEmail,
  type AcceptedMessage,
  type AcceptedSms,
  fileNames,
  type RepeatedSms,
} from './accepted.ts'
import { type Journal, openJournal, type Place } from './journal.ts'

/** What is kept in memory of a message; its content stays in its file. */
export type OutboxEntry = Pick<
  AcceptedMessage,
  'channel' | 'seq' | 'receivedAt' | 'intentId' | 'duplicate' | 'to'
> & { place: Place }

export type Recipient = { address: string; email: number; sms: number; lastAt: string }

export type OutboxCounts = { email: number; sms: number; repeatedSms: number }

export type Outbox = {
  /** Each resolves when the message is on disk. */
  acceptEmail(message: Omit<AcceptedEmail, 'channel' | 'seq'>): Promise<AcceptedEmail>
  /** The same idempotency key with the same message is `repeated`, with another one a `conflict`. */
  acceptSms(message: NewSms): Promise<SmsAnswer>
  counts(): OutboxCounts
  /** Of the last message that was accepted, in real time; null when there is none. */
  lastAcceptedAt(): string | null
  /** Whoever got the last message first. */
  recipients(limit: number): Recipient[]
  to(address: string): OutboxEntry[]
  ofIntent(intentId: string): OutboxEntry[]
  read(entry: OutboxEntry): Promise<AcceptedMessage>
  close(): Promise<void>
}

export type NewSms = Omit<AcceptedSms, 'channel' | 'seq' | 'reference'>
export type SmsAnswer = { kind: 'accepted' | 'repeated'; reference: string } | { kind: 'conflict' }

type Keyed = Pick<AcceptedSms, 'to' | 'from' | 'text' | 'intentId' | 'reference'>

/**
 * Everything the sandbox accepted, in a directory that is there. `onMessage` is told of each message once it is on disk, and at
 * opening of those that are there already.
 */
export async function openOutbox(
  directory: string,
  onMessage: (message: AcceptedMessage) => void,
): Promise<Outbox> {
  const index = createIndex()
  const keys = new Map<string, Keyed>()
  const underWay = new Map<string, Promise<unknown>>()
  let repeatedCount = 0
  const known = <Message extends AcceptedMessage>(message: Message, place: Place) => {
    index.add(message, place)
    if (message.channel === 'sms' && message.idempotencyKey !== null) {
      keys.set(message.idempotencyKey, message)
    }
    onMessage(message)
  }
  const email = await openJournal<AcceptedEmail>(join(directory, fileNames.email), known)
  const sms = await openJournal<AcceptedSms>(join(directory, fileNames.sms), known)
  const repeated = await openJournal<RepeatedSms>(join(directory, fileNames.repeatedSms), () => {
    repeatedCount += 1
  })
  const journals: { email: Journal<AcceptedEmail>; sms: Journal<AcceptedSms> } = { email, sms }
  const seqs = { email: index.counts.email, sms: index.counts.sms }

  const writeSms = async (message: NewSms): Promise<SmsAnswer> => {
    seqs.sms += 1
    const reference = `sandbox-sms-${seqs.sms}`
    const accepted: AcceptedSms = { ...message, channel: 'sms', seq: seqs.sms, reference }
    known(accepted, await sms.append(accepted))
    return { kind: 'accepted', reference }
  }

  const repeatSms = async (message: NewSms, key: string, first: Keyed): Promise<SmsAnswer> => {
    if (!isSame(first, message)) return { kind: 'conflict' }
    repeatedCount += 1
    const { reference } = first
    const { receivedAt, intentId, duplicate } = message
    const repeat = { receivedAt, intentId, idempotencyKey: key, duplicate, reference }
    await repeated.append({ seq: repeatedCount, ...repeat })
    return { kind: 'repeated', reference }
  }

  return {
    async acceptEmail(message) {
      seqs.email += 1
      const accepted: AcceptedEmail = { ...message, channel: 'email', seq: seqs.email }
      known(accepted, await email.append(accepted))
      return accepted
    },
    async acceptSms(message) {
      const key = message.idempotencyKey
      if (key === null) return writeSms(message)
      // Two calls with one key at once: the second waits for what the first comes to.
      while (underWay.has(key)) await underWay.get(key)
      const first = keys.get(key)
      if (first !== undefined) return repeatSms(message, key, first)
      const writing = writeSms(message)
      underWay.set(
        key,
        writing.catch(() => undefined),
      )
      try {
        return await writing
      } finally {
        underWay.delete(key)
      }
    },
    counts: () => ({ ...index.counts, repeatedSms: repeatedCount }),
    lastAcceptedAt: index.lastAcceptedAt,
    recipients: index.recipients,
    to: index.to,
    ofIntent: index.ofIntent,
    read: ({ channel, place }) => journals[channel].read(place),
    async close() {
      await Promise.all([email.close(), sms.close(), repeated.close()])
    },
  }
}

function isSame(first: Keyed, message: NewSms): boolean {
  return (
    first.to === message.to &&
    first.from === message.from &&
    first.text === message.text &&
    first.intentId === message.intentId
  )
}

function createIndex() {
  const counts = { email: 0, sms: 0 }
  const byAddress = new Map<string, OutboxEntry[]>()
  const byIntent = new Map<string, OutboxEntry[]>()
  let lastAt: string | null = null

  const add = (message: AcceptedMessage, place: Place) => {
    const { channel, seq, receivedAt, intentId, duplicate, to } = message
    const entry = { channel, seq, receivedAt, intentId, duplicate, to, place }
    counts[channel] += 1
    if (lastAt === null || receivedAt > lastAt) lastAt = receivedAt
    const ofAddress = byAddress.get(to) ?? []
    ofAddress.push(entry)
    byAddress.set(to, ofAddress)
    if (intentId === null) return
    const ofIntent = byIntent.get(intentId) ?? []
    ofIntent.push(entry)
    byIntent.set(intentId, ofIntent)
  }

  const recipients = (limit: number): Recipient[] =>
    [...byAddress]
      .map(([address, entries]) => ({
        address,
        email: entries.filter(({ channel }) => channel === 'email').length,
        sms: entries.filter(({ channel }) => channel === 'sms').length,
        lastAt: entries.at(-1)?.receivedAt ?? '',
      }))
      .reverse()
      .sort((a, b) => (a.lastAt < b.lastAt ? 1 : a.lastAt > b.lastAt ? -1 : 0))
      .slice(0, limit)

  return {
    counts,
    add,
    recipients,
    lastAcceptedAt: () => lastAt,
    to: (address: string) => byAddress.get(address) ?? [],
    ofIntent: (intentId: string) => byIntent.get(intentId) ?? [],
  }
}
