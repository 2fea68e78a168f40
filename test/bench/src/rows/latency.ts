import { openBare } from '../bare/open-bare.ts'
import { startTimedProvider, timeEvents } from '../latency.ts'
import { memoryOf, ratios } from '../measure.ts'
import type { Figure } from '../result.ts'
import { type Row, withOpened } from '../row.ts'
import { quantile } from '../statistics.ts'
import { openWegwijs } from '../wegwijs.ts'

const campaigns = 100
const people = 2_000

export const latency: Row = {
  name: 'latency',
  title: 'Event published until provider accepted, idle',
  measure: async (world) => {
    const count = world.quick ? 5 : 150
    const rounds = world.quick ? 1 : 3
    return withOpened(async (keep) => {
      const provider = keep(await startTimedProvider())
      const wegwijs = keep(
        await openWegwijs(world, {
          campaigns,
          people,
          environment: { WEGWIJS_SMS_URL: `${provider.url}/wegwijs` },
        }),
      )
      const bare = keep(await openBare(world, { providerUrl: provider.url }))
      await wegwijs.start('journey', 'scheduler', 'delivery')
      await bare.start('intake', 'delivery')
      const ours: number[][] = []
      const theirs: number[][] = []
      for (let round = 0; round <= rounds; round += 1) {
        const options = { count: round === 0 ? 20 : count, campaigns, people }
        world.signal.throwIfAborted()
        const ourWays = await timeEvents(wegwijs, provider, { ...options, round: `w${round}` })
        const theirWays = await timeEvents(bare, provider, { ...options, round: `b${round}` })
        // The first round only warms up.
        if (round === 0) continue
        ours.push(ourWays)
        theirs.push(theirWays)
      }
      const at = (name: string, ways: readonly number[][], share: number): Figure => ({
        name,
        unit: 'ms',
        values: ways.map((each) => quantile(each, share)),
      })
      const [ours99, theirs99] = [at('Wegwijs p99', ours, 0.99), at('bare p99', theirs, 0.99)]
      return {
        figures: [at('Wegwijs p50', ours, 0.5), at('bare p50', theirs, 0.5), ours99, theirs99],
        checks: [
          {
            name: 'p99, Wegwijs / bare',
            values: ratios(ours99.values, theirs99.values),
            target: { atMost: 3 },
          },
        ],
        cpu: [],
        memory: [memoryOf('peak', [...wegwijs.processes, ...bare.processes])],
        notes: [
          `${count} events a round, one at a time, ${rounds} rounds of each in turn; published to Kafka with acks=all.`,
        ],
      }
    })
  },
}
