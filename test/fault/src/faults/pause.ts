import type { Store } from '@wegwijs/store/database'
import { until } from '@wegwijs/system-tests/until'
import { sql } from 'kysely'
import { addInFlight, type Fault, nothingInFlight } from '../fault.ts'
import { deliverySlots } from './slots.ts'

const slowMs = 300
const paused = ['delivery', 'journey', 'scheduler'] as const

export const pause: Fault = {
  name: 'pause',
  on: 'service',
  title: 'SIGSTOP for longer than a lease and a session, others take over, then CONT',
  needs: [],
  async strike(world, { short, say }) {
    const { system } = world
    let inFlight = nothingInFlight
    let kills = 0
    let unknownAtMost = 0
    await world.slowProviders(slowMs)
    for (let time = 1; time <= (short ? 1 : 2); time += 1) {
      await world.untilInFlight('messages are being sent', ({ sending }) => sending > 0)
      const processes = paused.map((name) => system.process(name))
      for (const process of processes) process.signal('SIGSTOP')
      const claims = await claimsIn(system.store)
      const met = await world.inFlight()
      say(`paused with ${JSON.stringify(met)}`)
      inFlight = addInFlight(inFlight, met)
      // Not what is met: a claim that PostgreSQL was about to commit comes after it.
      unknownAtMost += deliverySlots
      await Promise.all(paused.map((name) => system.launch(name, `${name}-${time}`)))
      await until('the leases have ended', async () => {
        const now = await claimsIn(system.store)
        return [...claims].every((claim) => !now.has(claim))
      })
      await world.untilGoesOn()
      for (const process of processes) process.signal('SIGCONT')
      kills += processes.length
      await world.untilGoesOn()
      // The others go again, in order: they have shown that the first ones can be done without.
      const others = paused.map((name) => system.process(`${name}-${time}`))
      for (const process of others) process.signal('SIGTERM')
      await Promise.all(others.map(({ ended }) => ended))
    }
    return { kills, inFlight, unknownAtMost }
  },
}

/** Which messages are claimed, and under which fence. */
async function claimsIn({ db }: Store): Promise<Set<string>> {
  const { rows } = await sql<{ claim: string }>`
    select intent_id || ' ' || fence as claim from intent where state = 'sending'`.execute(db)
  return new Set(rows.map(({ claim }) => claim))
}
