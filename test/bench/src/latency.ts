import { systemClock } from '@wegwijs/runtime/clock'
import { makeEvents } from './events.ts'
import { until } from './processes.ts'
import { type Provider, startProvider } from './provider.ts'

/** A provider in this process, so that both ends of a message's way are told by one clock. */
export type TimedProvider = Provider & {
  /** When the message of this reference was accepted, on the monotonic clock. */
  acceptedAtMs(reference: string): number | undefined
}

const referenceInText = /\/na\/([\w-]+)/

export async function startTimedProvider(latencyMs = 0): Promise<TimedProvider> {
  const times = new Map<string, number>()
  const provider = await startProvider({
    latencyMs,
    onAccepted: (_path, body) => {
      const reference = referenceInText.exec(body)?.[1]
      if (reference !== undefined) times.set(reference, systemClock.monotonicMs())
    },
  })
  return { ...provider, acceptedAtMs: (reference) => times.get(reference) }
}

type Side = {
  topic: string
  publish(records: ReturnType<typeof makeEvents>): Promise<void>
}

/**
 * Publishes events one after the other, each when the last one's message has been accepted and a
 * little later, and gives how long each was on its way: from before it is published to when the
 * provider has it, in milliseconds.
 */
export async function timeEvents(
  side: Side,
  provider: TimedProvider,
  options: { count: number; campaigns: number; people: number; round: string },
): Promise<number[]> {
  const { count, campaigns, people, round } = options
  const waysMs: number[] = []
  for (let index = 0; index < count; index += 1) {
    const reference = `${round}-${index}`
    const from = (index * 7) % people
    const [record] = makeEvents({ topic: side.topic, count: 1, campaigns, people, from, reference })
    // Not in step with anything that looks every so often.
    await systemClock.sleep(5 + ((index * 13) % 40))
    const beganMs = systemClock.monotonicMs()
    await side.publish(record === undefined ? [] : [record])
    await until(`the message of ${reference} is accepted`, () => {
      return provider.acceptedAtMs(reference) !== undefined
    })
    waysMs.push((provider.acceptedAtMs(reference) ?? Number.NaN) - beganMs)
  }
  return waysMs
}
