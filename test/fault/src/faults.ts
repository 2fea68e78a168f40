import type { Fault } from './fault.ts'
import { serviceFaults } from './faults/services.ts'

/** Every fault, in the order of the table. */
export const faults: readonly Fault[] = [...serviceFaults]
