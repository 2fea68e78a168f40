import type { CompileResult, TemplateSources } from './template.ts'

/** Compiles and checks one template folder; never rejects because of what is in it. */
export function compileTemplate(_sources: TemplateSources): Promise<CompileResult> {
  return Promise.reject(new Error('being written'))
}
