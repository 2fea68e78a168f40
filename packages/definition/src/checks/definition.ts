import type { Fault } from '../fault.ts'
import { checkCampaigns, checkClasses, warnOfCampaigns } from './campaigns.ts'
import { checkMapping } from './mappings.ts'
import { checkMessages } from './messages.ts'
import type { Parts } from './parts.ts'
import {
  checkAttributes,
  checkJourneys,
  checkPersonas,
  checkPolicies,
  warnOfPersonas,
} from './people.ts'
import { checkRepeats } from './repeats.ts'
import { checkSenders } from './senders.ts'
import { checkSpecifications, warnOfSpecifications } from './specifications.ts'
import { checkTouchpoints } from './touchpoints.ts'

export type Verdict = { faults: Fault[]; warnings: Fault[] }

/** Everything in a definition against everything else, as far as it could be read. */
export function checkDefinition(
  parts: Parts,
  publishedClasses: ReadonlyMap<string, string>,
): Verdict {
  const templates = [...parts.templates.values()]
  const messages = checkMessages(parts)
  const ofPersonas = checkPersonas(parts)
  const sources = { touchpoints: parts.touchpoints?.value, attributes: parts.attributes?.value }
  return {
    faults: [
      ...templates.flatMap((template) => template.faults),
      ...checkTouchpoints(parts),
      ...ofPersonas,
      ...checkJourneys(parts),
      ...checkAttributes(parts),
      ...checkPolicies(parts),
      ...checkSenders(parts),
      ...checkCampaigns(parts),
      ...checkSpecifications(parts),
      ...checkClasses(parts, publishedClasses),
      ...messages.faults,
      ...checkRepeats(parts),
      ...parts.mappings.flatMap((mapping) => checkMapping(mapping, sources)),
    ],
    warnings: [
      ...templates.flatMap((template) => template.warnings),
      // A condition that is wrong takes nobody: of that its fault tells.
      ...(ofPersonas.length > 0 || parts.personas?.invented ? [] : warnOfPersonas(parts)),
      ...warnOfCampaigns(parts),
      ...warnOfSpecifications(parts),
      ...messages.warnings,
    ],
  }
}
