import type { AttributesFile } from '@wegwijs/campaign/definition/attributes'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { ChannelsFile } from '@wegwijs/campaign/definition/channels'
import type { JourneysFile } from '@wegwijs/campaign/definition/journeys'
import type { PersonasFile } from '@wegwijs/campaign/definition/personas'
import type { PoliciesFile } from '@wegwijs/campaign/definition/policies'
import type { SpecificationsFile } from '@wegwijs/campaign/definition/specification'
import type { TouchpointsFile } from '@wegwijs/campaign/definition/touchpoints'
import { type Complaint, type Fault, faultAt } from '../fault.ts'
import { referenceTo } from '../file-kinds.ts'
import type { LogMapping } from '../log-mapping-schema.ts'
import type { LoadedTemplate } from '../template-folder.ts'
import type { Path, YamlSource } from '../yaml-source.ts'

/**
 * A file that is what its schema asks for, with the place of everything in it. `invented` is there when its
 * schema refused it: the places at which something stands that its author did not write.
 */
export type Loaded<T> = { source: YamlSource; value: T; invented?: readonly Path[] }

/** Whether something stands in for what its author wrote at this place, or within it. */
export function isMended({ invented = [] }: Loaded<unknown>, path: Path): boolean {
  return invented.some((each) => path.every((part, index) => each[index] === part))
}

/**
 * What could be read of a definition. A file with faults is here with stand-ins for what is wrong, so
 * that one mistake does not hide the next. It is missing when nothing could be made of it: checks that need
 * it are left out then, all others still run.
 */
export type Parts = {
  touchpoints: Loaded<TouchpointsFile> | undefined
  personas: Loaded<PersonasFile> | undefined
  journeys: Loaded<JourneysFile> | undefined
  attributes: Loaded<AttributesFile> | undefined
  policies: Loaded<PoliciesFile> | undefined
  channels: Loaded<ChannelsFile> | undefined
  campaigns: readonly Loaded<CampaignFile>[]
  /** Of all that there are, by the names of their files too: also of those of which nothing could be read. */
  campaignIds: readonly string[]
  everyCampaignIsRead: boolean
  specifications: readonly Loaded<SpecificationsFile>[]
  mappings: readonly Loaded<LogMapping>[]
  /** By id; also those that could not be compiled. */
  templates: ReadonlyMap<string, LoadedTemplate>
}

/** A complaint about the value at `path`. */
export function about(loaded: Loaded<unknown>, path: Path, complaint: Complaint): Fault {
  const reference = referenceTo(loaded.source.file, path)
  const { file } = loaded.source
  return { ...faultAt(file, loaded.source.positionOf(path), { ...complaint, reference }), path }
}

/** A complaint about the key at `path`. */
export function aboutKey(loaded: Loaded<unknown>, path: Path, complaint: Complaint): Fault {
  const reference = referenceTo(loaded.source.file, path)
  const { file } = loaded.source
  return { ...faultAt(file, loaded.source.positionOfKey(path), { ...complaint, reference }), path }
}

/** Names that stand twice; the second one is the fault. */
export function repeated(
  loaded: Loaded<unknown>,
  kind: string,
  names: readonly { name: string; path: Path }[],
): Fault[] {
  const seen = new Set<string>()
  return names.flatMap(({ name, path }) => {
    if (seen.has(name))
      return [about(loaded, path, { message: `the ${kind} "${name}" is there twice`, found: name })]
    seen.add(name)
    return []
  })
}
