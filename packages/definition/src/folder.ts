import type { Dirent } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { compareTexts, type Fault, faultAt, withNearest } from './fault.ts'

/** The files at the top of a definition, each of which must be there. */
export const rootFiles = {
  touchpoints: 'touchpoints.yaml',
  personas: 'personas.yaml',
  journeys: 'journeys.yaml',
  attributes: 'attributes.yaml',
  policies: 'policies.yaml',
  channels: 'channels.yaml',
} as const
export type RootName = keyof typeof rootFiles

const subfolders = ['campaigns', 'layout', 'mappings', 'templates']

/** The texts of a definition's folder by path (`campaigns/a.yaml`), always in the same order. */
export type DefinitionTexts = {
  texts: ReadonlyMap<string, string>
  /** Paths of files that are there and are no texts: what they declare is not known. */
  unreadable: readonly string[]
  templates: readonly string[]
  faults: Fault[]
}

const start = { line: 1, column: 1 }

/** Reads what belongs to a definition, and tells what looks as if it should, but does not. */
export async function readFolder(folder: string): Promise<DefinitionTexts> {
  const message = await whyNoFolder(folder)
  const root = message === undefined ? await entriesOf(folder) : undefined
  if (!root) {
    const faults = [faultAt(folder, start, { message: message ?? noSuchFolder })]
    return { texts: new Map(), unreadable: [], templates: [], faults }
  }
  const campaigns = await entriesOf(join(folder, 'campaigns'))
  const mappings = await entriesOf(join(folder, 'mappings'))
  const layout = await entriesOf(join(folder, 'layout'))
  const templateFolders = await entriesOf(join(folder, 'templates'))
  const templates = templateFolders?.folders ?? []
  const paths = [
    ...root.files.filter((name) => Object.values<string>(rootFiles).includes(name)),
    ...inFolder('campaigns', campaigns),
    ...inFolder('mappings', mappings).filter((path) => extname(path) === '.yaml'),
    ...inFolder('layout', layout),
  ]
  const links = [
    ...root.brokenLinks.filter(isExpectedAtTheTop),
    ...brokenIn('campaigns', campaigns),
    ...brokenIn('mappings', mappings),
    ...brokenIn('layout', layout),
    ...brokenIn('templates', templateFolders),
  ]
  for (const id of templates) {
    const entries = await entriesOf(join(folder, 'templates', id))
    paths.push(...inFolder(`templates/${id}`, entries))
    links.push(...brokenIn(`templates/${id}`, entries))
  }
  const { texts, unreadable } = await readTexts(folder, paths)
  return {
    texts,
    unreadable: [...unreadable.map(({ file }) => file), ...links],
    templates,
    faults: [
      ...missingFiles(root),
      ...strangersAtTheTop(root),
      ...strangersAmongCampaigns(campaigns),
      ...strangersAmongMappings(mappings),
      ...unreadable,
      ...links.map((path) => faultAt(path, start, { message: leadsNowhere })),
    ],
  }
}

async function readTexts(
  folder: string,
  paths: readonly string[],
): Promise<{ texts: Map<string, string>; unreadable: Fault[] }> {
  const texts = new Map<string, string>()
  const unreadable: Fault[] = []
  for (const path of paths) {
    const text = decode(await readFile(join(folder, path)))
    if (text !== undefined) texts.set(path, text)
    else unreadable.push(faultAt(path, start, { message: 'expected a text in UTF-8' }))
  }
  return { texts, unreadable }
}

function inFolder(folder: string, entries: Entries | undefined): string[] {
  return (entries?.files ?? []).map((name) => `${folder}/${name}`)
}

function brokenIn(folder: string, entries: Entries | undefined): string[] {
  return (entries?.brokenLinks ?? []).map((name) => `${folder}/${name}`)
}

/** What stands there is told of a link, since nobody sees that what it led to is gone. */
export const leadsNowhere = 'this is a link that leads nowhere'

/** `brokenLinks` lead to nothing, or to each other. */
type Entries = { files: string[]; folders: string[]; brokenLinks: string[] }

/** Why nothing can be read there, in words for whoever named it; undefined when it is a folder. */
export async function whyNoFolder(folder: string): Promise<string | undefined> {
  const found = await unlessMissing(stat(folder))
  if (!found) return noSuchFolder
  return found.isDirectory() ? undefined : 'this is a file, and a definition is a folder'
}

const noSuchFolder = 'there is no such folder'

/** Undefined when there is no such folder. Hidden files (an editor's, the system's) do not count. */
async function entriesOf(folder: string): Promise<Entries | undefined> {
  const entries = await unlessMissing(readdir(folder, { withFileTypes: true }))
  if (!entries) return undefined
  const files: string[] = []
  const folders: string[] = []
  const brokenLinks: string[] = []
  for (const entry of entries.filter(({ name }) => !name.startsWith('.'))) {
    const is = await behind(folder, entry)
    if (!is) brokenLinks.push(entry.name)
    if (is?.isFile()) files.push(entry.name)
    if (is?.isDirectory()) folders.push(entry.name)
  }
  return {
    files: files.sort(compareTexts),
    folders: folders.sort(compareTexts),
    brokenLinks: brokenLinks.sort(compareTexts),
  }
}

/** Where a definition is mounted into a container its files are links: passed over, a campaign would end. */
async function behind(
  folder: string,
  entry: Dirent,
): Promise<Pick<Dirent, 'isFile' | 'isDirectory'> | undefined> {
  return entry.isSymbolicLink() ? unlessMissing(stat(join(folder, entry.name))) : entry
}

/** Undefined when nothing is there, or a link that leads nowhere. */
export async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined
    throw error
  }
}

function missingFiles(root: Entries): Fault[] {
  const strangers = root.files.filter((name) => !Object.values<string>(rootFiles).includes(name))
  return Object.values(rootFiles)
    .filter((name) => !root.files.includes(name) && !root.brokenLinks.includes(name))
    .map((name) =>
      faultAt(name, start, { message: `this file is missing${orIsIt(name, strangers)}` }),
    )
}

function isExpectedAtTheTop(name: string): boolean {
  return subfolders.includes(name) || isYaml(name)
}

function orIsIt(name: string, strangers: readonly string[]): string {
  const { nearest } = withNearest(name, strangers)
  return nearest === undefined ? '' : `: is "${nearest}" meant to be it?`
}

/** A file that nobody reads is a campaign that never runs: better a fault than a silence. */
function strangersAtTheTop(root: Entries): Fault[] {
  const known = Object.values<string>(rootFiles)
  const files = root.files
    .filter((name) => !known.includes(name) && isYaml(name))
    .map((name) => stranger(name, withNearest(name, known)))
  const folders = root.folders
    .filter((name) => !subfolders.includes(name))
    .map((name) => stranger(name, withNearest(name, subfolders)))
    .filter((fault) => fault.nearest !== undefined)
  return [...files, ...folders]
}

const nothing: Entries = { files: [], folders: [], brokenLinks: [] }

function strangersAmongCampaigns({ files, folders }: Entries = nothing): Fault[] {
  return [
    ...files
      .filter((name) => extname(name) !== '.yaml' && extname(name) !== '.md')
      .map((name) =>
        stranger(`campaigns/${name}`, { nearest: `${basename(name, extname(name))}.yaml` }),
      ),
    ...folders.map((name) =>
      faultAt(`campaigns/${name}`, start, {
        message: `"${name}" is a folder, and campaigns are files in "campaigns" itself`,
      }),
    ),
  ]
}

/** A log may stand beside its mapping. */
function strangersAmongMappings({ files }: Entries = nothing): Fault[] {
  return files
    .filter((name) => isYaml(name) && extname(name) !== '.yaml')
    .map((name) =>
      stranger(`mappings/${name}`, { nearest: `${basename(name, extname(name))}.yaml` }),
    )
}

function stranger(path: string, hint: { nearest?: string }): Fault {
  const message = `"${basename(path)}" is no part of a definition`
  return faultAt(path, start, { message, ...hint })
}

function isYaml(name: string): boolean {
  return /\.ya?ml$/i.test(name)
}

/** Undefined when it is no text in UTF-8. */
export function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
