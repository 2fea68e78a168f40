import { groupsOf } from '@wegwijs/wire/topics'
import { addInFlight, type Fault, nothingInFlight } from '../fault.ts'

export const kafkaOffsetsDeleted: Fault = {
  name: 'kafka-offsets-deleted',
  on: 'kafka',
  title: 'what Kafka remembers of the positions is deleted, with events unread',
  needs: [],
  async strike(world, { short, say }) {
    const { system } = world
    let inFlight = nothingInFlight
    let recoveryMs = 0
    const times = short ? 1 : 2
    for (let time = 1; time <= times; time += 1) {
      const journey = system.process('journey')
      journey.signal('SIGTERM')
      await journey.ended
      await system.control.forgetGroups(Object.values(groupsOf(system.namespace)))
      const met = await world.untilInFlight('events wait', ({ undecided }) => undecided >= 20)
      inFlight = addInFlight(inFlight, met)
      say(`forgotten with ${JSON.stringify(met)}`)
      await world.restart()
      recoveryMs = Math.max(recoveryMs, await world.untilGoesOn())
    }
    return { kills: times, inFlight, unknownAtMost: 0, recoveryMs }
  },
}
