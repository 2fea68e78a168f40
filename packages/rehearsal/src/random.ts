import { createHash } from 'node:crypto'

/**
 * Chance that is the same on every machine: xoshiro128** (Blackman and Vigna, 2018), seeded with
 * SHA-256 of the parts. Two sources with other parts share nothing, so the 7th person of a seed is
 * the same person whether 10 or 10,000 are made.
 */
export type Random = {
  /** At least 0, less than 1. */
  next(): number
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number
  chance(probability: number): boolean
  pick<T>(options: readonly [T, ...T[]]): T
  /** One of the keys, in proportion to its weight. */
  weighted(weights: Readonly<Record<string, number>>): string
}

export function createRandom(...parts: readonly string[]): Random {
  const seed = createHash('sha256').update(JSON.stringify(parts)).digest()
  const state = new Uint32Array([0, 4, 8, 12].map((offset) => seed.readUInt32LE(offset)))
  const next = () => step(state) / 2 ** 32
  const between = (low: number, high: number) => low + Math.floor(next() * (high - low + 1))
  return {
    next,
    between,
    chance: (probability) => next() < probability,
    pick: (options) => options[between(0, options.length - 1)] ?? options[0],
    weighted: (weights) => pickWeighted(weights, next()),
  }
}

function pickWeighted(weights: Readonly<Record<string, number>>, share: number): string {
  const entries = Object.entries(weights)
  let left = share * entries.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [key, weight] of entries) {
    left -= weight
    if (left < 0) return key
  }
  return entries.at(-1)?.[0] ?? ''
}

function step(state: Uint32Array): number {
  let [a = 0, b = 0, c = 0, d = 0] = state
  const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
  const shifted = b << 9
  c ^= a
  d ^= b
  b ^= c
  a ^= d
  c ^= shifted
  d = rotate(d, 11)
  state.set([a, b, c, d])
  return result
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
