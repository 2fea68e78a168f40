import type { AddressInfo, Socket } from 'node:net'
import type { Clock } from '@wegwijs/runtime/clock'
import { type HeaderValue, type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server'
import type { AcceptedEmail } from './accepted.ts'
import type { Calls } from './calls.ts'
import type { AnswerFault } from './faults.ts'
import type { MetFaults } from './met-faults.ts'

export type MailServerOptions = {
  host: string
  port: number
  meet: MetFaults['meet']
  clock: Clock
  signal: AbortSignal
  calls: Pick<Calls, 'begin'>
  accept(message: Omit<AcceptedEmail, 'channel' | 'seq'>): Promise<AcceptedEmail>
}

export type MailServer = {
  port: number
  close(): Promise<void>
}

/** A channel in a rehearsal asks for this before it sends anything. */
const banner = 'wegwijs-sandbox'

const usualDelayMs = 2_000

/** What was sent is kept, nothing is made of it. */
const whole = { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true }

type Answer = { code: number; text: string } | 'reset' | 'silence'

/** The sandbox's SMTP server: takes any mail, without log-in, and writes it down before it says so. */
export async function startMailServer(options: MailServerOptions): Promise<MailServer> {
  const sockets = new Map<number, Socket>()
  const server = new SMTPServer({
    banner,
    name: 'localhost',
    disabledCommands: ['AUTH', 'STARTTLS'],
    // Looking up names of clients would make every connection wait for DNS.
    disableReverseLookup: true,
    closeTimeout: 1,
    logger: false,
    onData(stream, session, done) {
      const call = options.calls.begin('email')
      const answered = (answer: Answer) => {
        if (typeof answer === 'string') call.over()
        else call.answered()
        if (answer === 'silence') return
        if (answer === 'reset') return void sockets.get(session.remotePort)?.resetAndDestroy()
        if (answer.code < 300) return done(null, answer.text)
        done(Object.assign(new Error(answer.text), { responseCode: answer.code }))
      }
      const failed = { code: 451, text: 'the sandbox could not write it down' }
      receive(stream, session, options).then(answered, () => answered(failed))
    },
  })
  // A client that goes away is no failure of the server.
  server.on('error', () => undefined)
  server.server.on('connection', (socket: Socket) => {
    const { remotePort = 0 } = socket
    sockets.set(remotePort, socket)
    socket.once('close', () => sockets.delete(remotePort))
  })
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject)
    server.listen(options.port, options.host, () => resolve())
  })
  return {
    port: (server.server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

async function receive(
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  options: MailServerOptions,
): Promise<Answer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  const mail = await simpleParser(Buffer.concat(chunks), whole)
  const message = messageOf(mail, session, options.clock.instant())
  const fault = await options.meet('email', message.intentId ?? '')
  return answerUnder(
    fault,
    async () => {
      const { seq } = await options.accept(message)
      return { code: 250, text: `OK: queued as SANDBOX${seq}` }
    },
    options,
  )
}

async function answerUnder(
  fault: AnswerFault | undefined,
  accept: () => Promise<Answer>,
  { clock, signal }: MailServerOptions,
): Promise<Answer> {
  switch (fault?.mode) {
    case 'refuse4xx':
      return { code: 451, text: 'told to defer' }
    case 'refuse5xx':
      return { code: 554, text: 'told to refuse' }
    case 'rateLimit':
      return { code: 450, text: 'told to be too busy' }
    case 'resetBeforeAccept':
      return 'reset'
    case 'hang':
      return 'silence'
    case 'resetAfterAccept':
      await accept()
      return 'reset'
    case 'hangAfterAccept':
      await accept()
      return 'silence'
    case 'slow':
      await clock.sleep(fault.delayMs ?? usualDelayMs, signal)
      return accept()
    case 'accept':
    case undefined:
      return accept()
  }
}

function messageOf(
  mail: ParsedMail,
  { envelope }: SMTPServerSession,
  receivedAt: string,
): Omit<AcceptedEmail, 'channel' | 'seq'> {
  return {
    receivedAt,
    intentId: textOf(mail.headers.get('x-wegwijs-intent')),
    messageId: mail.messageId ?? null,
    duplicate: textOf(mail.headers.get('x-wegwijs-possible-duplicate')) === 'yes',
    from: writeSender(mail),
    to: envelope.rcptTo.map(({ address }) => address).join(', '),
    subject: mail.subject ?? '',
    html: mail.html === false ? '' : mail.html,
    text: mail.text ?? '',
  }
}

/** `Ziekenhuis De Linde <welkom@delinde.example.org>`, without the quotes that a header needs. */
function writeSender({ from }: ParsedMail): string {
  const [sender] = from?.value ?? []
  const { name = '', address = '' } = sender ?? {}
  return name === '' ? address : `${name} <${address}>`
}

function textOf(value: HeaderValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
