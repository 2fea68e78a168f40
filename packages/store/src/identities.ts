import { ownIdSpace } from '@wegwijs/campaign/event-check'
import type { Identity } from '@wegwijs/campaign/journey-event'
import { derivedUuid, newUuid } from '@wegwijs/runtime/derived-id'
import { sql } from 'kysely'
import type { Querying } from './database.ts'

/**
 * Whose ids these are: one person id per identity, in the order given. Who is not known yet is
 * created, with an empty profile, once, also when several transactions meet the same new id. In
 * our own id space (`wegwijs`) nobody is created: null when no person has that id.
 *
 * One statement, whatever the number, when all are known; a second one creates who is not, and a
 * third finds whom another transaction has just created. New identities are inserted in the order of (id space, external id): callers that create
 * several call this once per transaction, or two of them can deadlock (and then one is retried).
 * Call it in a transaction at READ COMMITTED, before rows of `person` are locked. A merged person
 * is returned as it is; following `merged_into` needs that person's lock.
 *
 * In a rehearsal the ids of new people hang on their identity alone, and with them the ids of their
 * messages, by which providers and receipts draw their lots: the same input then gives the same
 * outcome every time.
 */
export async function findOrCreatePeople(
  tx: Querying,
  identities: readonly Identity[],
): Promise<(string | null)[]> {
  if (identities.length === 0) return []
  const wanted = [...new Map(identities.map((identity) => [keyOf(identity), identity])).values()]
  const foreign = wanted.filter((identity) => identity.idSpace !== ownIdSpace)
  const ours = wanted.filter((identity) => identity.idSpace === ownIdSpace)
  const known = await find(tx, foreign, ours)
  const missing = () => foreign.filter((identity) => !known.has(keyOf(identity)))
  // A second time for those whom somebody created who committed after the statement's snapshot.
  for (let tries = 0; tries < 2 && missing().length > 0; tries += 1) {
    for (const [key, id] of await findOrInsert(tx, missing())) known.set(key, id)
  }
  return identities.map((identity) => known.get(keyOf(identity)) ?? null)
}

type IdentityRow = { id_space: string; external_id: string; person_id: string }

function byKey(rows: readonly IdentityRow[]): Map<string, string> {
  return new Map(
    rows.map((row) => [
      keyOf({ idSpace: row.id_space, externalId: row.external_id }),
      row.person_id,
    ]),
  )
}

async function find(
  tx: Querying,
  foreign: readonly Identity[],
  ours: readonly Identity[],
): Promise<Map<string, string>> {
  const { rows } = await sql<IdentityRow>`
    select wanted.id_space, wanted.external_id, known.person_id
    from unnest(
      ${foreign.map((identity) => identity.idSpace)}::text[],
      ${foreign.map((identity) => identity.externalId)}::text[]
    ) as wanted (id_space, external_id) cross join lateral (
      select person_id from person_identity p
      where p.id_space = wanted.id_space and p.external_id = wanted.external_id limit 1
    ) as known
    union all select ${ownIdSpace}, person_id::text, person_id from person
      where person_id = any(${ours.map((identity) => identity.externalId).filter(isUuid)}::uuid[])
  `.execute(tx)
  return byKey(rows)
}

async function findOrInsert(
  tx: Querying,
  foreign: readonly Identity[],
): Promise<Map<string, string>> {
  const { rows } = await sql<IdentityRow>`
    with wanted as (
      select id_space, external_id,
        case when exists (select from rehearsal_clock) then rehearsed_id else new_id end as new_id
      from unnest(
        ${foreign.map((identity) => identity.idSpace)}::text[],
        ${foreign.map((identity) => identity.externalId)}::text[],
        ${foreign.map(() => newUuid())}::uuid[],
        ${foreign.map(rehearsedId)}::uuid[]
      ) as identity (id_space, external_id, new_id, rehearsed_id)
    ), found as (
      select id_space, external_id, known.person_id
      from wanted cross join lateral (
        select person_id from person_identity p
        where p.id_space = wanted.id_space and p.external_id = wanted.external_id limit 1
      ) as known
    ), made as (
      insert into person_identity (person_id, id_space, external_id)
      select new_id, id_space, external_id from wanted
      where not exists (
        select from found
        where found.id_space = wanted.id_space and found.external_id = wanted.external_id
      )
      order by id_space, external_id
      on conflict (id_space, external_id) do nothing
      returning id_space, external_id, person_id
    ), people as (
      insert into person (person_id) select person_id from made
    )
    select id_space, external_id, person_id from found
    union all select id_space, external_id, person_id from made
  `.execute(tx)
  return byKey(rows)
}

function rehearsedId({ idSpace, externalId }: Identity): string {
  return derivedUuid('rehearsed person', idSpace, externalId)
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
}

function keyOf(identity: Identity): string {
  return JSON.stringify([identity.idSpace, identity.externalId])
}

/** Gives people further ids; an id that somebody has already stays theirs. One statement. */
export async function linkIdentities(
  tx: Querying,
  links: readonly (Identity & { personId: string })[],
): Promise<void> {
  await sql`
    insert into person_identity (person_id, id_space, external_id)
    select person_id, id_space, external_id from unnest(
      ${links.map((link) => link.personId)}::uuid[],
      ${links.map((link) => link.idSpace)}::text[],
      ${links.map((link) => link.externalId)}::text[]
    ) as link (person_id, id_space, external_id)
    where id_space <> ${ownIdSpace}
    order by id_space, external_id
    on conflict do nothing`.execute(tx)
}
