import net from 'node:net'
import tls from 'node:tls'

/** A greeting is one short line; a server that goes on and on is not ours. */
const maxGreetingLength = 512

/**
 * The first line that an SMTP server says on a connection of its own, which is then closed; empty
 * when none came within `timeoutMs`.
 */
export async function readGreeting(server: URL, timeoutMs: number): Promise<string> {
  const socket = connect(server)
  const { promise, resolve } = Promise.withResolvers<string>()
  let heard = ''
  socket.setEncoding('latin1')
  socket.setTimeout(timeoutMs, () => resolve(''))
  socket.on('error', () => resolve(''))
  socket.on('close', () => resolve(''))
  socket.on('data', (text: string) => {
    heard += text
    const end = heard.indexOf('\n')
    if (end >= 0 || heard.length > maxGreetingLength) resolve(heard.slice(0, Math.max(end, 0)))
  })
  const deadline = setTimeout(() => resolve(''), timeoutMs)
  try {
    return await promise
  } finally {
    clearTimeout(deadline)
    socket.destroy()
  }
}

function connect(server: URL): net.Socket {
  const host = server.hostname.replace(/^\[|\]$/g, '')
  const port = portOf(server)
  return server.protocol === 'smtps:'
    ? tls.connect({ host, port, ...(net.isIP(host) ? {} : { servername: host }) })
    : net.connect({ host, port })
}

export function portOf(server: URL): number {
  if (server.port !== '') return Number(server.port)
  return server.protocol === 'smtps:' ? 465 : 587
}
