import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
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
  /** The reason of each, in their order. */
  decisions: string[]
}

type Options = Partial<Pick<SimulationOptions, 'outcomes' | 'step'>> & { mostAwake?: number }

/** Simulates a definition over these events, each of which arrives when it happens, to its end. */
export function simulate(
  bundle: DefinitionBundle,
  events: Iterable<TouchpointEvent>,
  options: Options = {},
): Simulated {
  const arrivals = Iterator.from(events).map((event) => ({ event }))
  return simulateArrivals(bundle, arrivals, options)
}

/** Simulates a definition over these events in their order of arrival, to its end. */
export function simulateArrivals(
  bundle: DefinitionBundle,
  arrivals: Iterable<{ event: TouchpointEvent; arrivedAt?: string }>,
  options: Options = {},
): Simulated {
  const { mostAwake, ...more } = options
  const lines = new MessageLines()
  const messages: SimulatedMessage[] = []
  const decisions: string[] = []
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
      onDecision: (_, { reason }) => decisions.push(reason),
    },
    new People(mostAwake),
  )
  for (const { event, arrivedAt } of arrivals) simulation.take(event, arrivedAt)
  const tally = simulation.finish()
  const { people } = simulation
  return {
    tally,
    decisions,
    lines: lines.sorted(people),
    messages: messages.map((each) => ({ ...each, name: people.nameOf(each.person) })),
  }
}
