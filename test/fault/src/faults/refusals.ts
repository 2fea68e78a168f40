import { arrival, event } from '@wegwijs/system-tests/events'
import { sql } from 'kysely'
import type { World } from '../world.ts'

const REQUEST_MS = 20_000

/**
 * Asks the gateway several times while it cannot keep what it is told: an event without Kafka, a stop
 * without PostgreSQL. Each must be refused with a 503 that says when to come back; a 202 would be false.
 */
export async function falseAnswers(world: World, what: 'event' | 'stop'): Promise<string[]> {
  const answers = await told(world, what, TIMES)
  return answers.filter(({ isRefusal }) => !isRefusal).map(({ told }) => told)
}

/**
 * Asks the gateway while it can hardly keep a stop, until it has refused some with a 503 that says
 * when to come back. What it took all the same it must have kept: `missing` tells, once PostgreSQL can
 * be asked again, what of that is not there.
 */
export async function hardlyKept(world: World) {
  const answers: Answer[] = []
  const refused = () => answers.filter(({ isRefusal }) => isRefusal).length
  for (let turn = 0; turn < MOST_TURNS && refused() < TIMES; turn += 1) {
    answers.push(...(await told(world, 'stop', 1, `-${turn}`)))
  }
  const wrong = answers.filter(({ status, isRefusal }) => !isRefusal && status !== 202)
  return {
    violations: [
      ...wrong.map(({ told }) => told),
      ...(refused() > 0 ? [] : ['no stop was refused: the gateway could keep them all']),
    ],
    async missing(): Promise<string[]> {
      const taken = answers.filter(({ status }) => status === 202).map(({ subject }) => subject)
      const { rows } = await sql<{ subject: string }>`
        select subject from unnest(${taken}::text[]) as taken (subject)
        where not exists (select from person_stop join person_identity using (person_id)
          where external_id = taken.subject)`.execute(world.system.store.db)
      return rows.map(({ subject }) => `the stop of ${subject} was answered 202 and is not there`)
    },
  }
}

type Answer = { subject: string; status: number; isRefusal: boolean; told: string }

async function told(
  { system }: World,
  what: 'event' | 'stop',
  times: number,
  turn = '',
): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let time = 1; time <= times; time += 1) {
    const subject = `refused-${what}${turn}-${time}`
    const asked =
      what === 'event'
        ? arrival(subject)
        : event(subject, 'consent.withdrawn.v1', { purpose: 'all' })
    const { body, contentType } = system.encode([asked])
    const answer = await fetch(`${system.gatewayUrl}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${system.key}`, 'content-type': contentType },
      body: new Uint8Array(Buffer.from(body)),
      signal: AbortSignal.timeout(REQUEST_MS),
    })
    await answer.arrayBuffer()
    const { status, headers } = answer
    const isRefusal = status === 503 && headers.get('retry-after') !== null
    const words = `the gateway answered ${status} to a ${what} that it cannot keep`
    answers.push({ subject, status, isRefusal, told: words })
  }
  return answers
}

const TIMES = 3
const MOST_TURNS = 40
