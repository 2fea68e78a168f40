import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { faultLines, readLogWith } from '@wegwijs/cli/log-options'
import { generateJourneys } from '@wegwijs/rehearsal/generate-journeys'
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
  /** What could not be read, line by line. */
  faults: readonly string[]
}

const INVENTED_STEP = 'PT15M'
/** A log of a year has thousands of quarters in which something happens. */
const LOG_STEP = 'PT2H'

/** @throws WEGWIJS_LOG_UNREADABLE, WEGWIJS_DEFINITION_INVALID for a mapping with faults */
export async function readJourneys(
  options: DemoOptions,
  bundle: DefinitionBundle,
): Promise<Journeys> {
  const { log, people, seed, step } = options
  if (log === undefined) {
    const origin = `invented journeys (--seed ${seed})`
    const events = generateJourneys({ people, seed })
    return { events, people, origin, step: step ?? INVENTED_STEP, faults: [] }
  }
  const read = await readLogWith(log, options, bundle)
  return {
    events: read.events,
    people: read.people,
    origin: log,
    step: step ?? LOG_STEP,
    faults: faultLines(read.faults),
  }
}
