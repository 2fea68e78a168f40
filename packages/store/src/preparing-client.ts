import pg from 'pg'

/**
 * The statements of a service are few, and come again thousands of times a minute. PostgreSQL took
 * four times as long to plan the claim as to carry it out, so a text that comes a second time is
 * prepared on its connection, and planned once.
 *
 * A plan is kept until the statistics of a table change. One that was made while the tables were
 * empty must therefore be good for full ones too: statements that a service repeats find rows by
 * `= any($1)` or one by one, and sequential scans are switched off for its sessions
 * (`steady-plans.test.ts` counts what is read).
 */
export class PreparingClient extends pg.Client {
  /** A name is used up when the table under its statement was altered. */
  #generation = 0
  /** Of what was sent, answered or not. */
  #isInTransaction = false
  #isGathering = false

  // biome-ignore lint/suspicious/noExplicitAny: one of the many signatures that pg declares
  override query(query: any, values?: any, callback?: any): any {
    this.#gather()
    // Who asks with a callback waits for nothing else: what pg hands back then is not awaited.
    if (beginsTransaction.test(query)) this.#isInTransaction = true
    if (endsTransaction.test(query)) this.#isInTransaction = false
    const isAwaited = callback === undefined && Array.isArray(values) && values.length > 0
    const name = typeof query === 'string' && isAwaited ? nameOf(query) : undefined
    if (name === undefined) return super.query(query, values, callback)
    return this.#askPrepared(name, query, values)
  }

  /**
   * What is asked before anything else can happen goes in one write: a transaction of four statements that wait
   * for no answer wakes the server once, where four writes cost a tenth of what a worker does for a message.
   */
  #gather(): void {
    if (this.#isGathering) return
    this.#isGathering = true
    const { stream } = this.connection
    stream.cork()
    process.nextTick(() => {
      this.#isGathering = false
      stream.uncork()
    })
  }

  /** Outside of a transaction a plan that was outdated is made anew and asked once more: it did nothing. */
  async #askPrepared(name: string, text: string, values: unknown[]): Promise<pg.QueryResult> {
    const ask = () => super.query({ name: `${name}_${this.#generation}`, text, values })
    const isAlone = !this.#isInTransaction
    try {
      return await ask()
    } catch (error) {
      if (!isOutdatedPlan(error)) throw error
      this.#generation += 1
      if (!isAlone) throw error
      return ask()
    }
  }
}

const beginsTransaction = /^(begin|start transaction)\b/
const endsTransaction = /^(commit|rollback)$/

/**
 * `cached plan must not change result type`, in whichever language: the same statement under another
 * name works. 0A000 alone says only that something is not supported, today or tomorrow.
 */
export function isOutdatedPlan(error: unknown): boolean {
  if (!(error instanceof Error && 'code' in error && 'routine' in error)) return false
  return error.code === '0A000' && error.routine === 'RevalidateCachedQuery'
}

/** Beyond so many, texts cannot be the fixed ones that they should be: they stay unprepared. */
const MOST_NAMES = 200

const seen = new Set<string>()
const names = new Map<string, string>()

/** Undefined for the first time that a text is seen: what is asked once is not worth a name. */
function nameOf(text: string): string | undefined {
  const known = names.get(text)
  if (known !== undefined || names.size >= MOST_NAMES) return known
  if (seen.has(text)) {
    seen.delete(text)
    names.set(text, `s${names.size}`)
  } else {
    if (seen.size >= MOST_NAMES) seen.clear()
    seen.add(text)
  }
  return names.get(text)
}
