import type { Channel, ChannelName, OutgoingMessage } from './port.ts'

export type SilentChannel = Channel & {
  /** Every message that would have been sent since the last `forget`, in order. */
  readonly messages: readonly OutgoingMessage[]
  forget(): void
}

/**
 * The channel that does not send. It accepts everything, and once per idempotency key: what it would
 * have sent can be looked at. For tests, and for an organisation that wants to see a campaign run
 * without a message leaving.
 */
export function createSilentChannel(name: ChannelName, provider = 'silent'): SilentChannel {
  const messages = new Map<string, OutgoingMessage>()
  return {
    name,
    provider,
    idempotent: true,
    get messages() {
      return [...messages.values()]
    },
    forget: () => messages.clear(),
    async send(message, signal) {
      if (message.content.kind !== name) {
        return { kind: 'refused', reason: `not_for_${name}`, unasked: true }
      }
      if (signal.aborted) return { kind: 'deferred', reason: 'silent_aborted' }
      if (!messages.has(message.idempotencyKey)) messages.set(message.idempotencyKey, message)
      return { kind: 'accepted', reference: message.intentId }
    },
    isSandbox: async () => true,
    close: async () => undefined,
  }
}
