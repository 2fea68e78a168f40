/**
 * A map that is copied when it is first written to: a decision reads all of a person and changes little,
 * and what it leaves alone stays the very map that was loaded.
 */
export class DraftMap<Value> implements ReadonlyMap<string, Value> {
  #values: ReadonlyMap<string, Value>
  /** The copy, as long as nobody else has it; the same map as `#values`. */
  #own: Map<string, Value> | null = null

  constructor(values: ReadonlyMap<string, Value>) {
    this.#values = values
  }

  /** What is in it now. Whoever has got it keeps it as it is, whatever is written here later. */
  kept(): ReadonlyMap<string, Value> {
    this.#own = null
    return this.#values
  }

  set(key: string, value: Value): void {
    this.#copied().set(key, value)
  }

  delete(key: string): boolean {
    return this.#values.has(key) && this.#copied().delete(key)
  }

  get(key: string): Value | undefined {
    return this.#values.get(key)
  }

  has(key: string): boolean {
    return this.#values.has(key)
  }

  get size(): number {
    return this.#values.size
  }

  keys(): MapIterator<string> {
    return this.#values.keys()
  }

  values(): MapIterator<Value> {
    return this.#values.values()
  }

  entries(): MapIterator<[string, Value]> {
    return this.#values.entries()
  }

  [Symbol.iterator](): MapIterator<[string, Value]> {
    return this.#values.entries()
  }

  forEach(tell: (value: Value, key: string, map: ReadonlyMap<string, Value>) => void): void {
    this.#values.forEach(tell)
  }

  #copied(): Map<string, Value> {
    if (this.#own === null) {
      this.#own = new Map(this.#values)
      this.#values = this.#own
    }
    return this.#own
  }
}
