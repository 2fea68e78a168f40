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

/** A UUIDv7 (RFC 9562 §5.7): a new one each time, ordered by the millisecond it was made in. */
export function newUuid(): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(Date.parse(systemClock.instant()), 0, 6)
  return formatUuid(bytes, 7)
}

function formatUuid(bytes: Buffer, version: number): string {
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | (version << 4), 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex', 0, 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
