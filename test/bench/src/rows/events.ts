import { openBare } from '../bare/open-bare.ts'
import { makeEvents } from '../events.ts'
import { cpuPerThousand, interleave, measureRound, memoryOf, rateOf, ratios } from '../measure.ts'
import { until } from '../processes.ts'
import type { Measured } from '../result.ts'
import { type Row, withOpened } from '../row.ts'
import { openWegwijs, type Wegwijs } from '../wegwijs.ts'
import type { World } from '../world.ts'

export const events: Row = {
  name: 'events',
  title: 'Touchpoint events decided, 1,000 live campaigns, one message each',
  measure: (world) => measureEvents(world, { everyMatch: 1, atLeast: 0.6 }),
}

export const few: Row = {
  name: 'few',
  title: 'Touchpoint events decided, 1,000 live campaigns, a message for one in ten',
  measure: (world) => measureEvents(world, { everyMatch: 10, atLeast: 0.5 }),
}

const campaigns = 1_000
const people = 20_000

async function measureEvents(
  world: World,
  { everyMatch, atLeast }: { everyMatch: number; atLeast: number },
): Promise<Measured> {
  const count = world.quick ? 500 : 10_000
  const rounds = world.quick ? 1 : 5
  return withOpened(async (keep) => {
    const wegwijs = keep(await openWegwijs(world, { campaigns, people }))
    const bare = keep(await openBare(world))
    await wegwijs.start('journey')
    await bare.start('intake')
    const eventsFor = (topic: string) => makeEvents({ topic, count, campaigns, people, everyMatch })
    const all = await interleave(rounds, {
      wegwijs: () => roundOfEvents(world, wegwijs, eventsFor(wegwijs.topic)),
      bare: async () => {
        const goal = bare.done('intake') + count
        const round = await measureRound(world, {
          count,
          workers: bare.processes,
          prepare: () => bare.publish(eventsFor(bare.topic)),
          untilDone: () => bare.untilDone('intake', goal),
        })
        await bare.forgetJobs()
        return round
      },
    })
    const asked = ((rounds + 1) * count) / everyMatch
    checkPlanned('Wegwijs', await wegwijs.count('planned'), asked)
    checkPlanned('bare', await bare.count('planned'), asked)
    const ours = rateOf('Wegwijs', 'events/s', all.wegwijs)
    const theirs = rateOf('bare', 'events/s', all.bare)
    return {
      figures: [ours, theirs],
      checks: [
        { name: 'Wegwijs / bare', values: ratios(ours.values, theirs.values), target: { atLeast } },
      ],
      cpu: [cpuPerThousand('Wegwijs', all.wegwijs), cpuPerThousand('bare', all.bare)],
      memory: [memoryOf('peak', [...wegwijs.processes, ...bare.processes, ...world.servers])],
      notes: [
        `${count} events a round, ${rounds} rounds of each in turn, ${people} people.`,
        'Wegwijs: services/journey until what it decided is committed. Bare: until event and intent are committed and the job is on its way to Redis.',
      ],
    }
  })
}

/** A side that is quick because it leaves something out measures nothing. */
function checkPlanned(side: string, planned: number, asked: number): void {
  if (planned !== asked) throw new Error(`${side} planned ${planned} of ${asked} messages`)
}

/** Events that wait in Kafka, until all of them are decided. */
export async function roundOfEvents(
  world: World,
  wegwijs: Wegwijs,
  records: ReturnType<typeof makeEvents>,
) {
  const goal = (await wegwijs.decided()) + records.length
  return measureRound(world, {
    count: records.length,
    workers: wegwijs.processes,
    prepare: () => wegwijs.publish(records),
    untilDone: () => until('events are decided', async () => (await wegwijs.decided()) >= goal),
  })
}
