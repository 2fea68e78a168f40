import type { PersonState } from '@wegwijs/campaign/state'

/**
 * People in one text each, for as long as nothing happens to them: maps and sets of objects cost memory
 * and every pass of the garbage collector, a text hardly does. Whatever members a state has, maps and sets
 * among them, come back as they were.
 *
 * An object is `[shape, …values]`: the names of its members are kept once for all objects that have the
 * same, since of a person as JSON they are more than half. A list is `[0, …items]`, a map
 * `[1, …keys and values]`, a set `[2, …items]`.
 */
export class Rest {
  readonly #shapes: (readonly string[])[] = []
  readonly #byNames = new Map<string, number>()

  pack(state: PersonState): string {
    return JSON.stringify(this.#fold(state))
  }

  unpack(text: string): PersonState {
    return this.#unfold(JSON.parse(text)) as PersonState
  }

  #fold(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return this.#foldAll([LIST], value)
    if (value instanceof Map) return this.#foldPairs([MAP], value)
    if (value instanceof Set) return this.#foldAll([SET], value)
    const members = Object.values(value)
    if (members.includes(undefined)) return this.#fold(withoutUndefined(value))
    const shape = this.#shapeOf(Object.keys(value))
    // Of more shapes than there are kinds of objects, such as counts by day, the names go along.
    return shape === null
      ? this.#foldPairs([LOOSE], Object.entries(value))
      : this.#foldAll([FIRST_SHAPE + shape], members)
  }

  #foldAll(into: unknown[], values: Iterable<unknown>): unknown[] {
    for (const value of values) into.push(this.#fold(value))
    return into
  }

  #foldPairs(into: unknown[], pairs: Iterable<readonly [string, unknown]>): unknown[] {
    for (const [key, value] of pairs) into.push(key, this.#fold(value))
    return into
  }

  #unfold(folded: unknown): unknown {
    if (!Array.isArray(folded)) return folded
    for (let index = 1; index < folded.length; index += 1)
      folded[index] = this.#unfold(folded[index])
    const [kind, ...values] = folded as [number, ...unknown[]]
    if (kind === LIST) return values
    if (kind === SET) return new Set(values)
    if (kind === MAP) return new Map(inPairs(values))
    if (kind === LOOSE) return Object.fromEntries(inPairs(values))
    return objectOf(this.#shapes[kind - FIRST_SHAPE] ?? [], values)
  }

  /** Null when there are too many already. */
  #shapeOf(names: readonly string[]): number | null {
    const text = names.join('\n')
    const known = this.#byNames.get(text)
    // Fewer names may make the same text: one of them is odd then.
    if (known !== undefined && this.#shapes[known]?.length === names.length) return known
    if (this.#shapes.length === mostShapes || names.some(isOdd)) return null
    this.#byNames.set(text, this.#shapes.length)
    return this.#shapes.push(names) - 1
  }
}

const LIST = 0
const MAP = 1
const SET = 2
const LOOSE = 3
const FIRST_SHAPE = 4
const mostShapes = 1_000

/** It would not be told from two names, or not be a member. */
function isOdd(name: string): boolean {
  return name.includes('\n') || name === '__proto__'
}

function withoutUndefined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined))
}

function inPairs(values: readonly unknown[]): [string, unknown][] {
  const pairs: [string, unknown][] = []
  for (let index = 0; index < values.length; index += 2)
    pairs.push([values[index] as string, values[index + 1]])
  return pairs
}

function objectOf(names: readonly string[], values: readonly unknown[]): object {
  const object: Record<string, unknown> = {}
  for (const [index, name] of names.entries()) object[name] = values[index]
  return object
}
