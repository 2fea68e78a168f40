import { Redis } from 'ioredis'
import { addInFlight, type Fault, nothingInFlight } from '../fault.ts'

/** So slow that messages gather in the queue behind those that are being sent. */
const crawlMs = 6_000

export const redisFlushed: Fault = {
  name: 'redis-flushed',
  on: 'redis',
  title: 'FLUSHALL with messages queued',
  short: true,
  needs: ['redis'],
  async strike(world, { short, say }) {
    const redis = new Redis(world.server('redis').address)
    let inFlight = nothingInFlight
    let recoveryMs = 0
    const times = short ? 1 : 4
    try {
      for (let time = 1; time <= times; time += 1) {
        await world.slowProviders(crawlMs)
        const met = await world.untilInFlight('messages are queued', ({ queued }) => queued >= 10)
        await redis.flushall()
        inFlight = addInFlight(inFlight, met)
        say(`flushed with ${JSON.stringify(met)}`)
        await world.slowProviders(0)
        recoveryMs = Math.max(recoveryMs, await world.untilGoesOn())
      }
    } finally {
      redis.disconnect()
    }
    return { kills: times, inFlight, unknownAtMost: 0, recoveryMs }
  },
}
