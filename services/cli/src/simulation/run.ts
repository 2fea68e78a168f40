import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { Compared } from '@wegwijs/dry-run/difference'
import { Fates } from '@wegwijs/dry-run/fates'
import { MessageLines } from '@wegwijs/dry-run/lines'
import type { OutcomeRates } from '@wegwijs/dry-run/outcome-model'
import type { Publication } from '@wegwijs/dry-run/publication'
import { Samples } from '@wegwijs/dry-run/samples'
import { sendingOf } from '@wegwijs/dry-run/sending'
import { Simulation } from '@wegwijs/dry-run/simulation'
import { Counting } from '@wegwijs/dry-run/summary'
import { Texts } from '@wegwijs/dry-run/texts'

/** A definition that is simulated. */
export type Side = { bundle: DefinitionBundle; definition: CompiledDefinition }

export type RunOptions = {
  outcomes: OutcomeRates
  step: string
  /** Every message and what became of every run is kept, to be printed or compared. */
  keepsLines: boolean
  /** From when on it counts what is planned; null for all of it. */
  since: string | null
}

/** A simulation of one side, with everything that is counted and kept of it. */
export type Run = {
  side: Side
  simulation: Simulation
  lines: MessageLines
  fates: Fates
  counting: Counting
  samples: Samples
}

export function runOf(
  { bundle, definition }: Side,
  { outcomes, step, keepsLines, since }: RunOptions,
  /** What is published on the way, where anything is. */
  published?: Publication,
): Run {
  const last = published?.after ?? definition
  const sending = sendingOf(bundle)
  const texts = new Texts(published?.sending ?? sending)
  const lines = new MessageLines()
  const fates = new Fates(last)
  const counting = new Counting(last)
  const samples = new Samples()
  const simulation = new Simulation({
    definition,
    sending,
    outcomes,
    step,
    asksForText: (intentId) => samples.asksFor(intentId),
    onMessage: (message) => {
      if (since !== null && message.intent.plannedAt < since) return
      if (keepsLines) lines.add(message, texts.of(message))
      counting.message(message)
      samples.message(message)
    },
    onDecision: (person, decision) => {
      if (keepsLines) fates.decision(person, decision)
      if (since === null || simulation.now >= since) counting.decision(decision)
    },
  })
  return { side: { bundle, definition }, simulation, lines, fates, counting, samples }
}

export function comparedOf({ simulation: { people }, lines, fates }: Run): Compared {
  return { people, fates, lines: lines.compared(people) }
}
