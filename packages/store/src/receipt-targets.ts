import type { CampaignClass } from '@wegwijs/campaign/definition/words'
import type { ChannelName } from '@wegwijs/wire/delivery-job'
import { sql } from 'kysely'
import type { Querying } from './database.ts'
import { query } from './transaction.ts'

/** The message that a provider's receipt is about: whose it is, and over which channel it went. */
export type ReceiptTarget = {
  intentId: string
  personId: string
  class: CampaignClass
  /** Who got it, where that is somebody else than whom it is about; as the record that they are now. */
  recipientId: string | null
  channel: ChannelName
  /**
   * Time of the profile that told of the address to which it went, the first of several; null when that is not
   * known.
   */
  addressSince: string | null
}

/**
 * The messages with these ids, by id; what is not there is unknown to us. The channel and the address are those
 * at which `provider` had the message, for it may be with the next one since: a worker that lost its lease
 * had handed it over all the same. Of two attempts of which it may have had either, at an address and at the
 * one told since, it is the first: rather a bounce too little than a good address refused. One query, whatever the
 * number.
 *
 * @throws WEGWIJS_DATABASE_UNAVAILABLE
 */
export async function findReceiptTargets(
  db: Querying,
  intentIds: readonly string[],
  provider: string,
): Promise<Map<string, ReceiptTarget>> {
  if (intentIds.length === 0) return new Map()
  const { rows } = await query(() =>
    sql<ReceiptTarget>`
      select i.intent_id as "intentId", i.person_id as "personId",
        i.class,
        case when tried.has_gone then tried.address_since when i.provider = ${provider} then i.address_since
          end as "addressSince",
        survivor_of(i.recipient_id) as "recipientId",
        coalesce(tried.channel, i.channels[i.channel_index + 1]) as channel
      from intent i left join lateral (
        select channel, has_gone,
          first_value(address_since) over (partition by channel order by has_gone desc, recorded_at) as address_since
        from (
          select *, outcome in ('accepted', 'unknown') as has_gone from attempt a
          where a.person_id = i.person_id and a.intent_id = i.intent_id and a.provider = ${provider}
        ) as a
        order by has_gone desc, recorded_at desc limit 1
      ) as tried on true
      where i.intent_id = any(${intentIds}::uuid[])
    `.execute(db),
  )
  return new Map(rows.map((row) => [row.intentId, row]))
}
