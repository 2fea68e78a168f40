import { systemClock } from '@wegwijs/runtime/clock'
import { until } from '@wegwijs/system-tests/until'
import { addInFlight, type Fault, nothingInFlight } from '../fault.ts'
import { openSessions, services } from './postgres-sessions.ts'
import { deliverySlots } from './slots.ts'

/** Between two blows: statements are short, and many of them must be met half-way. */
const BREATH_MS = 40

export const postgresInterrupts: Fault = {
  name: 'postgres-interrupts',
  on: 'postgres',
  title: 'statements cancelled and sessions ended by the hundred',
  needs: ['postgres'],
  async strike(world, { chance, short, say }) {
    const sessions = await openSessions(world)
    let inFlight = nothingInFlight
    let kills = 0
    let storms = 0
    try {
      await world.slowProviders(200)
      for (let time = 1; time <= (short ? 1 : 3); time += 1) {
        const met = await world.untilInFlight('messages are sent', ({ sending }) => sending > 0)
        inFlight = addInFlight(inFlight, met)
        for (let blow = 0; blow < 100; blow += 1) {
          // A session that is ended takes a while to come back; most blows hit a statement only.
          const how = chance() < 0.1 ? 'pg_terminate_backend' : 'pg_cancel_backend'
          kills += await sessions.strike(how)
          await systemClock.sleep(BREATH_MS)
        }
        storms += 1
        say(`${kills} statements and sessions`)
        await world.untilGoesOn()
      }
    } finally {
      await sessions.close()
    }
    return { kills, inFlight, unknownAtMost: storms * deliverySlots }
  },
}

export const postgresTimeouts: Fault = {
  name: 'postgres-timeouts',
  on: 'postgres',
  title: 'tables locked from outside until statements time out',
  needs: ['postgres'],
  async strike(world, { short, say }) {
    const { namespace } = world.system
    const sessions = await openSessions(world)
    // One to lock and one to look: within a transaction a session sees the others as they once were.
    const locking = await openSessions(world)
    let inFlight = nothingInFlight
    let recoveryMs = 0
    let timedOut = 0
    const times = short ? 1 : 3
    try {
      for (let time = 1; time <= times; time += 1) {
        await world.slowProviders(400)
        const met = await world.untilInFlight('messages are sent', ({ sending }) => sending > 0)
        inFlight = addInFlight(inFlight, met)
        // In the order in which the services take them, or PostgreSQL would end one of us.
        await locking.client.query(
          `begin; lock table ${namespace}.consumer_position, ${namespace}.intent`,
        )
        for (const least of [3, 2]) {
          await until(
            'statements wait',
            () => waitingIn(sessions.client),
            (count) => count >= least,
          )
          // What a statement's own deadline does after a minute.
          timedOut += await sessions.strike('pg_cancel_backend')
        }
        say(`${timedOut} timed out, with ${JSON.stringify(met)}`)
        await locking.client.query('rollback')
        recoveryMs = Math.max(recoveryMs, await world.untilGoesOn())
      }
    } finally {
      await Promise.all([sessions.close(), locking.close()])
    }
    const figures = { 'statements timed out': timedOut }
    const violations = timedOut >= times ? [] : [`only ${timedOut} statements timed out`]
    return {
      kills: timedOut,
      inFlight,
      unknownAtMost: times * deliverySlots,
      recoveryMs,
      figures,
      violations,
    }
  },
}

/** Statements of the services that wait for a lock. */
async function waitingIn(client: Awaited<ReturnType<typeof openSessions>>['client']) {
  const { rows } = await client.query<{ count: string }>(
    `select count(*) from pg_stat_activity
      where wait_event_type = 'Lock' and application_name = any ($1)`,
    [services],
  )
  return Number(rows[0]?.count)
}
