import { isDeepStrictEqual } from 'node:util'
import { messageTemplatesOf } from '@wegwijs/campaign/catalogue'
import { type CompiledDefinition, compileDefinition } from '@wegwijs/campaign/compile'
import type { CampaignVersion } from '@wegwijs/campaign/compiled-campaign'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'

/** A campaign version that is live now, to tell which number a draft of it would get. */
export type LiveVersion = Pick<CampaignVersion, 'id' | 'version' | 'file' | 'templates'> & {
  /** The highest number that was ever given; a draft that differs gets the one after it. */
  newest: number
}

/** The versions that are live in a definition as it was loaded from the record. */
export function liveVersionsOf({ campaigns, starters }: CompiledDefinition): LiveVersion[] {
  const live = new Set(
    [...starters.values()].flatMap((byPersona) => [...byPersona.values()].flat()),
  )
  return [...live].map(({ id, version, file, templates }) => {
    const versions = [...campaigns.values()].filter((each) => each.id === id)
    const newest = Math.max(...versions.map((each) => each.version))
    return { id, version, file, templates, newest }
  })
}

/**
 * A definition as it would be in force once it is applied: every campaign live, under the version
 * that publishing would give it (packages/store/src/definitions.ts): its live one when nothing
 * differs, else the next, 1 when there was none.
 */
export function compileDraft(
  bundle: DefinitionBundle,
  live: readonly LiveVersion[] = [],
): CompiledDefinition {
  const hashes = new Map(bundle.templates.map((template) => [template.id, template.hash]))
  const versions = bundle.campaigns.map((file): CampaignVersion => {
    const templates = Object.fromEntries(
      messageTemplatesOf(file.steps).map((id) => [id, hashes.get(id) ?? '']),
    )
    const before = live.find(({ id }) => id === file.id)
    const isSame = before && isDeepStrictEqual([before.file, before.templates], [file, templates])
    const version = isSame ? before.version : (before?.newest ?? 0) + 1
    return { id: file.id, version, live: true, file, templates }
  })
  return compileDefinition(0, bundle, versions)
}
