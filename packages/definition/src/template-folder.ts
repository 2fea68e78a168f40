import { basename } from 'node:path'
import { type LocaleName, localeNames } from '@wegwijs/campaign/definition/words'
import { compileTemplate } from '@wegwijs/template/compile'
import { appFileSchema, manifestFile, manifestSchema } from '@wegwijs/template/manifest'
import type { CompiledTemplate, TemplateFault, VariableUse } from '@wegwijs/template/template'
import { type Fault, faultAt } from './fault.ts'
import { type Assembled, assemble } from './layout.ts'
import { checkAgainst } from './schema-faults.ts'
import { parseYaml, type YamlSource } from './yaml-source.ts'

/** A template folder as far as it could be read; files in `uses` are paths from the definition's folder. */
export type LoadedTemplate = {
  id: string
  compiled: CompiledTemplate | undefined
  uses: VariableUse[]
  faults: Fault[]
  warnings: Fault[]
}

const start = { line: 1, column: 1 }

/** What a schema has to say of a file, in the words in which all of them are told. */
function unlikeItsKind(name: string, source: YamlSource): Fault[] {
  if (source.faults.length > 0) return []
  if (name === manifestFile) return checkAgainst(manifestSchema, source).faults
  return /^app\.[^.]+\.yaml$/.test(name) ? checkAgainst(appFileSchema, source).faults : []
}

/** Reads the YAML of one template folder, puts the layout in, and has it compiled. */
export async function loadTemplate(
  id: string,
  texts: ReadonlyMap<string, string>,
  defaultLocale: LocaleName,
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
  const unreadable = [
    ...[...yaml.values(), ...assembled.values()].flatMap((part) => part.faults),
    ...[...yaml].flatMap(([name, source]) => unlikeItsKind(name, source)),
    ...(yaml.has(manifestFile)
      ? []
      : [faultAt(`${folder}${manifestFile}`, start, { message: 'this file is missing' })]),
  ]
  if (unreadable.length > 0)
    return { id, compiled: undefined, uses: [], faults: unreadable, warnings: [] }

  const result = await compileTemplate({
    id,
    locales: localeNames,
    defaultLocale,
    files: Object.fromEntries(
      files.map(([path, text]) => [basename(path), assembled.get(basename(path))?.text ?? text]),
    ),
    values: Object.fromEntries([...yaml].map(([name, source]) => [name, source.value])),
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
  return {
    id,
    compiled: result.compiled,
    uses: result.uses.map(place),
    faults: result.faults.map(asFault),
    warnings: result.warnings.map(asFault),
  }
}
