import { join } from 'node:path'
import { freePort } from '@wegwijs/local/free-port'
import { startKafka } from '@wegwijs/local/kafka'
import { startPostgres } from '@wegwijs/local/postgres'
import { startRedis } from '@wegwijs/local/redis'

/** A server that a test may take away and bring back, on the same address and with its data. */
export type PrivateServer = {
  readonly address: string
  /** Where a proxy has to lead, and the port on which it has to listen, if that matters. */
  readonly behind: { readonly port: number; readonly proxyPort?: number }
  /** Of the process that runs now. */
  pid(): number
  /** Ends it at once, as a crash would. */
  goAway(): Promise<void>
  comeBack(): Promise<void>
  /** Ends it for good, also while it comes back. */
  end(): Promise<void>
}

type Running = { address: string; pid: number; kill(): Promise<void> }
type Where = { directory: string; preferredPort?: number }
type Door = { port: number; advertisedPort: number }

const starters = {
  kafka: async (where: Where, door: Door): Promise<Running> => {
    const { brokers, pid, kill } = await startKafka({ ...where, door })
    return { address: brokers.join(','), pid, kill }
  },
  postgres: async (where: Where): Promise<Running> => {
    const { url, pid, kill } = await startPostgres({ ...where, durable: false })
    return { address: url, pid, kill }
  },
  redis: async (where: Where): Promise<Running> => {
    const { url, pid, kill } = await startRedis(where)
    return { address: url, pid, kill }
  },
}

const MOST_TRIES = 10

export async function startPrivate(
  kind: keyof typeof starters,
  folder: string,
): Promise<PrivateServer> {
  const directory = join(folder, kind)
  const door = { port: await freePort(), advertisedPort: await freePort() }
  let running = await starters[kind]({ directory }, door)
  const { address } = running
  const preferredPort = Number(/:(\d+)(?:\/|$)/.exec(address)?.[1])
  let isEnded = false
  let coming = Promise.resolve()
  const bringBack = async () => {
    for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
      if (isEnded) throw new Error(`${kind} was ended`)
      running = await starters[kind]({ directory, preferredPort }, door)
      if (running.address === address) return
      // Somebody else had its port, or looked whether it was free, in that very moment.
      await running.kill()
    }
    throw new Error(`${kind} came back elsewhere ${MOST_TRIES} times`)
  }
  return {
    address,
    behind:
      kind === 'kafka'
        ? { port: door.port, proxyPort: door.advertisedPort }
        : { port: preferredPort },
    pid: () => running.pid,
    goAway: () => running.kill(),
    comeBack: () => {
      coming = bringBack()
      return coming
    },
    end: async () => {
      isEnded = true
      await coming.catch(() => undefined)
      await running.kill()
    },
  }
}
