import type {
  ChannelName,
  CompileResult,
  ContentSources,
  Position,
  TemplateSources,
} from './template.ts'

/** One compilation under way: what was given, what has been made, what was found wrong. */
export type Work = {
  sources: TemplateSources
  contents: Record<ChannelName, Record<string, ContentSources>>
  result: CompileResult
}

export const firstCharacter: Position = { line: 1, column: 1 }

export function addFault(
  { result }: Work,
  file: string,
  { line, column }: Position,
  message: string,
): void {
  result.faults.push({ file, line, column, message })
}

export function addWarning(
  { result }: Work,
  file: string,
  { line, column }: Position,
  message: string,
): void {
  result.warnings.push({ file, line, column, message })
}
