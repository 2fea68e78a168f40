import type { Fault } from './fault.ts'
import { clockFaults } from './faults/clock.ts'
import { kafkaFaults } from './faults/kafka.ts'
import { networkFaults } from './faults/network.ts'
import { outageFaults } from './faults/outage.ts'
import { overloadFaults } from './faults/overload.ts'
import { postgresFaults } from './faults/postgres.ts'
import { providerFaults } from './faults/provider.ts'
import { publisherFaults } from './faults/publishers.ts'
import { redisFaults } from './faults/redis.ts'
import { serviceFaults } from './faults/services.ts'

/** Every fault, in the order of the table. */
export const faults: readonly Fault[] = [
  ...serviceFaults,
  ...redisFaults,
  ...kafkaFaults,
  ...postgresFaults,
  ...networkFaults,
  ...providerFaults,
  ...clockFaults,
  ...overloadFaults,
  ...outageFaults,
  ...publisherFaults,
]
