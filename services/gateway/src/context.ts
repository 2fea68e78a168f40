import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import type { Clock } from '@wegwijs/runtime/clock'
import type { ComponentMetrics } from '@wegwijs/runtime/metrics'
import type { Store } from '@wegwijs/store/database'
import type { Admission } from './admission.ts'
import type { BusinessTime } from './business-time.ts'
import type { Credentials } from './credentials.ts'
import type { Keep } from './keep.ts'
import type { Limits } from './limits.ts'

/** What the routes are given. */
export type GatewayContext = {
  store: Store
  secret: string
  limits: Limits
  clock: Clock
  metrics: ComponentMetrics
  credentials: Credentials
  admission: Admission
  time: BusinessTime
  keep: Keep
  definition: () => CompiledDefinition | null
  refreshDefinition: () => Promise<void>
}
