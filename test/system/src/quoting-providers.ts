import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'

/** Providers that refuse everybody and quote, in their own words, who it was about. */
export type QuotingProviders = {
  smtpUrl: string
  smsUrl: string
  /** How many messages they have refused. */
  refused: () => number
  close(): void
}

export async function startQuotingProviders(words: string): Promise<QuotingProviders> {
  let refused = 0
  const mail = createServer((socket) => {
    socket.on('error', () => {})
    socket.write('220 localhost ESMTP\r\n')
    socket.on('data', (bytes) => {
      for (const line of String(bytes).split('\r\n').filter(Boolean)) answer(socket, line)
    })
  })
  const answer = (socket: Socket, line: string) => {
    if (/^RCPT/i.test(line)) {
      refused += 1
      socket.write(`550 5.1.1 ${line.slice(8)}: ${words}\r\n`)
    } else socket.write(/^QUIT/i.test(line) ? '221 bye\r\n' : '250 ok\r\n')
  }
  const sms = createHttpServer((request, response) => {
    let body = ''
    request.on('data', (bytes) => {
      body += bytes
    })
    request.on('end', () => {
      refused += 1
      response.writeHead(422, { 'x-error': words }).end(`${words}: ${body}`)
    })
  })
  mail.listen(0, '127.0.0.1')
  sms.listen(0, '127.0.0.1')
  await Promise.all([once(mail, 'listening'), once(sms, 'listening')])
  const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port
  return {
    smtpUrl: `smtp://127.0.0.1:${portOf(mail)}`,
    smsUrl: `http://127.0.0.1:${portOf(sms)}`,
    refused: () => refused,
    close: () => {
      mail.close()
      sms.close()
      sms.closeAllConnections()
    },
  }
}
