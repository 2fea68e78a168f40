type Undo = () => Promise<unknown>

/**
 * What was opened, and how it is undone, the last first. Closing may come at any moment: what is being
 * opened just then is waited for and undone like the rest, and nothing more is opened.
 */
export class Openings {
  readonly #undo: Undo[] = []
  readonly #closing = Promise.withResolvers<never>()
  #closed: Promise<void> | undefined

  constructor() {
    // Nobody may be opening anything when it is closed.
    this.#closing.promise.catch(() => undefined)
  }

  /** @throws Error when it is closed first; what was being opened is undone all the same */
  async add<Opened>(
    open: () => Promise<Opened>,
    undo: (opened: Opened) => Promise<unknown>,
    when: 'in turn' | 'last' = 'in turn',
  ): Promise<Opened> {
    if (this.#closed !== undefined) return this.#closing.promise
    const opening = open()
    const step = () => opening.then(undo, () => undefined)
    if (when === 'last') this.#undo.unshift(step)
    else this.#undo.push(step)
    return this.whileOpen(opening)
  }

  /** Waits for something that needs no undoing. @throws Error when it is closed first */
  whileOpen<Result>(work: Promise<Result>): Promise<Result> {
    return Promise.race([work, this.#closing.promise])
  }

  /**
   * Undoes everything, once. A step that fails keeps no other from being taken.
   *
   * @throws the first failure
   */
  close(): Promise<void> {
    this.#closed ??= this.#undoAll()
    return this.#closed
  }

  async #undoAll(): Promise<void> {
    this.#closing.reject(new Error('closed while it was in use'))
    const failures: unknown[] = []
    for (const step of this.#undo.toReversed()) {
      await step().catch((error: unknown) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }
}
