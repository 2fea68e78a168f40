import { arrival, event } from '@wegwijs/system-tests/events'
import type { World } from '../world.ts'

const REQUEST_MS = 20_000

/**
 * Asks the gateway several times while it cannot keep what it is told: an event without Kafka, a stop
 * without PostgreSQL. Each must be refused with a 503 that says when to come back; a 202 would be false.
 */
export async function falseAnswers(world: World, what: 'event' | 'stop'): Promise<string[]> {
  const { system } = world
  const violations: string[] = []
  for (let time = 1; time <= TIMES; time += 1) {
    const subject = `refused-${what}-${time}`
    const told =
      what === 'event'
        ? arrival(subject)
        : event(subject, 'consent.withdrawn.v1', { purpose: 'all' })
    const { body, contentType } = system.encode([told])
    const answer = await fetch(`${system.gatewayUrl}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${system.key}`, 'content-type': contentType },
      body: new Uint8Array(Buffer.from(body)),
      signal: AbortSignal.timeout(REQUEST_MS),
    })
    await answer.arrayBuffer()
    if (answer.status !== 503 || answer.headers.get('retry-after') === null) {
      violations.push(`the gateway answered ${answer.status} to a ${what} that it cannot keep`)
    }
  }
  return violations
}

const TIMES = 3
