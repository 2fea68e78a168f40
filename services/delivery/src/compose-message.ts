import { yearOf } from '@wegwijs/campaign/instant'
import type { ChannelName, OutgoingMessage } from '@wegwijs/channels/port'
import { isFailure } from '@wegwijs/runtime/failure'
import type { ClaimedMessage } from '@wegwijs/store/last-check'
import type { Rendered, Renderer } from '@wegwijs/template/template'
import type { SendingRules } from './sending-rules.ts'
import type { Template } from './template-shelf.ts'

export type Composed = { message: OutgoingMessage } | { fault: string }

/**
 * Renders a claimed message for one channel. The key and the Message-ID hang on the intent alone,
 * so that they are the same on every attempt (P2). `fault` says in a word why it cannot be made.
 */
export function composeMessage(
  claimed: ClaimedMessage,
  channel: ChannelName,
  rules: SendingRules,
  tools: { template: Template | null; renderer: Renderer },
): Composed {
  const { template, renderer } = tools
  if (!template) return { fault: 'template_unknown' }
  const sender = senderOf(channel, rules)
  if (sender === null) return { fault: 'channel_not_defined' }
  const rendered = render(claimed, channel, rules, { template, renderer })
  if ('fault' in rendered) return rendered
  return {
    message: {
      intentId: claimed.intentId,
      idempotencyKey: `${claimed.intentId}-${channel}`,
      attempt: claimed.attempt,
      duplicate: claimed.duplicate,
      channel,
      to: claimed.address,
      personId: claimed.personId,
      locale: rendered.locale,
      content: contentOf(rendered, sender),
      messageId: `<${claimed.intentId}@${rules.mailDomain}>`,
      expiresAt: claimed.expiresAt,
      ...(claimed.traceparent === null ? {} : { traceparent: claimed.traceparent }),
    },
  }
}

/** Who it is from; empty for the app, which is ours. Null when the definition has no such channel. */
function senderOf(channel: ChannelName, { channels }: SendingRules): string | null {
  if (channel === 'app') return channels.app ? '' : null
  return channels[channel]?.from ?? null
}

function render(
  claimed: ClaimedMessage,
  channel: ChannelName,
  rules: SendingRules,
  { template, renderer }: { template: Template; renderer: Renderer },
): Rendered | { fault: string } {
  try {
    return renderer.render(template, {
      channel,
      locale: claimed.person.locale ?? rules.locale,
      defaultLocale: rules.locale,
      timeZone: claimed.person.timeZone ?? rules.timeZone,
      data: dataOf(claimed, rules),
    })
  } catch (error) {
    // The code and nothing of the data (P7): `template_variable_missing`.
    if (isFailure(error)) return { fault: error.code.replace(/^WEGWIJS_/, '').toLowerCase() }
    return { fault: 'template_failed' }
  }
}

/** What a template may name, under the roots of the field catalogue. */
function dataOf(claimed: ClaimedMessage, rules: SendingRules): Record<string, unknown> {
  const { person } = claimed
  const timeZone = person.timeZone ?? rules.timeZone
  const { birthYear } = person.fields
  return {
    person: {
      ...person.fields,
      persona: person.persona,
      locale: person.locale ?? rules.locale,
      ...(typeof birthYear === 'number'
        ? { age: yearOf(claimed.claimedAt, timeZone) - birthYear }
        : {}),
    },
    event: claimed.event,
    entity: claimed.entity,
    organisation: rules.organisation,
    enrolment: Object.fromEntries(
      Object.entries(claimed.statuses).map(([id, status]) => [id, { status }]),
    ),
    journey: Object.fromEntries(
      Object.entries(person.journeys).map(([id, { phase }]) => [id, { phase }]),
    ),
  }
}

function contentOf({ content }: Rendered, from: string): OutgoingMessage['content'] {
  switch (content.kind) {
    case 'email':
      return { ...content, from }
    case 'sms':
      return { kind: 'sms', text: content.text, from }
    case 'app':
      return content
  }
}
