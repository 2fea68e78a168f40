import { startProvider } from './provider.ts'

// The provider as a process: tells where it is, and takes its latency by message.
const provider = await startProvider()
process.on('message', (message: { latencyMs?: number; count?: true }) => {
  if (message.latencyMs !== undefined) provider.setLatency(message.latencyMs)
  process.send?.({ url: provider.url, accepted: Object.fromEntries(provider.accepted) })
})
process.on('disconnect', () => process.exit(0))
process.send?.({ url: provider.url, accepted: {} })
