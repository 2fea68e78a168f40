import { inspect } from 'node:util'
import { systemClock } from '@wegwijs/runtime/clock'

const POLL_MS = 100
/** Far more than any state takes: it ends what never comes, and measures nothing. */
const USUAL_DEADLINE_MS = 150_000

/**
 * Asks again and again until `isThere` says yes to the answer, and returns that answer. An ask that
 * fails counts as no: what is asked may be starting.
 *
 * @throws Error with `what` and the last answer, when the deadline has passed
 */
export async function until<Answer>(
  what: string,
  ask: () => Answer | Promise<Answer>,
  isThere: (answer: Answer) => boolean = Boolean,
  deadlineMs = USUAL_DEADLINE_MS,
): Promise<Answer> {
  const endMs = systemClock.monotonicMs() + deadlineMs
  for (;;) {
    const last = await attempt(ask)
    if ('answer' in last && isThere(last.answer)) return last.answer
    if (systemClock.monotonicMs() > endMs) {
      const shown = inspect('answer' in last ? last.answer : last.error, { depth: 4 })
      throw new Error(`not within ${deadlineMs / 1_000} s: ${what}; the last answer was ${shown}`)
    }
    await systemClock.sleep(POLL_MS)
  }
}

async function attempt<Answer>(
  ask: () => Answer | Promise<Answer>,
): Promise<{ answer: Answer } | { error: unknown }> {
  try {
    return { answer: await ask() }
  } catch (error) {
    return { error }
  }
}
