import type { Channel } from '@wegwijs/channels/port'
import { newUuid } from '@wegwijs/runtime/derived-id'
import { fail } from '@wegwijs/runtime/failure'
import type { ComponentMetrics } from '@wegwijs/runtime/metrics'
import { TimeLimit } from '@wegwijs/runtime/time-limit'
import type { Store } from '@wegwijs/store/database'
import {
  type ClaimedMessage,
  type ClaimItem,
  type ClaimResult,
  claim,
} from '@wegwijs/store/last-check'
import { abandonClaim } from '@wegwijs/store/settle'
import { isTransient } from '@wegwijs/store/transaction'
import { keepTrying, type Patience } from './keep-trying.ts'
import type { RehearsalGuard } from './rehearsal-guard.ts'
import type { CurrentRules, SendingRules } from './sending-rules.ts'

export type ClaimDependencies = Patience & {
  store: Store
  rules: CurrentRules
  guard: RehearsalGuard
  leaseMs: number
  metrics: ComponentMetrics
}

export type Claims = {
  messages: ClaimedMessage[]
  /** The rules that were in force when they were claimed. */
  rules: SendingRules
  /** As its worker counts it: from before the claim was asked for, so that it certainly runs as long. */
  lease: TimeLimit
  /** Providers are sandboxes then, and business time waits for nobody who waits. */
  rehearsal: boolean
}

/**
 * Claims messages for a channel, and sees to everything that can come in between: PostgreSQL away,
 * a claim whose answer was lost, another definition, a rehearsal.
 *
 * @throws WEGWIJS_REHEARSAL_ON_REAL_CHANNEL; WEGWIJS_STORED_DEFINITION_UNREADABLE: for both the service must stop
 */
export async function claimMessages(
  channel: Channel,
  items: readonly ClaimItem[],
  deps: ClaimDependencies,
): Promise<Claims> {
  for (;;) {
    const rules = await keepTrying(() => deps.rules.latest(), deps)
    const lease = new TimeLimit(deps.clock, deps.leaseMs)
    const result = await claimOrAbandon(channel, items, rules, deps)
    if (result?.obstacle === 'definition') deps.rules.forget()
    if (result?.obstacle === 'rehearsal' && !(await deps.guard.verify(channel))) {
      throw fail('WEGWIJS_REHEARSAL_ON_REAL_CHANNEL', { channels: [channel.name] })
    }
    if (result?.obstacle !== null) continue
    count(result, items.length, deps.metrics)
    return { messages: result.claimed, rules, lease, rehearsal: result.rehearsal }
  }
}

/** Null when no answer came. What was claimed all the same is given back: nothing of it was sent. */
async function claimOrAbandon(
  channel: Channel,
  items: readonly ClaimItem[],
  rules: SendingRules,
  deps: ClaimDependencies,
): Promise<ClaimResult | null> {
  const claimId = newUuid()
  try {
    return await claim(deps.store, {
      items,
      claimId,
      channel: channel.name,
      provider: rules.channels[channel.name]?.provider ?? channel.provider,
      idempotent: channel.idempotent,
      leaseMs: deps.leaseMs,
      revision: rules.revision,
      classesNeedingConsent: rules.classesNeedingConsent,
      quietHours: rules.quietHours,
      timeZone: rules.timeZone,
      budgets: rules.budgets,
      ages: rules.ages,
      rehearsalVerified: deps.guard.isVerified(channel.name),
    })
  } catch (error) {
    const ids = items.map((item) => item.intentId)
    await keepTrying(() => abandonClaim(deps.store, claimId, ids), deps)
    if (!isTransient(error)) throw error
    return null
  }
}

function count(result: ClaimResult, asked: number, metrics: ComponentMetrics): void {
  metrics.received(asked)
  metrics.sent(result.claimed.length)
  for (const { reason } of result.refused) metrics.discarded(reason ?? 'not_due')
  const gone = asked - result.claimed.length - result.refused.length
  if (gone > 0) metrics.discarded('not_queued', gone)
}
