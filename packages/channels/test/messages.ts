import { randomUUID } from 'node:crypto'
import type { ChannelName, OutgoingMessage } from '../src/port.ts'

const contents: { readonly [Name in ChannelName]: OutgoingMessage['content'] } = {
  email: {
    kind: 'email',
    from: 'Ziekenhuis Example <zorg@example.org>',
    subject: 'Welkom thuis, Zoë',
    html: '<p>Beste Zoë, welkom thuis.</p>',
    text: 'Beste Zoë, welkom thuis.\n',
  },
  sms: { kind: 'sms', from: 'Example', text: 'Tot morgen om 10:00.' },
  app: { kind: 'app', title: 'Weer thuis', body: 'Lees uw nazorg.', url: '/nazorg' },
}

const addresses: { readonly [Name in ChannelName]: string } = {
  email: 'anna@example.org',
  sms: '+31612345678',
  app: 'device-1',
}

export function messageFor(
  channel: ChannelName,
  changes: Partial<OutgoingMessage> = {},
): OutgoingMessage {
  const intentId = randomUUID()
  return {
    intentId,
    idempotencyKey: intentId,
    attempt: 1,
    fence: 1,
    duplicate: false,
    channel,
    to: addresses[channel],
    personId: randomUUID(),
    locale: 'nl',
    content: contents[channel],
    messageId: `<${intentId}@wegwijs.example.org>`,
    expiresAt: '2999-01-01T00:00:00.000Z',
    ...changes,
  }
}

/** A signal that nobody aborts. */
export function untroubled(): AbortSignal {
  return new AbortController().signal
}
