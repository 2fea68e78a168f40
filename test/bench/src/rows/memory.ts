import { makeEvents } from '../events.ts'
import { measureRound, memoryOf, rateOf } from '../measure.ts'
import { until } from '../processes.ts'
import { type Row, withOpened } from '../row.ts'
import { openWegwijs } from '../wegwijs.ts'

const campaigns = 1_000
const people = 20_000

export const memory: Row = {
  name: 'memory',
  title: 'Memory of each service, events in and messages out at once',
  measure: async (world) => {
    const count = world.quick ? 500 : 20_000
    return withOpened(async (keep) => {
      const wegwijs = keep(await openWegwijs(world, { campaigns, people }))
      await wegwijs.start('gateway', 'journey', 'scheduler', 'delivery')
      const atRest = memoryOf('at rest', [...wegwijs.processes, ...world.servers])
      const round = await measureRound(world, {
        count,
        workers: wegwijs.processes,
        prepare: () =>
          wegwijs.publish(makeEvents({ topic: wegwijs.topic, count, campaigns, people })),
        untilDone: () =>
          until(
            'every event is decided and its message sent',
            async () => (await wegwijs.decided()) >= count && (await wegwijs.isIdle()),
            120_000,
          ),
      })
      const sent = await wegwijs.count('sent')
      if (sent !== count) throw new Error(`${sent} of ${count} messages were sent`)
      return {
        figures: [rateOf('events in and messages out', 'per second', [round])],
        checks: [],
        cpu: [],
        memory: [atRest, memoryOf('peak', [...wegwijs.processes, ...world.servers])],
        notes: [
          `${count} events, each of which leads to a message; the most that each process has held.`,
        ],
      }
    })
  },
}
