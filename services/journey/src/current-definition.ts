import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import { fail } from '@wegwijs/runtime/failure'
import type { Store } from '@wegwijs/store/database'
import { loadDefinition } from '@wegwijs/store/definitions'

/**
 * The definition in force, compiled once per revision. Every batch compares the revision in its own
 * transaction, so nothing is ever decided on one that has been replaced.
 */
export type CurrentDefinition = {
  /** @throws WEGWIJS_DEFINITION_MISSING (retryable) while nothing has been applied */
  latest(): Promise<CompiledDefinition>
  /** The next `latest` loads it again. */
  forget(): void
}

export function createCurrentDefinition(store: Store): CurrentDefinition {
  let loading: Promise<CompiledDefinition> | null = null
  const load = async (): Promise<CompiledDefinition> => {
    const definition = await loadDefinition(store)
    if (!definition) throw fail('WEGWIJS_DEFINITION_MISSING')
    return definition
  }
  return {
    latest: () => {
      loading ??= load().catch((error: unknown) => {
        loading = null
        throw error
      })
      return loading
    },
    forget: () => {
      loading = null
    },
  }
}
