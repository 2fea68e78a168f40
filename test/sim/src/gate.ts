import type { Clock } from '@wegwijs/runtime/clock'

/**
 * The gate at which everything that a worker does to the world outside it stands still until it is
 * let through. While one operation is carried out all others stand, and the next one is let through
 * when its effect has been seen and nothing moves any more. So the order of all operations is in
 * the hands of whoever opens the gate, and time passes only when they say so.
 *
 *   pass ──► standing ──release──► under way ──► answered: the worker goes on to its next operation
 *                │                    └─ waits for a lock: others are let through meanwhile
 *                └─ its life ends: it never comes back, nor does any other of that life
 */

/** One run of a worker's process, from its start until it is killed or ends. */
export type Life = {
  /** The worker that lives, such as `delivery-1`. */
  readonly slot: string
  readonly nth: number
  dead: boolean
  /** Called when it ends. */
  readonly mourners: (() => void)[]
}

export function newLife(slot: string, nth = 1): Life {
  return { slot, nth, dead: false, mourners: [] }
}

export type Operation = {
  readonly life: Life
  /** What is done, such as `statement update intent set …`. */
  readonly label: string
  /** The statement of its transaction that was carried out last; empty when there is none. */
  readonly behind: string
  /** Counts the operations of the slot, over all its lives, from 1; one that had to wait for a lock
   * stands twice under its number. */
  readonly nth: number
  readonly take: (after: () => boolean, lost?: Error) => void
}

type Sleeper = { life: Life; dueMs: number; wake: () => void; sequence: number }
/** Which PostgreSQL backend works for it, as soon as that is known; null when none does. */
export type AskBackend = () => number | null
/** What the gate is told of an operation of a connection to PostgreSQL. */
export type OnConnection = { readonly backend: AskBackend; readonly behind: string }
type UnderWay = { readonly backend: AskBackend; waited: boolean }

const noBackend: AskBackend = () => null
const onNone: OnConnection = { backend: noBackend, behind: '' }

/** Which of these PostgreSQL backends wait for a lock at this moment. */
export type LockWatch = (backends: readonly number[]) => Promise<ReadonlySet<number>>

/** After this long without an answer it is asked whether a statement waits for a lock. */
const lockPatienceMs = 8
const quietTurns = 4

export class Gate {
  readonly #watch: LockWatch
  readonly #counts = new Map<string, number>()
  readonly #underWay = new Set<UnderWay>()
  readonly #waiting = new Set<UnderWay>()
  #standing: Operation[] = []
  #sleepers: Sleeper[] = []
  #moved = 0
  #nowMs = 0
  #sequence = 0
  #notice: () => void = () => undefined

  constructor(watch: LockWatch) {
    this.#watch = watch
  }

  /** Machine time since the beginning of this world, in milliseconds. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** How many operations wait for a lock that somebody else holds. */
  get waiting(): number {
    return this.#waiting.size
  }

  standing(): readonly Operation[] {
    return this.#standing
  }

  /** When the next sleeper of a life that may move is due; null when nobody sleeps. */
  nextDueMs(may: (life: Life) => boolean): number | null {
    let next: number | null = null
    for (const { life, dueMs } of this.#sleepers) {
      if (may(life) && (next === null || dueMs < next)) next = dueMs
    }
    return next
  }

  /** Lets time pass; who is due by then stands at the gate to wake up. */
  advanceTo(ms: number): void {
    this.#nowMs = Math.max(this.#nowMs, ms)
    const due = this.#sleepers
      .filter((sleeper) => sleeper.dueMs <= this.#nowMs)
      .sort((a, b) => a.dueMs - b.dueMs || a.sequence - b.sequence)
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.dueMs > this.#nowMs)
    for (const { life, wake } of due) this.#stand(life, 'wakes up', wake)
  }

  /** Resolves with what `take` gives once it was let through; never, when its life ends before. */
  pass<Result>(
    life: Life,
    label: string,
    take: () => Promise<Result> | Result,
    { backend, behind }: OnConnection = onNone,
  ): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const letThrough: Operation['take'] = (survives, lost) => {
        const underWay = { backend, waited: false }
        // Who gets a lock does so when another one lets it go: who goes on first is the gate's to say.
        const answer = (tell: () => void) => {
          if (!survives()) return
          if (underWay.waited) this.#standAgain(life, nth, label, tell)
          else tell()
        }
        void this.#carryOut(async () => take(), underWay).then(
          (result) => answer(() => (lost ? reject(lost) : resolve(result))),
          (error: unknown) => answer(() => reject(error)),
        )
      }
      const nth = this.#stand(life, label, letThrough, behind)
    })
  }

  /** Counts work that is not held at the gate, so that nothing else is let through before its end. */
  track<Result>(work: () => Promise<Result>, backend: AskBackend = noBackend): Promise<Result> {
    return this.#carryOut(work, { backend, waited: false })
  }

  /**
   * Lets one operation through. With `fatal` its life ends with it: the answer reaches nobody. With
   * `lost` it is carried out, and that is what is said of it.
   */
  release(operation: Operation, { fatal, lost }: { fatal?: () => void; lost?: Error } = {}): void {
    // Its life may have ended since it was chosen.
    if (!this.#standing.includes(operation)) return
    this.#standing = this.#standing.filter((other) => other !== operation)
    this.#moved += 1
    operation.take(() => {
      if (fatal && !operation.life.dead) fatal()
      return !operation.life.dead
    }, lost)
  }

  /** Ends a life: what stands of it never happens, whoever sleeps never wakes. */
  end(life: Life): void {
    life.dead = true
    for (const mourner of life.mourners) mourner()
    this.#standing = this.#standing.filter((operation) => operation.life !== life)
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.life !== life)
    this.#moved += 1
  }

  /** Resolves when nothing moves any more but what stands at the gate or waits for a lock. */
  async quiet(): Promise<void> {
    for (;;) {
      while (this.#underWay.size > 0) await this.#nextEnd()
      // What has just ended may have let a lock go, and whoever got it goes on beside nobody else.
      if (this.#waiting.size > 0) await this.#lookAtLocks(this.#waiting)
      if (this.#underWay.size > 0) continue
      const before = this.#moved
      for (let turns = 0; turns < quietTurns; turns += 1) await turn()
      if (before === this.#moved && this.#underWay.size === 0) return
    }
  }

  /** Resolves when something that waited for a lock does so no longer. */
  async untilUnlocked(): Promise<void> {
    const before = this.#waiting.size
    while (this.#waiting.size === before) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#notice = resolve
      const timer = setTimeout(resolve, lockPatienceMs)
      await promise
      clearTimeout(timer)
      this.#notice = () => undefined
      await this.#lookAtLocks(this.#waiting)
    }
  }

  /** The clock of one life: machine time, from a beginning of its own. */
  clockOf(life: Life, options: { beginsMs: number; epochMs: number }): Clock {
    return {
      monotonicMs: () => options.beginsMs + this.#nowMs,
      instant: () => new Date(options.epochMs + this.#nowMs).toISOString(),
      epochMs: () => options.epochMs + this.#nowMs,
      sleep: (ms, signal) => this.#sleep(life, ms, signal),
    }
  }

  async #carryOut<Result>(work: () => Promise<Result>, underWay: UnderWay): Promise<Result> {
    this.#underWay.add(underWay)
    this.#moved += 1
    try {
      return await work()
    } finally {
      this.#underWay.delete(underWay)
      this.#waiting.delete(underWay)
      this.#moved += 1
      this.#notice()
    }
  }

  /** Returns its number. */
  #stand(life: Life, label: string, take: Operation['take'], behind = ''): number {
    if (life.dead) return 0
    this.#moved += 1
    const nth = (this.#counts.get(life.slot) ?? 0) + 1
    this.#counts.set(life.slot, nth)
    this.#standing.push({ life, label, behind, nth, take })
    return nth
  }

  /** Under the number that it had: a new one would hang on who was quicker. */
  #standAgain(life: Life, nth: number, label: string, tell: () => void): void {
    this.#moved += 1
    const take = (survives: () => boolean) => {
      if (survives()) tell()
    }
    this.#standing.push({ life, label: `has its lock: ${label}`, behind: '', nth, take })
  }

  #sleep(life: Life, ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (life.dead) return
      if (signal?.aborted) return reject(signal.reason)
      this.#moved += 1
      this.#sequence += 1
      const cancel = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
        // One that is due already stands at the gate to wake up: it has nothing to wake any more.
        this.#standing = this.#standing.filter((operation) => operation.take !== sleeper.wake)
        this.#moved += 1
        reject(signal?.reason)
      }
      const wake = () => {
        signal?.removeEventListener('abort', cancel)
        resolve()
      }
      const sleeper = {
        life,
        dueMs: this.#nowMs + Math.max(0, ms),
        wake,
        sequence: this.#sequence,
      }
      signal?.addEventListener('abort', cancel, { once: true })
      this.#sleepers.push(sleeper)
    })
  }

  /** Resolves when something under way has ended, or was found to wait for a lock. */
  async #nextEnd(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<'ended' | 'late'>()
    this.#notice = () => resolve('ended')
    const timer = setTimeout(() => resolve('late'), lockPatienceMs)
    const end = await promise
    clearTimeout(timer)
    this.#notice = () => undefined
    if (end === 'late') await this.#lookAtLocks(this.#underWay)
  }

  async #lookAtLocks(of: ReadonlySet<UnderWay>): Promise<void> {
    const asked = [...of].filter(({ backend }) => backend() !== null)
    if (asked.length === 0) return
    const locked = await this.#watch(asked.map(({ backend }) => backend() ?? 0))
    for (const underWay of asked) {
      const isOver = !this.#underWay.has(underWay) && !this.#waiting.has(underWay)
      if (isOver) continue
      const waits = locked.has(underWay.backend() ?? 0)
      this.#underWay.delete(underWay)
      this.#waiting.delete(underWay)
      underWay.waited ||= waits
      if (waits) this.#waiting.add(underWay)
      else this.#underWay.add(underWay)
    }
  }
}

/** One turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
