import { systemClock } from '@wegwijs/runtime/clock'
import { until } from '@wegwijs/system-tests/until'
import { addInFlight, type Fault, nothingInFlight } from '../fault.ts'
import type { World } from '../world.ts'
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

/** After so long PostgreSQL ends a statement of theirs, as after a minute with the settings as shipped. */
const STATEMENT_MS = 2_000
const impatient = ['journey', 'scheduler', 'delivery'] as const

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
      await makeImpatient(world)
      for (let time = 1; time <= times; time += 1) {
        await world.slowProviders(400)
        const met = await world.untilInFlight('messages are sent', ({ sending }) => sending > 0)
        inFlight = addInFlight(inFlight, met)
        // In the order in which the services take them, or PostgreSQL would end one of us.
        await locking.client.query(
          `begin; lock table ${namespace}.consumer_position, ${namespace}.intent`,
        )
        timedOut += await untilTimedOut(sessions.client, 5)
        say(`${timedOut} timed out, with ${JSON.stringify(met)}`)
        await locking.client.query('rollback')
        recoveryMs = Math.max(recoveryMs, await world.untilGoesOn())
      }
    } finally {
      await Promise.all([sessions.close(), locking.close()])
    }
    return {
      kills: timedOut,
      inFlight,
      unknownAtMost: (times + 1) * deliverySlots,
      recoveryMs,
      figures: { 'statements timed out': timedOut },
    }
  },
}

/** Starts the services anew that decide and send, with less patience than they have by themselves. */
async function makeImpatient({ killed, system }: World): Promise<void> {
  await killed(...impatient)
  const url = new URL(system.environment.WEGWIJS_DATABASE_URL ?? '')
  url.searchParams.set('statement_timeout', String(STATEMENT_MS))
  for (const service of impatient) {
    await system.launch(service, service, { WEGWIJS_DATABASE_URL: url.href })
  }
}

/**
 * Resolves when so many statements that waited for a table wait no longer, with how many: the tables are
 * locked as before, so the server has ended them.
 */
async function untilTimedOut(client: Client, least: number): Promise<number> {
  let waiting: ReadonlySet<string> = new Set()
  let timedOut = 0
  return until(
    'statements time out',
    async () => {
      const now = await waitingForTables(client)
      timedOut += waiting.difference(now).size
      waiting = now
      return timedOut
    },
    (count) => count >= least,
  )
}

type Client = Awaited<ReturnType<typeof openSessions>>['client']

/** Statements of the services that wait for a table. */
async function waitingForTables(client: Client): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ statement: string }>(
    `select pid || ' since ' || query_start as statement from pg_stat_activity
      where wait_event_type = 'Lock' and wait_event = 'relation' and application_name = any ($1)`,
    [services],
  )
  return new Set(rows.map(({ statement }) => statement))
}
