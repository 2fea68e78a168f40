import type { ChannelName, OutgoingMessage } from '@wegwijs/channels/port'
import type { ClaimedMessage } from '@wegwijs/store/last-check'
import type { Rendered, Renderer } from '@wegwijs/template/template'
import { writeContent } from '@wegwijs/template/write-content'
import { answerToken, answerUrl } from '@wegwijs/wire/answer-link'
import type { SendingRules } from './sending-rules.ts'
import type { ShelvedText } from './template-shelf.ts'

/** Where patients reach the gateway, and what signs the links that lead there. */
export type AnswerLinks = { publicUrl: string; secret: string }

export type Composed = { message: OutgoingMessage } | { fault: string }

/**
 * Renders a claimed message for one channel. The key and the Message-ID hang on the intent alone,
 * so that they are the same on every attempt (P2). `fault` says in a word why it cannot be made.
 */
export function composeMessage(
  claimed: ClaimedMessage,
  channel: ChannelName,
  rules: SendingRules,
  tools: { template: ShelvedText; renderer: Renderer; answerLinks: AnswerLinks },
): Composed {
  const { template, renderer, answerLinks } = tools
  if (!template) return { fault: 'template_unknown' }
  if (template === 'unreadable') return { fault: 'template_unreadable' }
  const sender = senderOf(channel, rules)
  if (sender === null) return { fault: 'channel_not_defined' }
  const facts = {
    ...claimed,
    at: claimed.claimedAt,
    answerUrl: (answer?: string) => answerUrlOf(claimed.intentId, answer, answerLinks),
  }
  const rendered = writeContent(facts, channel, rules, { template, renderer })
  if ('fault' in rendered) return rendered
  return {
    message: {
      intentId: claimed.intentId,
      idempotencyKey: `${claimed.intentId}-${channel}`,
      attempt: claimed.attempt,
      fence: claimed.fence,
      duplicate: claimed.duplicate,
      channel,
      to: claimed.address,
      personId: claimed.receiverId,
      locale: rendered.locale,
      content: contentOf(rendered, sender),
      messageId: `<${claimed.intentId}@${rules.mailDomain}>`,
      expiresAt: claimed.expiresAt,
      ...(claimed.traceparent === null ? {} : { traceparent: claimed.traceparent }),
    },
  }
}

function answerUrlOf(
  intentId: string,
  answer: string | undefined,
  { publicUrl, secret }: AnswerLinks,
): string {
  return answerUrl(publicUrl, answerToken(intentId, secret), answer)
}

/** Who it is from; empty for the app, which is ours. Null when the definition has no such channel. */
function senderOf(channel: ChannelName, { channels }: SendingRules): string | null {
  if (channel === 'app') return channels.app ? '' : null
  return channels[channel]?.from ?? null
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
