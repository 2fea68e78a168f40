import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import pg from 'pg'
import { expect, inject, it, onTestFinished } from 'vitest'
import { type Bare, openBare } from './src/bare/open-bare.ts'
import { makeEvents } from './src/events.ts'
import { startProvider } from './src/provider.ts'
import { openWegwijs } from './src/wegwijs.ts'

const servers = inject('servers')
const directory = fileURLToPath(new URL('../../.wegwijs/test/bare', import.meta.url))

/** Without Kafka or Redis on this machine; the global setup has said what is missing. */
const cannotRun = servers.kafkaBrokers.length === 0 || servers.redisUrl === ''

/** The servers of the tests, and a provider that keeps what it was given. */
async function openGround() {
  mkdirSync(`${directory}/logs`, { recursive: true })
  const db = new pg.Pool({ connectionString: servers.databaseUrl, max: 2 })
  onTestFinished(() => db.end())
  const redis = new Redis(servers.redisUrl)
  onTestFinished(() => redis.disconnect())
  const bodies: { to: string; text: string; reference: string }[] = []
  const provider = await startProvider({ onAccepted: (_, body) => bodies.push(JSON.parse(body)) })
  onTestFinished(provider.close)
  return { ...servers, directory, profiles: null, db, redis, providerUrl: provider.url, bodies }
}

const count = 300
const asked = Array.from({ length: count / 3 }, (_, index) => `+316${20_000_000 + 3 * index}`)

/** Has it take in events of which one in three asks for a message, and send these. */
async function sendOneInThree(bare: Bare): Promise<void> {
  await bare.start('intake', 'delivery')
  await bare.publish(
    makeEvents({ topic: bare.topic, count, campaigns: 100, people: 1_000, everyMatch: 3 }),
  )
  await bare.untilDone('intake', count)
  await bare.untilDone('delivery', count / 3)
  expect(await bare.count('sent')).toBe(count / 3)
  expect(await bare.count('planned')).toBe(0)
}

it.skipIf(cannotRun)(
  'the bare pipeline sends each message that its events ask for, once',
  async () => {
    const ground = await openGround()
    const bare = await openBare(ground)
    onTestFinished(bare.close)

    await sendOneInThree(bare)

    const { bodies } = ground
    expect(new Set(bodies.map(({ reference }) => reference)).size).toBe(count / 3)
    expect(bodies.map(({ to }) => to).sort()).toEqual(asked.sort())
    expect(bodies[0]?.text).toMatch(
      /^Beste Persoon, dank voor uw bezoek aan de afdeling cardiology/,
    )
  },
)

it.skipIf(cannotRun)(
  'it writes every row that the promises ask for when that is to be measured',
  async () => {
    const ground = await openGround()
    const wegwijs = await openWegwijs(ground, { campaigns: 10, people: 1_000 })
    onTestFinished(wegwijs.close)
    const bare = await openBare(ground, { promised: { wegwijs, people: 1_000 } })
    onTestFinished(bare.close)

    await sendOneInThree(bare)

    expect(ground.bodies.map(({ to }) => to).sort()).toEqual(asked.sort())
    const rows = (table: string) =>
      ground.db.query(`select from ${wegwijs.namespace}.${table}`).then((read) => read.rowCount)
    for (const table of ['inbox', 'event']) expect(await rows(table), table).toBe(count)
    for (const table of ['enrolment', 'intent', 'attempt', 'outbox']) {
      expect(await rows(table), table).toBe(count / 3)
    }
  },
)
