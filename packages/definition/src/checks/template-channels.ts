import {
  allowsSensitivity,
  type ChannelName,
  localeNames,
} from '@wegwijs/campaign/definition/words'
import { addDuration, type Instant } from '@wegwijs/campaign/instant'
import { allChannelsOf, cascadeOf, channelsNamedBy } from '@wegwijs/campaign/steps/message-channels'
import type { CompiledTemplate } from '@wegwijs/template/template'
import type { Fault } from '../fault.ts'
import type { MessageAt } from './message-templates.ts'
import { about, type Parts } from './parts.ts'

export function checkChannels(at: MessageAt, template: CompiledTemplate, parts: Parts): Fault[] {
  const { message, campaign, path, templatePath } = at
  const complete = channelsInEveryLanguage(template)
  const faults: Fault[] = []
  channelsNamedBy(message)?.forEach((channel, index) => {
    const list = Array.isArray(message.channels) ? [] : Object.keys(message.channels ?? {})
    const where = [...path, 'channels', ...list.slice(0, 1), index]
    if (parts.channels && parts.channels.value[channel] === undefined)
      faults.push(
        about(campaign, where, {
          message: `channels.yaml has no channel "${channel}"`,
          found: channel,
        }),
      )
    else if (template.channels[channel] === undefined)
      faults.push(
        about(campaign, where, {
          message: `the template "${template.id}" has no content for "${channel}"`,
          found: channel,
        }),
      )
  })
  const unreached = whoseChannelsFail(at, complete, template)
  if (unreached !== undefined)
    faults.push(
      about(campaign, templatePath, {
        message: `the template "${template.id}" has nothing in every language (${localeNames.join(', ')}) ${unreached}`,
        found: template.id,
      }),
    )
  return [...faults, ...checkCascade(at, parts), ...checkBearing(at, template, parts)]
}

/** What comes when the message is not worth having any more never comes. */
function checkCascade({ message, campaign, path }: MessageAt, parts: Parts): Fault[] {
  const cascade = cascadeOf(message)
  const expires = message.expires ?? parts.policies?.value.classes[campaign.value.class].expires
  if (!cascade || expires === undefined) return []
  const end = addDuration(start, expires, 'UTC')
  let at = start
  for (const [index, channel] of cascade.cascade.entries()) {
    if (at >= end) {
      const fault = {
        message: `the message is worth sending for ${expires}, and with ${cascade.after} for each channel before it "${channel}" never comes`,
        found: channel,
      }
      return [about(campaign, [...path, 'channels', 'cascade', index], fault)]
    }
    at = addDuration(at, cascade.after, 'UTC')
  }
  return []
}

/** Any moment will do: only the time between two is looked at. */
const start: Instant = '2026-01-01T00:00:00.000Z'

/**
 * For whom no channel has content in both languages, or over which one where it goes over all; undefined when
 * everybody can be reached.
 */
function whoseChannelsFail(
  { message, personas }: MessageAt,
  complete: ReadonlySet<ChannelName>,
  template: CompiledTemplate,
): string | undefined {
  const named = channelsNamedBy(message)
  const missing = named?.filter((channel) => !complete.has(channel)) ?? []
  if (allChannelsOf(message)) {
    // Of one for which there is nothing at all that is told already.
    const half = missing.filter((channel) => template.channels[channel] !== undefined)
    return half.length === 0 ? undefined : `for ${half.join(', ')}`
  }
  if (named) return missing.length < named.length ? undefined : `for ${named.join(', ')}`
  const persona = personas.find(
    ({ channels }) => !channels.some((channel) => complete.has(channel)),
  )
  return persona && `for ${persona.channels.join(', ')}, the channels of "${persona.id}"`
}

function channelsInEveryLanguage(template: CompiledTemplate): ReadonlySet<ChannelName> {
  const names = Object.keys(template.channels) as ChannelName[]
  return new Set(
    names.filter((name) =>
      localeNames.every((locale) => template.channels[name]?.content[locale] !== undefined),
    ),
  )
}

/** Those over which it may go, in no order. */
export function channelsOf({ message, personas }: MessageAt): ChannelName[] {
  return [...(channelsNamedBy(message) ?? new Set(personas.flatMap((persona) => persona.channels)))]
}

/** What a channel may bear is said in channels.yaml; a template declares what it tells. */
function checkBearing(at: MessageAt, template: CompiledTemplate, parts: Parts): Fault[] {
  const { campaign, templatePath } = at
  return channelsOf(at).flatMap((channel) => {
    const limit = parts.channels?.value[channel]?.sensitivity
    const declared = template.channels[channel]?.sensitivity
    if (limit === undefined || declared === undefined || allowsSensitivity(limit, declared))
      return []
    const message = `the template "${template.id}" is ${declared}, and "${channel}" bears at most ${limit}`
    return [about(campaign, templatePath, { message, found: template.id })]
  })
}
