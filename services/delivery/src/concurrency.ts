import type { ChannelName, Lane } from '@wegwijs/wire/delivery-job'

/** How many messages of one channel are sending at once in one process, by lane. */
export type LaneConcurrency = Readonly<Record<Lane, number>>
export type Concurrency = Readonly<Record<ChannelName, LaneConcurrency>>

/**
 * Each lane has slots of its own, so what is transactional never waits behind what is bulk. For
 * e-mail few enough that two processes stay below what Postfix takes from one client (50).
 */
export const defaultConcurrency: Concurrency = {
  email: { transactional: 10, standard: 10, bulk: 4 },
  sms: { transactional: 16, standard: 16, bulk: 8 },
  app: { transactional: 50, standard: 50, bulk: 50 },
}

/**
 * The connections that a channel needs, so that a message whose slot is free never waits for one:
 * it would wait behind every other lane, and its lease would run.
 */
export function connectionsFor(lanes: LaneConcurrency): number {
  return lanes.transactional + lanes.standard + lanes.bulk
}
