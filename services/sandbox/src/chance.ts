import { createHash } from 'node:crypto'

/**
 * A number from 0 up to 1 that looks like chance and is always the same for the same parts, so that
 * a rehearsal of the same input meets the same faults and the same receipts.
 */
export function chance(...parts: readonly string[]): number {
  return createHash('sha256').update(parts.join('\n')).digest().readUInt32BE(0) / 2 ** 32
}
