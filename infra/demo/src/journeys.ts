import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { faultLines, readLogWith } from '@wegwijs/cli/log-options'
import { generateJourneys } from '@wegwijs/rehearsal/generate-journeys'
import { stepMilliseconds } from '@wegwijs/rehearsal/steps'
import type { TouchpointEvent } from '@wegwijs/wire/touchpoint-event'
import type { DemoOptions } from './options.ts'

/** What is played, in the order in which it arrives. */
export type Journeys = {
  events: readonly TouchpointEvent[]
  people: number
  /** Where it comes from, in words. */
  origin: string
  /** ISO 8601 */
  step: string
  stepMs: number
  /** What could not be read, line by line. */
  faults: readonly string[]
}

const INVENTED_STEP = 'PT15M'
/** A log of a year has thousands of quarters in which something happens. */
const LOG_STEP = 'PT2H'

/**
 * @throws WEGWIJS_USAGE for a step that is none, WEGWIJS_LOG_UNREADABLE, WEGWIJS_DEFINITION_INVALID
 *   for a mapping with faults
 */
export async function readJourneys(
  options: DemoOptions,
  bundle: DefinitionBundle,
): Promise<Journeys> {
  const { log, people, seed } = options
  const step = options.step ?? (log === undefined ? INVENTED_STEP : LOG_STEP)
  const pace = { step, stepMs: stepMilliseconds(step) }
  if (log === undefined) {
    const origin = `invented journeys (--seed ${seed})`
    return { ...pace, events: generateJourneys({ people, seed }), people, origin, faults: [] }
  }
  const { events, people: cases, faults } = await readLogWith(log, options, bundle)
  return { ...pace, events, people: cases, origin: log, faults: faultLines(faults) }
}
