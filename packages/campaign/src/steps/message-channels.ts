import { z } from 'zod'
import { type ChannelName, channelNames, positiveDurationSchema } from '../definition/words.ts'
import type { Intent } from '../state.ts'

/** Channels of which the first is taken that can be used. */
export const channelListSchema = z.array(z.enum(channelNames)).min(1)

const severalChannelsSchema = z
  .array(z.enum(channelNames))
  .refine(
    (channels) => channels.length > 1,
    'expected two channels or more; over one alone it is `channels: [sms]`',
  )
  .refine((channels) => new Set(channels).size === channels.length, 'expected each channel once')

const cascadeSchema = z
  .strictObject({
    cascade: severalChannelsSchema.describe('The channels, in the order in which they are tried.'),
    after: positiveDurationSchema.describe(
      'How long it is waited for after it was due over one channel that it is delivered, such as `PT30M`; then the next.',
    ),
  })
  .describe('One channel after the other, until one delivers it.')

const allSchema = z
  .strictObject({
    all: severalChannelsSchema.describe('The channels, over each of which it goes.'),
  })
  .describe('Over each of these channels over which whoever gets it can be reached.')

export const messageChannelsSchema = z.union([channelListSchema, cascadeSchema, allSchema])

/** What a message step says that goes over one channel after the other. */
export type Cascade = z.infer<typeof cascadeSchema>

type ChannelsOfMessage = { readonly channels?: z.infer<typeof messageChannelsSchema> | undefined }

/** Null for a message that is not tried over one channel after the other. */
export function cascadeOf({ channels }: ChannelsOfMessage): Cascade | null {
  return channels && 'cascade' in channels ? channels : null
}

/** The channels over each of which it goes; null for a message that goes over one. */
export function allChannelsOf({ channels }: ChannelsOfMessage): readonly ChannelName[] | null {
  return channels && 'all' in channels ? channels.all : null
}

/** Those that the file names, in their order; undefined where it names none. */
export function channelsNamedBy({
  channels,
}: ChannelsOfMessage): readonly ChannelName[] | undefined {
  if (channels === undefined || Array.isArray(channels)) return channels
  return 'all' in channels ? channels.all : channels.cascade
}

/** Of a message over all channels, the one over which this goes, beside the others. */
export function partOf({ partOf, channels }: Intent): ChannelName | undefined {
  return partOf === undefined ? undefined : channels[0]
}

/** The same, where the message still goes over all of them in the version that is looked at. */
export function partIn(message: ChannelsOfMessage, intent: Intent): ChannelName | undefined {
  return allChannelsOf(message) ? partOf(intent) : undefined
}
