import { createHash } from 'node:crypto'
import { compileApp } from './app.ts'
import { compileEmail } from './email.ts'
import { checkFileNames, checkFolder } from './folder.ts'
import { type Manifest, manifestFile, manifestSchema, readValue } from './manifest.ts'
import { compileSms } from './sms.ts'
import {
  type ChannelName,
  type CompiledTemplate,
  type CompileResult,
  channelNames,
  type TemplateSources,
  type TemplateVariable,
  type VariableUse,
} from './template.ts'
import type { Work } from './work.ts'

/**
 * Compiles and checks one template folder. Never rejects because of what is in it: every fault of
 * every file is in the result, at its line and column.
 */
export async function compileTemplate(sources: TemplateSources): Promise<CompileResult> {
  const work: Work = {
    sources,
    contents: { app: {}, email: {}, sms: {} },
    result: { faults: [], warnings: [], uses: [], singleBraces: [], smsSizes: {} },
  }
  const manifest = readValue(manifestSchema, manifestFile, work)
  checkFileNames(work)
  for (const locale of sources.locales) {
    compileApp(locale, work)
    if (manifest !== undefined) await compileEmail(locale, manifest, work)
    compileSms(locale, work)
  }
  if (manifest === undefined) return work.result
  checkFolder(manifest, work)
  const { result } = work
  return result.faults.length > 0 ? result : { ...result, compiled: assemble(manifest, work) }
}

function assemble(manifest: Manifest, { sources, contents, result }: Work): CompiledTemplate {
  const channels: CompiledTemplate['channels'] = {}
  for (const channel of channelNames) {
    const sensitivity = manifest.sensitivity[channel]
    if (sensitivity === undefined) continue
    const variables = variablesOf(channel, result.uses)
    channels[channel] = { sensitivity, variables, content: contents[channel] }
  }
  const hash = createHash('sha256').update(JSON.stringify(channels)).digest('hex')
  return { id: sources.id, hash, channels }
}

/** Optional only if it is so at every place. */
function variablesOf(channel: ChannelName, uses: readonly VariableUse[]): TemplateVariable[] {
  const optional = new Map<string, boolean>()
  for (const use of uses) {
    if (use.channel !== channel) continue
    optional.set(use.path, (optional.get(use.path) ?? true) && use.optional)
  }
  return [...optional.keys()]
    .sort()
    .map((path) => ({ path, optional: optional.get(path) ?? false }))
}
