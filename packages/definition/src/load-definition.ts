import { basename } from 'node:path'
import { attributesFileSchema } from '@wegwijs/campaign/definition/attributes'
import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { campaignFileSchema } from '@wegwijs/campaign/definition/campaign'
import { channelsFileSchema } from '@wegwijs/campaign/definition/channels'
import { journeysFileSchema } from '@wegwijs/campaign/definition/journeys'
import { personasFileSchema } from '@wegwijs/campaign/definition/personas'
import { policiesFileSchema } from '@wegwijs/campaign/definition/policies'
import {
  type Specification,
  type SpecificationsFile,
  specificationsFileSchema,
} from '@wegwijs/campaign/definition/specification'
import { touchpointsFileSchema } from '@wegwijs/campaign/definition/touchpoints'
import type { z } from 'zod'
import { checkDefinition } from './checks/definition.ts'
import type { Loaded, Parts } from './checks/parts.ts'
import { organisationShown } from './checks/sms-letters.ts'
import { doubtfulRoots, withoutDoubt } from './doubt/without-doubt.ts'
import { compareTexts, type Fault, inReadingOrder, type Position, toldFault } from './fault.ts'
import { kindOf, referenceTo } from './file-kinds.ts'
import { type RootName, readFolder, rootFiles } from './folder.ts'
import { logMappingSchema } from './log-mapping-schema.ts'
import { mended, withoutTold } from './mended.ts'
import { checkAgainst } from './schema-faults.ts'
import { type LoadedTemplate, loadTemplate, type Shared } from './template-folder.ts'
import { type Path, parseYaml, type YamlSource } from './yaml-source.ts'

/** The specifications of one campaign, with the places of their parts in the file. */
export type CampaignSpecifications = {
  campaign: string
  file: string
  specifications: readonly Specification[]
  /** Of what stands at `path` within the specification of that index. */
  positionOf(index: number, path: Path): Position
}

export type LoadedDefinition = {
  bundle: DefinitionBundle | null
  /** In the order of the names of their campaigns; no part of what is applied. */
  specifications: CampaignSpecifications[]
  faults: Fault[]
  warnings: Fault[]
  /** Of `mappings/*.yaml`, by which logs are read: no part of what is applied, so they keep nothing from going live. */
  mappingFaults: Fault[]
  /** Files of the root that others could not be held against, or not in all they say: more faults may follow. */
  unchecked: string[]
}

/**
 * Reads an organisation's folder and holds everything in it against everything else.
 *
 * All faults come at once, each with file, line and column; `bundle` is null exactly if `faults` has
 * any. Warnings stop nothing, and neither do the faults of mappings. `publishedClasses` are the classes under which campaigns have been
 * published, by id: another one is a fault. The same files give the same bundle, byte for byte. Rejects only when
 * a file that is there cannot be read.
 */
export async function loadDefinition(
  folder: string,
  { publishedClasses = new Map() }: { publishedClasses?: ReadonlyMap<string, string> } = {},
): Promise<LoadedDefinition> {
  const { texts, unreadable, templates: ids, faults } = await readFolder(folder)
  const pathsOf = (kind: string) => [...texts.keys()].filter((path) => kindOf(path)?.id === kind)
  const read = <T>(path: string, schema: z.ZodType<T>): Loaded<T> | undefined => {
    const text = texts.get(path)
    if (text === undefined) return undefined
    const source = parseYaml(path, text)
    faults.push(...source.faults)
    if (source.faults.length > 0) return undefined
    const checked = checkAgainst(schema, source)
    faults.push(...checked.faults)
    return checked.value === undefined ? undefined : { source, value: checked.value }
  }
  const mend = <T>(path: string, schema: z.ZodType<T>) =>
    withStandIns(parseYaml(path, texts.get(path) ?? ''), schema)
  // One mistake in a file does not hide the next.
  const readAll = <T>(kind: string, schema: z.ZodType<T>) =>
    pathsOf(kind).flatMap((path) => read(path, schema) ?? mend(path, schema) ?? [])
  const readRoot = <T>(name: RootName, schema: z.ZodType<T>) => {
    const path = rootFiles[name]
    return read(path, schema) ?? (texts.has(path) ? mend(path, schema) : undefined)
  }

  const policies = readRoot('policies', policiesFileSchema)
  const loaded = await loadTemplates(ids, texts, {
    defaultLocale: policies?.value.locale ?? 'nl',
    organisation: policies ? organisationShown(policies.value) : {},
  })
  const campaigns = readAll('campaign', campaignFileSchema)
  const campaignPaths = [...pathsOf('campaign'), ...unreadable.filter(isCampaign)]
  const parts: Parts = {
    attributes: readRoot('attributes', attributesFileSchema),
    policies,
    touchpoints: readRoot('touchpoints', touchpointsFileSchema),
    personas: readRoot('personas', personasFileSchema),
    journeys: readRoot('journeys', journeysFileSchema),
    channels: readRoot('channels', channelsFileSchema),
    campaigns,
    campaignIds: [
      ...new Set([
        ...campaigns.map(({ value }) => value.id),
        ...campaignPaths.map((path) => basename(path, '.yaml')),
      ]),
    ],
    everyCampaignIsRead:
      campaigns.length === campaignPaths.length &&
      !unreadable.includes('campaigns') &&
      !campaigns.some(({ invented }) => invented),
    specifications: readAll('specifications', specificationsFileSchema),
    mappings: readAll('log-mapping', logMappingSchema),
    templates: new Map(loaded.map((template) => [template.id, template])),
  }
  const found = withoutDoubt(parts, (each) => checkDefinition(each, publishedClasses))
  const told = withoutTold(found.faults, faults)
  const all = [...faults, ...told]
  const inOrder = (some: readonly Fault[]) =>
    inReadingOrder(withoutRepeats(some)).map(withReference)
  const own = all.filter(({ file }) => !isMapping(file))
  return {
    bundle: own.length === 0 ? bundleOf(parts) : null,
    specifications: parts.specifications.map(specificationsOf),
    faults: inOrder(own),
    warnings: inOrder(found.warnings),
    mappingFaults: inOrder(all.filter(({ file }) => isMapping(file))),
    unchecked: [
      ...Object.entries(rootFiles).flatMap(([name, file]) =>
        texts.has(file) && !parts[name as RootName] ? [file] : [],
      ),
      ...doubtfulRoots(parts),
    ].sort(compareTexts),
  }
}

function isCampaign(path: string): boolean {
  return kindOf(path)?.id === 'campaign'
}

function isMapping(file: string): boolean {
  return kindOf(file)?.id === 'log-mapping' || file.startsWith('mappings/')
}

/** A file that its schema refused, as far as the rest of it can be checked. */
function withStandIns<T>(source: YamlSource, schema: z.ZodType<T>): Loaded<T> | undefined {
  const stoodIn = source.faults.length > 0 ? undefined : mended(schema, source)
  return stoodIn && { source, ...stoodIn }
}

async function loadTemplates(
  ids: readonly string[],
  texts: ReadonlyMap<string, string>,
  shared: Shared,
): Promise<LoadedTemplate[]> {
  return Promise.all(ids.map((id) => loadTemplate(id, texts, shared)))
}

function specificationsOf({
  source,
  value: { campaign, specifications },
}: Loaded<SpecificationsFile>): CampaignSpecifications {
  const positionOf = (index: number, path: Path) =>
    source.positionOf(['specifications', index, ...path])
  return { campaign, file: source.file, specifications, positionOf }
}

/** Null when a file is missing, which is a fault of its own. */
function bundleOf(parts: Parts): DefinitionBundle | null {
  const { touchpoints, personas, journeys, attributes, policies, channels } = parts
  if (!touchpoints || !personas || !journeys || !attributes || !policies || !channels) return null
  return {
    touchpoints: touchpoints.value,
    personas: personas.value,
    journeys: journeys.value,
    attributes: attributes.value,
    policies: policies.value,
    channels: channels.value,
    campaigns: parts.campaigns
      .map((campaign) => campaign.value)
      .sort((a, b) => compareTexts(a.id, b.id)),
    templates: [...parts.templates.values()].flatMap((template) => template.compiled ?? []),
  }
}

/** Whoever told a fault without a place in a schema still meant some kind of file. */
function withReference(fault: Fault): Fault {
  return { ...toldFault(fault), reference: fault.reference ?? referenceTo(fault.file) }
}

/** A fault in the layout is met once by each template: it is told once. */
function withoutRepeats(faults: readonly Fault[]): Fault[] {
  const told = new Map(
    faults.map((fault) => [`${fault.file}:${fault.line}:${fault.column}:${fault.message}`, fault]),
  )
  return [...told.values()]
}
