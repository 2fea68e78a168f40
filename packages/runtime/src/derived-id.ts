import { hash, randomBytes } from 'node:crypto'
import { systemClock } from './clock.ts'

/**
 * A UUIDv8 (RFC 9562 §5.8) made of nothing but `parts`: the same parts give the same id on every
 * machine at any time, so an insert that is made again after a crash finds itself (P1, P2). Parts
 * are prefixed with their length, or ('ab', 'c') and ('a', 'bc') would be one id.
 */
export function derivedUuid(...parts: readonly string[]): string {
  let text = ''
  for (const part of parts) text += `${Buffer.byteLength(part)}:${part}`
  return formatUuid(hash('sha256', text, 'buffer'), 8)
}

/** What new ids are made of: 16 bytes of chance, and the wall-clock time. */
export type IdSource = { bytes(): Buffer; epochMs(): number }

const systemSource: IdSource = { bytes: () => randomBytes(16), epochMs: systemClock.epochMs }
let source = systemSource

/** A UUIDv7 (RFC 9562 §5.7): a new one each time, ordered by the millisecond it was made in. */
export function newUuid(): string {
  const bytes = source.bytes()
  bytes.writeUIntBE(source.epochMs(), 0, 6)
  return formatUuid(bytes, 7)
}

/**
 * Makes the new ids of this process from another source, until what it returns is called: a
 * simulation in which everything follows from a seed. Ids that can be foreseen are for nothing else.
 */
export function makeIdsFrom(other: IdSource): () => void {
  source = other
  return () => {
    source = systemSource
  }
}

function formatUuid(bytes: Buffer, version: number): string {
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | (version << 4), 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex', 0, 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
