import { createTransport } from 'nodemailer'
import { emailHtml, emailText } from './bare.ts'

// nodemailer at its best: a pool of connections that are never idle, and nothing around it.

const { port, connections } = JSON.parse(process.argv[2] ?? '{}') as {
  port: number
  connections: number
}
const transport = createTransport({
  pool: true,
  host: '127.0.0.1',
  port,
  secure: false,
  maxConnections: connections,
  maxMessages: Number.POSITIVE_INFINITY,
})

let done = 0

async function sendFrom(numbers: Iterator<number>): Promise<void> {
  for (let next = numbers.next(); !next.done; next = numbers.next()) {
    const reference = `r${next.value}`
    await transport.sendMail({
      from: { name: 'Bench Hospital', address: 'post@hospital.example.org' },
      to: `p${next.value}@example.org`,
      subject: 'Uw bezoek aan de afdeling cardiology',
      html: emailHtml('cardiology', reference),
      text: emailText('cardiology', reference),
    })
    done += 1
  }
}

process.on('message', ({ send }: { send: number }) => {
  const numbers = Array.from({ length: send }, (_, index) => index)[Symbol.iterator]()
  void Promise.all(Array.from({ length: connections * 2 }, () => sendFrom(numbers))).then(() =>
    process.send?.({ ready: true, done }),
  )
})
process.on('disconnect', () => process.exit(0))
process.send?.({ ready: true, done })
