import { addInFlight, type Fault, type FaultPlace, nothingInFlight } from '../fault.ts'
import type { ServerKind } from '../world.ts'
import { falseAnswers } from './refusals.ts'
import { deliverySlots } from './slots.ts'

type Words = { title: string; short?: boolean; refuses?: 'event' | 'stop'; cutsOff: number }

/** kill -9 of a server while messages are under way, and the same data and address again. */
function serverKilled(kind: ServerKind & FaultPlace, words: Words): Fault {
  const { title, short: isShort = false, refuses, cutsOff } = words
  return {
    name: `${kind}-killed`,
    on: kind,
    title,
    short: isShort,
    needs: [kind],
    async strike(world, { short, say }) {
      const server = world.server(kind)
      const violations: string[] = []
      let inFlight = nothingInFlight
      let recoveryMs = 0
      let kills = 0
      for (let time = 1; time <= (short ? 1 : 3); time += 1) {
        await world.slowProviders(400)
        const met = await world.untilInFlight(
          'events are read and messages sent',
          ({ undecided, sending }) => undecided + sending > 0 && sending > 0,
        )
        await server.goAway()
        kills += 1
        inFlight = addInFlight(inFlight, met)
        say(`killed with ${JSON.stringify(met)}`)
        if (refuses) violations.push(...(await falseAnswers(world, refuses)))
        await server.comeBack()
        recoveryMs = Math.max(recoveryMs, await world.untilGoesOn())
      }
      return { kills, inFlight, unknownAtMost: kills * cutsOff, recoveryMs, violations }
    },
  }
}

export const redisKilled = serverKilled('redis', {
  title: 'kill -9 and restart with messages queued and under way',
  short: true,
  cutsOff: 0,
})

export const kafkaKilled = serverKilled('kafka', {
  title: 'kill -9 and restart; meanwhile the gateway answers 503',
  refuses: 'event',
  cutsOff: 0,
})

export const postgresKilled = serverKilled('postgres', {
  title: 'kill -9 and restart; meanwhile a stop is answered with 503',
  refuses: 'stop',
  // What had been handed over cannot be recorded while PostgreSQL is away, and leases run out.
  cutsOff: deliverySlots,
})
