import { readdir, readFile } from 'node:fs/promises'
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

/** `mappings` belongs to the definition's folder but not to the definition: see log-mapping.ts. */
const subfolders = ['campaigns', 'layout', 'mappings', 'templates']

/** The texts of a definition's folder by path (`campaigns/a.yaml`), always in the same order. */
export type DefinitionTexts = {
  texts: ReadonlyMap<string, string>
  templates: readonly string[]
  faults: Fault[]
}

const start = { line: 1, column: 1 }

/** Reads what belongs to a definition, and tells what looks as if it should, but does not. */
export async function readFolder(folder: string): Promise<DefinitionTexts> {
  const root = await entriesOf(folder)
  if (!root) {
    const message = 'there is no such folder'
    return { texts: new Map(), templates: [], faults: [faultAt(folder, start, { message })] }
  }
  const campaigns = await entriesOf(join(folder, 'campaigns'))
  const templates = (await entriesOf(join(folder, 'templates')))?.folders ?? []
  const paths = [
    ...root.files.filter((name) => Object.values<string>(rootFiles).includes(name)),
    ...inFolder('campaigns', campaigns),
    ...inFolder('layout', await entriesOf(join(folder, 'layout'))),
  ]
  for (const id of templates)
    paths.push(...inFolder(`templates/${id}`, await entriesOf(join(folder, 'templates', id))))
  const { texts, unreadable } = await readTexts(folder, paths)
  return {
    texts,
    templates,
    faults: [
      ...missingFiles(root),
      ...strangersAtTheTop(root),
      ...strangersAmongCampaigns(campaigns),
      ...unreadable,
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

type Entries = { files: string[]; folders: string[] }

/** Undefined when there is no such folder. Hidden files (an editor's, the system's) do not count. */
async function entriesOf(folder: string): Promise<Entries | undefined> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    const names = (wanted: (typeof entries)[number][]) =>
      wanted
        .map((entry) => entry.name)
        .filter((name) => !name.startsWith('.'))
        .sort(compareTexts)
    return {
      files: names(entries.filter((entry) => entry.isFile())),
      folders: names(entries.filter((entry) => entry.isDirectory())),
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function missingFiles(root: Entries): Fault[] {
  const strangers = root.files.filter((name) => !Object.values<string>(rootFiles).includes(name))
  return Object.values(rootFiles)
    .filter((name) => !root.files.includes(name))
    .map((name) =>
      faultAt(name, start, { message: 'this file is missing', ...withNearest(name, strangers) }),
    )
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

function strangersAmongCampaigns(
  { files, folders }: Entries = { files: [], folders: [] },
): Fault[] {
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
