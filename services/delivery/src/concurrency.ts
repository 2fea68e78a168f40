import type { ChannelName, Lane } from '@wegwijs/wire/delivery-job'

/** How many messages of one channel are sending at once in one process, by lane. */
export type LaneConcurrency = Readonly<Record<Lane, number>>
export type Concurrency = Readonly<Record<ChannelName, LaneConcurrency>>

/** How many messages of a lane are with its provider at once: for bulk fewer. */
export type ProviderConcurrency = { readonly email: number; readonly sms: number }

/** As WEGWIJS_EMAIL_CONCURRENCY and WEGWIJS_SMS_CONCURRENCY have it by default. */
const usual: ProviderConcurrency = { email: 10, sms: 50 }

/**
 * Each lane has slots of its own, so what is transactional never waits behind what is bulk. They are
 * claimed and settled in groups of what is free: more slots make larger groups, and a message cheaper.
 */
export function concurrencyOf({ email, sms }: ProviderConcurrency): Concurrency {
  return {
    email: lanesOf(email),
    sms: lanesOf(sms),
    app: { transactional: 50, standard: 50, bulk: 50 },
  }
}

function lanesOf(slots: number): LaneConcurrency {
  return { transactional: slots, standard: slots, bulk: Math.max(1, Math.floor(slots * 0.4)) }
}

export const defaultConcurrency: Concurrency = concurrencyOf(usual)

/**
 * The connections that a channel needs, so that a message whose slot is free never waits for one:
 * it would wait behind every other lane, and its lease would run.
 */
export function connectionsFor(lanes: LaneConcurrency): number {
  return lanes.transactional + lanes.standard + lanes.bulk
}
