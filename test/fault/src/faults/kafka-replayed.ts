import type { BrokerRecord } from '@wegwijs/kafka/port'
import { topicsOf } from '@wegwijs/wire/topics'
import { addInFlight, type Fault, nothingInFlight } from '../fault.ts'
import type { World } from '../world.ts'

const RECORDS_AT_ONCE = 500
const DEADLINE_MS = 30_000

export const kafkaReplayed: Fault = {
  name: 'kafka-replayed',
  on: 'kafka',
  title: 'the whole topic published again, three times, while new events come',
  short: true,
  needs: [],
  async strike(world, { short, say }) {
    const { system } = world
    const { touchpoints } = topicsOf(system.namespace)
    let inFlight = nothingInFlight
    let again = 0
    for (let time = 1; time <= 3; time += 1) {
      await world.untilInFlight('messages are being sent', ({ sending }) => sending > 0)
      const records = await system.recordsOf(touchpoints)
      const first = short ? records.slice(0, 2_000) : records
      await republish(world, first)
      again += first.length
      const met = await world.inFlight()
      inFlight = addInFlight(inFlight, met)
      say(`published ${first.length} again with ${JSON.stringify(met)}`)
      await world.untilGoesOn()
    }
    return { kills: 3, inFlight, unknownAtMost: 0, figures: { 'events published again': again } }
  },
}

/** The same bytes under the same keys, in their order. */
export async function republish(world: World, records: readonly BrokerRecord[]): Promise<void> {
  const { publisher } = world.system.kafka
  for (let from = 0; from < records.length; from += RECORDS_AT_ONCE) {
    const outgoing = records.slice(from, from + RECORDS_AT_ONCE).map((record) => ({
      topic: record.topic,
      key: record.key?.toString('utf8') ?? '',
      value: record.value,
      headers: record.headers,
    }))
    await publisher.publish(outgoing, { deadlineMs: DEADLINE_MS })
  }
}
