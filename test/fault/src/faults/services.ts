import type { Fault } from '../fault.ts'
import { killServices } from './kill-services.ts'
import { pause } from './pause.ts'
import { rollingRestarts } from './rolling-restarts.ts'
import { sendPoints } from './send-points.ts'

/** The row `each service, and all`. */
export const serviceFaults: readonly Fault[] = [killServices, sendPoints, pause, rollingRestarts]
