import type { AskStep } from './ask.ts'
import type { BranchStep } from './branch.ts'
import type { EmitStep } from './emit.ts'
import type { EndStep } from './end.ts'
import type { MessageStep } from './message.ts'
import type { SetStep } from './set.ts'
import type { SplitStep } from './split.ts'
import type { TaskStep } from './task.ts'
import type { WaitStep } from './wait.ts'
import type { WaitForStep } from './wait-for.ts'

/** Any step of a campaign. */
export type Step =
  | MessageStep
  | WaitStep
  | WaitForStep
  | AskStep
  | TaskStep
  | SetStep
  | EmitStep
  | BranchStep
  | SplitStep
  | EndStep
