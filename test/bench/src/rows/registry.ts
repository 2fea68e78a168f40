import type { Row } from '../row.ts'
import { bulk } from './bulk.ts'
import { decide } from './decide.ts'
import { email } from './email.ts'
import { events, few } from './events.ts'
import { flushall } from './flushall.ts'
import { backlog, campaigns, history } from './growth.ts'
import { latency } from './latency.ts'
import { memory } from './memory.ts'
import { sends } from './sends.ts'
import { simulate } from './simulate.ts'
import { statements } from './statements.ts'
import { workers } from './workers.ts'
import { writes } from './writes.ts'

/** Every row, in the order in which they are measured and printed. */
export const rows: readonly Row[] = [
  events,
  sends,
  latency,
  campaigns,
  backlog,
  history,
  memory,
  email,
  few,
  bulk,
  flushall,
  statements,
  workers,
  writes,
  decide,
  simulate,
]
