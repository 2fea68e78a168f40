import { z } from 'zod'

/**
 * One unit of work for services/delivery: the intents to try, and nothing about them (P7). Redis may
 * lose it at any time; the scheduler makes it again from PostgreSQL.
 */
export const maxIntentsPerJob = 50

export const deliveryJobSchema = z.strictObject({
  intents: z.array(z.uuid()).min(1).max(maxIntentsPerJob),
})

export type DeliveryJobData = z.output<typeof deliveryJobSchema>

export const channels = ['email', 'sms', 'app'] as const
export type ChannelName = (typeof channels)[number]

export const lanes = ['transactional', 'standard', 'bulk'] as const
export type Lane = (typeof lanes)[number]

export function queueName(channel: ChannelName, lane: Lane): string {
  return `deliver.${channel}.${lane}`
}

/** Every queue there is, the most urgent lane of each channel first. */
export function queueNames(): string[] {
  return channels.flatMap((channel) => lanes.map((lane) => queueName(channel, lane)))
}

/**
 * The id of a job, from a `unique` id that the scheduler also stores on the job's intents. BullMQ
 * takes no ':' in an id and none that is digits only.
 */
export function deliveryJobId(unique: string): string {
  return `job-${unique}`
}
