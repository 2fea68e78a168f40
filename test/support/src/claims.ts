import type { Store } from '@wegwijs/store/database'
import { sql } from 'kysely'

/** A message that a worker has in its hands, under the fence of its claim. */
export type Claim = {
  intentId: string
  fence: number
  /** By the clock of PostgreSQL. */
  leaseUntil: string
}

/** What became of some claims. */
export type ClaimsLeft = {
  /** Whose lease still runs, by the clock that counts it, whether its message has moved on or not. */
  running: number
  /** That nobody has ended. */
  open: number
  /** That were given up because nobody came back within the lease. */
  givenUp: number
}

/** What is claimed now, whatever a receipt has made of its message meanwhile. */
export async function claimsIn({ db }: Store): Promise<Claim[]> {
  const { rows } = await sql<Claim>`
    select intent_id as "intentId", fence, lease_until as "leaseUntil" from intent
    where lease_until is not null`.execute(db)
  return rows
}

export async function claimsLeft({ db }: Store, claims: readonly Claim[]): Promise<ClaimsLeft> {
  const ids = claims.map(({ intentId }) => intentId)
  const fences = claims.map(({ fence }) => fence)
  const leases = claims.map(({ leaseUntil }) => leaseUntil)
  const { rows } = await sql<ClaimsLeft>`
    select count(*) filter (where c.lease_until > clock_timestamp())::int as running,
      count(*) filter (where i.fence = c.fence and i.lease_until is not null)::int as open,
      count(*) filter (where a.outcome = 'unknown' and a.reason = 'lease_expired')::int as "givenUp"
    from unnest(${ids}::uuid[], ${fences}::integer[], ${leases}::timestamptz[])
      as c (intent_id, fence, lease_until)
    join intent i using (intent_id)
    left join attempt a on a.person_id = i.person_id and a.intent_id = i.intent_id
      and a.fence = c.fence`.execute(db)
  return rows[0] ?? { running: claims.length, open: claims.length, givenUp: 0 }
}
