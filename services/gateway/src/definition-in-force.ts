import type { CompiledDefinition } from '@wegwijs/campaign/compile'
import { type Clock, systemClock } from '@wegwijs/runtime/clock'
import { fail } from '@wegwijs/runtime/failure'
import { createGroupCommit } from '@wegwijs/runtime/group-commit'
import type { Store } from '@wegwijs/store/database'
import { currentRevision, loadDefinition } from '@wegwijs/store/definitions'
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
