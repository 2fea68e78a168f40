import { type Intent, isOpen } from '@wegwijs/campaign/state'
import type { Rendered } from '@wegwijs/template/template'
import { type Asked, reasonWords, show } from './asked.ts'

/** What became of one message by the moment of asking. */
export type Fate = {
  what: 'sent' | 'withdrawn' | 'not sent' | 'planned'
  intent: Intent
  /** Quiet hours may have put it off since. */
  plannedFor: string
  /** Null while it is planned. */
  at: string | null
  channel: string | null
  text: string
}

export function fatesOf({ history, state }: Asked): Fate[] {
  const told = history.messages.map(({ intent, plannedFor, at, channel, rendered }): Fate => {
    const text = rendered === null ? '' : textOf(rendered)
    return { what: whatOf(intent, rendered), intent, plannedFor, at, channel, text }
  })
  const known = new Set(told.map(({ intent }) => intent.intentId))
  const planned = [...state.intents.values()]
    .filter((intent) => isOpen(intent) && !known.has(intent.intentId))
    .map(
      (intent): Fate => ({
        what: 'planned',
        intent,
        plannedFor: intent.dueAt,
        at: null,
        channel: null,
        text: '',
      }),
    )
  return [...told, ...planned]
}

function whatOf({ state }: Intent, rendered: Rendered | null): Fate['what'] {
  if (rendered !== null) return 'sent'
  return state === 'cancelled' ? 'withdrawn' : 'not sent'
}

function textOf({ content }: Rendered): string {
  switch (content.kind) {
    case 'email':
      return `${content.subject}\n${content.text}`
    case 'sms':
      return content.text
    case 'app':
      return `${content.title}\n${content.body}`
  }
}

/** Whether `name` (`reminder`, or `other-campaign/reminder`) means this message. */
export function isMessage(name: string, intent: Intent, ownCampaign: string): boolean {
  const [message, campaign = ownCampaign] = name.split('/').reverse()
  return intent.messageId === message && intent.campaignId === campaign
}

export function tell(fate: Fate, asked: Asked, withText = false): string {
  const { what, intent, plannedFor, at, channel, text } = fate
  const { campaignId, messageId, reason } = intent
  const message = campaignId === asked.campaign ? messageId : `${campaignId}/${messageId}`
  const name = intent.recipient ? `${message} to ${asked.receiverOf(intent)}` : message
  const moment = at === null ? '' : show(at, asked)
  switch (what) {
    case 'sent': {
      const saying = withText ? `, saying: ${beginningOf(text)}` : ''
      return `${name} was sent at ${moment} over ${channel}${saying}`
    }
    case 'withdrawn':
      return `${name}, planned for ${show(plannedFor, asked)}, was withdrawn at ${moment}${reasonWords(reason)}`
    case 'not sent':
      return `${name}, planned for ${show(plannedFor, asked)}, was not sent${reasonWords(reason)}`
    case 'planned':
      return `${name} is planned for ${show(plannedFor, asked)}`
  }
}

/** On one line, and no longer than somebody reads to see what is wrong. */
function beginningOf(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > 400 ? `${line.slice(0, 400)}…` : line
}
