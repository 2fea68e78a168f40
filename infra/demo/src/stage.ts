import type { EventPublisher, TopicAdmin } from '@wegwijs/kafka/port'
import type { JobQueue } from '@wegwijs/queue/port'

/**
 * All of Wegwijs, running, whether in one process or in many; what its conductor needs of it. A
 * service that ends by itself stops the scope in which the stage was opened.
 */
export type Stage = {
  publisher: EventPublisher
  admin: TopicAdmin
  queue: JobQueue
  /** WEGWIJS_SECRET of its services. */
  secret: string
  sandboxStatus: () => Promise<{ pending: number }>
  /** The sandbox's outbox page. */
  pageUrl: string
}

/** Where the services write down what they do, and the sandbox what it accepted. */
export type StageFolders = { logs: string; sandbox: string }
