import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import { fail } from '@wegwijs/runtime/failure'
import type { Logger } from '@wegwijs/runtime/log'
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

/** Logs each version of a campaign, and each count, that cannot be read, whenever it is loaded. */
export function createCurrentDefinition(store: Store, log: Logger): CurrentDefinition {
  let loading: Promise<CompiledDefinition> | null = null
  const load = async (): Promise<CompiledDefinition> => {
    const definition = await loadDefinition(store)
    if (!definition) throw fail('WEGWIJS_DEFINITION_MISSING')
    for (const { id: campaign, version, unclear } of definition.campaigns.values())
      if (unclear)
        log.warn('a version of a campaign cannot be read, in which nobody is under way', {
          campaign,
          version,
          error: unclear.why,
        })
    for (const error of definition.counts.unread)
      log.warn('what is counted cannot be read, and nothing that can be asks for it', { error })
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
