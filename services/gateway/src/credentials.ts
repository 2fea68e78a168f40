import type { Clock } from '@wegwijs/runtime/clock'
import { fail } from '@wegwijs/runtime/failure'
import {
  type ApiKey,
  type ApiKeyScope,
  findApiKey,
  isKey,
  keyIdOf,
  type StoredApiKey,
} from '@wegwijs/store/api-keys'
import type { Store } from '@wegwijs/store/database'
import { query } from '@wegwijs/store/transaction'
import { withinDeadline } from './deadline.ts'
import type { Limits } from './limits.ts'

export type Credentials = {
  /**
   * The API key that an `Authorization` header holds.
   *
   * @throws WEGWIJS_CREDENTIAL_INVALID; WEGWIJS_CREDENTIAL_NOT_ALLOWED, the key lacks the scope;
   *   WEGWIJS_DATABASE_UNAVAILABLE
   */
  authenticate(header: string | undefined, scope: ApiKeyScope): Promise<ApiKey>
}

type Remembered = { stored: StoredApiKey | null; atMs: number; askAgainAtMs: number }

/** Ids that nobody has are remembered too, so a guesser must not fill the memory with them. */
const MOST_REMEMBERED = 10_000

/**
 * Who calls. A key is remembered for `keyLifetimeMs`, so that a busy publisher costs one query per
 * lifetime and a revocation is seen after it; while PostgreSQL does not answer, a key that was good
 * stays so for `keyGraceMs`, so that Kafka goes on taking events.
 */
export function createCredentials(options: {
  store: Store
  clock: Clock
  limits: Limits
}): Credentials {
  const { store, clock, limits } = options
  const remembered = new Map<string, Remembered>()
  const asking = new Map<string, Promise<StoredApiKey | null>>()

  const ask = async (keyId: string): Promise<StoredApiKey | null> => {
    const answer = query(() => findApiKey(store.db, keyId))
    const stored = await withinDeadline(answer, limits.databaseDeadlineMs, clock)
    const atMs = clock.monotonicMs()
    remembered.delete(keyId)
    remembered.set(keyId, { stored, atMs, askAgainAtMs: atMs + limits.keyLifetimeMs })
    const [oldest] = remembered.keys()
    if (remembered.size > MOST_REMEMBERED && oldest) remembered.delete(oldest)
    return stored
  }

  const askOnce = (keyId: string): Promise<StoredApiKey | null> => {
    const running = asking.get(keyId)
    if (running !== undefined) return running
    const answer = ask(keyId).finally(() => asking.delete(keyId))
    asking.set(keyId, answer)
    return answer
  }

  const find = async (keyId: string): Promise<StoredApiKey | null> => {
    const known = remembered.get(keyId)
    if (known && clock.monotonicMs() < known.askAgainAtMs) return known.stored
    try {
      return await askOnce(keyId)
    } catch (error) {
      const nowMs = clock.monotonicMs()
      if (!known?.stored || nowMs - known.atMs >= limits.keyGraceMs) throw error
      // Without this every request would wait for a server that is away.
      known.askAgainAtMs = nowMs + limits.keyLifetimeMs
      return known.stored
    }
  }

  return {
    authenticate: async (header, scope) => {
      const key = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1]
      const keyId = key && keyIdOf(key)
      if (!keyId) throw untrusted('it carries no API key')
      const stored = await find(keyId)
      // One answer for all three: which of them it was would help only who guesses.
      if (!stored || !isKey(stored, key) || stored.revokedAt !== null) {
        throw untrusted('its API key is unknown or revoked')
      }
      if (!stored.scopes.includes(scope)) {
        throw fail('WEGWIJS_CREDENTIAL_NOT_ALLOWED', { reason: `it has no scope ${scope}` })
      }
      return stored
    },
  }
}

function untrusted(reason: string): Error {
  return fail('WEGWIJS_CREDENTIAL_INVALID', { reason })
}
