import type { KafkajsSettings } from './kafkajs-client.ts'
import { Membership, type Ranges } from './kafkajs-membership.ts'
import type { ConsumeOptions, Consumer, EventSource } from './port.ts'

const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 2_000
const TELL_EVERY_MS = 5_000

/** Consumers that never give up by themselves, except when going on would skip events. */
export function createSource(settings: KafkajsSettings, ranges: Ranges): EventSource {
  return {
    async consume(options) {
      // An unknown topic and a broker that is away are told here, and not by an endless wait.
      await ranges(options.topic)
      const supervisor = new Supervisor(settings, options, ranges)
      await supervisor.start()
      return supervisor.consumer
    },
  }
}

/**
 * Replaces the membership each time kafkajs ends one. It ends it when a broker was away for too
 * long, on errors it does not know, and sometimes it just falls silent, which is looked for too.
 */
class Supervisor {
  readonly consumer: Consumer
  readonly #settings: KafkajsSettings
  readonly #options: ConsumeOptions
  readonly #ranges: Ranges
  readonly #ended = new AbortController()
  readonly #failed = Promise.withResolvers<never>()
  readonly #joined = Promise.withResolvers<void>()
  #membership: Membership
  #pauseMs = FIRST_PAUSE_MS
  #toldMs = Number.NEGATIVE_INFINITY
  #closed: Promise<void> | undefined

  constructor(settings: KafkajsSettings, options: ConsumeOptions, ranges: Ranges) {
    this.#settings = settings
    this.#options = options
    this.#ranges = ranges
    this.#membership = this.#newMembership()
    // A caller may look at `failed` late; until then the rejection must not end the process.
    this.#failed.promise.catch(() => undefined)
    this.consumer = {
      close: () => this.#close(),
      failed: this.#failed.promise,
      assignments: () => this.#membership.assignments(),
    }
  }

  /** Resolves when the first membership, or one that replaced it, has joined the group. */
  async start(): Promise<void> {
    void this.#membership.start()
    void this.#watch()
    await this.#joined.promise
  }

  #newMembership(): Membership {
    const events = {
      onJoined: () => {
        this.#pauseMs = FIRST_PAUSE_MS
        this.#joined.resolve()
      },
      onCrash: (error: unknown) => void this.#replace(error),
      onStop: (error: unknown) => this.#stop(error),
    }
    return new Membership(this.#settings, this.#options, events, this.#ranges)
  }

  async #replace(error: unknown): Promise<void> {
    const pauseMs = this.#pauseMs
    this.#pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
    this.#tellOfCrash(error)
    try {
      await this.#settings.clock.sleep(pauseMs, this.#ended.signal)
    } catch {
      return
    }
    this.#membership = this.#newMembership()
    await this.#membership.start()
  }

  /** One line every few seconds, however often it is tried. */
  #tellOfCrash(error: unknown): void {
    const { log, clock } = this.#settings
    const { topic, group } = this.#options
    const nowMs = clock.monotonicMs()
    if (nowMs - this.#toldMs < TELL_EVERY_MS) return
    this.#toldMs = nowMs
    log.warn('the Kafka consumer ended and is started again', { topic, group, error })
  }

  /** A healthy member gives a sign every few seconds; joining may take a whole rebalance. */
  async #watch(): Promise<void> {
    const { tuning, clock } = this.#settings
    const limitMs = tuning.rebalanceTimeoutMs + tuning.sessionTimeoutMs + tuning.closeDeadlineMs
    for (;;) {
      try {
        await clock.sleep(tuning.sessionTimeoutMs, this.#ended.signal)
      } catch {
        return
      }
      const silent = this.#membership
      if (silent.silentForMs() < limitMs) continue
      silent.abandon()
      void this.#replace(undefined)
    }
  }

  #stop(error: unknown): void {
    if (this.#ended.signal.aborted) return
    const { log } = this.#settings
    const { topic, group } = this.#options
    log.error('consuming ends for good', { topic, group, error })
    this.#failed.reject(error)
    void this.#close()
  }

  #close(): Promise<void> {
    this.#ended.abort()
    this.#joined.resolve()
    this.#closed ??= this.#membership.close()
    return this.#closed
  }
}
