import { until } from '@wegwijs/system-tests/until'
import { Redis } from 'ioredis'
import { addInFlight, type Fault, nothingInFlight } from '../fault.ts'

/** Redis refuses to grow; nobody may take that for having taken a job. */
export const redisFull: Fault = {
  name: 'redis-full',
  on: 'redis',
  title: 'out of memory under noeviction, until jobs are refused',
  needs: ['redis'],
  async strike(world, { short, say }) {
    const redis = new Redis(world.server('redis').address)
    let inFlight = nothingInFlight
    let recoveryMs = 0
    let refused = 0
    const times = short ? 1 : 3
    try {
      for (let time = 1; time <= times; time += 1) {
        await world.slowProviders(400)
        inFlight = addInFlight(
          inFlight,
          await world.untilInFlight('messages are being sent', ({ sending }) => sending > 0),
        )
        const before = await refusalsOf(redis)
        await redis.config('SET', 'maxmemory', '1mb')
        refused += await until(
          'Redis has refused jobs',
          async () => (await refusalsOf(redis)) - before,
          (count) => count >= 5,
        )
        say(`${refused} commands refused`)
        await redis.config('SET', 'maxmemory', '0')
        recoveryMs = Math.max(recoveryMs, await world.untilGoesOn())
      }
    } finally {
      redis.disconnect()
    }
    const figures = { 'commands refused': refused }
    return { kills: times, inFlight, unknownAtMost: 0, recoveryMs, figures }
  },
}

async function refusalsOf(redis: Redis): Promise<number> {
  return Number(/errorstat_OOM:count=(\d+)/.exec(await redis.info('errorstats'))?.[1] ?? 0)
}
