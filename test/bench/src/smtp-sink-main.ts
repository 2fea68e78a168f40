import net from 'node:net'

// An SMTP server that takes every mail and costs next to nothing: it reads no more than where a
// command or a message ends, and counts.

const endOfMessage = Buffer.from('\r\n.\r\n')
let taken = 0

/** What it says to one command line, and whether a message follows. */
function answerTo(line: string): { answer: string; data?: true } {
  const command = line.slice(0, 4).toUpperCase()
  if (command === 'EHLO') return { answer: '250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n' }
  if (command === 'DATA') return { answer: '354 go on\r\n', data: true }
  if (command === 'QUIT') return { answer: '221 bye\r\n' }
  return { answer: '250 ok\r\n' }
}

const server = net.createServer((socket) => {
  let held: Buffer = Buffer.alloc(0)
  let inMessage = false

  /** Takes one command or one message off what is held; undefined when it is not there whole. */
  const takeOne = (): string | undefined => {
    const end = inMessage ? held.indexOf(endOfMessage) : held.indexOf('\r\n')
    if (end < 0) return undefined
    const line = inMessage ? '' : held.toString('latin1', 0, end)
    held = held.subarray(end + (inMessage ? endOfMessage.length : 2))
    if (inMessage) {
      inMessage = false
      taken += 1
      return `250 ok queued as ${String(taken).padStart(8, '0')}\r\n`
    }
    const { answer, data = false } = answerTo(line)
    inMessage = data
    return answer
  }

  socket.setNoDelay(true)
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    let answers = ''
    for (let answer = takeOne(); answer !== undefined; answer = takeOne()) answers += answer
    if (answers !== '') socket.write(answers)
  })
  socket.write('220 sink ESMTP\r\n')
})

const tell = () => {
  const { port } = server.address() as net.AddressInfo
  process.send?.({ port, taken })
}
server.listen(0, '127.0.0.1', tell)
process.on('message', tell)
process.on('disconnect', () => process.exit(0))
