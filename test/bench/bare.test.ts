import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import pg from 'pg'
import { expect, inject, it, onTestFinished } from 'vitest'
import { openBare } from './src/bare/open-bare.ts'
import { makeEvents } from './src/events.ts'
import { startProvider } from './src/provider.ts'

const servers = inject('servers')
const directory = fileURLToPath(new URL('../../.wegwijs/test/bare', import.meta.url))

/** Without Kafka or Redis on this machine; the global setup has said what is missing. */
const cannotRun = servers.kafkaBrokers.length === 0 || servers.redisUrl === ''

it.skipIf(cannotRun)(
  'the bare pipeline sends each message that its events ask for, once',
  async () => {
    mkdirSync(`${directory}/logs`, { recursive: true })
    const db = new pg.Pool({ connectionString: servers.databaseUrl, max: 2 })
    onTestFinished(() => db.end())
    const redis = new Redis(servers.redisUrl)
    onTestFinished(() => redis.disconnect())
    const bodies: { to: string; text: string; reference: string }[] = []
    const provider = await startProvider({ onAccepted: (_, body) => bodies.push(JSON.parse(body)) })
    onTestFinished(provider.close)
    const bare = await openBare({ ...servers, directory, db, redis, providerUrl: provider.url })
    onTestFinished(bare.close)
    await bare.start('intake', 'delivery')

    const count = 300
    await bare.publish(
      makeEvents({ topic: bare.topic, count, campaigns: 100, people: 1_000, everyMatch: 3 }),
    )
    await bare.untilDone('intake', count)
    await bare.untilDone('delivery', count / 3)

    expect(await bare.count('sent')).toBe(count / 3)
    expect(await bare.count('planned')).toBe(0)
    expect(new Set(bodies.map(({ reference }) => reference)).size).toBe(count / 3)
    const asked = Array.from({ length: count / 3 }, (_, index) => `+316${20_000_000 + 3 * index}`)
    expect(bodies.map(({ to }) => to).sort()).toEqual(asked.sort())
    expect(bodies[0]?.text).toMatch(
      /^Beste Persoon, dank voor uw bezoek aan de afdeling cardiology/,
    )
  },
)
