import type { Clock } from '@wegwijs/runtime/clock'
import { fail, isRetryable } from '@wegwijs/runtime/failure'
import type { TopicLogs } from './memory-log.ts'
import {
  type ConsumeOptions,
  type Consumer,
  DEFAULT_MAX_RECORDS,
  type RecordBatch,
  type RecordMark,
} from './port.ts'
import { isMarked, replaced } from './record-mark.ts'

/*
 * A consumer group, told as what happens to it.
 *
 * A rebalance is eager, as kafkajs does it: while one is due no new batch is handed out, the
 * batches that run are waited for, then every partition gets a new claim. A claim asks for its
 * stored position, and then gets batch after batch. A claim whose time is over is not `current`;
 * what its handler answers is no longer listened to.
 *
 * A member that is expelled stands for a process that paused too long: nobody waits for its
 * handler, its partitions go to others at once, and it joins again when its handler has returned.
 */

type Claim = {
  readonly topic: string
  readonly partition: number
  readonly member: Member
  position: bigint
  /** The log in which the position was found; another one stands there after the topic was remade. */
  log: unknown
  state: 'positioning' | 'ready' | 'busy' | 'resting'
  current: boolean
}

type Member = {
  readonly options: ConsumeOptions
  readonly joined: PromiseWithResolvers<void>
  readonly failed: PromiseWithResolvers<never>
  /** In the order in which they are served next. */
  claims: Claim[]
  running: number
  phase: 'member' | 'expelled' | 'closing' | 'left'
  onDrained: () => void
}

export type GroupSettings = {
  readonly logs: TopicLogs
  readonly clock: Clock
  readonly restMs: number
  readonly closeDeadlineMs: number
  readonly isAway: () => boolean
  /** Called when something may have come to rest. */
  readonly onQuiet: () => void
}

export class MemoryGroup {
  readonly #settings: GroupSettings
  readonly #byConsumer = new Map<Consumer, Member>()
  #members: Member[] = []
  #rebalanceDue = false
  /** Expelled members whose handlers still run; they join again. */
  readonly #zombies = new Set<Member>()

  constructor(settings: GroupSettings) {
    this.#settings = settings
  }

  /** Resolves once the member has its partitions, which may wait for the handlers of others. */
  async join(options: ConsumeOptions): Promise<Consumer> {
    const member: Member = {
      options,
      joined: Promise.withResolvers(),
      failed: Promise.withResolvers(),
      claims: [],
      running: 0,
      phase: 'member',
      onDrained: () => undefined,
    }
    // A caller may look at `failed` late; until then the rejection must not end the process.
    member.failed.promise.catch(() => undefined)
    this.#enter(member)
    this.wake()
    await member.joined.promise
    const consumer = this.#consumerOf(member)
    this.#byConsumer.set(consumer, member)
    return consumer
  }

  /** Takes the member behind `consumer` for dead; does nothing when it is of another group. */
  expel(consumer: Consumer): void {
    const member = this.#byConsumer.get(consumer)
    if (member?.phase !== 'member') return
    this.#leave(member)
    if (member.running === 0) this.#enter(member)
    else {
      member.phase = 'expelled'
      this.#zombies.add(member)
    }
    this.wake()
  }

  size(): number {
    return this.#members.length
  }

  /** Hands out whatever can be handed out now. */
  wake(): void {
    if (this.#rebalanceDue) {
      if (this.#members.some((member) => member.running > 0)) return
      this.#rebalance()
    }
    for (const member of [...this.#members]) this.#serve(member)
    this.#settings.onQuiet()
  }

  /** True when no handler runs, a zombie's neither, and no partition holds more for its member. */
  isIdle(): boolean {
    const { logs } = this.#settings
    const isAtEnd = (claim: Claim) =>
      claim.state === 'ready' &&
      (!logs.has(claim.topic) || claim.position >= this.#rangeOf(claim).high)
    const isMoving = this.#rebalanceDue || this.#zombies.size > 0
    return !isMoving && this.#members.every((member) => member.claims.every(isAtEnd))
  }

  #consumerOf(member: Member): Consumer {
    let closed: Promise<void> | undefined
    return {
      close: () => {
        closed ??= this.#close(member)
        return closed
      },
      failed: member.failed.promise,
      assignments: () =>
        member.claims
          .map(({ topic, partition }) => ({ topic, partition }))
          .sort((a, b) => a.partition - b.partition),
    }
  }

  #enter(member: Member): void {
    member.phase = 'member'
    this.#members = [...this.#members, member]
    this.#rebalanceDue = true
  }

  #leave(member: Member): void {
    dropClaims(member)
    this.#members = this.#members.filter((other) => other !== member)
    this.#rebalanceDue = true
  }

  #rebalance(): void {
    this.#rebalanceDue = false
    for (const member of this.#members) dropClaims(member)
    const topics = new Set(this.#members.map((member) => member.options.topic))
    for (const topic of topics) this.#assign(topic)
    for (const member of this.#members) member.joined.resolve()
  }

  #assign(topic: string): void {
    const takers = this.#members.filter(
      (member) => member.options.topic === topic && member.phase === 'member',
    )
    if (!this.#settings.logs.has(topic)) return
    for (const partition of this.#settings.logs.partitionsOf(topic).keys()) {
      const member = takers[partition % takers.length]
      if (!member) return
      const claim: Claim = {
        topic,
        partition,
        member,
        position: 0n,
        log: undefined,
        state: 'positioning',
        current: true,
      }
      member.claims.push(claim)
      void this.#takePosition(claim)
    }
  }

  async #takePosition(claim: Claim): Promise<void> {
    const { topic, partition, member } = claim
    claim.state = 'positioning'
    try {
      const stored = await member.options.positionOf(topic, partition)
      claim.position = stored?.next ?? this.#rangeOf(claim).low
      claim.log = this.#logOf(claim)
      if (stored?.last) this.#recognise(claim, stored.last)
      claim.state = 'ready'
    } catch (error) {
      await this.#recover(claim, error)
    }
    this.wake()
  }

  #logOf({ topic, partition }: Claim) {
    const { logs } = this.#settings
    return logs.has(topic) ? logs.partitionsOf(topic)[partition] : undefined
  }

  #rangeOf(claim: Claim): { low: bigint; high: bigint } {
    return this.#logOf(claim) ?? { low: 0n, high: 0n }
  }

  /** @throws WegwijsError WEGWIJS_TOPIC_REPLACED, WEGWIJS_POSITION_LOST */
  #recognise(claim: Claim, last: RecordMark): void {
    const { topic, partition, position } = claim
    const { low, high } = this.#rangeOf(claim)
    // Of a topic that is gone nothing is handed out, and when it comes back it is another log.
    if (this.#logOf(claim) === undefined || last.offset < low) return
    if (position > high)
      throw fail('WEGWIJS_POSITION_LOST', { topic, partition, position, low, high })
    const [record] = this.#settings.logs.read(topic, partition, last.offset, 1)
    if (!record || !isMarked(record, last)) throw replaced(topic, partition, last)
  }

  #serve(member: Member): void {
    const limit = member.options.partitionsAtOnce ?? 1
    for (const claim of [...member.claims]) {
      if (this.#settings.isAway() || member.phase !== 'member' || member.running >= limit) return
      if (claim.state === 'ready') this.#offerNext(claim)
    }
  }

  #offerNext(claim: Claim): void {
    const { topic, partition, position, member } = claim
    // Of a topic that was removed nothing is handed out; its readers wait for it to come back.
    if (!this.#settings.logs.has(topic)) return
    if (this.#logOf(claim) !== claim.log) {
      void this.#takePosition(claim)
      return
    }
    const { low, high } = this.#rangeOf(claim)
    if (position < low || position > high) {
      const lost = fail('WEGWIJS_POSITION_LOST', { topic, partition, position, low, high })
      this.#stop(member, lost)
      return
    }
    const limit = member.options.maxRecords ?? DEFAULT_MAX_RECORDS
    const records = this.#settings.logs.read(topic, partition, position, limit)
    const last = records.at(-1)
    if (!last && position === high) return
    claim.state = 'busy'
    member.running += 1
    // The one served now is served last next time, so that no partition starves another.
    member.claims = [...member.claims.filter((other) => other !== claim), claim]
    const nextOffset = last ? last.offset + 1n : high
    const batch = { topic, partition, readFrom: position, nextOffset, records }
    void Promise.resolve().then(() => this.#handle(claim, batch))
  }

  async #handle(claim: Claim, batch: RecordBatch): Promise<void> {
    const { member } = claim
    try {
      const outcome = await member.options.onBatch(batch, () => claim.current)
      claim.position = outcome.kind === 'seek' ? outcome.offset : batch.nextOffset
      claim.state = 'ready'
      this.#leaveHandler(member)
    } catch (error) {
      this.#leaveHandler(member)
      await this.#recover(claim, error)
    }
    this.wake()
  }

  #leaveHandler(member: Member): void {
    member.running -= 1
    if (member.running > 0) return
    member.onDrained()
    this.#zombies.delete(member)
    if (member.phase === 'expelled') this.#enter(member)
  }

  async #recover(claim: Claim, error: unknown): Promise<void> {
    if (!claim.current) return
    if (!isRetryable(error)) {
      this.#stop(claim.member, error)
      return
    }
    claim.state = 'resting'
    // A rebalance that waited for this handler goes on meanwhile.
    this.wake()
    await this.#settings.clock.sleep(this.#settings.restMs)
    if (claim.current) await this.#takePosition(claim)
  }

  #stop(member: Member, error: unknown): void {
    member.phase = 'left'
    this.#leave(member)
    member.joined.resolve()
    member.failed.reject(error)
    void Promise.resolve().then(() => this.wake())
  }

  async #close(member: Member): Promise<void> {
    if (member.phase === 'left') return
    member.phase = 'closing'
    for (const claim of member.claims) claim.current = false
    await this.#drained(member)
    member.phase = 'left'
    this.#zombies.delete(member)
    this.#leave(member)
    this.wake()
  }

  async #drained(member: Member): Promise<void> {
    if (member.running === 0) return
    const { clock, closeDeadlineMs } = this.#settings
    const deadline = new AbortController()
    const empty = new Promise<void>((resolve) => {
      member.onDrained = resolve
    })
    const late = clock.sleep(closeDeadlineMs, deadline.signal).catch(() => undefined)
    await Promise.race([empty, late])
    deadline.abort()
  }
}

function dropClaims(member: Member): void {
  for (const claim of member.claims) claim.current = false
  member.claims = []
}
