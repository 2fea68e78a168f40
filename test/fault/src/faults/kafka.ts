import type { Fault } from '../fault.ts'
import { kafkaOffsetsDeleted } from './kafka-offsets.ts'
import { kafkaOutOfRange } from './kafka-out-of-range.ts'
import { kafkaRebalances } from './kafka-rebalances.ts'
import { kafkaRecreated } from './kafka-recreated.ts'
import { kafkaReplayed } from './kafka-replayed.ts'
import { kafkaKilled } from './server-killed.ts'
import { kafkaSilent } from './server-silent.ts'

export const kafkaFaults: readonly Fault[] = [
  kafkaKilled,
  kafkaSilent,
  kafkaRebalances,
  kafkaOffsetsDeleted,
  kafkaReplayed,
  kafkaRecreated,
  kafkaOutOfRange,
]
