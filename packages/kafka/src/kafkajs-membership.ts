import { fail, isFailure, isRetryable } from '@wegwijs/runtime/failure'
import { waitFor } from '@wegwijs/runtime/lifecycle'
import type { Batch, EachBatchPayload, Consumer as KafkajsConsumer, LogEntry } from 'kafkajs'
import { atMost, clientRetry, type KafkajsSettings, newClient } from './kafkajs-client.ts'
import { protocolErrorOf } from './kafkajs-failure.ts'
import { partsOf, recordAt } from './kafkajs-record.ts'
import {
  type BatchOutcome,
  type ConsumeOptions,
  DEFAULT_MAX_RECORDS,
  type PartitionRange,
  type RecordBatch,
  type RecordMark,
} from './port.ts'
import { isMarked, replaced } from './record-mark.ts'

/*
 * One life of a kafkajs consumer, from joining the group until it crashes or is closed.
 *
 *   assigned ──► positioning ──► ready ◄──► busy
 *                     ▲                      │  a retryable failure, or kafkajs
 *                     └──────────────────────┘  lost the place it was told to read from
 *
 * Each assignment makes a new claim on each partition; the claims before it are lost. A claim that
 * is positioning is paused: its stored position is asked for, held against what the broker has,
 * and sought. When there is a mark of the last record that was applied, reading begins at that
 * record, and nothing is handed out until the broker has shown it: a topic that was made anew, and
 * has grown past the position, can be told from the old one by nothing else. Within one assignment it
 * can: kafkajs, as we patch it, fetches by the id that the topic had when it joined, is refused by
 * another one of that name, and joins again, which makes new claims. kafkajs has an opinion of its own
 * about where to read on, and resets it silently when the broker no longer has that offset; so every
 * batch is held against the position of its claim.
 *
 * A batch that comes while nothing should be handled is left alone. Its offsets are not resolved,
 * so kafkajs fetches it again.
 */

type Claim = {
  readonly partition: number
  /** Aborted when the partition is no longer this member's. */
  readonly lost: AbortController
  position: bigint
  /** The record by which the topic has to be known again; null once it is. */
  proof: RecordMark | null
  /** How many fetches, since the proof was sought, began elsewhere. */
  astray: number
  state: 'positioning' | 'ready' | 'busy'
}

/** kafkajs has this property and does not declare it. */
type FetchedBatch = Batch & { readonly fetchedOffset: string }

export type MembershipEvents = {
  /** The member has its partitions; each of them is being positioned. */
  onJoined(): void
  /** kafkajs gave up. A new membership has to take over. */
  onCrash(error: unknown): void
  /** Consuming has to end for good. */
  onStop(error: unknown): void
}

export type Ranges = (topic: string) => Promise<PartitionRange[]>

/** After these answers to a heartbeat the group no longer counts us as its member. */
const EXPELLED: ReadonlySet<string> = new Set([
  'FENCED_INSTANCE_ID',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
])
/** kafkajs may bring a few fetches that were on their way before it was told where to read. */
const MOST_ASTRAY = 5
const OUT_OF_RANGE = 'Offset out of range, resetting to default offset'

export class Membership {
  readonly #settings: KafkajsSettings
  readonly #options: ConsumeOptions
  readonly #events: MembershipEvents
  readonly #ranges: Ranges
  readonly #consumer: KafkajsConsumer
  #claims = new Map<number, Claim>()
  #phase: 'open' | 'closing' | 'ended' = 'open'
  /** The group is rebalancing: what is handled ends well, nothing new is begun. */
  #rejoining = false
  #heardMs: number
  #activeMs: number
  /** Since when fetches go well and the group says nothing. */
  #unheardSinceMs: number | undefined

  constructor(
    settings: KafkajsSettings,
    options: ConsumeOptions,
    events: MembershipEvents,
    ranges: Ranges,
  ) {
    this.#settings = settings
    this.#options = options
    this.#events = events
    this.#ranges = ranges
    const { tuning } = settings
    this.#consumer = newClient(settings, (entry) => this.#listen(entry)).consumer({
      groupId: options.group,
      allowAutoTopicCreation: false,
      sessionTimeout: tuning.sessionTimeoutMs,
      rebalanceTimeout: tuning.rebalanceTimeoutMs,
      heartbeatInterval: tuning.heartbeatMs,
      maxWaitTimeInMs: tuning.fetchWaitMs,
      maxBytesPerPartition: tuning.fetchBytesPerPartition,
      maxBytes: tuning.fetchBytes,
      retry: {
        ...clientRetry,
        // Enough for a group whose members come and go while this one joins.
        retries: 5,
        // One way back after a crash, ours, so that it is one that is tested.
        restartOnFailure: async () => false,
      },
    })
    this.#heardMs = settings.clock.monotonicMs()
    this.#activeMs = this.#heardMs
  }

  /** Connects and joins; what goes wrong from here on is told through the events. */
  async start(): Promise<void> {
    const consumer = this.#consumer
    const { CRASH, GROUP_JOIN, HEARTBEAT, FETCH, END_BATCH_PROCESS } = consumer.events
    consumer.on(GROUP_JOIN, ({ payload }) =>
      this.#takeOver(payload.memberAssignment[this.#options.topic] ?? []),
    )
    consumer.on(HEARTBEAT, () => this.#hear())
    consumer.on(FETCH, () => this.#noticeFetch())
    consumer.on(END_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0) {
        void this.#passHole(payload.partition, BigInt(payload.lastOffset) + 1n)
      }
    })
    consumer.on(CRASH, ({ payload }) => this.#crash(payload.error))
    try {
      await consumer.connect()
      // Without it an offset that the broker has forgotten would become the newest one.
      await consumer.subscribe({ topics: [this.#options.topic], fromBeginning: true })
      if (this.#phase !== 'open') return await consumer.disconnect()
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: this.#options.partitionsAtOnce ?? 1,
        eachBatch: (payload) => this.#handleFetched(payload),
      })
      // Closed while it joined: it would hold partitions that nobody reads.
      if (this.#hasEnded()) await consumer.disconnect()
    } catch (error) {
      this.#crash(error)
    }
  }

  assignments(): { topic: string; partition: number }[] {
    const { topic } = this.#options
    return [...this.#claims.keys()].sort((a, b) => a - b).map((partition) => ({ topic, partition }))
  }

  /** How long nothing has been heard: neither the group nor a fetch gave a sign of life. */
  silentForMs(): number {
    return this.#settings.clock.monotonicMs() - Math.max(this.#heardMs, this.#activeMs)
  }

  /** Waits for what is handled, up to the deadline, and leaves the group. */
  async close(): Promise<void> {
    if (this.#phase === 'ended') return
    this.#phase = 'closing'
    // kafkajs was seen never to return from this when two members left at once.
    await atMost(
      this.#settings.clock,
      this.#settings.tuning.closeDeadlineMs,
      this.#consumer.disconnect(),
    )
    this.#end()
  }

  /** Leaves without waiting; nothing that still runs is current any more. */
  abandon(): void {
    if (this.#phase === 'ended') return
    this.#end()
    this.#consumer.disconnect().catch(() => undefined)
  }

  #hasEnded(): boolean {
    return this.#phase === 'ended'
  }

  #end(): void {
    this.#phase = 'ended'
    this.#dropClaims()
  }

  #crash(error: unknown): void {
    if (this.#phase !== 'open') return
    this.abandon()
    this.#events.onCrash(error)
  }

  #stop(error: unknown): void {
    if (this.#phase !== 'open') return
    this.#events.onStop(error)
  }

  #hear(): void {
    this.#heardMs = this.#settings.clock.monotonicMs()
    this.#unheardSinceMs = undefined
  }

  /**
   * A member sends a heartbeat between fetches. kafkajs, when the group has expelled it and its way
   * back broke off, forgets that it is no member, sends none any more and goes on fetching for ever.
   */
  #noticeFetch(): void {
    const nowMs = this.#settings.clock.monotonicMs()
    this.#activeMs = nowMs
    this.#unheardSinceMs ??= nowMs
    if (nowMs - this.#unheardSinceMs <= this.#settings.tuning.sessionTimeoutMs) return
    this.#crash(
      fail('WEGWIJS_BROKER_UNAVAILABLE', { reason: 'the group does not know this member' }),
    )
  }

  #dropClaims(): void {
    for (const claim of this.#claims.values()) claim.lost.abort()
    this.#claims = new Map()
  }

  #takeOver(partitions: readonly number[]): void {
    if (this.#phase !== 'open') return
    this.#hear()
    this.#dropClaims()
    this.#rejoining = false
    for (const partition of partitions) {
      const lost = new AbortController()
      this.#claims.set(partition, {
        partition,
        lost,
        position: 0n,
        proof: null,
        astray: 0,
        state: 'positioning',
      })
    }
    for (const claim of this.#claims.values()) void this.#establish(claim)
    this.#events.onJoined()
  }

  #isCurrent(claim: Claim): boolean {
    const { clock, tuning } = this.#settings
    // A member that could not reach its group for so long has been replaced by another one.
    const isHeard = clock.monotonicMs() - this.#heardMs < tuning.sessionTimeoutMs
    return isHeard && this.#phase === 'open' && !claim.lost.signal.aborted
  }

  /** kafkajs tells of a reset to the first offset in its log alone. */
  #listen(entry: LogEntry): void {
    if (entry.log.message !== OUT_OF_RANGE) return
    const claim = this.#claims.get(Number(entry.log.partition))
    if (claim && claim.state !== 'positioning') void this.#establish(claim)
  }

  /** Asks for the stored position until there is an answer, and reads on from there. */
  async #establish(claim: Claim): Promise<void> {
    const { topic } = this.#options
    const { partition } = claim
    claim.state = 'positioning'
    this.#steer((consumer) => consumer.pause([{ topic, partitions: [partition] }]))
    try {
      await this.#untilPositioned(claim)
    } catch (error) {
      if (!claim.lost.signal.aborted) this.#stop(error)
      return
    }
    if (claim.lost.signal.aborted || this.#phase !== 'open') return
    claim.state = 'ready'
    this.#seek(claim)
    this.#steer((consumer) => consumer.resume([{ topic, partitions: [partition] }]))
  }

  async #untilPositioned(claim: Claim): Promise<void> {
    const { topic, positionOf } = this.#options
    const { clock, log } = this.#settings
    const attempt = async () => {
      try {
        const stored = await positionOf(topic, claim.partition)
        const range = await this.#place(claim, stored?.next ?? null)
        this.#seekProof(claim, stored?.last ?? null, range)
      } catch (error) {
        if (isFailure(error, 'WEGWIJS_TOPIC_UNKNOWN')) {
          // A broker that starts, and a topic that is being made anew, are so for a while.
          throw fail('WEGWIJS_BROKER_UNAVAILABLE', { reason: 'it does not know the topic' }, error)
        }
        if (isRetryable(error)) throw error
        return { error }
      }
      return undefined
    }
    const signal = claim.lost.signal
    const defect = await waitFor('position', attempt, { log, signal, clock })
    if (defect) throw defect.error
  }

  /**
   * Sets the position of the claim; null is the beginning. Resolves with what there is.
   *
   * @throws WegwijsError WEGWIJS_POSITION_LOST when the broker does not hold that position
   */
  async #place(claim: Claim, wanted: bigint | null): Promise<PartitionRange> {
    const { topic } = this.#options
    const { partition } = claim
    const range = (await this.#ranges(topic)).find((one) => one.partition === partition)
    if (!range) throw fail('WEGWIJS_TOPIC_UNKNOWN', { topic, partition })
    const { low, high } = range
    const position = wanted ?? low
    if (position < low || position > high) {
      throw fail('WEGWIJS_POSITION_LOST', { topic, partition, position, low, high })
    }
    claim.position = position
    return range
  }

  /** @throws WegwijsError WEGWIJS_TOPIC_REPLACED when the record cannot be there */
  #seekProof(claim: Claim, last: RecordMark | null, { low, high }: PartitionRange): void {
    if (last && last.offset >= high) throw replaced(this.#options.topic, claim.partition, last)
    // What retention has removed cannot be shown any more.
    claim.proof = last && last.offset >= low ? last : null
    claim.astray = 0
  }

  async #handleFetched(payload: EachBatchPayload): Promise<void> {
    const claim = this.#claims.get(payload.batch.partition)
    if (claim?.state !== 'ready' || this.#rejoining || this.#phase !== 'open') return
    claim.state = 'busy'
    const over = new AbortController()
    void this.#keepAlive(payload, over.signal)
    try {
      const batch = payload.batch as FetchedBatch
      if (claim.proof !== null) {
        this.#recognise(claim, claim.proof, batch)
      } else if (await this.#isWhereItShouldBe(claim, batch)) {
        await this.#handleInParts(claim, payload)
      }
      if (claim.state === 'busy') claim.state = 'ready'
    } catch (error) {
      await this.#recover(claim, error)
    } finally {
      over.abort()
    }
  }

  /** kafkajs shows a fetch that holds markers of transactions alone to nobody, and goes on. */
  async #passHole(partition: number, nextOffset: bigint): Promise<void> {
    const { topic, onBatch } = this.#options
    const claim = this.#claims.get(partition)
    if (claim?.state !== 'ready' || this.#rejoining || this.#phase !== 'open') return
    claim.state = 'busy'
    try {
      if (claim.proof !== null) {
        this.#goAstray(claim, claim.proof)
        claim.state = 'ready'
        return
      }
      await this.#place(claim, claim.position)
      const hole = { topic, partition, readFrom: claim.position, nextOffset, records: [] }
      const outcome = await onBatch(hole, () => this.#isCurrent(claim))
      if (claim.lost.signal.aborted) return
      if (outcome.kind === 'done') claim.position = nextOffset
      else await this.#place(claim, outcome.offset)
      // What kafkajs fetched meanwhile was left alone.
      this.#seek(claim)
      if (claim.state === 'busy') claim.state = 'ready'
    } catch (error) {
      await this.#recover(claim, error)
    }
  }

  /**
   * Holds the first record of a fetch against the proof, and reads on from the position.
   *
   * @throws WegwijsError WEGWIJS_TOPIC_REPLACED
   */
  #recognise(claim: Claim, proof: RecordMark, batch: FetchedBatch): void {
    if (BigInt(batch.fetchedOffset) !== proof.offset) {
      this.#goAstray(claim, proof)
      return
    }
    const record = recordAt(batch, proof.offset)
    if (record === undefined || !isMarked(record, proof)) {
      throw replaced(this.#options.topic, claim.partition, proof)
    }
    claim.proof = null
    this.#seek(claim)
  }

  /**
   * A fetch that did not begin at the proof says nothing about it. When they all do, there is no
   * record at its offset: kafkajs passes over markers of transactions.
   */
  #goAstray(claim: Claim, proof: RecordMark): void {
    claim.astray += 1
    if (claim.astray > MOST_ASTRAY) throw replaced(this.#options.topic, claim.partition, proof)
    this.#seek(claim)
  }

  /**
   * A batch from beyond the position is right when only markers of transactions lie between; they
   * are skipped before we see them. It is wrong when the broker no longer has the position.
   */
  async #isWhereItShouldBe(claim: Claim, batch: FetchedBatch): Promise<boolean> {
    const fetched = BigInt(batch.fetchedOffset)
    if (fetched === claim.position) return true
    await this.#place(claim, claim.position)
    if (fetched > claim.position) return true
    this.#seek(claim)
    return false
  }

  #seek(claim: Claim): void {
    const { topic } = this.#options
    const { partition, position, proof } = claim
    const offset = String(proof?.offset ?? position)
    this.#steer((consumer) => consumer.seek({ topic, partition, offset }))
  }

  #steer(act: (consumer: KafkajsConsumer) => void): void {
    try {
      act(this.#consumer)
    } catch (error) {
      // kafkajs takes no orders any more once it has crashed, and tells of the crash a little later.
      this.#settings.log.debug('the Kafka consumer takes no orders', { error })
    }
  }

  async #handleInParts(claim: Claim, payload: EachBatchPayload): Promise<void> {
    const size = this.#options.maxRecords ?? DEFAULT_MAX_RECORDS
    for (const part of partsOf(payload.batch, claim.position, size)) {
      if (!this.#isCurrent(claim) || this.#rejoining) return
      const outcome = await this.#options.onBatch(part, () => this.#isCurrent(claim))
      if (claim.lost.signal.aborted) return
      if (!(await this.#follow(claim, part, outcome, payload))) return
    }
    await this.#tellGroup(claim, payload)
  }

  /** Moves to where the outcome says. @returns whether the next part of this fetch follows it */
  async #follow(
    claim: Claim,
    part: RecordBatch,
    outcome: BatchOutcome,
    payload: EachBatchPayload,
  ): Promise<boolean> {
    if (outcome.kind === 'done') {
      claim.position = part.nextOffset
      payload.resolveOffset(String(part.nextOffset - 1n))
      return true
    }
    await this.#place(claim, outcome.offset)
    this.#seek(claim)
    return false
  }

  /** For tools that show the lag; nothing is ever read from it, so it may fail. */
  async #tellGroup(claim: Claim, payload: EachBatchPayload): Promise<void> {
    const { topic } = this.#options
    const { partition, position } = claim
    const partitions = [{ partition, offset: String(position) }]
    try {
      await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions }] })
    } catch (error) {
      const { log } = this.#settings
      log.debug('could not tell Kafka the position of the group', { topic, partition, error })
    }
  }

  /** A failure while the claim was ours is either worth another try or the end of consuming. */
  async #recover(claim: Claim, error: unknown): Promise<void> {
    const { topic, group } = this.#options
    const { log } = this.#settings
    if (claim.lost.signal.aborted || this.#phase !== 'open') {
      log.warn('a batch failed after its partition was lost', { topic, group, error })
      return
    }
    if (!isRetryable(error)) {
      this.#stop(error)
      return
    }
    log.warn('a batch failed and will be read again', {
      topic,
      group,
      partition: claim.partition,
      error,
    })
    void this.#establish(claim)
  }

  /** Keeps the membership alive while a handler runs, for as long as that takes. */
  async #keepAlive(payload: EachBatchPayload, over: AbortSignal): Promise<void> {
    const { clock, tuning } = this.#settings
    for (;;) {
      try {
        await clock.sleep(tuning.heartbeatMs, over)
      } catch {
        return
      }
      await payload.heartbeat().catch((error: unknown) => this.#heedHeartbeat(error))
    }
  }

  #heedHeartbeat(error: unknown): void {
    const type = protocolErrorOf(error)
    if (type === 'REBALANCE_IN_PROGRESS') {
      // The group waits for us: the partition stays ours until we join again.
      this.#hear()
      this.#rejoining = true
    } else if (type !== undefined && EXPELLED.has(type)) {
      this.#rejoining = true
      this.#dropClaims()
    }
  }
}
