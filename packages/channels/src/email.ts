import type { Readable } from 'node:stream'
import { createTransport } from 'nodemailer'
import { sendWithin } from './bounded-send.ts'
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
      return sendWithin(sendTimeoutMs, signal, async (bounded) => {
        const handover: Handover = { streams: [] }
        handovers.set(bounded, handover)
        try {
          return accepted(await transport.sendMail({ ...mail, signal: bounded }))
        } catch (error) {
          const failure: SmtpFailure = isTimeout(bounded)
            ? { code: 'ETIMEDOUT' }
            : (error as SmtpFailure)
          return outcomeOfSmtpFailure(failure, hasBegun(handover))
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

/** The streams from which nodemailer wrote, or would have written, one message. */
type Handover = { streams: Readable[] }

function hasBegun({ streams }: Handover): boolean {
  return streams.some((stream) => stream.readableDidRead)
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
      const stream = createReadStream(streamOptions)
      handover?.streams.push(stream)
      return stream
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
