import { connect } from 'node:net'

const METADATA_API = 3
const METADATA_VERSION = 1
const TIMEOUT_MS = 3_000

/**
 * Asks a Kafka server for its metadata (protocol version 1, https://kafka.apache.org/protocol) and
 * tells how many brokers it knows as ready for clients; 0 when it does not answer. A port that is
 * open is not enough: a broker opens it before the controller has admitted it.
 *
 * @param address `host:port`
 */
export async function countBrokers(address: string): Promise<number> {
  const separator = address.lastIndexOf(':')
  const answer = await exchange(address.slice(0, separator), Number(address.slice(separator + 1)))
  // The answer starts with its length and the correlation id, four bytes each.
  return answer === null || answer.length < 12 ? 0 : Math.max(answer.readInt32BE(8), 0)
}

function exchange(host: string, port: number): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    let received = Buffer.alloc(0)
    const finish = (answer: Buffer | null) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(TIMEOUT_MS, () => finish(null))
    socket.once('error', () => finish(null))
    socket.once('close', () => finish(null))
    socket.once('connect', () => socket.write(metadataRequest()))
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) finish(received)
    })
  })
}

/** Header (api, version, correlation id, client id) and an empty list of topics. */
function metadataRequest(): Buffer {
  const client = Buffer.from('wegwijs-ping')
  const request = Buffer.alloc(4 + 2 + 2 + 4 + 2 + client.length + 4)
  let at = request.writeInt32BE(request.length - 4, 0)
  at = request.writeInt16BE(METADATA_API, at)
  at = request.writeInt16BE(METADATA_VERSION, at)
  at = request.writeInt32BE(1, at)
  at = request.writeInt16BE(client.length, at)
  at += client.copy(request, at)
  request.writeInt32BE(0, at)
  return request
}
