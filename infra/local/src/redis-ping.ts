import { connect } from 'node:net'

const TIMEOUT_MS = 3_000

/** Tells whether a Redis server answers a PING, or says that it wants a password first. */
export function redisAnswers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port === '' ? 6379 : port) })
    const finish = (answers: boolean) => {
      socket.destroy()
      resolve(answers)
    }
    socket.setTimeout(TIMEOUT_MS, () => finish(false))
    socket.once('error', () => finish(false))
    socket.once('close', () => finish(false))
    socket.once('connect', () => socket.write('PING\r\n'))
    // While it loads its data it answers -LOADING.
    socket.once('data', (data) => finish(/^(\+PONG|-NOAUTH)/.test(data.toString('latin1'))))
  })
}
