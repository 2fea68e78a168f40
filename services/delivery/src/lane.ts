import type { AttemptOutcome } from '@wegwijs/campaign/delivery'
import type { Channel } from '@wegwijs/channels/port'
import type { DeliveryJob } from '@wegwijs/queue/port'
import { isFailure } from '@wegwijs/runtime/failure'
import type { ComponentMetrics } from '@wegwijs/runtime/metrics'
import type { ClaimedMessage } from '@wegwijs/store/last-check'
import { unqueue } from '@wegwijs/store/release'
import { isUnreadable } from '@wegwijs/store/stored-definition'
import { type ClaimDependencies, type Claims, claimMessages } from './claims.ts'
import { type HandOver, type HandOverDependencies, handOver } from './hand-over.ts'
import type { ProviderPace } from './provider-pace.ts'
import type { Settlements } from './settlements.ts'
import type { ShelvedText, TemplateShelf } from './template-shelf.ts'

export type LaneDependencies = ClaimDependencies &
  HandOverDependencies & {
    templates: TemplateShelf
    settlements: Settlements
    sends: ComponentMetrics
    /** Shared by the lanes of the channel. */
    pace: ProviderPace
    /** The service cannot go on. */
    onFatal: (error: unknown) => void
  }

export type LaneShape = {
  /** How many of its messages are sending at once. */
  concurrency: number
  /** Between two claims it leaves the machine to others: for what is in no hurry. */
  leavesRoom: boolean
}

/** A provider takes five times as long, and more; sends that begin together also end together. */
const GATHER_MS = 10
/** A claim that took longer waited for a server that was away, and others did so too. */
const MOST_ROOM_MS = 100
/** So that no error is made each time. */
const gathered = new Error('gathered')

type Entry = {
  readonly intentId: string
  readonly jobId: string
  readonly signal: AbortSignal
  /** Nothing is left to do here for this message. */
  readonly end: () => void
}

/**
 * The messages of one channel and lane in this process. Jobs put the ids that they carry in a line;
 * as soon as a slot is free, as many as there are free slots are claimed in one statement, and what
 * was claimed starts at once:
 *
 *   waiting ──claim──► sending ──outcome──► slot is free again, settled
 *      │        └────► refused, or somebody else's: the slot is free again
 *      ├─ the provider is not called for a while (provider-pace.ts): stays in line
 *      └─ the service closes: back to PostgreSQL, for another worker
 *
 * One claim is under way at a time: slots that come free meanwhile wait for it, so claims grow with
 * the load, as the settlements do. While more waits than can start, slots also wait for each other, for
 * some milliseconds: a claim of one costs PostgreSQL half as much as one of ten. Nothing is claimed
 * before it can start, or its lease would run while it waits. A lane of bulk rests after a claim as long as
 * that took, or it would fill the machine and what is urgent would wait for a processor.
 */
export class Lane {
  readonly #channel: Channel
  readonly #deps: LaneDependencies
  readonly #waiting: Entry[] = []
  readonly #running = new Set<Promise<void>>()
  readonly #slots: number
  readonly #leavesRoom: boolean
  #free: number
  #claiming = false
  #stopped = false
  /** Ends the waiting for more slots to come free. */
  #enoughFree: (() => void) | null = null

  constructor(channel: Channel, { concurrency, leavesRoom }: LaneShape, deps: LaneDependencies) {
    this.#channel = channel
    this.#slots = concurrency
    this.#free = concurrency
    this.#leavesRoom = leavesRoom
    this.#deps = deps
  }

  /** Resolves when nothing of the job is left to do here. */
  async handle({ jobId, intents }: DeliveryJob, signal: AbortSignal): Promise<void> {
    const ends = intents.map(
      (intentId) =>
        new Promise<void>((end) => {
          this.#waiting.push({ intentId, jobId, signal, end })
        }),
    )
    if (this.#stopped) this.stop()
    else void this.#claimWhileFree()
    await Promise.all(ends)
  }

  /** Claims nothing any more and puts back what waits; what is sending goes on. */
  stop(): void {
    this.#stopped = true
    this.#leave(this.#waiting.splice(0))
  }

  /** Resolves when nothing is sending, and all of it is settled or put back. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  #track(run: Promise<void>): void {
    this.#running.add(run)
    void run.then(() => this.#running.delete(run))
  }

  async #claimWhileFree(): Promise<void> {
    if (this.#claiming) return
    this.#claiming = true
    // What comes in, or comes free, in this turn of the event loop goes into the same claim.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#free > 0 && this.#waiting.length > 0) {
      if (!this.#isWorthClaiming()) await this.#moreFree()
      const wanted = Math.min(this.#free, this.#waiting.length)
      // Whoever closes has put back what waited.
      if (wanted === 0) break
      const places = this.#deps.pace.take(wanted)
      if (places === 0) {
        await this.#deps.pace.change()
        continue
      }
      const slice = this.#waiting.splice(0, places)
      this.#free -= places
      const beganMs = this.#deps.clock.monotonicMs()
      await this.#claim(slice)
      if (this.#leavesRoom) await this.#leaveRoom(this.#deps.clock.monotonicMs() - beganMs)
    }
    this.#claiming = false
  }

  /** Whatever waits can start, or so many can that nothing is gained by letting them wait for more. */
  #isWorthClaiming(): boolean {
    return this.#free >= Math.min(this.#waiting.length, this.#slots / 2)
  }

  /** As long as the claim took: the longer, the more others there are that want the machine. */
  async #leaveRoom(tookMs: number): Promise<void> {
    const { clock, signal } = this.#deps
    if (tookMs === 0) return
    await clock.sleep(Math.min(tookMs, MOST_ROOM_MS), signal).catch(() => undefined)
  }

  async #moreFree(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const over = new AbortController()
    this.#enoughFree = resolve
    void this.#deps.clock.sleep(GATHER_MS, over.signal).then(resolve, resolve)
    await promise
    this.#enoughFree = null
    over.abort(gathered)
  }

  async #claim(slice: readonly Entry[]): Promise<void> {
    try {
      const claims = await claimMessages(this.#channel, slice, this.#deps)
      this.#begin(slice, claims, await this.#templatesOf(claims))
    } catch (error) {
      await this.#claimFailed(slice, error)
    }
  }

  async #claimFailed(slice: readonly Entry[], error: unknown): Promise<void> {
    // Rules that cannot be read are the fault of no message: all of them go back.
    if (isFailure(error, 'WEGWIJS_REHEARSAL_ON_REAL_CHANNEL') || isUnreadable(error)) {
      this.stop()
      this.#deps.onFatal(error)
    }
    if (this.#stopped) {
      this.#vacate(slice.length)
      return this.#leave(slice)
    }
    // One that cannot be claimed must not keep the others of the same statement from it.
    if (slice.length > 1) {
      for (const entry of slice) await this.#claim([entry])
      return
    }
    const intentId = slice[0]?.intentId
    this.#deps.log.error('a message could not be claimed', { intentId, error })
    this.#endAll(slice)
  }

  #vacate(places: number): void {
    this.#free += places
    this.#deps.pace.leave(places)
    if (this.#isWorthClaiming()) this.#enoughFree?.()
  }

  #endAll(slice: readonly Entry[]): void {
    this.#vacate(slice.length)
    for (const entry of slice) entry.end()
  }

  #leave(entries: readonly Entry[]): void {
    for (const [jobId, own] of Map.groupBy(entries, (entry) => entry.jobId)) {
      this.#track(this.#putBack(jobId, own))
    }
  }

  async #putBack(jobId: string, entries: readonly Entry[]): Promise<void> {
    try {
      const ids = entries.map((entry) => entry.intentId)
      await unqueue(this.#deps.store, jobId, ids)
    } catch (error) {
      // They are queued for a job that soon nobody knows: the recovery of the scheduler finds them.
      this.#deps.log.warn('messages could not be put back', { count: entries.length, error })
    }
    for (const entry of entries) entry.end()
  }

  /** Undefined when they cannot be had now: what was claimed is then not started. */
  async #templatesOf({ messages }: Claims): Promise<ShelvedText[] | undefined> {
    try {
      return await this.#deps.templates.take(
        messages.map(({ templateId, templateHash: hash }) => ({ templateId, hash })),
      )
    } catch (error) {
      this.#deps.log.warn('templates could not be loaded', { count: messages.length, error })
      return undefined
    }
  }

  #begin(
    slice: readonly Entry[],
    claims: Claims,
    templates: readonly ShelvedText[] | undefined,
  ): void {
    const claimed = new Map(
      claims.messages.map((message, index) => [
        message.intentId,
        { claimed: message, template: templates?.[index] },
      ]),
    )
    for (const entry of slice) {
      const message = claimed.get(entry.intentId)
      // Taken once: a job that runs twice here has put its ids in the line twice.
      claimed.delete(entry.intentId)
      if (!message) {
        this.#endAll([entry])
        continue
      }
      const isStopped = () => this.#stopped
      const { signal } = entry
      const { pace } = this.#deps
      this.#track(this.#send(entry, { ...message, claims, signal, isStopped, pace }))
    }
  }

  async #send(entry: Entry, message: HandOver): Promise<void> {
    const { settlements, sends, log } = this.#deps
    const { intentId, fence } = message.claimed
    const outcome = await handOver(this.#channel, message, this.#deps)
    this.#vacate(1)
    void this.#claimWhileFree()
    this.#tell(message.claimed, outcome)
    const { kind } = await settlements.add({ intentId, fence, outcome })
    if (kind === 'fenced') sends.discarded('fenced')
    if (kind === 'fenced' || kind === 'late') {
      log.warn('came back after its lease', { intentId, state: outcome.kind })
    }
    entry.end()
  }

  #tell({ intentId, attempt }: ClaimedMessage, outcome: AttemptOutcome): void {
    const { sends, log } = this.#deps
    if (outcome.kind === 'accepted') sends.sent()
    else sends.discarded(outcome.kind)
    if (outcome.kind === 'unknown') {
      log.warn('an outcome is unknown', { intentId, attempt, reason: outcome.reason })
    }
  }
}
