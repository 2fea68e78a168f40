import { ownIdSpace } from '@wegwijs/campaign/event-check'
import { fail } from '@wegwijs/runtime/failure'
import type { Querying } from '@wegwijs/store/database'
import { findPerson } from '@wegwijs/store/explain'

/** A person as people name them: `idSpace:externalId`, or our own id. */
export function identityOf(reference: string): { idSpace: string; externalId: string } {
  const colon = reference.indexOf(':')
  if (colon < 0) return { idSpace: ownIdSpace, externalId: reference }
  return { idSpace: reference.slice(0, colon), externalId: reference.slice(colon + 1) }
}

/** @throws WEGWIJS_PERSON_UNKNOWN */
export async function personIdOf(db: Querying, reference: string): Promise<string> {
  const personId = await findPerson(db, identityOf(reference))
  if (personId === null) throw fail('WEGWIJS_PERSON_UNKNOWN')
  return personId
}
