import type { Fault } from '../fault.ts'

/** Names of which not all are known: of a kind, or fields under a root. */
export class OpenNames {
  readonly #kinds = new Set<string>()
  readonly #roots = new Set<string>()

  /** A kind as faults call it, such as `touchpoint`. */
  kind(...kinds: readonly string[]): void {
    for (const kind of kinds) this.#kinds.add(kind)
  }

  /** The first word of fields, such as `event`. */
  root(...roots: readonly string[]): void {
    for (const root of roots) this.#roots.add(root)
  }

  /** Whether what is unknown here may be among the names that are not known. */
  mayHold({ unknown, hangsOn = '', found = '' }: Fault): boolean {
    if (this.#kinds.has(hangsOn)) return true
    if (unknown === undefined) return false
    return this.#kinds.has(unknown) || [...this.#roots].some((root) => found.startsWith(`${root}.`))
  }
}
