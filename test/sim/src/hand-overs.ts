import type { Entry } from './history.ts'
import { leaseMs } from './promises.ts'

/** What may be held against the way in which messages were handed on, whoever they are for. */
export type HandOverFault = {
  readonly kind: 'given too late' | 'another key' | 'not kept yet'
  readonly text: string
}

/**
 * P2, P3: what a worker hands over it begins to hand over within its claim, and under the key of the
 * message; and P1: the queue is told of nothing that the records do not know.
 */
export function judgeHandOvers(entries: readonly Entry[]): HandOverFault[] {
  const found: HandOverFault[] = []
  const claims = new Map<string, number>()
  const keys = new Map<string, string>()
  const over = new Set<string>()
  for (const entry of entries) {
    if (entry.kind === 'claimed') claims.set(`${entry.worker} ${entry.intent}`, entry.ms)
    if (entry.kind === 'added' && !entry.kept) {
      found.push({ kind: 'not kept yet', text: `${entry.job} was in the queue before the records` })
    }
    if (entry.kind === 'claimed') over.delete(`${entry.worker} ${entry.intent}`)
    if (entry.kind === 'settled') over.add(`${entry.worker} ${entry.intent}`)
    if (entry.kind !== 'given') continue
    const { worker, intent, channel, text, key, begunMs } = entry
    if (over.has(`${worker} ${intent}`)) {
      const how = 'begun when its worker had written down what came of it'
      found.push({ kind: 'given too late', text: `${text}: ${how}` })
    }
    const claimedMs = claims.get(`${worker} ${intent}`) ?? begunMs
    if (begunMs > claimedMs + leaseMs) {
      const late = begunMs - claimedMs
      found.push({ kind: 'given too late', text: `${text}: begun ${late} ms after the claim` })
    }
    const known = keys.get(`${intent} ${channel}`) ?? key
    if (known !== key) found.push({ kind: 'another key', text: `${text}: ${known}, then ${key}` })
    keys.set(`${intent} ${channel}`, known)
  }
  return found
}
