import { type Bare, openBare } from '../bare/open-bare.ts'
import { makeEvents } from '../events.ts'
import { cpuPerThousand, interleave, measureRound, type Round, rateOf, ratios } from '../measure.ts'
import type { Measured } from '../result.ts'
import { type Row, withOpened } from '../row.ts'
import { openWegwijs } from '../wegwijs.ts'
import type { World } from '../world.ts'

const campaigns = 10
const people = 20_000

/** What the rows `events`, `few` and `sends` could reach at best, on these tables, by these libraries. */
export const writes: Row = {
  name: 'writes',
  title:
    'The bare pipeline that writes the rows of the promises and does nothing else, beside itself',
  measure: async (world) => {
    const count = world.quick ? 500 : 10_000
    const rounds = world.quick ? 1 : 4
    const events = await measureIntake(world, { count, rounds, everyMatch: 1 })
    const few = await measureIntake(world, { count, rounds, everyMatch: 10 })
    const sends = await measureDelivery(world, { count, rounds })
    return {
      figures: [
        ...figuresOf('events, one message each', events),
        ...figuresOf('events, a message for one in ten', few),
        ...figuresOf('messages', sends),
      ],
      checks: [],
      cpu: [
        cpuPerThousand('events, bare', events.bare),
        cpuPerThousand('events, with the rows', events.promised),
        cpuPerThousand('few, bare', few.bare),
        cpuPerThousand('few, with the rows', few.promised),
        cpuPerThousand('messages, bare', sends.bare),
        cpuPerThousand('messages, with the rows', sends.promised),
      ],
      memory: [],
      notes: [
        `${count} a round, ${rounds} rounds of each in turn.`,
        'Nothing is decided, checked, looked up or rendered for somebody, and nothing recovers; the rows go into the tables of Wegwijs, 1,000 events and 50 messages at a time. The rows events, few and sends have this as their bound.',
      ],
    }
  },
}

type Sides = Record<'bare' | 'promised', Round[]>

function figuresOf(name: string, { bare, promised }: Sides): Measured['figures'] {
  const alone = rateOf(`${name}: bare`, 'per second', bare)
  const withRows = rateOf(`${name}: with the rows`, 'per second', promised)
  const share = ratios(withRows.values, alone.values)
  return [alone, withRows, { name: `${name}: with the rows / bare`, unit: '', values: share }]
}

async function measureIntake(
  world: World,
  { count, rounds, everyMatch }: { count: number; rounds: number; everyMatch: number },
): Promise<Sides> {
  return inTurn(world, rounds, {
    part: 'intake',
    round: async (bare) => {
      const { topic } = bare
      const records = makeEvents({ topic, count, campaigns, people, everyMatch })
      const goal = bare.done('intake') + count
      const round = await measureRound(world, {
        count,
        workers: bare.processes,
        prepare: () => bare.publish(records),
        untilDone: () => bare.untilDone('intake', goal),
      })
      await bare.forgetJobs()
      return round
    },
  })
}

async function measureDelivery(
  world: World,
  { count, rounds }: { count: number; rounds: number },
): Promise<Sides> {
  return inTurn(world, rounds, {
    part: 'delivery',
    round: (bare) => {
      const goal = bare.done('delivery') + count
      return measureRound(world, {
        count,
        workers: bare.processes,
        prepare: () => bare.plantMessages(count),
        untilDone: () => bare.untilDone('delivery', goal),
      })
    },
  })
}

async function inTurn(
  world: World,
  rounds: number,
  { part, round }: { part: 'intake' | 'delivery'; round: (bare: Bare) => Promise<Round> },
): Promise<Sides> {
  return withOpened(async (keep) => {
    const wegwijs = keep(await openWegwijs(world, { campaigns, people }))
    const bare = keep(await openBare(world))
    const promised = keep(await openBare(world, { promised: { wegwijs, people } }))
    await bare.start(part)
    await promised.start(part)
    return interleave(rounds, { bare: () => round(bare), promised: () => round(promised) })
  })
}
