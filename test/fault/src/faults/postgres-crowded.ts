import { systemClock } from '@wegwijs/runtime/clock'
import { until } from '@wegwijs/system-tests/until'
import pg from 'pg'
import type { Fault } from '../fault.ts'
import { openSessions } from './postgres-sessions.ts'
import { hardlyKept } from './refusals.ts'
import { deliverySlots } from './slots.ts'

/** Far more than the server takes. */
const MOST = 400
const BREATH_MS = 20

export const postgresCrowded: Fault = {
  name: 'postgres-crowded',
  on: 'postgres',
  title: 'every connection taken by others; meanwhile a stop is answered with 503',
  needs: ['postgres'],
  async strike(world, { say }) {
    const { system } = world
    const { address } = world.server('postgres')
    const sessions = await openSessions(world)
    const others: pg.Client[] = []
    /** Takes connections until the server has none left. */
    const crowd = async () => {
      for (let count = 0; count < MOST; count += 1) {
        const other = new pg.Client({ connectionString: address, application_name: 'crowd' })
        other.on('error', () => undefined)
        try {
          await other.connect()
        } catch {
          return
        }
        others.push(other)
      }
    }
    await world.slowProviders(400)
    const inFlight = await world.untilInFlight('messages are sent', ({ sending }) => sending > 0)
    let isCrowding = true
    // A session that is ended makes room, for which the services are as quick as we are: go on.
    const crowding = (async () => {
      while (isCrowding) {
        await crowd()
        await sessions.strike('pg_terminate_backend')
        await systemClock.sleep(BREATH_MS)
      }
    })()
    try {
      say(`crowding out with ${JSON.stringify(inFlight)}`)
      await until(
        'the gateway has noticed',
        () => system.process('gateway').readiness(),
        (now) => now?.ready === false,
      )
      const stops = await hardlyKept(world)
      isCrowding = false
      await crowding
      await Promise.all(others.map((other) => other.end()))
      const recoveryMs = await world.untilGoesOn()
      const violations = [...stops.violations, ...(await stops.missing())]
      const figures = { 'connections taken': others.length }
      return { kills: 1, inFlight, unknownAtMost: deliverySlots, recoveryMs, violations, figures }
    } finally {
      isCrowding = false
      await crowding.catch(() => undefined)
      await Promise.all(others.map((other) => other.end().catch(() => undefined)))
      await sessions.close()
    }
  },
}
