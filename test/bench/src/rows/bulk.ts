import { wake } from '@wegwijs/store/wake'
import { sql } from 'kysely'
import { startTimedProvider, timeEvents } from '../latency.ts'
import { ratios } from '../measure.ts'
import { plantMessages } from '../plant.ts'
import { until } from '../processes.ts'
import type { Figure } from '../result.ts'
import { type Row, withOpened } from '../row.ts'
import { quantile } from '../statistics.ts'
import { openWegwijs, type Wegwijs } from '../wegwijs.ts'

const campaigns = 100
const people = 20_000
const latencyMs = 20

export const bulk: Row = {
  name: 'bulk',
  title: 'Delay of transactional messages while bulk is released and sent',
  measure: async (world) => {
    const count = world.quick ? 5 : 100
    const rounds = world.quick ? 1 : 2
    const waiting = world.quick ? 2_000 : 20_000
    return withOpened(async (keep) => {
      const provider = keep(await startTimedProvider(latencyMs))
      const wegwijs = keep(
        await openWegwijs(world, {
          campaigns,
          people,
          environment: { WEGWIJS_SMS_URL: `${provider.url}/wegwijs` },
        }),
      )
      await wegwijs.start('journey', 'scheduler', 'delivery')
      const idle: number[][] = []
      const loaded: number[][] = []
      for (let round = 0; round <= rounds; round += 1) {
        world.signal.throwIfAborted()
        const options = { count: round === 0 ? 20 : count, campaigns, people }
        const quiet = await timeEvents(wegwijs, provider, { ...options, round: `i${round}` })
        await plantMessages(wegwijs.store, { count: waiting, people, lane: 'bulk' })
        await wake(wegwijs.store.db, wegwijs.namespace, ['intents'])
        const busy = await timeEvents(wegwijs, provider, { ...options, round: `b${round}` })
        await forgetBulk(wegwijs)
        if (round === 0) continue
        idle.push(quiet)
        loaded.push(busy)
      }
      const at = (name: string, ways: readonly number[][], share: number): Figure => ({
        name,
        unit: 'ms',
        values: ways.map((each) => quantile(each, share)),
      })
      const [idle99, loaded99] = [at('idle p99', idle, 0.99), at('with bulk p99', loaded, 0.99)]
      return {
        figures: [at('idle p50', idle, 0.5), at('with bulk p50', loaded, 0.5), idle99, loaded99],
        checks: [
          {
            name: 'p99, with bulk / idle',
            values: ratios(loaded99.values, idle99.values),
            target: { atMost: 2 },
          },
        ],
        cpu: [],
        memory: [],
        notes: [
          `${waiting} bulk messages fall due at once; ${count} events are timed while they are released and sent, and as many while nothing else happens. The provider takes ${latencyMs} ms.`,
        ],
      }
    })
  },
}

/** Ends what is left of the bulk, so that the next round begins idle. @throws when nothing was left */
async function forgetBulk(wegwijs: Wegwijs): Promise<void> {
  const { numAffectedRows } = await sql`update intent set state = 'cancelled', job_id = null
    where lane = 'bulk' and state in ('planned', 'queued')`.execute(wegwijs.store.db)
  if (numAffectedRows === 0n) throw new Error('the bulk was sent before the events were timed')
  await until('the last bulk is sent', () => wegwijs.isIdle())
}
