import type { OutgoingRecord } from './port.ts'

/** What Kafka adds to a record on its way: lengths, time, its place in the batch. */
const OVERHEAD_BYTES = 64

/** What a record weighs in a request, not less than it really does. */
export function bytesOf({ key, value, headers }: OutgoingRecord): number {
  let bytes = OVERHEAD_BYTES + Buffer.byteLength(key) + (value?.length ?? 0)
  for (const [name, content] of Object.entries(headers)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(content)
  }
  return bytes
}
