import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { compileDraft } from '@wegwijs/dry-run/draft'
import { type MessageLine, MessageLines } from '@wegwijs/dry-run/lines'
import { sendingOf } from '@wegwijs/dry-run/sending'
import { Simulation } from '@wegwijs/dry-run/simulation'
import { withArrival } from '@wegwijs/rehearsal/arrivals'
import { type Arrival, anyHistory, anyHospital } from '@wegwijs/test-support/any-hospital'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readExample } from './src/example.ts'
import { openFlow, openGround } from './src/flow.ts'
import { readLiveLines } from './src/live-lines.ts'

/**
 * Definitions and histories made by chance, decided by the live pipeline and by a simulation: line for
 * line the same, whatever a definition says.
 */
const definitions = 5
const historiesEach = 8
const step = 'PT15M'

test('whatever a definition says, a simulation and the live pipeline decide the same', async () => {
  const { channels } = await readExample()
  const seed = 3
  const bundles = fc.sample(anyHospital, { seed, numRuns: definitions })
  const histories = fc.sample(anyHistory, { seed, numRuns: definitions * historiesEach })
  let messages = 0
  for (const [index, made] of bundles.entries()) {
    const bundle = { ...made, channels }
    const own = histories.slice(index * historiesEach, (index + 1) * historiesEach)
    const events = inOrderOfArrival(own)
    const rates = { bounced: 0.3, none: 0.2, answered: 0.3, done: 0.6, seed: String(index) }
    const simulated = simulate(bundle, events, rates)
    expect(await live(bundle, events, rates), JSON.stringify(bundle.campaigns)).toEqual(simulated)
    messages += simulated.length
  }
  expect(messages).toBeGreaterThan(100)
}, 300_000)

/** People of several histories side by side, under names of their own. */
function inOrderOfArrival(histories: readonly Arrival[][]): TouchpointEvent[] {
  return histories
    .flatMap((arrivals, nth) =>
      arrivals.map(({ event, arrivedAt }) => ({
        event: { ...event, id: `${nth}-${event.id}`, subject: `${nth}-${event.subject}` },
        arrivedAt,
      })),
    )
    .toSorted((a, b) => (a.arrivedAt < b.arrivedAt ? -1 : Number(a.arrivedAt > b.arrivedAt)))
    .map(({ event }) => event)
}

type Rates = { bounced: number; none: number; answered: number; done: number; seed: string }

function simulate(
  bundle: DefinitionBundle,
  events: readonly TouchpointEvent[],
  outcomes: Rates,
): MessageLine[] {
  const lines = new MessageLines()
  const simulation = new Simulation({
    definition: compileDraft(bundle),
    sending: sendingOf(bundle),
    outcomes,
    step,
    onMessage: (message) => lines.add(message),
  })
  for (const { event, at } of withArrival(events)) simulation.take(event, at)
  simulation.finish()
  return lines.sorted(simulation.people)
}

async function live(
  bundle: DefinitionBundle,
  events: readonly TouchpointEvent[],
  rates: Rates,
): Promise<MessageLine[]> {
  const { store } = await openGround(bundle, withArrival(events)[0]?.at ?? '')
  const flow = await openFlow({ store, settings: { sandbox: { rates } } })
  await flow.play(events, step)
  const lines = await readLiveLines(store)
  await flow.close()
  await store.close()
  return lines
}
