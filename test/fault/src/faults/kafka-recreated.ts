import { until } from '@wegwijs/system-tests/until'
import { topicConfigs, topicsOf } from '@wegwijs/wire/topics'
import type { Fault } from '../fault.ts'
import type { World } from '../world.ts'
import { republish } from './kafka-replayed.ts'
import { notAccepted, notEndedLoudly, notStoppedLoudly } from './stopped-loudly.ts'

const TOPIC_REPLACED = 'WEGWIJS_TOPIC_REPLACED'

/**
 * What the old topic held and nobody had read is gone with it, which is why nothing is unread here:
 * only messages are under way. What is published to the new one must not be skipped, neither by the
 * service that has read the old one and still runs, nor by one that is started later.
 */
export const kafkaRecreated: Fault = {
  name: 'kafka-recreated',
  on: 'kafka',
  title: 'the topic made anew and grown past the position: the journey service stops loudly',
  needs: [],
  async strike(world, { say }) {
    const { system } = world
    const { touchpoints } = topicsOf(system.namespace)
    await world.slowProviders(3_000)
    await world.untilInFlight('messages are being sent', ({ sending }) => sending > 0)
    await world.load.stop()
    const inFlight = await world.untilInFlight(
      'everything is read and messages are under way',
      ({ undecided, sending }) => undecided === 0 && sending > 0,
    )
    const records = await system.recordsOf(touchpoints)
    const { admin } = system.kafka
    await admin.removeTopics([touchpoints])
    await admin.ensureTopics(topicConfigs(system.namespace))
    say(`made anew with ${JSON.stringify(inFlight)}`)
    await world.load.wave('anew', 20)
    await republish(world, records)
    await until('the new topic has grown past the old positions', () => isGrown(world, touchpoints))
    // Whoever looks before it has grown finds that it does not have the position.
    const journey = system.process('journey')
    await until('the running journey service has ended', () => !journey.isRunning())
    const violations = await notEndedLoudly(journey, [TOPIC_REPLACED, 'WEGWIJS_POSITION_LOST'])
    violations.push(...(await notStoppedLoudly(world, TOPIC_REPLACED)))
    violations.push(...(await notAccepted(world, 'touchpoints')))
    await world.slowProviders(0)
    world.load.start(4)
    const recoveryMs = await world.untilGoesOn()
    return { kills: 2, inFlight, unknownAtMost: 0, recoveryMs, violations }
  },
}

async function isGrown(world: World, topic: string): Promise<boolean> {
  const { positions } = await world.system.status()
  const ranges = await world.system.kafka.admin.endOffsets(topic)
  return ranges.some(({ partition, high }) => {
    const known = positions.find((each) => each.topic === topic && each.partition === partition)
    return known !== undefined && high > BigInt(known.nextOffset)
  })
}
