import type { DefinitionBundle } from '@wegwijs/campaign/definition/bundle'
import type { Budget } from '@wegwijs/campaign/definition/policies'
import {
  type CampaignClass,
  type ChannelName,
  campaignClasses,
} from '@wegwijs/campaign/definition/words'
import { parseAddress, parseMailbox } from '@wegwijs/channels/mailbox'
import { parsePhone, parseSender } from '@wegwijs/channels/phone'
import { createRenderer } from '@wegwijs/template/render'
import type { CompiledTemplate, Renderer } from '@wegwijs/template/template'
import type { ContentRules } from '@wegwijs/template/write-content'

/** What of a definition is needed to send, without anybody to send to. */
export type Sending = {
  readonly channels: DefinitionBundle['channels']
  readonly rules: ContentRules
  readonly classesNeedingConsent: ReadonlySet<CampaignClass>
  readonly budgets: readonly Budget[]
  readonly classes: DefinitionBundle['policies']['classes']
  readonly renderer: Renderer
  /** The texts that a campaign was published with; null when they are not there. */
  templateOf(id: string, hash: string): Pick<CompiledTemplate, 'id' | 'channels'> | null
}

export function sendingOf(
  bundle: Pick<DefinitionBundle, 'channels' | 'policies' | 'templates'>,
): Sending {
  const { channels, policies } = bundle
  const templates = new Map(
    bundle.templates.map(({ id, hash, channels }) => [`${id} ${hash}`, { id, channels }]),
  )
  return {
    channels,
    rules: {
      organisation: policies.organisation,
      locale: policies.locale,
      timeZone: policies.timeZone,
    },
    budgets: policies.budgets ?? [],
    classes: policies.classes,
    classesNeedingConsent: new Set(
      campaignClasses.filter((name) => policies.classes[name].consent === 'required'),
    ),
    renderer: createRenderer(),
    templateOf: (id, hash) => templates.get(`${id} ${hash}`) ?? null,
  }
}

/** As a channel has it by default; its address book is that of the organisation's own country. */
const country = 'NL'
const mostRemembered = 50_000
const remembered = new Map<string, string | null>()

/**
 * Why a channel would refuse a message by its own check, before any provider is asked: the checks of
 * packages/channels on the addresses. Null when it would not.
 */
export function refusalOfChannel(channel: ChannelName, to: string, from: string): string | null {
  // To read a number costs more than to decide the event that it is for.
  const key = `${channel}\n${to}\n${from}`
  const known = remembered.get(key)
  if (known !== undefined) return known
  if (remembered.size >= mostRemembered) remembered.clear()
  const refusal = findRefusal(channel, to, from)
  remembered.set(key, refusal)
  return refusal
}

function findRefusal(channel: ChannelName, to: string, from: string): string | null {
  switch (channel) {
    case 'email':
      if (parseMailbox(from) === undefined) return 'sender_invalid'
      return parseAddress(to) === undefined ? 'mailbox_invalid' : null
    case 'sms':
      if (parsePhone(to, country) === undefined) return 'number_invalid'
      return parseSender(from, country) === undefined ? 'sender_invalid' : null
    case 'app':
      return null
  }
}
