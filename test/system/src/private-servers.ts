import { join } from 'node:path'
import { startKafka } from '@wegwijs/local/kafka'
import { startPostgres } from '@wegwijs/local/postgres'
import { startRedis } from '@wegwijs/local/redis'

/** A server that a test may take away and bring back, on the same address and with its data. */
export type PrivateServer = {
  readonly address: string
  /** Ends it at once, as a crash would. */
  goAway(): Promise<void>
  comeBack(): Promise<void>
}

type Running = { address: string; kill(): Promise<void> }

const starters = {
  kafka: async (directory: string, port: { preferredPort?: number }): Promise<Running> => {
    const { brokers, kill } = await startKafka({ directory, ...port })
    return { address: brokers.join(','), kill }
  },
  postgres: async (directory: string, port: { preferredPort?: number }): Promise<Running> => {
    const { url, kill } = await startPostgres({ directory, durable: false, ...port })
    return { address: url, kill }
  },
  redis: async (directory: string, port: { preferredPort?: number }): Promise<Running> => {
    const { url, kill } = await startRedis({ directory, ...port })
    return { address: url, kill }
  },
}

export async function startPrivate(
  kind: keyof typeof starters,
  directory: string,
): Promise<PrivateServer> {
  const folder = join(directory, kind)
  let running = await starters[kind](folder, {})
  const { address } = running
  const preferredPort = Number(/:(\d+)(?:\/|$)/.exec(address)?.[1])
  return {
    address,
    goAway: () => running.kill(),
    comeBack: async () => {
      running = await starters[kind](folder, { preferredPort })
      if (running.address !== address) throw new Error(`${kind} came back elsewhere`)
    },
  }
}
