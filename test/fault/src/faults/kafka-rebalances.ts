import { until } from '@wegwijs/system-tests/until'
import { addInFlight, type Fault, nothingInFlight } from '../fault.ts'

export const kafkaRebalances: Fault = {
  name: 'kafka-rebalances',
  on: 'kafka',
  title: 'a second journey process in and out, in order and by kill -9',
  needs: [],
  async strike(world, { chance, short, say }) {
    const { system } = world
    let inFlight = nothingInFlight
    let kills = 0
    for (let time = 1; time <= (short ? 2 : 6); time += 1) {
      const second = await system.launch('journey', `journey-in-and-out-${time}`)
      await until('a second member has joined', async () => {
        if (!second.isRunning()) throw new Error('it has ended')
        return (await second.readiness())?.ready === true
      })
      // Both have partitions now, and hold them while the group changes again.
      const met = await world.untilInFlight(
        'events are undecided',
        ({ undecided }) => undecided > 0,
      )
      inFlight = addInFlight(inFlight, met)
      const inOrder = chance() < 0.5
      say(`out ${inOrder ? 'in order' : 'by kill -9'} with ${JSON.stringify(met)}`)
      second.signal(inOrder ? 'SIGTERM' : 'SIGKILL')
      await second.ended
      kills += 1
    }
    const recoveryMs = await world.untilGoesOn()
    return { kills, inFlight, unknownAtMost: 0, recoveryMs }
  },
}
