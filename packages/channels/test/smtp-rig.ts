import net from 'node:net'

/** What a scripted server does instead of its usual answer. */
export type SmtpReaction =
  | { answer: string }
  | { next: 'reset' | 'close' | 'hang' }
  | { answer: string; next: 'reset' | 'close' }

/** The moments at which it can misbehave; `body` is the first byte of the message, `end` its last. */
export type SmtpMoment = 'greeting' | 'EHLO' | 'MAIL' | 'RCPT' | 'DATA' | 'body' | 'end'

export type SmtpRig = {
  url: string
  /** Sets what happens at one moment, from the next time on; everything else goes well. */
  misbehave(moment: SmtpMoment, reaction: SmtpReaction): void
  /** The messages that arrived whole, whatever was answered. */
  received: string[]
  connections(): number
  /** Resolves when the server has come to this moment once more. */
  reached(moment: SmtpMoment): Promise<void>
  close(): Promise<void>
}

const usual: Record<SmtpMoment, string> = {
  greeting: '220 rig ESMTP',
  EHLO: '250-rig\r\n250-PIPELINING\r\n250 8BITMIME',
  MAIL: '250 sender ok',
  RCPT: '250 recipient ok',
  DATA: '354 go on',
  body: '',
  end: '250 2.0.0 Ok: queued as 4XyZ1A2b3Cz5',
}

/** An SMTP server on a real socket that fails where it is told to. */
export async function startSmtpRig(options: { pipelining: boolean }): Promise<SmtpRig> {
  const script = new Map<SmtpMoment, SmtpReaction>()
  const watchers = new Map<SmtpMoment, () => void>()
  const received: string[] = []
  const sockets = new Set<net.Socket>()
  let connections = 0

  const react: React = (socket, moment) => {
    watchers.get(moment)?.()
    const reaction = script.get(moment) ?? { answer: usual[moment] }
    if ('answer' in reaction && reaction.answer !== '') {
      socket.write(
        `${options.pipelining ? reaction.answer : withoutPipelining(reaction.answer)}\r\n`,
      )
    }
    if (!('next' in reaction)) return true
    leave(socket, reaction.next)
    return false
  }

  const server = net.createServer((socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    converse(socket, react, received)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  return {
    url: `smtp://127.0.0.1:${port}`,
    misbehave: (moment, reaction) => script.set(moment, reaction),
    received,
    connections: () => connections,
    reached: (moment) => new Promise((resolve) => watchers.set(moment, resolve)),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      if (server.listening) await new Promise((resolve) => server.close(resolve))
    },
  }
}

function leave(socket: net.Socket, how: 'reset' | 'close' | 'hang'): void {
  if (how === 'reset') socket.resetAndDestroy()
  if (how === 'close') socket.end()
}

type React = (socket: net.Socket, moment: SmtpMoment) => boolean

function withoutPipelining(answer: string): string {
  return answer.replace('250-PIPELINING\r\n', '')
}

/** Reads commands line by line and, after DATA, one message; silent for good once it misbehaved. */
function converse(socket: net.Socket, react: React, received: string[]): void {
  let buffered = ''
  let inBody = false
  let listening = react(socket, 'greeting')

  const readBody = () => {
    const end = buffered.indexOf('\r\n.\r\n')
    if (end < 0) return false
    received.push(buffered.slice(2, end))
    buffered = buffered.slice(end + 5)
    inBody = false
    listening = react(socket, 'end')
    return true
  }
  const readCommand = () => {
    const end = buffered.indexOf('\r\n')
    if (end < 0) return false
    const verb = buffered.slice(0, 4).toUpperCase()
    buffered = buffered.slice(end + 2)
    if (verb === 'QUIT') socket.end('221 bye\r\n')
    if (verb === 'RSET') socket.write('250 ok\r\n')
    if (isMoment(verb)) listening = react(socket, verb)
    inBody = verb === 'DATA' && listening
    // A message may be empty, and then has no line break before its final dot.
    if (inBody) buffered = `\r\n${buffered}`
    return true
  }

  socket.setEncoding('utf8')
  socket.on('data', (text: string) => {
    if (listening && inBody && buffered === '\r\n') listening = react(socket, 'body')
    buffered += text
    while (listening && (inBody ? readBody() : readCommand()));
  })
}

function isMoment(verb: string): verb is 'EHLO' | 'MAIL' | 'RCPT' | 'DATA' {
  return verb === 'EHLO' || verb === 'MAIL' || verb === 'RCPT' || verb === 'DATA'
}
