import type { Fault } from '../fault.ts'
import { postgresConflicts } from './postgres-conflicts.ts'
import { postgresCrowded } from './postgres-crowded.ts'
import { postgresFull } from './postgres-full.ts'
import { postgresInterrupts, postgresTimeouts } from './postgres-interrupts.ts'
import { postgresKilled } from './server-killed.ts'

export const postgresFaults: readonly Fault[] = [
  postgresKilled,
  postgresConflicts,
  postgresTimeouts,
  postgresInterrupts,
  postgresCrowded,
  postgresFull,
]
