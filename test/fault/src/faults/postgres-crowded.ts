import { until } from '@wegwijs/system-tests/until'
import pg from 'pg'
import type { Fault } from '../fault.ts'
import { falseAnswers } from './refusals.ts'
import { openSessions } from './postgres-sessions.ts'
import { deliverySlots } from './slots.ts'

/** Far more than the server takes. */
const MOST = 400

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
    try {
      await until('no service has a session', async () => {
        await crowd()
        return (await sessions.strike('pg_terminate_backend')) === 0
      })
      say(`${others.length} connections of others, with ${JSON.stringify(inFlight)}`)
      await until(
        'the gateway has noticed',
        () => system.process('gateway').readiness(),
        (now) => now?.ready === false,
      )
      const violations = await falseAnswers(world, 'stop')
      await Promise.all(others.map((other) => other.end()))
      const recoveryMs = await world.untilGoesOn()
      const figures = { 'connections taken': others.length }
      return { kills: 1, inFlight, unknownAtMost: deliverySlots, recoveryMs, violations, figures }
    } finally {
      await Promise.all(others.map((other) => other.end().catch(() => undefined)))
      await sessions.close()
    }
  },
}
