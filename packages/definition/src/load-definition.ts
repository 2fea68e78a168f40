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
import { checkCampaigns, checkClasses, warnOfCampaigns } from './checks/campaigns.ts'
import { checkMessages } from './checks/messages.ts'
import type { Loaded, Parts } from './checks/parts.ts'
import {
  checkAttributes,
  checkJourneys,
  checkPersonas,
  checkPolicies,
  warnOfPersonas,
} from './checks/people.ts'
import { checkSenders } from './checks/senders.ts'
import { checkSpecifications, warnOfSpecifications } from './checks/specifications.ts'
import { checkTouchpoints } from './checks/touchpoints.ts'
import { compareTexts, type Fault, inReadingOrder, type Position } from './fault.ts'
import { kindOf, referenceTo } from './file-kinds.ts'
import { type RootName, readFolder, rootFiles } from './folder.ts'
import { checkLogMapping } from './log-mapping.ts'
import { mended, withoutTold } from './mended.ts'
import { checkAgainst } from './schema-faults.ts'
import { type LoadedTemplate, loadTemplate } from './template-folder.ts'
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
  /** Files of the root of which so much is wrong that nothing is held against them: more faults may follow. */
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
  const refusedRoots: string[] = []
  const unchecked: string[] = []
  const readRoot = <T>(name: RootName, schema: z.ZodType<T>) => {
    const path = rootFiles[name]
    const whole = read(path, schema)
    const text = texts.get(path)
    if (whole || text === undefined) return whole
    refusedRoots.push(path)
    const standIn = standInForRoot(parseYaml(path, text), schema)
    if (standIn === undefined) unchecked.push(path)
    return standIn
  }

  const policies = readRoot('policies', policiesFileSchema)
  const loaded = await loadTemplates(ids, texts, policies?.value.locale ?? 'nl')
  const pathsOf = (kind: string) => [...texts.keys()].filter((path) => kindOf(path)?.id === kind)
  const campaignPaths = pathsOf('campaign')
  const whole = campaignPaths.flatMap((path) => read(path, campaignFileSchema) ?? [])
  // One mistake in a campaign does not hide the next.
  const refused = campaignPaths.filter((path) => !whole.some(({ source }) => source.file === path))
  const mend = <T>(path: string, schema: z.ZodType<T>) =>
    withStandIns(parseYaml(path, texts.get(path) ?? ''), schema)
  const campaigns = [...whole, ...refused.flatMap((path) => mend(path, campaignFileSchema))]
  const specificationPaths = pathsOf('specifications')
  const specifications = specificationPaths.flatMap(
    (path) => read(path, specificationsFileSchema) ?? mend(path, specificationsFileSchema),
  )
  const parts: Parts = {
    attributes: readRoot('attributes', attributesFileSchema),
    policies,
    touchpoints: readRoot('touchpoints', touchpointsFileSchema),
    personas: readRoot('personas', personasFileSchema),
    journeys: readRoot('journeys', journeysFileSchema),
    channels: readRoot('channels', channelsFileSchema),
    campaigns,
    everyCampaignIsRead:
      whole.length === campaignPaths.length &&
      !unreadable.some((path) => kindOf(path)?.id === 'campaign'),
    specifications,
    templates: new Map(loaded.map((template) => [template.id, template])),
  }
  const told = faults.filter(({ file }) =>
    [...refused, ...refusedRoots, ...specificationPaths].includes(file),
  )
  const messages = checkMessages(parts)
  const found = [
    ...loaded.flatMap((template) => template.faults),
    ...checkTouchpoints(parts),
    ...checkPersonas(parts),
    ...checkJourneys(parts),
    ...checkAttributes(parts),
    ...checkPolicies(parts),
    ...checkSenders(parts),
    ...checkCampaigns(parts),
    ...checkSpecifications(parts),
    ...checkClasses(parts, publishedClasses),
    ...messages.faults,
  ]
  faults.push(...withoutTold(found, told))
  const warnings = [
    ...loaded.flatMap((template) => template.warnings),
    // A condition that is wrong takes nobody: of that its fault tells.
    ...(faults.some(({ file }) => file === rootFiles.personas) ? [] : warnOfPersonas(parts)),
    ...warnOfCampaigns({ ...parts, campaigns: whole }),
    ...warnOfSpecifications(parts),
    ...messages.warnings,
  ]
  const inOrder = (all: readonly Fault[]) => inReadingOrder(withoutRepeats(all)).map(withReference)
  const sources = { touchpoints: parts.touchpoints?.value, attributes: parts.attributes?.value }
  const ofMappings = pathsOf('log-mapping').flatMap(
    (path) => checkLogMapping(parseYaml(path, texts.get(path) ?? ''), sources).faults,
  )
  const own = faults.filter(({ file }) => !isMapping(file))
  return {
    bundle: own.length === 0 ? bundleOf(parts) : null,
    specifications: parts.specifications.map(specificationsOf),
    faults: inOrder(own),
    warnings: inOrder(warnings),
    mappingFaults: inOrder([...faults.filter(({ file }) => isMapping(file)), ...ofMappings]),
    unchecked,
  }
}

function isMapping(file: string): boolean {
  return file.startsWith('mappings/')
}

/** A file that its schema refused, as far as the rest of it can be checked. */
function withStandIns<T>(source: YamlSource, schema: z.ZodType<T>): Loaded<T>[] {
  const stoodIn = source.faults.length > 0 ? undefined : mended(schema, source)
  return stoodIn === undefined ? [] : [{ source, value: stoodIn.value }]
}

/**
 * A file of the root says what there is: only when nothing was invented of which others hear, or each of
 * them would complain of what nobody wrote.
 */
function standInForRoot<T>(source: YamlSource, schema: z.ZodType<T>): Loaded<T> | undefined {
  const stoodIn = source.faults.length > 0 ? undefined : mended(schema, source)
  if (!stoodIn?.invented.every(isHeardOfByNobody)) return undefined
  return { source, value: stoodIn.value }
}

/** What no other file is held against. */
const ownBusiness = new Set<Path[number]>([
  ...['name', 'description', 'label', 'tone', 'when', 'starts', 'provider', 'from'],
  ...['organisation', 'timeZone', 'holidays', 'closedDays', 'budgets', 'holdOut'],
  ...['lane', 'consent', 'tracking', 'unknownOutcome', 'quietHours'],
])

/** Under these its author gives names, and may call a field `name`. */
const holdersOfNames = new Set<Path[number] | undefined>(['data', 'person', 'campaigns'])

function isHeardOfByNobody(path: Path): boolean {
  return path.some((key, at) => ownBusiness.has(key) && !holdersOfNames.has(path[at - 1]))
}

async function loadTemplates(
  ids: readonly string[],
  texts: ReadonlyMap<string, string>,
  defaultLocale: 'nl' | 'en',
): Promise<LoadedTemplate[]> {
  return Promise.all(ids.map((id) => loadTemplate(id, texts, defaultLocale)))
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
  return { ...fault, reference: fault.reference ?? referenceTo(fault.file) }
}

/** A fault in the layout is met once by each template: it is told once. */
function withoutRepeats(faults: readonly Fault[]): Fault[] {
  const told = new Map(
    faults.map((fault) => [`${fault.file}:${fault.line}:${fault.column}:${fault.message}`, fault]),
  )
  return [...told.values()]
}
