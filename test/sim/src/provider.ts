import type { Channel, ChannelName, Outcome, OutgoingMessage } from '@wegwijs/channels/port'
import type { Chance } from './chance.ts'
import type { Gate, Life } from './gate.ts'
import type { History } from './history.ts'

/** What a provider does with one message that it is given. */
const behaviours = {
  accept: { takes: true, answer: 'accepted' },
  refuse: { takes: false, answer: 'refused' },
  defer: { takes: false, answer: 'deferred' },
  'cut before': { takes: false, answer: 'unknown' },
  'cut after': { takes: true, answer: 'unknown' },
  hang: { takes: false, answer: 'unknown' },
  'take and hang': { takes: true, answer: 'unknown' },
} as const
export type Behaviour = keyof typeof behaviours

const roughOnes = Object.keys(behaviours).filter((name) => name !== 'accept') as Behaviour[]

export type Taken = { call: number; channel: ChannelName; intent: string; text: string }

/** Providers that take messages from every worker, and do with each as the seed says. */
export type Providers = {
  channels(parts: { gate: Gate; life: Life }): readonly Channel[]
}

export function createProviders(options: {
  history: History
  chance: Chance
  /** How often a provider misbehaves, from 0 to 1; asked at every call. */
  roughness: () => number
  /** What it may do then; null for anything. */
  manners: readonly Behaviour[] | null
  /** A repeat under the same key is taken for what it is. */
  folds: boolean
  /** Told when it takes a message: sooner or later it will say what became of it. */
  onTaken: (taken: Taken) => void
  /** Counts what providers and the app are given. */
  nextCall: () => number
}): Providers {
  const { history, chance, roughness, manners, folds, onTaken, nextCall } = options
  const calls = new Map<string, number>()
  const known = new Set<string>()

  /** The same for the same message given for the same time, whoever gives it. */
  const behaviourFor = (message: OutgoingMessage): Behaviour => {
    const { text } = textOf(message)
    const nth = (calls.get(text) ?? 0) + 1
    calls.set(text, nth)
    if (!chance.is(roughness(), 'provider', text, nth)) return 'accept'
    return chance.pick(manners ?? roughOnes, 'behaviour', text, nth)
  }

  const send = async (
    channel: ChannelName,
    message: OutgoingMessage,
    signal: AbortSignal,
    { gate, life }: { gate: Gate; life: Life },
  ): Promise<Outcome> => {
    if (signal.aborted) return { kind: 'deferred', reason: 'aborted' }
    const call = nextCall()
    const { text } = textOf(message)
    const key = `${channel} ${message.idempotencyKey}`
    const drawn = behaviourFor(message)
    // Who has it already says so.
    const behaviour = folds && known.has(key) ? 'accept' : drawn
    const { takes, answer } = behaviours[behaviour]
    const begunMs = gate.nowMs
    await gate.pass(life, `gives ${channel} ${text} (${behaviour})`, () => {
      history.add({
        kind: 'given',
        call,
        worker: `${life.slot} ${life.nth}`,
        intent: message.intentId,
        channel,
        to: message.to,
        text,
        marked: message.duplicate,
        key: message.idempotencyKey,
        begunMs,
        expiresAt: message.expiresAt,
        ...(folds && { folds }),
      })
      if (!takes || (folds && known.has(key))) return
      known.add(key)
      history.add({ kind: 'taken', call })
      onTaken({ call, channel, intent: message.intentId, text })
    })
    if (behaviour.endsWith('hang')) await aborted(signal)
    await gate.pass(life, `is told ${answer} of ${text}`, () => {
      // Who has given up meanwhile does not hear it.
      history.add({ kind: 'answered', call, answer: signal.aborted ? 'unknown' : answer })
    })
    if (answer === 'accepted') return { kind: answer, reference: `${channel}-${call}` }
    if (answer === 'deferred' && chance.is(0.5, 'retry after', call)) {
      return { kind: answer, reason: 'busy', retryAfterMs: 60_000 }
    }
    return { kind: answer, reason: behaviour.replaceAll(' ', '_') }
  }

  return {
    channels: (parts) =>
      (['email', 'sms'] as const).map((name) => ({
        name,
        provider: name === 'email' ? 'smtp' : 'sms',
        idempotent: folds,
        send: (message, signal) => send(name, message, signal, parts),
        isSandbox: async () => true,
        close: async () => undefined,
      })),
  }
}

export function textOf({ content }: OutgoingMessage): { text: string } {
  if (content.kind === 'email') return { text: content.subject }
  return { text: content.kind === 'sms' ? content.text : content.title }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
