import { topicsOf } from '@wegwijs/wire/topics'
import { sql } from 'kysely'
import type { Fault } from '../fault.ts'
import { notAccepted, notStoppedLoudly } from './stopped-loudly.ts'

const CODE = 'WEGWIJS_POSITION_LOST'

export const kafkaOutOfRange: Fault = {
  name: 'kafka-out-of-range',
  on: 'kafka',
  title: 'a position above and below what the topic holds: the journey service stops loudly',
  needs: [],
  async strike(world, { say }) {
    const { system, load } = world
    const { touchpoints } = topicsOf(system.namespace)
    await world.slowProviders(3_000)
    await world.untilInFlight('messages are being sent', ({ sending }) => sending > 0)
    await load.stop()
    const inFlight = await world.untilInFlight(
      'everything is read and messages are under way',
      ({ undecided, sending }) => undecided === 0 && sending > 0,
    )
    const journey = system.process('journey')
    journey.signal('SIGTERM')
    await journey.ended

    // Above: a cluster that was brought back without its last records.
    const forget = sql`last_offset = null, last_timestamp_ms = null, last_hash = null`
    const move = (by: number) =>
      sql`update consumer_position set next_offset = next_offset + ${by}, ${forget}
        where topic = ${touchpoints}`.execute(system.store.db)
    await move(1_000)
    const violations = await notStoppedLoudly(world, CODE)
    await move(-1_000)

    // Below: retention has overtaken us. What it removes here had been read; receipts go on coming.
    const { positions } = await system.status()
    const read = positions.filter(({ topic }) => topic === touchpoints)
    await system.control.removeRecords(
      touchpoints,
      read.map(({ partition, nextOffset }) => ({ partition, offset: nextOffset })),
    )
    say(`removed what was read with ${JSON.stringify(inFlight)}`)
    await load.wave('out-of-range', 10)
    await move(-1)
    violations.push(...(await notStoppedLoudly(world, CODE)))
    violations.push(...(await notAccepted(world, 'touchpoints')))
    await world.slowProviders(0)
    load.start(4)
    const recoveryMs = await world.untilGoesOn()
    return { kills: 2, inFlight, unknownAtMost: 0, recoveryMs, violations }
  },
}
