import type {
  BatchOutcome,
  BrokerRecord,
  Consumer,
  RecordBatch,
  RecordMark,
  StoredPosition,
} from '@wegwijs/kafka/port'
import { markOf } from '@wegwijs/kafka/record-mark'

/**
 * What the store does for a consumer: positions that move by compare-and-set, and what was applied
 * in the same transaction. Members that share a ledger share a database.
 */
export class Ledger {
  readonly positions = new Map<number, bigint>()
  readonly marks = new Map<number, RecordMark>()
  readonly applied: BrokerRecord[] = []
  /** Every batch that was offered, in order, applied or not. */
  readonly offered: RecordBatch[] = []

  readonly positionOf = async (
    _topic: string,
    partition: number,
  ): Promise<StoredPosition | null> => {
    const next = this.positions.get(partition)
    return next === undefined ? null : { next, last: this.marks.get(partition) ?? null }
  }

  readonly apply = async (batch: RecordBatch): Promise<BatchOutcome> => {
    this.offered.push(batch)
    const stored = this.positions.get(batch.partition)
    if (stored !== undefined && stored !== batch.readFrom) return { kind: 'seek', offset: stored }
    this.positions.set(batch.partition, batch.nextOffset)
    this.applied.push(...batch.records)
    const last = batch.records.at(-1)
    if (last) this.marks.set(batch.partition, markOf(last))
    return { kind: 'done' }
  }

  values(): string[] {
    return this.applied.map(({ value }) => String(value))
  }

  valuesOf(key: string): string[] {
    return this.applied
      .filter((record) => String(record.key) === key)
      .map(({ value }) => String(value))
  }
}

/** The error that a consumer stopped with. */
export function failureOf(consumer: Consumer): Promise<unknown> {
  return consumer.failed.catch((error: unknown) => error)
}
