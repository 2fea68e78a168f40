/** What of a Kafka record says when it came. */
export type TimedRecord = {
  readonly timestampMs: number
  readonly timestampBy: 'broker' | 'publisher'
  readonly headers: Readonly<Record<string, Buffer>>
}

/** Of a dead letter that is published anew: when the record was appended at first, an ISO instant. */
export const originalTimestampHeader = 'dlq-original-timestamp'

/**
 * When the record was in Kafka at the latest, by the clock of a broker, as an ISO instant in UTC; null when nobody
 * but its publisher says. Of a dead letter that was replayed it is when it came first.
 */
export function appendTimeOf(record: TimedRecord): string | null {
  const times = [
    ...(record.timestampBy === 'broker' ? [record.timestampMs] : []),
    Date.parse(record.headers[originalTimestampHeader]?.toString('utf8') ?? ''),
  ].filter(isInstant)
  return times.length === 0 ? null : new Date(Math.min(...times)).toISOString()
}

/** Kafka says -1 when it knows no time; a header may say anything. Instants have a year of four digits. */
function isInstant(ms: number): boolean {
  return ms >= 0 && ms < Date.parse('+010000-01-01T00:00:00Z')
}
