import { Readable } from 'node:stream'
import { systemClock } from '@wegwijs/runtime/clock'
import { createTransport } from 'nodemailer'
import { type Bounds, type SendClock, sendWithin } from './bounded-send.ts'
import { hasControl, type Mailbox, parseAddress, parseMailbox } from './mailbox.ts'
import type { Channel, EmailContent, Outcome, OutgoingMessage } from './port.ts'
import { portOf, readGreeting } from './smtp-greeting.ts'
import { outcomeOfSmtpFailure, type SmtpFailure } from './smtp-outcome.ts'

export type EmailOptions = {
  /** `smtp://host:587` or `smtps://user:password@host:465`; `?requireTls=true` insists on STARTTLS. */
  url: string
  /** The provider's name in stops and receipts. */
  provider?: string
  /** Open connections at most: needed are messages a second × seconds a message. */
  connections?: number
  /** A connection that gets no further in this time is given up. */
  connectTimeoutMs?: number
  /** A whole hand-over, the wait for a connection included; shorter than the lease of delivery. */
  sendTimeoutMs?: number
  clock?: SendClock
}

/** What the greeting of the sandbox contains, and no other server's. */
const sandboxGreeting = 'wegwijs-sandbox'

const messageIdForm = /^<[^\s<>@]+@[^\s<>@]+>$/

/**
 * E-mail over SMTP, on a pool of connections that stay open. No open or click tracking: the message
 * goes out as it was rendered.
 *
 * SMTP knows no idempotency key, so a repeat is a second mail (RFC 1047); the Message-ID stays the
 * same, and some mailboxes fold the two.
 */
export function createEmailChannel(options: EmailOptions): Channel {
  const { provider = 'smtp', connectTimeoutMs = 10_000, sendTimeoutMs = 30_000 } = options
  const { clock = systemClock } = options
  const server = new URL(options.url)
  const handovers = new WeakMap<AbortSignal, Handover>()
  const transport = openTransport(server, options, handovers)

  return {
    name: 'email',
    provider,
    idempotent: false,
    async send(message, signal) {
      const mail = mailOf(message)
      if ('kind' in mail) return mail
      return sendWithin({ ms: sendTimeoutMs, signal, clock }, async (bounds) => {
        const handover: Handover = { bounds, began: false }
        handovers.set(bounds.signal, handover)
        try {
          return accepted(await transport.sendMail({ ...mail, signal: bounds.signal }))
        } catch (error) {
          const failure: SmtpFailure = isTimeout(bounds.signal)
            ? { code: 'ETIMEDOUT' }
            : (error as SmtpFailure)
          return outcomeOfSmtpFailure(failure, handover.began)
        }
      })
    },
    async isSandbox() {
      return (await readGreeting(server, connectTimeoutMs)).includes(sandboxGreeting)
    },
    async close() {
      transport.close()
    },
  }
}

type Taken = { serverMessageId?: unknown; response?: string | undefined }

/** With the server's own name for the message, under which its operators find it again. */
function accepted({ serverMessageId, response = '' }: Taken): Outcome {
  const [, queueId] = /\bqueued as ([A-Za-z0-9]{4,40})\b/.exec(response) ?? []
  const reference = typeof serverMessageId === 'string' ? serverMessageId : queueId
  return reference === undefined ? { kind: 'accepted' } : { kind: 'accepted', reference }
}

/** One message on its way. `began`: nodemailer has read of it, to write it. */
type Handover = { readonly bounds: Bounds; began: boolean }

/**
 * The message as nodemailer reads it once the server has said yes to DATA. Each piece is read to be written at once, and
 * the end of it is what makes the server take it, so neither is given when the time is over (P3).
 */
function inTime(source: Readable, handover: Handover): Readable {
  const read = async function* () {
    for await (const piece of source) {
      if (handover.bounds.isOver()) return tooLate()
      handover.began = true
      yield piece
    }
    if (handover.bounds.isOver()) tooLate()
  }
  const message = Readable.from(read(), { objectMode: false })
  // Nothing of it may have been read yet when either of them ends.
  source.once('error', (error) => message.destroy(error))
  message.once('close', () => source.destroy())
  return message
}

function tooLate(): never {
  throw new Error('the time to send it is over')
}

function isTimeout({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason instanceof Error && reason.name === 'TimeoutError'
}

function openTransport(
  server: URL,
  { connections = 5, connectTimeoutMs = 10_000, sendTimeoutMs = 30_000 }: EmailOptions,
  handovers: WeakMap<AbortSignal, Handover>,
) {
  const user = decodeURIComponent(server.username)
  const transport = createTransport({
    pool: true,
    host: server.hostname.replace(/^\[|\]$/g, ''),
    port: portOf(server),
    secure: server.protocol === 'smtps:',
    requireTLS: server.searchParams.get('requireTls') === 'true',
    ...(user === '' ? {} : { auth: { user, pass: decodeURIComponent(server.password) } }),
    maxConnections: connections,
    maxMessages: 1_000,
    // Once, for a connection that the server closed while it was idle: nothing was written yet.
    maxRequeues: 1,
    connectionTimeout: connectTimeoutMs,
    greetingTimeout: connectTimeoutMs,
    dnsTimeout: connectTimeoutMs,
    socketTimeout: sendTimeoutMs,
    socketCloseTimeout: 1_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  transport.use('stream', (mail, done) => {
    const handover = mail.data.signal && handovers.get(mail.data.signal)
    const createReadStream = mail.message.createReadStream.bind(mail.message)
    mail.message.createReadStream = (streamOptions) => {
      const source = createReadStream(streamOptions)
      return handover ? inTime(source, handover) : source
    }
    done()
  })
  return transport
}

/** The mail as nodemailer takes it, of parts that were checked one by one; else the refusal. */
function mailOf(message: OutgoingMessage) {
  const { content, intentId, messageId, duplicate } = message
  if (content.kind !== 'email') return refused('not_an_email')
  const from = parseMailbox(content.from)
  if (from === undefined) return refused('sender_invalid')
  const to = parseAddress(message.to)
  if (to === undefined) return refused('mailbox_invalid')
  if (!messageIdForm.test(messageId)) return refused('message_id_invalid')
  if (hasControl(content.subject) || hasControl(intentId)) return refused('header_invalid')
  return composeMail({ from, to, content, messageId, intentId, duplicate })
}

function composeMail({ from, to, content, messageId, intentId, duplicate }: MailParts) {
  return {
    from,
    to: { name: '', address: to },
    envelope: { from: from.address, to: [to] },
    messageId,
    subject: content.subject,
    text: content.text,
    html: content.html,
    headers: {
      // RFC 3834: keeps out-of-office answers from being sent to us.
      'Auto-Submitted': 'auto-generated',
      'X-Wegwijs-Intent': intentId,
      ...(duplicate ? { 'X-Wegwijs-Possible-Duplicate': 'yes' } : {}),
    },
    xMailer: false as const,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

type MailParts = Pick<OutgoingMessage, 'messageId' | 'intentId' | 'duplicate'> & {
  from: Mailbox
  to: string
  content: EmailContent
}

/** By our own check, before anything was opened or written. */
function refused(reason: string): Outcome {
  return { kind: 'refused', reason, unasked: true }
}
