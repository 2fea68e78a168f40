import { z } from 'zod'
import { askStep } from './ask.ts'
import { branchStep } from './branch.ts'
import { cascadeStep } from './cascade.ts'
import { emitStep } from './emit.ts'
import { endStep } from './end.ts'
import { messageStep } from './message.ts'
import { setStep } from './set.ts'
import { splitStep } from './split.ts'
import type { Step } from './step.ts'
import type { StepKind, StepParts } from './step-kind.ts'
import { taskStep } from './task.ts'
import { waitStep } from './wait.ts'
import { waitForStep } from './wait-for.ts'

/** Every kind of step a campaign can be made of; a new kind is a file of its own and a line here. */
export const stepKinds = [
  messageStep,
  waitStep,
  waitForStep,
  askStep,
  taskStep,
  setStep,
  emitStep,
  branchStep,
  splitStep,
  endStep,
] as const

export const stepsSchema: z.ZodType<Step[]> = z
  .array(z.lazy(() => stepSchema))
  .min(1)
  .max(100)

// Made once, not by each call of a getter: what walks the schema would walk for ever.
const stepSchema: z.ZodType<Step> = z
  .union(stepKinds.map((kind) => describedSchemaOf(kind as StepKind<Step>)))
  .meta({ id: 'step', title: 'A step', description: 'One of the kinds of steps.' })

function describedSchemaOf({ key, meaning, shortest, schema }: StepKind<Step>) {
  const id = `step-${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  return schema(stepsSchema).meta({
    id,
    title: `Step: ${key}`,
    description: meaning,
    examples: [shortest],
  })
}

const byKey = new Map<string, StepKind<Step>>(
  stepKinds.map((kind) => [kind.key, kind as StepKind<Step>]),
)

/** Kinds that go on differently for some steps of a kind above, under the same key. */
const variants: readonly StepKind<Step>[] = [cascadeStep as StepKind<Step>]

/** The kind of a step that its schema accepted. */
export function kindOf(step: Step): StepKind<Step> {
  const [key = ''] = Object.keys(step)
  const kind = variants.find((each) => each.key === key && each.isMeant?.(step)) ?? byKey.get(key)
  if (!kind) throw new RangeError(`there is no step "${key}"`)
  return kind
}

export function partsOf(step: Step): StepParts {
  return kindOf(step).parts(step)
}

/** These steps and all that they hold, in the order of the text. */
export function everyStep(steps: readonly Step[]): Step[] {
  return steps.flatMap((step) => [
    step,
    ...(partsOf(step).arms ?? []).flatMap((arm) => everyStep(arm.steps)),
  ])
}
