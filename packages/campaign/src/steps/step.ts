import type { stepKinds } from './registry.ts'
import type { StepKind } from './step-kind.ts'

type StepOf<Kind> = Kind extends StepKind<infer Own> ? Own : never

/** Any step of a campaign: of one of the kinds in the registry. */
export type Step = StepOf<(typeof stepKinds)[number]>
