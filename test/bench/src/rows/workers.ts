import { cpuPerThousand, interleave, rateOf, ratios } from '../measure.ts'
import { type Row, withOpened } from '../row.ts'
import { openWegwijs, type Wegwijs } from '../wegwijs.ts'
import { roundOfSends } from './sends.ts'

const people = 10_000
const latencyMs = 50
const inFlight = 20
const sizes = [1, 2, 4] as const

export const workers: Row = {
  name: 'workers',
  title: 'One, two and four delivery workers, a provider of 50 ms, 20 in flight each',
  measure: async (world) => {
    const each = world.quick ? 100 : 1_600
    const rounds = world.quick ? 1 : 3
    return withOpened(async (keep) => {
      world.provider.tell({ latencyMs })
      keep({ close: async () => world.provider.tell({ latencyMs: 0 }) })
      const fleets = new Map<number, Wegwijs>()
      for (const size of sizes) {
        const wegwijs = keep(
          await openWegwijs(world, {
            campaigns: 10,
            people,
            environment: { WEGWIJS_SMS_CONCURRENCY: String(inFlight) },
          }),
        )
        await wegwijs.start('scheduler')
        for (let number = 1; number <= size; number += 1) await wegwijs.start('delivery')
        fleets.set(size, wegwijs)
      }
      const round = (size: number) => async () => {
        const wegwijs = fleets.get(size)
        if (wegwijs === undefined) throw new RangeError(`no fleet of ${size}`)
        return roundOfSends(world, wegwijs, { count: each * size, people })
      }
      const all = await interleave(rounds, { one: round(1), two: round(2), four: round(4) })
      const [one, two, four] = [
        rateOf('one worker', 'messages/s', all.one),
        rateOf('two workers', 'messages/s', all.two),
        rateOf('four workers', 'messages/s', all.four),
      ]
      return {
        figures: [one, two, four],
        checks: [
          { name: 'two / one', values: ratios(two.values, one.values), target: { atLeast: 1.9 } },
          { name: 'four / one', values: ratios(four.values, one.values), target: { atLeast: 3.5 } },
        ],
        cpu: [cpuPerThousand('one worker', all.one), cpuPerThousand('four workers', all.four)],
        memory: [],
        notes: [`The provider alone allows ${(inFlight * 1000) / latencyMs} messages/s a worker.`],
      }
    })
  },
}
