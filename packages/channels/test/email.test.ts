import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createEmailChannel, type EmailOptions } from '../src/email.ts'
import type { Channel } from '../src/port.ts'
import { outcomeOfSmtpFailure } from '../src/smtp-outcome.ts'
import { messageFor, untroubled } from './messages.ts'
import { type SmtpMoment, type SmtpReaction, startSmtpRig } from './smtp-rig.ts'
import { standingClock } from './standing-clock.ts'

type Finish = (step: () => Promise<void> | void) => void

/** Long enough for a busy machine; where the test is about waiting in vain, `impatient`. */
const patient = { connectTimeoutMs: 10_000, sendTimeoutMs: 15_000 }
const impatient = { connectTimeoutMs: 1_000, sendTimeoutMs: 2_000 }

function open(options: EmailOptions, finish: Finish = onTestFinished): Channel {
  const channel = createEmailChannel({ ...patient, ...options })
  finish(() => channel.close())
  return channel
}

type RigOptions = { pipelining?: boolean; finish?: Finish } & Partial<EmailOptions>

async function openRig({
  pipelining = true,
  finish = onTestFinished,
  ...options
}: RigOptions = {}) {
  const rig = await startSmtpRig({ pipelining })
  finish(() => rig.close())
  return { rig, channel: open({ url: rig.url, ...options }, finish) }
}

type Row = [string, SmtpMoment, SmtpReaction, string, string, number]

describe.each([
  ['with pipelining', true],
  ['without pipelining', false],
])('a server %s that', (_name, pipelining) => {
  const rows: Row[] = [
    ['is busy at the greeting', 'greeting', { answer: '421 busy' }, 'deferred', 'smtp_', 0],
    ['refuses everybody', 'greeting', { answer: '554 no' }, 'deferred', 'smtp_', 0],
    ['says nothing', 'greeting', { next: 'hang' }, 'deferred', 'smtp_timed_out', 0],
    ['closes at once', 'greeting', { next: 'close' }, 'deferred', 'smtp_connection_lost', 0],
    ['resets at once', 'greeting', { next: 'reset' }, 'deferred', 'smtp_connection_lost', 0],
    ['hangs at EHLO', 'EHLO', { next: 'hang' }, 'deferred', 'smtp_timed_out', 0],
    ['defers the sender', 'MAIL', { answer: '451 later' }, 'deferred', 'smtp_451', 0],
    ['refuses the sender', 'MAIL', { answer: '550 no' }, 'refused', 'smtp_550', 0],
    ['resets at MAIL', 'MAIL', { next: 'reset' }, 'deferred', 'smtp_connection_lost', 0],
    ['hangs at MAIL', 'MAIL', { next: 'hang' }, 'deferred', 'smtp_', 0],
    ['defers the mailbox', 'RCPT', { answer: '450 full' }, 'deferred', 'smtp_450', 0],
    ['refuses the mailbox', 'RCPT', { answer: '550 unknown' }, 'refused', 'smtp_550', 0],
    ['leaves at RCPT', 'RCPT', { answer: '421 bye', next: 'close' }, 'deferred', 'smtp_', 0],
    ['resets at RCPT', 'RCPT', { next: 'reset' }, 'deferred', 'smtp_connection_lost', 0],
    ['defers DATA', 'DATA', { answer: '451 later' }, 'deferred', 'smtp_451', 0],
    ['refuses DATA', 'DATA', { answer: '554 no' }, 'refused', 'smtp_554', 0],
    ['calls DATA out of order', 'DATA', { answer: '503 order' }, 'deferred', 'smtp_503', 0],
    ['resets at DATA', 'DATA', { next: 'reset' }, 'deferred', 'smtp_connection_lost', 0],
    ['hangs at DATA', 'DATA', { next: 'hang' }, 'deferred', 'smtp_', 0],
    ['resets in the message', 'body', { next: 'reset' }, 'unknown', 'smtp_connection_lost', 0],
    ['defers the message', 'end', { answer: '452 full' }, 'deferred', 'smtp_452', 1],
    ['refuses the message', 'end', { answer: '554 spam' }, 'refused', 'smtp_554', 1],
    [
      'leaves with an answer',
      'end',
      { answer: '421 bye', next: 'close' },
      'deferred',
      'smtp_421',
      1,
    ],
    ['accepts and resets', 'end', { next: 'reset' }, 'unknown', 'smtp_connection_lost', 1],
    ['accepts and closes', 'end', { next: 'close' }, 'unknown', 'smtp_connection_lost', 1],
    ['accepts and hangs', 'end', { next: 'hang' }, 'unknown', 'smtp_', 1],
  ]

  test.concurrent.for(rows)('%s', async (row, { expect, onTestFinished: finish }) => {
    const [, moment, reaction, kind, reason, received] = row
    const timeouts = 'next' in reaction && reaction.next === 'hang' ? impatient : patient
    const { rig, channel } = await openRig({ pipelining, finish, ...timeouts })
    rig.misbehave(moment, reaction)
    const outcome = await channel.send(messageFor('email'), untroubled())
    expect(outcome).toMatchObject({ kind, reason: expect.stringContaining(reason) })
    expect(rig.received.filter((text) => text.includes('welkom'))).toHaveLength(received)
  })
})

describe('a server that cannot be reached', () => {
  test('because nobody listens', async () => {
    const { rig, channel } = await openRig()
    await rig.close()
    const outcome = await channel.send(messageFor('email'), untroubled())
    expect(outcome).toEqual({ kind: 'deferred', reason: 'smtp_connection_lost' })
    expect(await channel.isSandbox()).toBe(false)
  })

  test('because it has no address', async () => {
    const channel = open({ url: 'smtp://mail.invalid:25' })
    const outcome = await channel.send(messageFor('email'), untroubled())
    expect(outcome).toEqual({ kind: 'deferred', reason: 'smtp_dns_failed' })
    expect(await channel.isSandbox()).toBe(false)
  })
})

test('what nodemailer will not even begin to write was not asked of the provider', () => {
  const refused = { kind: 'refused', reason: 'smtp_unsendable', unasked: true }
  expect(outcomeOfSmtpFailure({ code: 'EENVELOPE' }, false)).toEqual(refused)
})

describe('aborting', () => {
  test('before anything was done writes nothing', async () => {
    const { rig, channel } = await openRig()
    const outcome = await channel.send(messageFor('email'), AbortSignal.abort())
    expect(outcome).toEqual({ kind: 'deferred', reason: 'smtp_aborted' })
    expect(rig.received).toEqual([])
  })

  test('before the message was begun is not sent', async () => {
    const { rig, channel } = await openRig({ pipelining: false })
    rig.misbehave('RCPT', { next: 'hang' })
    const stop = new AbortController()
    const reached = rig.reached('RCPT')
    const outcome = channel.send(messageFor('email'), stop.signal)
    await reached
    stop.abort()
    expect(await outcome).toEqual({ kind: 'deferred', reason: 'smtp_aborted' })
    expect(rig.received).toEqual([])
  })

  test('after it may have arrived is unknown', async () => {
    const { rig, channel } = await openRig()
    rig.misbehave('end', { next: 'hang' })
    const stop = new AbortController()
    const reached = rig.reached('end')
    const outcome = channel.send(messageFor('email'), stop.signal)
    await reached
    stop.abort()
    expect(await outcome).toEqual({ kind: 'unknown', reason: 'smtp_aborted' })
  })

  test('while it waits for a connection takes only that one out', async () => {
    const { rig, channel } = await openRig({ connections: 1 })
    rig.misbehave('end', { next: 'hang' })
    const [first, second] = [new AbortController(), new AbortController()]
    const reached = rig.reached('end')
    const outcomes = [first, second].map(({ signal }) => channel.send(messageFor('email'), signal))
    await reached
    second.abort()
    expect(await outcomes[1]).toMatchObject({ kind: 'deferred' })
    first.abort()
    expect(await outcomes[0]).toMatchObject({ kind: 'unknown' })
    expect(rig.received).toHaveLength(1)
  })
})

describe('a process that was frozen', () => {
  const frozen = [{ monotonicMs: 15_000 }, { epochMs: 15_000 }]

  test.each(frozen)(
    'writes no message when it goes on with the answer to DATA: %o (P3)',
    async (time) => {
      const clock = standingClock()
      const { rig, channel } = await openRig({ clock, connections: 1 })
      const sends = [1, 2].map(() => channel.send(messageFor('email'), untroubled()))
      await rig.reached('DATA')
      clock.goOn(time)
      expect(await Promise.all(sends)).toEqual(
        [1, 2].map(() => ({ kind: 'deferred', reason: 'smtp_timed_out' })),
      )
      expect(rig.received).toEqual([])
    },
  )

  test('does not end a message that it had begun (P3)', async () => {
    let asked = 0
    // It is asked for the beginning of the hand-over, for the first piece, and then for the next piece or the end.
    const monotonicMs = () => {
      asked += 1
      return asked > 2 ? 15_000 : 0
    }
    const { rig, channel } = await openRig({ clock: { ...standingClock(), monotonicMs } })
    const outcome = await channel.send(messageFor('email'), untroubled())
    expect(outcome).toEqual({ kind: 'unknown', reason: 'smtp_timed_out' })
    await channel.close()
    expect(rig.received).toEqual([])
  })

  test('sends what comes after that', async () => {
    const clock = standingClock()
    const { rig, channel } = await openRig({ clock })
    const late = channel.send(messageFor('email'), untroubled())
    await rig.reached('DATA')
    clock.goOn({ monotonicMs: 15_000 })
    expect(await late).toMatchObject({ kind: 'deferred' })
    expect(await channel.send(messageFor('email'), untroubled())).toMatchObject({
      kind: 'accepted',
    })
    expect(rig.received).toHaveLength(1)
  })
})

describe('the pool', () => {
  test('takes a fresh connection when the server closed an idle one', async () => {
    const { rig, channel } = await openRig()
    expect(await channel.send(messageFor('email'), untroubled())).toMatchObject({
      kind: 'accepted',
    })
    rig.misbehave('MAIL', { next: 'reset' })
    const again = channel.send(messageFor('email'), untroubled())
    await rig.reached('MAIL')
    rig.misbehave('MAIL', { answer: '250 ok' })
    expect(await again).toMatchObject({ kind: 'accepted' })
    expect(rig.received).toHaveLength(2)
  })

  test('sends many at once over few connections, each once', async () => {
    const { rig, channel } = await openRig()
    const messages = Array.from({ length: 100 }, () => messageFor('email'))
    const outcomes = await Promise.all(messages.map((each) => channel.send(each, untroubled())))
    expect(outcomes).toEqual(messages.map(() => ({ kind: 'accepted', reference: '4XyZ1A2b3Cz5' })))
    expect(rig.connections()).toBeLessThanOrEqual(5)
    const arrived = rig.received.map((text) => /X-Wegwijs-Intent: (\S+)/.exec(text)?.[1])
    expect(arrived.sort()).toEqual(messages.map(({ intentId }) => intentId).sort())
  })

  test('that is closed sends no more', async () => {
    const { rig, channel } = await openRig()
    await channel.close()
    expect(await channel.send(messageFor('email'), untroubled())).toMatchObject({
      kind: 'deferred',
    })
    expect(rig.received).toEqual([])
  })
})

type Arrived = { mail: ParsedMail; from: string; to: string[]; raw: string }

/** An independent implementation on the other side: smtp-server and mailparser. */
async function openServer(options: { banner?: string; password?: string } = {}) {
  const arrived: Arrived[] = []
  const { banner, password } = options
  const server = new SMTPServer({
    disabledCommands: password === undefined ? ['STARTTLS', 'AUTH'] : ['STARTTLS'],
    authOptional: password === undefined,
    allowInsecureAuth: true,
    ...(banner === undefined ? {} : { banner }),
    onAuth: (auth, _session, done) =>
      auth.password === password ? done(null, { user: auth.username }) : done(new Error('no')),
    onData: (stream, { envelope }, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', async () => {
        const raw = Buffer.concat(chunks)
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
        const to = envelope.rcptTo.map(({ address }) => address)
        arrived.push({ mail: await simpleParser(raw), from, to, raw: raw.toString() })
        done()
      })
    },
  })
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const address = server.server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const login = password === undefined ? '' : `zorg:${encodeURIComponent(password)}@`
  return { url: `smtp://${login}127.0.0.1:${port}`, arrived }
}

describe('what arrives', () => {
  test('is the mail as it was rendered, to one mailbox, under its Message-ID', async () => {
    const { url, arrived } = await openServer()
    const message = messageFor('email')
    expect(await open({ url }).send(message, untroubled())).toMatchObject({ kind: 'accepted' })
    const [first] = arrived
    expect(first?.from).toBe('zorg@example.org')
    expect(first?.to).toEqual(['anna@example.org'])
    expect(first?.mail.from?.text).toBe('"Ziekenhuis Example" <zorg@example.org>')
    expect(first?.mail.subject).toBe('Welkom thuis, Zoë')
    expect(first?.mail.html).toBe('<p>Beste Zoë, welkom thuis.</p>')
    expect(first?.mail.text?.trim()).toBe('Beste Zoë, welkom thuis.')
    expect(first?.mail.messageId).toBe(message.messageId)
    expect(first?.mail.headers.get('x-wegwijs-intent')).toBe(message.intentId)
    expect(first?.mail.headers.get('auto-submitted')).toBe('auto-generated')
    expect(first?.mail.headers.has('x-wegwijs-possible-duplicate')).toBe(false)
    expect(first?.mail.headers.has('x-mailer')).toBe(false)
  })

  test('has the same Message-ID when it is sent again, and says that it may be a duplicate', async () => {
    const { url, arrived } = await openServer()
    const channel = open({ url })
    const message = messageFor('email')
    await channel.send(message, untroubled())
    await channel.send({ ...message, attempt: 2, duplicate: true }, untroubled())
    expect(arrived.map(({ mail }) => mail.messageId)).toEqual([
      message.messageId,
      message.messageId,
    ])
    expect(arrived[1]?.mail.headers.get('x-wegwijs-possible-duplicate')).toBe('yes')
  })

  test('comes over a connection that is logged in', async () => {
    const { url, arrived } = await openServer({ password: 'p@ss:w/rd' })
    expect(await open({ url }).send(messageFor('email'), untroubled())).toMatchObject({
      kind: 'accepted',
    })
    expect(arrived).toHaveLength(1)
  })

  test('is nothing, and nothing is lost, while the password is wrong', async () => {
    const { url, arrived } = await openServer({ password: 'right' })
    const outcome = await open({ url: url.replace('right', 'wrong') }).send(
      messageFor('email'),
      untroubled(),
    )
    expect(outcome).toEqual({ kind: 'deferred', reason: 'smtp_login_failed' })
    expect(arrived).toEqual([])
  })

  test('is nothing while TLS is insisted on and not to be had', async () => {
    const { url, arrived } = await openServer()
    const outcome = await open({ url: `${url}?requireTls=true` }).send(
      messageFor('email'),
      untroubled(),
    )
    expect(outcome).toEqual({ kind: 'deferred', reason: 'smtp_tls_failed' })
    expect(arrived).toEqual([])
  })
})

describe('a message that must not leave', () => {
  test.each([
    'anna@example.org, ben@example.org',
    'anna@example.org\r\nBcc: ben@example.org',
    'anna@example.org\nRCPT TO:<ben@example.org>',
    'Anna <anna@example.org>',
    '"anna@evil.example"@example.org',
    'anna@example.org(comment)',
    'anna@[127.0.0.1]',
    'anna@localhost',
    'anna@@example.org',
    'an..na@example.org',
    '@example.org',
    'anna',
    '',
    `${'a'.repeat(65)}@example.org`,
    `anna@${'a'.repeat(250)}.org`,
    'anna@example.org\0',
    'group:anna@example.org;',
  ])('to %j', async (to) => {
    const { rig, channel } = await openRig()
    const outcome = await channel.send(messageFor('email', { to }), untroubled())
    expect(outcome).toEqual({ kind: 'refused', reason: 'mailbox_invalid', unasked: true })
    expect(rig.connections()).toBe(0)
  })

  test.each(["o'neill+zorg@example.org", 'anna.b@xn--zo-mja.example.org', 'anna@zoë.example.org'])(
    'is not one to %j',
    async (to) => {
      const { rig, channel } = await openRig()
      expect(await channel.send(messageFor('email', { to }), untroubled())).toMatchObject({
        kind: 'accepted',
      })
      expect(rig.received).toHaveLength(1)
    },
  )

  const content = messageFor('email').content
  test.each([
    [
      'subject',
      { content: { ...content, subject: 'a\r\nBcc: ben@example.org' } },
      'header_invalid',
    ],
    ['sender', { content: { ...content, from: 'a@example.org, b@example.org' } }, 'sender_invalid'],
    [
      'sender name',
      { content: { ...content, from: 'A\nBcc: b <a@example.org>' } },
      'sender_invalid',
    ],
    ['Message-ID', { messageId: '<a@b>\r\nBcc: ben@example.org' }, 'message_id_invalid'],
    ['intent', { intentId: 'a\r\nBcc: ben@example.org' }, 'header_invalid'],
    ['channel', { content: messageFor('sms').content }, 'not_an_email'],
  ])('with a bad %s', async (_what, changes, reason) => {
    const { rig, channel } = await openRig()
    const message = messageFor('email', changes as Partial<typeof changes>)
    expect(await channel.send(message, untroubled())).toEqual({
      kind: 'refused',
      reason,
      unasked: true,
    })
    expect(rig.connections()).toBe(0)
  })

  test('never names files or addresses to fetch', async () => {
    const { url, arrived } = await openServer()
    const content = messageFor('email').content
    const html = '<img src="file:///etc/passwd"><img src="data:text/plain;base64,YQ==">'
    await open({ url }).send(
      messageFor('email', { content: { ...content, html } as typeof content }),
      untroubled(),
    )
    expect(arrived[0]?.mail.html).toBe(html)
    expect(arrived[0]?.mail.attachments).toEqual([])
  })
})

describe('whether it is a sandbox', () => {
  test('is told by the greeting', async () => {
    const sandbox = await openServer({ banner: 'wegwijs-sandbox ready' })
    expect(await open({ url: sandbox.url }).isSandbox()).toBe(true)
    const server = await openServer({ banner: 'mail.example.org' })
    expect(await open({ url: server.url }).isSandbox()).toBe(false)
  })

  test('is no when it says nothing', async () => {
    const { rig, channel } = await openRig(impatient)
    rig.misbehave('greeting', { next: 'hang' })
    expect(await channel.isSandbox()).toBe(false)
  })
})
