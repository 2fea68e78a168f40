import { basename } from 'node:path'
import { type LocaleName, localeNames } from '@wegwijs/campaign/definition/words'
import { compileTemplate } from '@wegwijs/template/compile'
import { appFileSchema, manifestFile, manifestSchema } from '@wegwijs/template/manifest'
import type { KnownValues } from '@wegwijs/template/sms-text'
import type {
  CompiledTemplate,
  CompileResult,
  TemplateFault,
  VariableUse,
} from '@wegwijs/template/template'
import { type Fault, faultAt } from './fault.ts'
import { type Assembled, assemble } from './layout.ts'
import { mended } from './mended.ts'
import { checkAgainst } from './schema-faults.ts'
import { parseYaml, type YamlSource } from './yaml-source.ts'

/** A template folder as far as it could be read; files in `uses` and `singleBraces` are paths from the definition's folder. */
export type LoadedTemplate = {
  id: string
  compiled: CompiledTemplate | undefined
  uses: VariableUse[]
  singleBraces: CompileResult['singleBraces']
  faults: Fault[]
  warnings: Fault[]
}

const start = { line: 1, column: 1 }

type Read = { value: unknown; faults: Fault[] }

/**
 * What a file says, or what its schema has to say of it, in the words in which all of them are told. Of a
 * file that is refused something stands in for what is wrong, so that the texts can be checked.
 */
function readByKind(name: string, source: YamlSource): Read {
  if (source.faults.length > 0) return { value: undefined, faults: source.faults }
  const isApp = /^app\.[^.]+\.yaml$/.test(name)
  const schema = name === manifestFile ? manifestSchema : isApp ? appFileSchema : undefined
  if (!schema) return { value: source.value, faults: [] }
  const { faults } = checkAgainst<unknown>(schema, source)
  if (faults.length === 0) return { value: source.value, faults }
  return { value: mended<unknown>(schema, source)?.value, faults }
}

/** What all templates have in common: the language of who reads none of theirs, and what they may show of the organisation. */
export type Shared = { defaultLocale: LocaleName; organisation: KnownValues }

/** Reads the YAML of one template folder, puts the layout in, and has it compiled. */
export async function loadTemplate(
  id: string,
  texts: ReadonlyMap<string, string>,
  { defaultLocale, organisation }: Shared,
): Promise<LoadedTemplate> {
  const folder = `templates/${id}/`
  const layouts = new Map([...texts].filter(([path]) => path.startsWith('layout/')))
  const files = [...texts].filter(([path]) => path.startsWith(folder))
  const yaml = new Map<string, YamlSource>()
  const assembled = new Map<string, Assembled>()
  for (const [path, text] of files) {
    const name = basename(path)
    if (name.endsWith('.yaml')) yaml.set(name, parseYaml(path, text))
    else if (name.endsWith('.mjml')) assembled.set(name, assemble(path, text, layouts))
  }
  const read = new Map([...yaml].map(([name, source]) => [name, readByKind(name, source)]))
  const unreadable = [
    ...[...read.values(), ...assembled.values()].flatMap((part) => part.faults),
    ...(yaml.has(manifestFile)
      ? []
      : [faultAt(`${folder}${manifestFile}`, start, { message: 'this file is missing' })]),
  ]
  const isReadable =
    yaml.has(manifestFile) && [...read.values()].every(({ value }) => value !== undefined)
  const nothing = { id, compiled: undefined, uses: [], singleBraces: [], warnings: [] }
  if (!isReadable) return { ...nothing, faults: unreadable }

  const result = await compileTemplate({
    id,
    locales: localeNames,
    defaultLocale,
    known: organisation,
    files: Object.fromEntries(
      files.map(([path, text]) => [basename(path), assembled.get(basename(path))?.text ?? text]),
    ),
    values: Object.fromEntries([...read].map(([name, { value }]) => [name, value])),
    positionOf: (file, path) => yaml.get(file)?.positionOfText(path),
  })
  const place = <T extends { file: string; line: number; column: number }>(at: T): T => ({
    ...at,
    ...(assembled.get(at.file)?.placeOf(at) ?? { file: `${folder}${at.file}` }),
  })
  const asFault = (fault: TemplateFault): Fault => {
    const { file, line, column } = place(fault)
    return faultAt(file, { line, column }, { message: fault.message })
  }
  const uses = result.uses.map(place)
  const singleBraces = result.singleBraces.map(place)
  const faults = result.faults.map(asFault)
  const warnings = result.warnings.map(asFault)
  if (unreadable.length === 0)
    return { id, compiled: result.compiled, uses, singleBraces, faults, warnings }
  // Whether the files go together with what template.yaml says is seen when that can be read.
  const told = new Set(unreadable.map(({ file }) => file))
  const isText = ({ file }: { file: string }) => !told.has(file) && !file.endsWith(manifestFile)
  return {
    ...nothing,
    uses: uses.filter(isText),
    faults: [...unreadable, ...faults.filter(isText)],
  }
}
