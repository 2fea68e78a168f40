import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { loadLogMapping } from '@wegwijs/definition/log-mapping'
import { compileDraft } from '@wegwijs/dry-run/draft'
import { type MessageLine, MessageLines } from '@wegwijs/dry-run/lines'
import type { OutcomeRates } from '@wegwijs/dry-run/outcome-model'
import { sendingOf } from '@wegwijs/dry-run/sending'
import { Simulation } from '@wegwijs/dry-run/simulation'
import { generateJourneys } from '@wegwijs/rehearsal/generate-journeys'
import { readLog } from '@wegwijs/rehearsal/read-log'
import { readEnvironment } from '@wegwijs/runtime/env'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import { expect, test } from 'vitest'
import { readExample } from './src/example.ts'
import { openFlow, openGround } from './src/flow.ts'
import { readLiveLines } from './src/live-lines.ts'

/**
 * A simulation and the live pipeline decide the same of the same events, line for line: the pure
 * twins of what is decided in SQL are held to it here.
 */
const step = 'PT15M'

function simulate(
  bundle: DefinitionBundle,
  events: readonly TouchpointEvent[],
  outcomes: OutcomeRates,
): MessageLine[] {
  const lines = new MessageLines()
  const simulation = new Simulation({
    definition: compileDraft(bundle),
    sending: sendingOf(bundle),
    outcomes,
    step,
    onMessage: (message) => lines.add(message),
  })
  for (const event of events) simulation.take(event)
  simulation.finish()
  return lines.sorted(simulation.people)
}

async function live(
  bundle: DefinitionBundle,
  events: readonly TouchpointEvent[],
  rates: OutcomeRates,
): Promise<MessageLine[]> {
  const { store } = await openGround(bundle, events[0]?.time ?? '')
  const flow = await openFlow({ store, settings: { sandbox: { rates } } })
  await flow.play(events, step)
  const lines = await readLiveLines(store)
  await flow.close()
  await store.close()
  return lines
}

test('generated journeys', async () => {
  const bundle = await readExample()
  const events = generateJourneys({ people: 60, seed: 'twin' })
  const rates = { bounced: 0.1, none: 0.1, answered: 0.2, seed: 'twin' }
  const simulated = simulate(bundle, events, rates)
  expect(simulated.length).toBeGreaterThan(200)
  expect(new Set(simulated.map(({ outcome }) => outcome)).size).toBeGreaterThan(4)
  expect(simulated).toEqual(await live(bundle, events, rates))
}, 120_000)

/**
 * The log of a real hospital (docs/simulate.md says where it is from), where there is one: a file that
 * SEPSIS_LOG names, or beside this clone. Without it there is nothing to test.
 */
const log =
  readEnvironment().SEPSIS_LOG ??
  fileURLToPath(new URL('../../../shared/data/sepsis.csv', import.meta.url))
const mapping = fileURLToPath(
  new URL('../../examples/hospital/mappings/sepsis-log.yaml', import.meta.url),
)

if (existsSync(log)) {
  test('part of the log of a real hospital', async () => {
    const bundle = await readExample()
    const read = await loadLogMapping(mapping, bundle)
    if (read.mapping === null) throw new Error('the mapping has faults')
    const { events } = await readLog(log, { mapping: read.mapping, definition: bundle })
    const cases = new Set([...new Set(events.map(({ subject }) => subject))].slice(0, 25))
    const part = events.filter(({ subject }) => cases.has(subject))
    const rates = { bounced: 0.1, none: 0.05 }
    const simulated = simulate(bundle, part, rates)
    expect(simulated.length).toBeGreaterThan(30)
    expect(simulated).toEqual(await live(bundle, part, rates))
  }, 300_000)
}
