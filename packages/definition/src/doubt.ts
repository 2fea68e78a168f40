import type { AttributesFile } from '@wegwijs/campaign/definition/attributes'
import type { CampaignFile } from '@wegwijs/campaign/definition/campaign'
import type { TouchpointsFile } from '@wegwijs/campaign/definition/touchpoints'
import type { Verdict } from './checks/definition.ts'
import type { Loaded, Parts } from './checks/parts.ts'
import type { Fault } from './fault.ts'
import { type RootName, rootFiles } from './folder.ts'
import type { Path } from './yaml-source.ts'

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

/** What is found in a file by itself, but for what is about its stand-ins. */
export function withoutStandIns(
  faults: readonly Fault[],
  { invented = [] }: Loaded<unknown>,
): Fault[] {
  return faults.filter((fault) => !isOfStandIn(fault, invented))
}

/** About what nobody wrote, or about how it goes together with what stands beside it. */
function isOfStandIn({ path, unknown }: Fault, invented: readonly Path[]): boolean {
  if (!path) return false
  if (invented.some((each) => isWithin(path, each))) return true
  const beside = path.slice(0, -1)
  return (
    unknown === undefined &&
    beside.length > 0 &&
    invented.some((each) => isWithin(each, beside) && !isCalled(each))
  )
}

function isWithin(path: Path, above: Path): boolean {
  return above.every((part, index) => path[index] === part)
}

/** What somebody or something is called, and who reads the file. */
function isCalled(path: Path): boolean {
  return path.some((key) => key === 'name' || key === 'description' || key === 'label')
}

/** What no other file is held against. */
const ownBusiness = new Set<Path[number]>([
  ...['name', 'description', 'label', 'tone', 'when', 'starts', 'provider'],
  ...['organisation', 'timeZone', 'holidays', 'closedDays', 'budgets', 'holdOut'],
  ...['lane', 'consent', 'tracking', 'unknownOutcome'],
])

/** Under these its author gives names, and may call a field `name`. */
const holdersOfNames = new Set<Path[number] | undefined>(['data', 'person', 'campaigns'])

/** What was invented in a file of the root, and what other files are held against. */
function heardOf(loaded: Loaded<unknown> | undefined): readonly Path[] {
  return (loaded?.invented ?? []).filter(
    (path) =>
      !path.some(
        (key, at) =>
          (ownBusiness.has(key) || (key === 'from' && at === 1)) &&
          !holdersOfNames.has(path[at - 1]),
      ),
  )
}

/** Whether messages, tasks or answers of it may not be known, of which other files hear, or what starts it. */
function hidesSteps({ invented = [] }: Loaded<CampaignFile>): boolean {
  return invented.some(
    (path) =>
      path[0] === 'trigger' || path[0] === 'class' || (path[0] === 'steps' && losesNames(path)),
  )
}

/** A step, its kind, what it holds, or its name; but not how long it waits or over what it is sent. */
function losesNames(path: Path): boolean {
  const [last, before] = [path.at(-1), path.at(-2)]
  return namedWithin.has(last) || typeof last === 'number' || typeof before === 'number'
}

const namedWithin = new Set<Path[number] | undefined>(['steps', 'id', 'outcomes', 'answers'])

type Certain = { parts: Parts; isOpen(fault: Fault): boolean }

function certainOf(parts: Parts): Certain {
  const kinds = new Set<string>()
  const roots = new Set<string>()
  const open: Open = {
    kind: (kind) => void kinds.add(kind),
    root: (root) => void roots.add(`${root}.`),
  }
  const lost = new Set(parts.campaigns.filter(hidesSteps).map(({ source }) => source.file))
  const isOfLost = ({ file, unknown, found = '' }: Fault) =>
    lost.has(file) &&
    (unknown === 'message' || unknown === 'step' || found.startsWith('enrolment.'))
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
    isOpen: (fault) => {
      const { unknown, hangsOn = '', found = '' } = fault
      if (kinds.has(hangsOn)) return true
      if (unknown === undefined) return false
      if (kinds.has(unknown) || isOfLost(fault)) return true
      return [...roots].some((root) => found.startsWith(root))
    },
  }
}

/** Names of which not all are known: of a kind, or fields under a root. */
type Open = { kind(kind: string): void; root(root: string): void }

function certainTouchpoints(
  loaded: Parts['touchpoints'],
  open: Open,
): Loaded<TouchpointsFile> | undefined {
  const paths = heardOf(loaded)
  if (!loaded || paths.length === 0) return loaded
  const value = structuredClone(loaded.value)
  const gone = { touchpoints: new Set<number>(), emits: new Set<number>() }
  for (const [list, item, key, name, ...rest] of paths) {
    if (list === 'publishers') open.kind('publisher')
    else if (list !== 'touchpoints' && list !== 'emits') open.kind('type that may be told')
    else if (typeof item !== 'number') {
      for (const kind of ['touchpoint', 'entity', 'type that may be told']) open.kind(kind)
      return undefined
    } else {
      const data = value[list][item]?.data ?? {}
      if (key === 'data' && typeof name === 'string' && Object.hasOwn(data, name)) {
        // Of this field it is known that it is there.
        if (rest.length > 0 || name in data) delete data[name]
        continue
      }
      gone[list].add(item)
      if (key === undefined || key === 'type')
        open.kind(list === 'emits' ? 'type that may be told' : 'touchpoint')
      if (list === 'emits') continue
      open.kind('entity')
      if (key === undefined || !detailsOfTouchpoints.has(key))
        for (const root of ['event', 'entity']) open.root(root)
    }
  }
  value.touchpoints = value.touchpoints.filter((_, index) => !gone.touchpoints.has(index))
  value.emits = value.emits.filter((_, index) => !gone.emits.has(index))
  return { ...loaded, value }
}

/** Beside these a touchpoint has fields, of which not all may be known. */
const detailsOfTouchpoints = new Set<Path[number]>([
  ...['type', 'journey', 'phase', 'entity', 'withdraws'],
])

function certainAttributes(loaded: Parts['attributes']): Loaded<AttributesFile> | undefined {
  const paths = heardOf(loaded)
  if (!loaded || paths.length === 0) return loaded
  const value = structuredClone(loaded.value)
  for (const [list, name] of paths) {
    const fields = list === 'person' || list === 'campaigns' ? loaded.value[list] : {}
    if (typeof name !== 'string' || !Object.hasOwn(fields, name)) return undefined
    delete value[list as 'person' | 'campaigns'][name]
  }
  return { ...loaded, value }
}

function certainPersonas(loaded: Parts['personas'], open: Open): Parts['personas'] {
  const paths = heardOf(loaded)
  if (!loaded || paths.length === 0) return loaded
  if (paths.some(([list, item]) => list !== 'personas' || item === undefined)) return undefined
  const isNameless = ([, , key]: Path) => key === undefined || key === 'id'
  if (paths.some(isNameless)) open.kind('persona')
  const { personas } = loaded.value
  return {
    ...loaded,
    value: {
      personas: personas.flatMap((persona, index) => {
        const own = paths.filter(([, item]) => item === index)
        if (own.length === 0) return [persona]
        // It is there, and nobody knows over which channels it hears of us.
        return own.some(isNameless) ? [] : [{ ...persona, channels: [] }]
      }),
    },
  }
}

function certainJourneys(loaded: Parts['journeys'], open: Open): Parts['journeys'] {
  const paths = heardOf(loaded)
  if (!loaded || paths.length === 0) return loaded
  if (paths.some(([list, item]) => list !== 'journeys' || item === undefined)) return undefined
  if (paths.some(([, , key]) => key === undefined || key === 'id')) {
    open.kind('journey')
    open.root('journey')
  }
  const gone = new Set(paths.map(([, item]) => item))
  const journeys = loaded.value.journeys.filter((_, index) => !gone.has(index))
  return { ...loaded, value: { journeys } }
}

function certainPolicies(loaded: Parts['policies'], open: Open): Parts['policies'] {
  const paths = heardOf(loaded)
  if (paths.some(([key]) => key === 'teams')) open.kind('team')
  return paths.every(([key]) => key === 'teams') ? loaded : undefined
}
