import { inboxRetentionDays } from '@wegwijs/wire/event-time'

/**
 * Remembers which events have counted, as the inbox does (P2): by two hashes of 32 bits each instead
 * of the texts, 8 bytes in a table that is at most half full. Of a hundred million events that one is
 * wrongly taken for another has a chance of one in four thousand.
 *
 * What is older than the inbox keeps is refused before it comes here, so two generations of that
 * length know all that can come twice.
 */
export type SeenEvents = {
  /** Whether the event is new at this moment, epoch milliseconds that only grow; from now on it is not. */
  add(event: { source: string; id: string; subject: string }, atMs: number): boolean
}

const generationMs = (inboxRetentionDays + 1) * 86_400_000

export function createSeenEvents(): SeenEvents {
  let current = createHashSet()
  let previous: HashSet | null = null
  let beganMs: number | null = null
  return {
    add({ source, id, subject }, atMs) {
      beganMs ??= atMs
      if (atMs - beganMs > generationMs) {
        previous = current
        current = createHashSet()
        beganMs = atMs
      }
      // Lengths first, or 'a b' 'c' and 'a' 'b c' would be one.
      const text = `${source.length} ${id.length} ${source} ${id} ${subject}`
      const [high, low] = [firstHash(text), secondHash(text)]
      return !previous?.has(high, low) && current.add(high, low)
    },
  }
}

type HashSet = { has(high: number, low: number): boolean; add(high: number, low: number): boolean }

/** Open addressing over pairs of 32 bits; two zeros mark a free place. */
function createHashSet(): HashSet {
  let table = new Uint32Array(2 ** 12)
  let count = 0
  const placeOf = (of: Uint32Array, high: number, low: number): number => {
    const places = of.length / 2
    let place = high % places
    while (of[place * 2] !== 0 || of[place * 2 + 1] !== 0) {
      if (of[place * 2] === high && of[place * 2 + 1] === low) break
      place = place + 1 === places ? 0 : place + 1
    }
    return place * 2
  }
  const grow = () => {
    const larger = new Uint32Array(table.length * 2)
    for (let from = 0; from < table.length; from += 2) {
      const [high = 0, low = 0] = [table[from], table[from + 1]]
      if (high === 0 && low === 0) continue
      larger.set([high, low], placeOf(larger, high, low))
    }
    table = larger
  }
  return {
    has: (high, low) => {
      const place = placeOf(table, high, low)
      return table[place] !== 0 || table[place + 1] !== 0
    },
    add: (high, low) => {
      const place = placeOf(table, high, low)
      if (table[place] !== 0 || table[place + 1] !== 0) return false
      table[place] = high
      table[place + 1] = low
      count += 1
      if (count * 4 > table.length) grow()
      return true
    },
  }
}

/** FNV-1a with its bits mixed by murmur3's last steps; never 0, which marks a free place. */
function firstHash(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return mixed(hash)
}

/** Another way through the text: turned at each letter, or the lowest bits of both would go together. */
function secondHash(text: string): number {
  let hash = 0x2f0b4a27
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(((hash << 5) | (hash >>> 27)) ^ text.charCodeAt(index), 0x9e3779b1)
  }
  return mixed(hash)
}

function mixed(hash: number): number {
  let bits = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0 || 1
}
