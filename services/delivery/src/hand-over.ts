import type { AttemptOutcome } from '@wegwijs/campaign/delivery'
import type { Channel, Outcome, OutgoingMessage } from '@wegwijs/channels/port'
import type { Clock } from '@wegwijs/runtime/clock'
import type { Logger } from '@wegwijs/runtime/log'
import type { ClaimedMessage } from '@wegwijs/store/last-check'
import type { Renderer } from '@wegwijs/template/template'
import type { Claims } from './claims.ts'
import { type AnswerLinks, composeMessage } from './compose-message.ts'
import type { ProviderPace } from './provider-pace.ts'
import type { SendDeadlines } from './send-deadlines.ts'
import type { ShelvedText } from './template-shelf.ts'

export type HandOverDependencies = {
  clock: Clock
  log: Logger
  renderer: Renderer
  answerLinks: AnswerLinks
  deadlines: SendDeadlines
}

/** What is handed over: the message, its text (undefined: could not be had now) and its claim. */
export type HandOver = {
  claimed: ClaimedMessage
  template: ShelvedText | undefined
  claims: Claims
  /** Aborted when the workers go and wait no longer. */
  signal: AbortSignal
  isStopped: () => boolean
  pace: ProviderPace
}

/** Renders one claimed message and hands it to the channel. Never rejects: every end is an outcome. */
export async function handOver(
  channel: Channel,
  { claimed, template, claims, signal, isStopped, pace }: HandOver,
  deps: HandOverDependencies,
): Promise<AttemptOutcome> {
  if (template === undefined) return { kind: 'not_started', reason: 'templates_unavailable' }
  const composed = compose(channel, { claimed, template, claims }, deps)
  if ('fault' in composed) return { kind: 'unrenderable', reason: composed.fault }
  // P2, P3: the last thing before the first byte. Who was paused since the claim sends nothing, and
  // a send that begins must end while the lease still runs.
  if (isStopped()) return { kind: 'not_started', reason: 'shutting_down' }
  if (claims.lease.leftMs() < deps.deadlines.longestMs) {
    return { kind: 'not_started', reason: 'lease_passed' }
  }
  const pauseMs = pace.pauseMs()
  if (pauseMs > 0) return pausedOutcome(pace.putsOff(), pauseMs)
  const outcome = await sendInTime(channel, composed.message, signal, deps)
  // P5: a rehearsal comes to the same end every time, so what waits in it waits in business time.
  if (!claims.rehearsal) pace.hear(outcome)
  return outcome
}

/** Nothing was called: put off like one that the provider turned away, or back into the line. */
function pausedOutcome(putOff: boolean, pauseMs: number): AttemptOutcome {
  const reason = 'provider_paused'
  if (putOff) return { kind: 'deferred', reason, retryAfterMs: pauseMs }
  return { kind: 'not_started', reason }
}

function compose(
  channel: Channel,
  { claimed, template, claims }: { claimed: ClaimedMessage; template: ShelvedText; claims: Claims },
  { renderer, answerLinks, log }: HandOverDependencies,
): ReturnType<typeof composeMessage> {
  try {
    return composeMessage(claimed, channel.name, claims.rules, {
      template,
      renderer,
      answerLinks,
    })
  } catch (error) {
    log.error('a message could not be composed', { intentId: claimed.intentId, error })
    return { fault: 'compose_failed' }
  }
}

async function sendInTime(
  channel: Channel,
  message: OutgoingMessage,
  signal: AbortSignal,
  { deadlines, log }: HandOverDependencies,
): Promise<Outcome> {
  try {
    return await deadlines.run<Outcome>((bounded) => channel.send(message, bounded), {
      signal,
      otherwise: { kind: 'unknown', reason: 'no_end' },
    })
  } catch (error) {
    // A channel never rejects; one that does may have sent all the same.
    log.error('a channel failed', { channel: channel.name, error })
    return { kind: 'unknown', reason: 'channel_failed' }
  }
}
