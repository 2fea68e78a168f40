import type { Row } from '../row.ts'
import { events, few } from './events.ts'
import { sends } from './sends.ts'

/** Every row, in the order in which they are measured and printed. */
export const rows: readonly Row[] = [events, sends, few]
