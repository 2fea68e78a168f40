import { wake } from '@wegwijs/store/wake'
import { openBare } from '../bare/open-bare.ts'
import { cpuPerThousand, interleave, measureRound, memoryOf, rateOf, ratios } from '../measure.ts'
import { type PlantedMessages, plantMessages } from '../plant.ts'
import { until } from '../processes.ts'
import { type Row, withOpened } from '../row.ts'
import { openWegwijs, type Wegwijs } from '../wegwijs.ts'
import type { World } from '../world.ts'

const campaigns = 100
const people = 20_000

export const sends: Row = {
  name: 'sends',
  title: 'Messages out over an HTTP provider',
  measure: async (world) => {
    const count = world.quick ? 500 : 10_000
    const rounds = world.quick ? 1 : 4
    return withOpened(async (keep) => {
      const wegwijs = keep(await openWegwijs(world, { campaigns, people }))
      const bare = keep(await openBare(world))
      await wegwijs.start('scheduler', 'delivery')
      await bare.start('delivery')
      const all = await interleave(rounds, {
        wegwijs: () => roundOfSends(world, wegwijs, { count, people }),
        bare: () => {
          const goal = bare.done('delivery') + count
          return measureRound(world, {
            count,
            workers: bare.processes,
            prepare: () => bare.plantMessages(count),
            untilDone: () => bare.untilDone('delivery', goal),
          })
        },
      })
      const ours = rateOf('Wegwijs', 'messages/s', all.wegwijs)
      const theirs = rateOf('bare', 'messages/s', all.bare)
      return {
        figures: [ours, theirs],
        checks: [
          {
            name: 'Wegwijs / bare',
            values: ratios(ours.values, theirs.values),
            target: { atLeast: 0.6 },
          },
        ],
        cpu: [cpuPerThousand('Wegwijs', all.wegwijs), cpuPerThousand('bare', all.bare)],
        memory: [memoryOf('peak', [...wegwijs.processes, ...bare.processes, ...world.servers])],
        notes: [
          `${count} messages a round, ${rounds} rounds of each in turn.`,
          'Wegwijs: messages that fall due, until they are released, checked, rendered, sent, settled and told to Kafka (scheduler and delivery). Bare: jobs that wait in Redis, until they are sent and their status is written.',
        ],
      }
    })
  },
}

/** Messages that fall due at once, until every one has come to its end and is told. */
export async function roundOfSends(
  world: World,
  wegwijs: Wegwijs,
  { count, people: among, channel = 'sms' }: Pick<PlantedMessages, 'count' | 'people' | 'channel'>,
) {
  const sentBefore = await wegwijs.count('sent')
  const round = await measureRound(world, {
    count,
    workers: wegwijs.processes,
    prepare: () => plantMessages(wegwijs.store, { count, people: among, channel }),
    begin: () => wake(wegwijs.store.db, wegwijs.namespace, ['intents']),
    untilDone: () => until('messages are sent', () => wegwijs.isIdle()),
  })
  const sent = (await wegwijs.count('sent')) - sentBefore
  if (sent !== count) throw new Error(`${sent} of ${count} messages were sent`)
  return round
}
