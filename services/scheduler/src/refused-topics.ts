import type { Clock } from '@wegwijs/runtime/clock'
import { fail, type WegwijsError } from '@wegwijs/runtime/failure'
import type { Readiness } from '@wegwijs/runtime/health'
import type { Logger } from '@wegwijs/runtime/log'
import type { ComponentMetrics } from '@wegwijs/runtime/metrics'

/**
 * The topics of which Kafka refuses the oldest record for good: no such topic, not allowed, too large. Each rests
 * for growing pauses between two tries, and every refusal is told; others are carried on meanwhile. Nothing of it
 * is stored: a relay that is started anew is refused anew.
 */
export type RefusedTopics = {
  has(topic: string): boolean
  /** Those that are not to be tried yet. */
  resting(): string[]
  refuse(topic: string, refusal: WegwijsError): void
  /** Kafka took what there was; the first pause of a later refusal is short again. */
  accept(topic: string): void
  /** Accepts all that `waits` does not name, of which there is nothing: another relay has carried them. */
  acceptAllBut(waits: ReadonlySet<string>): void
}

const FIRST_PAUSE_MS = 500
/** A try of a topic that does not exist keeps the others waiting for a second. */
const LONGEST_PAUSE_MS = 15_000

/** In the readiness: false while a topic is refused. */
const readyName = 'topics'

export function createRefusedTopics(deps: {
  clock: Clock
  log: Logger
  metrics: Pick<ComponentMetrics, 'error'>
  readiness: Pick<Readiness, 'set'>
}): RefusedTopics {
  const { clock, log, metrics, readiness } = deps
  const refused = new Map<string, { pauseMs: number; untilMs: number }>()
  const isResting = (topic: string) => (refused.get(topic)?.untilMs ?? 0) > clock.monotonicMs()
  readiness.set(readyName, true)

  const accept = (topic: string) => {
    if (!refused.delete(topic)) return
    log.info('Kafka takes what is for the topic again', { component: 'relay', topic })
    readiness.set(readyName, refused.size === 0)
  }
  return {
    has: (topic) => refused.has(topic),
    resting: () => [...refused.keys()].filter(isResting),
    refuse(topic, { code, detail, cause }) {
      const { reason } = detail as { reason?: string }
      const error = fail('WEGWIJS_OUTBOX_STUCK', { topic, code, ...(reason && { reason }) }, cause)
      const before = refused.get(topic)?.pauseMs ?? FIRST_PAUSE_MS / 2
      const pauseMs = Math.min(LONGEST_PAUSE_MS, before * 2)
      refused.set(topic, { pauseMs, untilMs: clock.monotonicMs() + pauseMs })
      readiness.set(readyName, false)
      metrics.error(error.code)
      log.warn('what is for the topic waits', {
        component: 'relay',
        topic,
        retryInMs: pauseMs,
        error,
      })
    },
    accept,
    acceptAllBut: (waits) => {
      for (const topic of [...refused.keys()]) {
        if (!waits.has(topic)) accept(topic)
      }
    },
  }
}
