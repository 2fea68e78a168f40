import type { Channel, ChannelName } from '@wegwijs/channels/port'
import type { Clock } from '@wegwijs/runtime/clock'
import { fail } from '@wegwijs/runtime/failure'
import { isRehearsal } from '@wegwijs/store/business-clock'
import type { Store } from '@wegwijs/store/database'
import { query } from '@wegwijs/store/transaction'

/**
 * A rehearsal on the real servers must not reach a real person. Every claim looks whether one is
 * set, and claims nothing then unless its channel has said that it leads to a sandbox.
 */
export type RehearsalGuard = {
  isVerified(channel: ChannelName): boolean
  /** Asks the channel, and remembers a yes: it leads to the same place as long as we run. */
  verify(channel: Channel): Promise<boolean>
}

export function createRehearsalGuard(): RehearsalGuard {
  const verified = new Set<ChannelName>()
  return {
    isVerified: (channel) => verified.has(channel),
    verify: async (channel) => {
      if (await channel.isSandbox()) verified.add(channel.name)
      return verified.has(channel.name)
    },
  }
}

const ASK_AGAIN_MS = 500

/**
 * Refuses to start when a rehearsal is set and a channel does not lead to a sandbox. A sandbox that
 * does not answer cannot be told from a real provider; it is asked for `patienceMs`, since it may be
 * starting too.
 *
 * @throws WEGWIJS_REHEARSAL_ON_REAL_CHANNEL
 */
export async function assertSandboxWhenRehearsing(
  store: Store,
  channels: readonly Channel[],
  options: { guard: RehearsalGuard; clock: Clock; patienceMs: number; signal: AbortSignal },
): Promise<void> {
  const { guard, clock, patienceMs, signal } = options
  if (!(await query(() => isRehearsal(store.db)))) return
  const untilMs = clock.monotonicMs() + patienceMs
  for (;;) {
    await Promise.all(channels.map((channel) => guard.verify(channel)))
    const real = channels.map(({ name }) => name).filter((name) => !guard.isVerified(name))
    if (real.length === 0) return
    if (clock.monotonicMs() >= untilMs) {
      throw fail('WEGWIJS_REHEARSAL_ON_REAL_CHANNEL', { channels: real })
    }
    await clock.sleep(ASK_AGAIN_MS, signal)
  }
}
