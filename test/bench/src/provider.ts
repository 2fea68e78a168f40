import net from 'node:net'

/**
 * A provider over HTTP/1.1 that costs next to nothing: it answers every POST with 202 and a
 * reference, after `latencyMs`, and counts by path. It reads no more of a request than its length;
 * whoever measures by it measures the caller.
 */
export type Provider = {
  readonly url: string
  /** Requests answered so far, by path. */
  readonly accepted: ReadonlyMap<string, number>
  setLatency(latencyMs: number): void
  close(): Promise<void>
}

export type ProviderOptions = {
  latencyMs?: number
  /** Called with the path and the body of each request as it comes in. */
  onAccepted?: (path: string, body: string) => void
}

const lengthHeader = /\r\ncontent-length: *(\d+)/i

export async function startProvider(options: ProviderOptions = {}): Promise<Provider> {
  const { onAccepted } = options
  let { latencyMs = 0 } = options
  const accepted = new Map<string, number>()
  const sockets = new Set<net.Socket>()
  let number = 0

  const take = (head: string, body: Buffer): string => {
    const path = head.slice(head.indexOf(' ') + 1, head.indexOf(' ', head.indexOf(' ') + 1))
    accepted.set(path, (accepted.get(path) ?? 0) + 1)
    onAccepted?.(path, body.toString('utf8'))
    number += 1
    const answer = `{"reference":"provider-${number}"}`
    return `HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`
  }

  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    let held: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      let answers = ''
      for (;;) {
        const headEnd = held.indexOf('\r\n\r\n')
        if (headEnd < 0) break
        const head = held.toString('latin1', 0, headEnd)
        const end = headEnd + 4 + Number(lengthHeader.exec(head)?.[1] ?? 0)
        if (held.length < end) break
        answers += take(head, held.subarray(headEnd + 4, end))
        held = held.subarray(end)
      }
      if (answers === '') return
      if (latencyMs === 0) socket.write(answers)
      else setTimeout(() => socket.write(answers), latencyMs)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    accepted,
    setLatency: (ms) => {
      latencyMs = ms
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
