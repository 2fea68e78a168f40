/**
 * Lots that hang on the seed and on what they are drawn for, never on how many were drawn before:
 * when a story is cut short, everything that is left draws what it drew.
 */
export class Chance {
  readonly #seed: string

  constructor(seed: string) {
    this.#seed = seed
  }

  /** From 0 up to 1. */
  number(...about: readonly (string | number)[]): number {
    return fractionOf(`${this.#seed}/${about.join('/')}`)
  }

  /** A whole number from 0 up to `end`. */
  whole(end: number, ...about: readonly (string | number)[]): number {
    return Math.floor(this.number(...about) * end)
  }

  is(probability: number, ...about: readonly (string | number)[]): boolean {
    return this.number(...about) < probability
  }

  pick<Item>(items: readonly Item[], ...about: readonly (string | number)[]): Item {
    const item = items[this.whole(items.length, ...about)]
    if (item === undefined) throw new RangeError('nothing to pick from')
    return item
  }

  bytes(length: number, ...about: readonly (string | number)[]): Buffer {
    return Buffer.from(Array.from({ length }, (_, index) => this.whole(256, ...about, index)))
  }
}

/** FNV-1a, its bits mixed by murmur3's last step. */
function fractionOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
