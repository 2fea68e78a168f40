import { systemClock } from '@wegwijs/runtime/clock'
import { addInFlight, type Fault, nothingInFlight, sumInFlight } from '../fault.ts'
import type { World } from '../world.ts'
import { publishAtOnce } from './unfinished-publishes.ts'

/** The time that an orchestrator gives before it kills. */
const DRAIN_MS = 20_000
const slowMs = 300
/** The provider is not ours to restart. */
const ours = ['delivery', 'journey', 'scheduler', 'gateway'] as const

export const rollingRestarts: Fault = {
  name: 'rolling-restarts',
  on: 'service',
  title: 'SIGTERM, rolling restarts under load',
  short: true,
  needs: [],
  async strike(world, { short, say }) {
    let inFlight = nothingInFlight
    const drains: number[] = []
    const violations: string[] = []
    await world.slowProviders(slowMs)
    for (let time = 1; time <= (short ? 1 : 3); time += 1) {
      for (const service of ours) {
        const met = await world.untilInFlight('there is work', (work) => sumInFlight(work) > 0)
        inFlight = addInFlight(inFlight, met)
        const publishes =
          service === 'gateway' ? await publishAtOnce(world, `rolled${time}-`) : null
        if (publishes?.unfinished() === 0) violations.push('the gateway had nothing in its hands')
        const { ended, drainMs } = await replaced(world, service)
        await publishes?.taken()
        say(`${service} ended with ${ended} after ${Math.round(drainMs)} ms`)
        drains.push(drainMs)
        if (ended !== 0) violations.push(`${service} ended with ${ended}`)
        if (drainMs > DRAIN_MS) violations.push(`${service} took ${Math.round(drainMs)} ms to end`)
        await world.untilGoesOn()
      }
    }
    const slowest = Math.round(Math.max(...drains))
    const figures = { 'longest drain in ms': slowest }
    // What is sending may end: nobody's outcome becomes unknown.
    return { kills: drains.length, inFlight, unknownAtMost: 0, figures, violations }
  },
}

/** The new one comes before the old one goes, but for the gateway, whose port is taken. */
async function replaced({ system }: World, service: (typeof ours)[number]) {
  const old = system.process(service)
  if (service !== 'gateway') await system.start(service)
  const beganMs = systemClock.monotonicMs()
  old.signal('SIGTERM')
  const ended = await old.ended
  const drainMs = systemClock.monotonicMs() - beganMs
  if (service === 'gateway') await system.start(service)
  return { ended, drainMs }
}
