import { makeEvents } from '../events.ts'
import {
  cpuOfRounds,
  cpuPerThousand,
  interleave,
  memoryOf,
  type Round,
  ratios,
  timeEach,
} from '../measure.ts'
import { plantBacklog, plantHistory } from '../plant.ts'
import type { Check, Curve, Measured } from '../result.ts'
import { type Row, withOpened } from '../row.ts'
import { median } from '../statistics.ts'
import { openWegwijs, type Wegwijs } from '../wegwijs.ts'
import type { World } from '../world.ts'
import { roundOfEvents } from './events.ts'
import { roundOfSends } from './sends.ts'

// What an event or a send costs while something else grows (P8). Every size is a world of its own,
// and the sizes are measured in turn.

const people = 20_000

export const campaigns: Row = {
  name: 'campaigns',
  title: 'Cost of an event, 10 to 10,000 live campaigns, one match each',
  measure: async (world) => {
    const sizes = world.quick ? [10, 100] : [10, 100, 1_000, 10_000]
    return withOpened(async (keep) => {
      const worlds: { size: number; wegwijs: Wegwijs }[] = []
      for (const size of sizes) {
        worlds.push({ size, wegwijs: keep(await openWegwijs(world, { campaigns: size, people })) })
      }
      for (const { wegwijs } of worlds) await wegwijs.start('journey')
      const all = await roundsOfEvents(world, worlds, (size) => size)
      return growthOf('live campaigns', 'event', all, { atMost: 1.3 }, [
        ...worlds.map(({ size, wegwijs }) => memoryOf(`${size} campaigns`, wegwijs.processes)),
      ])
    })
  },
}

export const backlog: Row = {
  name: 'backlog',
  title: 'Cost of an event and of a send, up to 1,000,000 messages planned weeks ahead',
  measure: async (world) => {
    const sizes = world.quick ? [0, 2_000] : [0, 100_000, 1_000_000]
    const count = world.quick ? 200 : 3_000
    return withOpened(async (keep) => {
      const worlds: { size: number; wegwijs: Wegwijs }[] = []
      for (const size of sizes) {
        const wegwijs = keep(await openWegwijs(world, { campaigns: 100, people }))
        await plantBacklog(wegwijs.store, size)
        worlds.push({ size, wegwijs })
      }
      await world.db.query('checkpoint')
      for (const { wegwijs } of worlds) await wegwijs.start('scheduler', 'delivery')
      const sends = await roundsOf(world, worlds, ({ wegwijs }) =>
        roundOfSends(world, wegwijs, { count, people }),
      )
      const redisMb = await redisMemoryMb(world)
      for (const { wegwijs } of worlds) await wegwijs.stop()
      for (const { wegwijs } of worlds) await wegwijs.start('journey')
      const events = await roundsOfEvents(world, worlds, () => 100)
      const target = { atMost: 1.2 }
      const ofEvents = growthOf('messages planned', 'event', events, target, [])
      const ofSends = growthOf('messages planned', 'send', sends, target, [])
      return {
        figures: [
          ...ofEvents.figures,
          ...ofSends.figures,
          { name: 'Redis holds', unit: 'MB', values: [redisMb] },
        ],
        checks: [
          ...ofEvents.checks,
          ...ofSends.checks,
          { name: 'Redis, MB', values: [redisMb], target: { atMost: 50 } },
        ],
        cpu: [...ofEvents.cpu, ...ofSends.cpu],
        memory: [],
        curve: joinCurves(ofEvents.curve, ofSends.curve),
        notes: ofEvents.notes,
      }
    })
  },
}

export const history: Row = {
  name: 'history',
  title: 'Cost of an event, up to 1,000,000 events of the past',
  measure: async (world) => {
    const sizes = world.quick ? [0, 2_000] : [0, 100_000, 1_000_000]
    return withOpened(async (keep) => {
      const worlds: { size: number; wegwijs: Wegwijs }[] = []
      for (const size of sizes) {
        const wegwijs = keep(await openWegwijs(world, { campaigns: 100, people }))
        await plantHistory(wegwijs.store, { count: size, people: 5 * people })
        worlds.push({ size, wegwijs })
      }
      await world.db.query('checkpoint')
      for (const { wegwijs } of worlds) await wegwijs.start('journey')
      const all = await roundsOfEvents(world, worlds, () => 100)
      return growthOf('events of the past', 'event', all, { atMost: 1.2 }, [])
    })
  },
}

type Sized = { size: number; wegwijs: Wegwijs }
type Growth = { size: number; rounds: Round[] }[]

function roundsOfEvents(
  world: World,
  worlds: readonly Sized[],
  campaignsOf: (size: number) => number,
): Promise<Growth> {
  const count = world.quick ? 200 : 3_000
  return roundsOf(world, worlds, ({ size, wegwijs }) =>
    roundOfEvents(
      world,
      wegwijs,
      makeEvents({ topic: wegwijs.topic, count, campaigns: campaignsOf(size), people }),
    ),
  )
}

async function roundsOf(
  world: World,
  worlds: readonly Sized[],
  round: (sized: Sized) => Promise<Round>,
): Promise<Growth> {
  const sides = worlds.map((sized) => [String(sized.size), () => round(sized)] as const)
  const all = await interleave(world.quick ? 1 : 3, Object.fromEntries(sides))
  return worlds.map(({ size }) => ({ size, rounds: all[String(size)] ?? [] }))
}

function growthOf(
  what: string,
  of: 'event' | 'send',
  growth: Growth,
  target: Check['target'],
  memory: Measured['memory'],
): Measured & { curve: Curve } {
  const [least, most] = [growth[0], growth.at(-1)]
  const [few, many] = [least?.rounds ?? [], most?.rounds ?? []]
  const span = `${most?.size.toLocaleString('en-GB')} / ${least?.size} ${what}`
  const a = of === 'event' ? 'an event' : 'a send'
  const name = (size: number) => `${of}, ${size.toLocaleString('en-GB')} ${what}`
  return {
    figures: growth.map(({ size, rounds }) => ({
      name: name(size),
      unit: 'ms',
      values: timeEach(rounds),
    })),
    checks: [
      { name: `CPU of ${a}, ${span}`, values: ratios(cpuOfRounds(many), cpuOfRounds(few)), target },
      { name: `time of ${a}, ${span}`, values: ratios(timeEach(many), timeEach(few)), target },
      // CPU is told by Linux alone.
    ].filter(({ values }) => values.every(Number.isFinite)),
    cpu: growth.map(({ size, rounds }) => cpuPerThousand(name(size), rounds)),
    memory,
    curve: {
      title: `Cost while the ${what} grow`,
      x: what,
      y: 'ms of CPU',
      series: [
        {
          name: a,
          points: growth.map(({ size, rounds }) => ({ x: size, y: median(cpuOfRounds(rounds)) })),
        },
      ],
    },
    notes: [
      'Cost is the CPU of all processes, servers included; the sizes are measured in turn, each in a namespace of its own.',
    ],
  }
}

function joinCurves(one: Curve, other: Curve): Curve {
  return { ...one, series: [...one.series, ...other.series] }
}

async function redisMemoryMb({ redis }: World): Promise<number> {
  const used = /^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]
  return Number(used) / 2 ** 20
}
