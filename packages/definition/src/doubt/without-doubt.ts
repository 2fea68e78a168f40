import type { Verdict } from '../checks/definition.ts'
import type { Parts } from '../checks/parts.ts'
import type { Fault } from '../fault.ts'
import { type RootName, rootFiles } from '../folder.ts'
import { hidesSteps } from './campaigns.ts'
import { certainOf } from './certain-parts.ts'
import { heardOf, isOfStandIn } from './stand-ins.ts'

/**
 * What holds of a definition of which not all could be read, where something stands in for what could not.
 *
 * Nobody is to hear of what follows from another mistake alone. So each file is held against the others
 * twice: with the stand-ins in them, and without whatever hangs on one. What is wrong both times is wrong.
 * Of a kind of names of which not all are known, none is said to be unknown.
 */
export function withoutDoubt(parts: Parts, check: (parts: Parts) => Verdict): Verdict {
  const all = check(parts)
  const names = rootNames.filter((name) => heardOf(parts[name]).length > 0)
  const files = [...rootNames.map((name) => parts[name]), ...parts.campaigns].flatMap(
    (loaded) => loaded ?? [],
  )
  const own = new Map(
    [...files, ...parts.specifications, ...parts.mappings].map(({ source, invented = [] }) => [
      source.file,
      invented,
    ]),
  )
  const stands = (fault: Fault) => !isOfStandIn(fault, own.get(fault.file) ?? [])
  if (names.length === 0 && !parts.campaigns.some(hidesSteps))
    return { faults: all.faults.filter(stands), warnings: all.warnings.filter(stands) }

  const certain = certainOf(parts)
  const others = keysOf(check(certain.parts))
  const ofCampaigns = keysOf(check({ ...certain.parts, campaigns: parts.campaigns }))
  const ofRoots = new Map<string, ReadonlySet<string>>(
    names.map((name) => [
      rootFiles[name],
      keysOf(check({ ...certain.parts, [name]: parts[name] })),
    ]),
  )
  const campaigns = new Set(parts.campaigns.map(({ source }) => source.file))
  const isCertain = (fault: Fault) =>
    stands(fault) &&
    !certain.isOpen(fault) &&
    (ofRoots.get(fault.file) ?? (campaigns.has(fault.file) ? ofCampaigns : others)).has(
      keyOf(fault),
    )
  // What experience warns of hangs on everything there is: it is told when that is certain.
  const warnings = names.length > 0 ? [] : all.warnings.filter(isCertain)
  return { faults: all.faults.filter(isCertain), warnings }
}

/** Files of the root of which others cannot be held against everything. */
export function doubtfulRoots(parts: Parts): string[] {
  return rootNames.filter((name) => heardOf(parts[name]).length > 0).map((name) => rootFiles[name])
}

const rootNames = Object.keys(rootFiles) as RootName[]

function keysOf({ faults, warnings }: Verdict): ReadonlySet<string> {
  return new Set([...faults, ...warnings].map(keyOf))
}

function keyOf({ file, line, column, message }: Fault): string {
  return `${file}:${line}:${column}:${message}`
}
