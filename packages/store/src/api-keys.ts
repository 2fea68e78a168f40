import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { canMatch } from '@wegwijs/campaign/definition/touchpoints'
import { isOwn, ownIdSpace, ownSource } from '@wegwijs/campaign/event-check'
import { isOwnType } from '@wegwijs/campaign/reserved-types'
import { fail } from '@wegwijs/runtime/failure'
import type { Querying } from './database.ts'

/** `events`: publish events. `app.read`: read people's app messages and mark them as read. */
export const apiKeyScopes = ['events', 'app.read'] as const
export type ApiKeyScope = (typeof apiKeyScopes)[number]

/**
 * Who speaks, and for what: these CloudEvents sources, ids of this one space, types that match one
 * of these patterns (`care.*` or a whole type).
 */
export type ApiKey = {
  keyId: string
  label: string
  idSpace: string
  sources: readonly string[]
  types: readonly string[]
  scopes: readonly string[]
  createdAt: string
  revokedAt: string | null
}

export type NewApiKey = Pick<ApiKey, 'label' | 'idSpace' | 'sources' | 'types'> & {
  scopes?: readonly ApiKeyScope[]
}

/** An API key with what it takes to recognise its bearer. */
export type StoredApiKey = ApiKey & { hash: Buffer }

/**
 * Makes a key `wgw_<keyId>_<secret>`, with 256 random bits. The answer holds the only copy there
 * will ever be: what is stored is its SHA-256, enough for a secret that cannot be guessed.
 *
 * @throws WEGWIJS_USAGE when the key would be able to speak as Wegwijs itself, or one of its types is none that
 *   an event of a publisher can have
 */
export async function createApiKey(
  db: Querying,
  wanted: NewApiKey,
): Promise<{ keyId: string; key: string }> {
  if (wanted.idSpace === ownIdSpace || wanted.sources.some(isOwn)) {
    const problem = `the id space "${ownIdSpace}" and the sources of "${ownSource}" are our own`
    throw fail('WEGWIJS_USAGE', { problem })
  }
  for (const pattern of wanted.types) refuseVain(pattern)
  const keyId = randomBytes(8).toString('hex')
  const key = `wgw_${keyId}_${randomBytes(32).toString('base64url')}`
  await db
    .insertInto('api_key')
    .values({
      key_id: keyId,
      hash: hashOf(key),
      label: wanted.label,
      id_space: wanted.idSpace,
      sources: [...wanted.sources],
      types: [...wanted.types],
      scopes: [...(wanted.scopes ?? ['events'])],
      revoked_at: null,
    })
    .execute()
  return { keyId, key }
}

/** A key for such a type would be refused everything, and nobody would know why. */
function refuseVain(pattern: string): void {
  if (isOwnType(pattern)) {
    const problem = `only Wegwijs itself publishes what matches "${pattern}"`
    throw fail('WEGWIJS_USAGE', { problem })
  }
  if (canMatch(pattern)) return
  const problem = `no event has a type that matches "${pattern}": name a type, such as care.intake.done.v1, or all that begin alike, such as "care.*"`
  throw fail('WEGWIJS_USAGE', { problem })
}

/** False when there is no such key; revoking twice is revoking once. */
export async function revokeApiKey(db: Querying, keyId: string): Promise<boolean> {
  const [result] = await db
    .updateTable('api_key')
    .set((expression) => ({
      revoked_at: expression.fn.coalesce('revoked_at', expression.fn<string>('clock_timestamp')),
    }))
    .where('key_id', '=', keyId)
    .execute()
  return (result?.numUpdatedRows ?? 0n) > 0n
}

export async function listApiKeys(db: Querying): Promise<ApiKey[]> {
  const rows = await db.selectFrom('api_key').selectAll().orderBy('created_at').execute()
  return rows.map(({ hash: _, ...row }) => asApiKey(row))
}

/** The key with that id, a revoked one too, or null. */
export async function findApiKey(db: Querying, keyId: string): Promise<StoredApiKey | null> {
  const row = await db
    .selectFrom('api_key')
    .selectAll()
    .where('key_id', '=', keyId)
    .executeTakeFirst()
  return row ? { ...asApiKey(row), hash: row.hash } : null
}

/** The id in a key that is shaped like ours, or null. */
export function keyIdOf(key: string): string | null {
  return /^wgw_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/.exec(key)?.[1] ?? null
}

/** True when `key` is the one that was handed out. Takes the same time for every wrong one. */
export function isKey(stored: StoredApiKey, key: string): boolean {
  return timingSafeEqual(stored.hash, hashOf(key))
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

function asApiKey(row: {
  key_id: string
  label: string
  id_space: string
  sources: string[]
  types: string[]
  scopes: string[]
  created_at: string
  revoked_at: string | null
}): ApiKey {
  return {
    keyId: row.key_id,
    label: row.label,
    idSpace: row.id_space,
    sources: row.sources,
    types: row.types,
    scopes: row.scopes,
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
  }
}
