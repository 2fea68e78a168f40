/**
 * A number from 0 up to 1 that hangs on the text alone: what looks like chance is the same on every
 * run and on every machine, and spreads evenly over texts that differ in one letter (FNV-1a, its
 * bits mixed by the last step of murmur3).
 */
export function fractionOf(text: string): number {
  let hash = 0x811c9dc5
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
