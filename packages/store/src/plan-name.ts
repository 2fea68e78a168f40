import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import { fail } from '@wegwijs/runtime/failure'
import type { Querying } from './database.ts'
import { hashOf } from './publication.ts'

/**
 * Lets `bundle` be applied as the plan `expected` showed it.
 *
 * @throws WEGWIJS_PLAN_OUTDATED when `expected` is another one: something has changed since
 */
export async function requirePlan(
  tx: Querying,
  bundle: DefinitionBundle,
  expected: string,
): Promise<void> {
  const found = await planOf(tx, bundle)
  if (found === expected) return
  const basisOf = (plan: string) => plan.split('-').slice(0, 2).join('-')
  const changed =
    basisOf(found) === basisOf(expected) ? 'the definition to apply' : 'the definition in force'
  throw fail('WEGWIJS_PLAN_OUTDATED', { changed, expected, found })
}

/**
 * Names what applying `bundle` now would do: `<revision in force>-<its hash>-<hash of the bundle>`. The
 * same definition on top of the same definition is the same change.
 */
export async function planOf(tx: Querying, bundle: DefinitionBundle): Promise<string> {
  const newest = await tx
    .selectFrom('definition')
    .select(['revision', 'hash'])
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst()
  const basis = newest ? `${newest.revision}-${newest.hash.slice(0, 12)}` : '0-none'
  return `${basis}-${hashOf(bundle).slice(0, 12)}`
}

/** True for what names a plan; anything else was mistyped. */
export function isPlanName(text: string): boolean {
  return /^\d+-([0-9a-f]{12}|none)-[0-9a-f]{12}$/.test(text)
}
