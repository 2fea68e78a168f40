import { createMemoryQueue } from '@wegwijs/queue/memory'
import { describeQueuePort } from './contract.ts'

describeQueuePort('the queue port in memory', async () => {
  const memory = createMemoryQueue()
  return {
    queue: memory.queue,
    workers: memory.workers,
    wipe: async () => memory.wipe(),
    goAway: async () => memory.unavailable(true),
    comeBack: async () => memory.unavailable(false),
    close: () => memory.queue.close(),
  }
})
