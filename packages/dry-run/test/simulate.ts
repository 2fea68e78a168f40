import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { compileDraft } from '../src/draft.ts'
import { type MessageLine, MessageLines } from '../src/lines.ts'
import { alwaysDelivered } from '../src/outcome-model.ts'
import { People } from '../src/people.ts'
import { sendingOf } from '../src/sending.ts'
import {
  type SimulatedMessage,
  Simulation,
  type SimulationOptions,
  type SimulationTally,
} from '../src/simulation.ts'

export type Simulated = {
  lines: MessageLine[]
  messages: (SimulatedMessage & { name: string })[]
  tally: SimulationTally
}

/** Simulates a definition over these events, to its end. */
export function simulate(
  bundle: DefinitionBundle,
  events: Iterable<Parameters<Simulation['take']>[0]>,
  options: Partial<Pick<SimulationOptions, 'outcomes' | 'step'>> & { mostAwake?: number } = {},
): Simulated {
  const { mostAwake, ...more } = options
  const lines = new MessageLines()
  const messages: SimulatedMessage[] = []
  const simulation = new Simulation(
    {
      definition: compileDraft(bundle),
      sending: sendingOf(bundle),
      outcomes: alwaysDelivered,
      ...more,
      onMessage: (message) => {
        lines.add(message)
        messages.push(message)
      },
    },
    new People(mostAwake),
  )
  for (const event of events) simulation.take(event)
  const tally = simulation.finish()
  const { people } = simulation
  return {
    tally,
    lines: lines.sorted(people),
    messages: messages.map((each) => ({ ...each, name: people.nameOf(each.person) })),
  }
}
