import type { ServiceName } from '@wegwijs/system-tests/system'
import { until } from '@wegwijs/system-tests/until'
import { addInFlight, type Fault, type FaultPlace, nothingInFlight } from '../fault.ts'
import type { ServerKind } from '../world.ts'

/** The server stands still and keeps every connection, until a service has noticed. */
function serverSilent(kind: ServerKind & FaultPlace, watcher: ServiceName): Fault {
  return {
    name: `${kind}-silent`,
    on: kind,
    title: 'seconds of silence (SIGSTOP) with every connection open',
    needs: [kind],
    async strike(world, { short, say }) {
      const { system } = world
      const pid = world.server(kind).pid()
      let inFlight = nothingInFlight
      let recoveryMs = 0
      const times = short ? 1 : 3
      for (let time = 1; time <= times; time += 1) {
        await world.slowProviders(400)
        const met = await world.untilInFlight('messages are sent', ({ sending }) => sending > 0)
        process.kill(pid, 'SIGSTOP')
        try {
          inFlight = addInFlight(inFlight, met)
          say(`silent with ${JSON.stringify(met)}`)
          const readiness = () => system.process(watcher).readiness()
          await until(`${watcher} has noticed`, readiness, (now) => now?.ready === false)
        } finally {
          process.kill(pid, 'SIGCONT')
        }
        recoveryMs = Math.max(recoveryMs, await world.untilGoesOn())
      }
      return { kills: times, inFlight, unknownAtMost: 0, recoveryMs }
    },
  }
}

export const redisSilent = serverSilent('redis', 'delivery')
export const kafkaSilent = serverSilent('kafka', 'journey')
