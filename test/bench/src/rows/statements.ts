import { makeEvents } from '../events.ts'
import type { Check, Figure } from '../result.ts'
import { type Row, withOpened } from '../row.ts'
import { openWegwijs, type Wegwijs } from '../wegwijs.ts'
import type { World } from '../world.ts'
import { roundOfEvents } from './events.ts'
import { roundOfSends } from './sends.ts'

const campaigns = 100
const people = 20_000

export const statements: Row = {
  name: 'statements',
  title: 'SQL statements and Redis commands for each event and message',
  measure: async (world) => {
    const sizes = world.quick ? [100, 200] : [2_000, 8_000]
    return withOpened(async (keep) => {
      const wegwijs = keep(await openWegwijs(world, { campaigns, people }))
      const ofSends = await countEach(world, sizes, {
        wegwijs,
        services: ['scheduler', 'delivery'],
        round: (count) => roundOfSends(world, wegwijs, { count, people }),
      })
      const ofEvents = await countEach(world, sizes, {
        wegwijs,
        services: ['journey'],
        round: (count) =>
          roundOfEvents(
            world,
            wegwijs,
            makeEvents({ topic: wegwijs.topic, count, campaigns, people }),
          ),
      })
      return {
        figures: [...figuresOf('event', ofEvents), ...figuresOf('message', ofSends)],
        checks: [...checksOf('event', ofEvents), ...checksOf('message', ofSends)],
        cpu: [],
        memory: [],
        notes: [
          'All statements that PostgreSQL and all commands that Redis counted, what the services do when nothing is to be done included; per event and message, in a load of the smaller and of the larger size.',
        ],
      }
    })
  },
}

type Counted = { size: number; sql: number; redis: number }

/** Rounds of each size, after one that warms up, and what was asked of the servers for each. */
async function countEach(
  world: World,
  sizes: readonly number[],
  work: {
    wegwijs: Wegwijs
    services: Parameters<Wegwijs['start']>
    round: (count: number) => Promise<unknown>
  },
): Promise<Counted[]> {
  await work.wegwijs.start(...work.services)
  await work.round(sizes[0] ?? 0)
  const counted: Counted[] = []
  for (const size of sizes) {
    world.signal.throwIfAborted()
    const [sqlBefore, redisBefore] = [await statementsSoFar(world), await commandsSoFar(world)]
    await work.round(size)
    const sql = (await statementsSoFar(world)) - sqlBefore
    const redis = (await commandsSoFar(world)) - redisBefore
    counted.push({ size, sql: sql / size, redis: redis / size })
  }
  await work.wegwijs.stop()
  return counted
}

function figuresOf(of: string, counted: readonly Counted[]): Figure[] {
  return counted.flatMap(({ size, sql, redis }) => [
    { name: `SQL statements, ${size} ${of}s`, unit: `per ${of}`, values: [sql] },
    { name: `Redis commands, ${size} ${of}s`, unit: `per ${of}`, values: [redis] },
  ])
}

/** More at once must not cost more each. */
function checksOf(of: string, counted: readonly Counted[]): Check[] {
  const [small, large] = [counted[0], counted.at(-1)]
  if (small === undefined || large === undefined) return []
  const target = { atMost: 1.1 }
  return [
    {
      name: `SQL per ${of}, ${large.size} / ${small.size}`,
      values: [large.sql / small.sql],
      target,
    },
    // What Redis is asked while nothing is to be done is no cost of an event.
    ...(small.redis > 0.05
      ? [
          {
            name: `Redis per ${of}, ${large.size} / ${small.size}`,
            values: [large.redis / small.redis],
            target,
          },
        ]
      : []),
  ]
}

async function statementsSoFar({ db }: World): Promise<number> {
  const { rows } = await db.query<{ calls: number }>(
    `select coalesce(sum(calls), 0)::float8 as calls from pg_stat_statements where query not like '%/* bench */%'`,
  )
  return rows[0]?.calls ?? 0
}

/** What clients sent: what a script does inside of Redis counts as the script alone. */
async function commandsSoFar({ redis }: World): Promise<number> {
  const processed = /^total_commands_processed:(\d+)/m.exec(await redis.info('stats'))?.[1]
  return Number(processed)
}
