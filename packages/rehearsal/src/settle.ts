import type { TopicAdmin } from '@wegwijs/kafka/port'
import type { Clock } from '@wegwijs/runtime/clock'
import { fail, isFailure } from '@wegwijs/runtime/failure'
import type { Store } from '@wegwijs/store/database'
import { readStanding, type Standing } from '@wegwijs/store/standing'

/**
 * Waiting until nothing moves any more.
 *
 * While what is due goes out, no event is decided, and so one reading of PostgreSQL can tell that all of
 * it is out. A receipt may be between the provider and Kafka then: so the sandbox must have none left to
 * send, and where Kafka ends after that is how far must be read.
 */
export type SettleParts = {
  store: Store
  admin: Pick<TopicAdmin, 'endOffsets'>
  /** Topics whose events must all be decided. */
  topics: readonly string[]
  sandboxStatus: () => Promise<{ pending: number }>
  clock: Clock
  signal: AbortSignal
  /** Told what is waited for when nothing has moved for a few seconds, and every few seconds on. */
  onWaiting: (waitingFor: readonly string[]) => void
  stallMs: number
}

export type Settling = {
  /** Until journey has read up to the offsets, by `topic/partition`. */
  untilRead(offsets: ReadonlyMap<string, bigint>): Promise<Standing>
  /** Until nothing is queued, being sent or unpublished any more, whatever is due. */
  untilIdle(): Promise<Standing>
  /** Until no timer due by `instant` is left. */
  untilFired(instant: string): Promise<Standing>
  /** Until no message due by `instant` is left, and all that a provider reports of it is on its way in. */
  untilOut(instant: string): Promise<Standing>
  /** Until journey has read everything that has come in. */
  untilHeard(): Promise<Standing>
}

/** A pause is a part of the wait so far: looking costs the machine the speed of what is waited for. */
const PAUSE_SHARE = 0.3
const SHORTEST_PAUSE_MS = 3
const LONGEST_PAUSE_MS = 100
const TELL_AFTER_MS = 5_000

export function createSettling(parts: SettleParts): Settling {
  const untilRead: Settling['untilRead'] = (offsets) =>
    poll(parts, async (standing) => unreadIn(standing, offsets))
  return {
    untilRead,
    untilIdle: () => poll(parts, async (standing) => underWayIn(standing)),
    untilFired: (instant) =>
      poll(parts, async ({ nextTimer }) => dueIn('timer', nextTimer, instant)),
    untilOut: (instant) =>
      poll(parts, async (standing) => {
        const moving = movingIn(standing, instant)
        return moving.length > 0 ? moving : receiptsLeft(parts, standing)
      }),
    untilHeard: async () => untilRead(await endsOf(parts)),
  }
}

/** What the gateway could not give to Kafka at once is in the outbox, too. */
async function receiptsLeft(parts: SettleParts, before: Standing): Promise<string[]> {
  const { pending } = await parts.sandboxStatus()
  if (pending > 0) return [`${pending} receipts of the sandbox`]
  const { published } = await readStanding(parts.store.db)
  return published === before.published ? [] : ['what has just come in']
}

async function endsOf({ admin, topics }: SettleParts): Promise<Map<string, bigint>> {
  const ranges = await Promise.all(topics.map((topic) => admin.endOffsets(topic)))
  return new Map(
    topics.flatMap((topic, index) =>
      (ranges[index] ?? []).map(({ partition, high }) => [`${topic}/${partition}`, high] as const),
    ),
  )
}

function movingIn(standing: Standing, instant: string): string[] {
  return [...dueIn('message', standing.nextMessage, instant), ...underWayIn(standing)]
}

function dueIn(what: 'timer' | 'message', next: string | null, instant: string): string[] {
  return next !== null && next <= instant ? [`a ${what} that was due at ${next}`] : []
}

function underWayIn(standing: Standing): string[] {
  const moving: string[] = []
  if (standing.rollingOut) moving.push('what was published for people who are there already')
  if (standing.queued) moving.push('queued messages')
  if (standing.sending) moving.push('messages that are being sent')
  if (standing.unpublished) moving.push('outbox rows that are not published')
  return moving
}

function unreadIn(standing: Standing, offsets: ReadonlyMap<string, bigint>): string[] {
  return [...offsets]
    .filter(([place, offset]) => BigInt(standing.positions[place] ?? 0) < offset)
    .map(([place, offset]) => `events up to ${offset} of ${place}`)
}

/** Reads until `look` names nothing to wait for. */
async function poll(
  parts: SettleParts,
  look: (standing: Standing) => Promise<string[]>,
): Promise<Standing> {
  const { clock, signal } = parts
  const beganMs = clock.monotonicMs()
  let movedMs = beganMs
  let toldMs = movedMs
  let last = ''
  for (;;) {
    signal.throwIfAborted()
    const { standing, waitingFor } = await lookOnce(parts, look)
    if (standing !== null && waitingFor.length === 0) return standing
    const nowMs = clock.monotonicMs()
    const seen = JSON.stringify([standing, waitingFor])
    if (seen !== last) {
      last = seen
      movedMs = nowMs
      toldMs = nowMs
    }
    if (nowMs - movedMs >= parts.stallMs) {
      const seconds = Math.round((nowMs - movedMs) / 1_000)
      throw fail('WEGWIJS_REHEARSAL_STALLED', { waitingFor, seconds })
    }
    if (nowMs - toldMs >= TELL_AFTER_MS) {
      toldMs = nowMs
      parts.onWaiting(waitingFor)
    }
    const pauseMs = PAUSE_SHARE * (nowMs - beganMs)
    await clock.sleep(Math.min(Math.max(pauseMs, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS), signal)
  }
}

/** A server that is away is something to wait for, as the services themselves do. */
async function lookOnce(
  parts: SettleParts,
  look: (standing: Standing) => Promise<string[]>,
): Promise<{ standing: Standing | null; waitingFor: string[] }> {
  try {
    const standing = await readStanding(parts.store.db)
    return { standing, waitingFor: await look(standing) }
  } catch (error) {
    if (!isFailure(error) || !error.retryable) throw error
    return { standing: null, waitingFor: [error.message] }
  }
}
