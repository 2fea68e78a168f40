import type { FaultChannel } from './faults.ts'

/** One message that is read; both may be told again, the first time counts. */
export type Call = {
  /** Told before the answer leaves: whoever reads it may call again at once. */
  answered(): void
  /** Nobody waits for an answer any more. */
  over(): void
}

/** How the calls to the providers follow each other. */
export type Calls = {
  begin(channel: FaultChannel): Call
  /** Messages that are read and not yet answered. */
  underWay(): number
  /** The most at once since the start. */
  mostUnderWay(): number
  /**
   * The most that were under way beyond what had been answered since the start, of each channel. Who is
   * careful with a provider that comes back has one call under way, and one more for each answer: 1.
   */
  mostAhead(): Readonly<Record<FaultChannel, number>>
}

export function countCalls(): Calls {
  const underWay = { email: 0, sms: 0 }
  const answered = { email: 0, sms: 0 }
  const ahead = { email: 0, sms: 0 }
  const sum = () => underWay.email + underWay.sms
  let most = 0
  return {
    begin(channel) {
      underWay[channel] += 1
      most = Math.max(most, sum())
      ahead[channel] = Math.max(ahead[channel], underWay[channel] - answered[channel])
      let isOver = false
      const end = (answers: number) => {
        if (isOver) return
        isOver = true
        underWay[channel] -= 1
        answered[channel] += answers
      }
      return { answered: () => end(1), over: () => end(0) }
    },
    underWay: sum,
    mostUnderWay: () => most,
    mostAhead: () => ({ ...ahead }),
  }
}
