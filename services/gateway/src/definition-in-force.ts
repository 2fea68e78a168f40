import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import { type Clock, systemClock } from '@wegwijs/runtime/clock'
import { fail } from '@wegwijs/runtime/failure'
import { createGroupCommit } from '@wegwijs/runtime/group-commit'
import type { Store } from '@wegwijs/store/database'
import { currentRevision, loadDefinition } from '@wegwijs/store/definitions'
import { isUnreadable } from '@wegwijs/store/stored-definition'
import { query } from '@wegwijs/store/transaction'
import { withinDeadline } from './deadline.ts'
import { defaultLimits } from './limits.ts'

export type DefinitionInForce = {
  /** The definition as it was last seen; null before the first. */
  current(): CompiledDefinition | null
  /**
   * Looks for a newer one and compiles it.
   *
   * @throws WEGWIJS_DATABASE_UNAVAILABLE; WEGWIJS_DEFINITION_MISSING (both retryable)
   */
  refresh(): Promise<void>
}

/**
 * Looks for a newer definition, to answer by it.
 *
 * @throws WEGWIJS_UNAVAILABLE (retryable) while only a newer gateway reads what is in force, and what
 *   `refresh` throws
 */
export async function askDefinition({
  refreshDefinition,
}: {
  refreshDefinition: () => Promise<void>
}): Promise<void> {
  await refreshDefinition().catch((error: unknown) => {
    if (!isUnreadable(error)) throw error
    throw fail('WEGWIJS_UNAVAILABLE', { dependency: 'the definition in force' }, error)
  })
}

/** Keeps the newest definition compiled. While PostgreSQL is away the last one goes on. */
export function createDefinitionInForce(
  store: Store,
  clock: Clock = systemClock,
): DefinitionInForce {
  let definition: CompiledDefinition | null = null

  const look = async () => {
    const revision = await query(() => currentRevision(store.db))
    if (revision === null) throw fail('WEGWIJS_DEFINITION_MISSING')
    if (revision !== definition?.revision) definition = await loadDefinition(store)
  }
  // Whoever asks while a look is under way gets the next one, or may be told what was before.
  const looks = createGroupCommit(
    async (asked: undefined[]) => {
      await withinDeadline(look(), defaultLimits.databaseDeadlineMs, clock)
      return asked
    },
    { maxItems: 1_000 },
  )
  return { current: () => definition, refresh: async () => looks.add(undefined) }
}
