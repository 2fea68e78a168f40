import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { createMemoryBroker } from '@wegwijs/kafka/memory'
import { createMemoryQueue } from '@wegwijs/queue/memory'
import { newUuid } from '@wegwijs/runtime/derived-id'
import type { Scope } from '@wegwijs/runtime/lifecycle'
import { createLogger } from '@wegwijs/runtime/log'
import type { Store } from '@wegwijs/store/database'
import { startPipe } from './pipe.ts'
import type { Stage, StageFolders } from './stage.ts'

/** Every service in this process; Kafka and Redis in memory. */
export async function openEmbeddedStage(
  scope: Scope,
  { store, folders }: { store: Store; folders: StageFolders },
): Promise<Stage> {
  const broker = createMemoryBroker()
  const queue = createMemoryQueue()
  const secret = newUuid()
  const { sandbox } = await startPipe(scope, {
    store,
    broker,
    queue,
    sandboxDirectory: folders.sandbox,
    secret,
    log: (service) => {
      const file = createWriteStream(join(folders.logs, `${service}.log`))
      return createLogger(service, 'info', file)
    },
  })
  return {
    publisher: broker.publisher,
    admin: broker.admin,
    queue: queue.queue,
    secret,
    sandboxStatus: async () => {
      const { receiptsPending, underWay } = sandbox.status()
      return { pending: receiptsPending + underWay }
    },
    pageUrl: sandbox.pageUrl,
  }
}
