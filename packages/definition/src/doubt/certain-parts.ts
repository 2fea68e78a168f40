import type { Parts } from '../checks/parts.ts'
import type { Fault } from '../fault.ts'
import { certainAttributes } from './attributes.ts'
import { hidesSteps } from './campaigns.ts'
import { certainJourneys } from './journeys.ts'
import { OpenNames } from './open-names.ts'
import { certainPersonas } from './personas.ts'
import { certainPolicies } from './policies.ts'
import { heardOf } from './stand-ins.ts'
import { certainTouchpoints } from './touchpoints.ts'

/** A definition without what hangs on a stand-in. What is `isOpen` may be there, and nobody could read it. */
export type Certain = { parts: Parts; isOpen(fault: Fault): boolean }

export function certainOf(parts: Parts): Certain {
  const open = new OpenNames()
  const lost = new Set(parts.campaigns.filter(hidesSteps).map(({ source }) => source.file))
  const isOfLost = ({ file, unknown, found = '' }: Fault) =>
    lost.has(file) &&
    (unknown === 'message' ||
      unknown === 'step' ||
      (unknown !== undefined && found.startsWith('enrolment.')))
  return {
    parts: {
      ...parts,
      touchpoints: certainTouchpoints(parts.touchpoints, open),
      attributes: certainAttributes(parts.attributes),
      personas: certainPersonas(parts.personas, open),
      journeys: certainJourneys(parts.journeys, open),
      policies: certainPolicies(parts.policies, open),
      channels: heardOf(parts.channels).length > 0 ? undefined : parts.channels,
      campaigns: parts.campaigns.filter(({ source }) => !lost.has(source.file)),
    },
    isOpen: (fault) => open.mayHold(fault) || isOfLost(fault),
  }
}
