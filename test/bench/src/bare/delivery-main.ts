import { createGroupCommit } from '@wegwijs/runtime/group-commit'
import { Worker } from 'bullmq'
import { Redis } from 'ioredis'
import pg from 'pg'
import { Pool } from 'undici'
import { queueName, readSettings, smsText, tellProgress } from './bare.ts'
import { openTables } from './tables.ts'

const jobsAtOnce = 4
/** As many as Wegwijs has in flight in one lane. */
const connections = 50

const settings = readSettings()
const { databaseUrl, redisUrl, namespace, providerUrl } = settings
const pool = new pg.Pool({ connectionString: databaseUrl, max: 4 })
const { release, claim, settle } = await openTables(pool, settings)
const provider = new Pool(providerUrl, { connections, pipelining: 1 })
const redis = new Redis(redisUrl, { maxRetriesPerRequest: null })

type Intent = {
  intent_id: string
  address: string
  data: { department: string; reference: string }
}

let done = 0

/** What has gathered is written as soon as the last write has returned. */
const statuses = createGroupCommit<{ id: string; reference: string }, true>(
  async (sent) => {
    await pool.query({
      ...settle,
      values: [sent.map(({ id }) => id), sent.map(({ reference }) => reference)],
    })
    done += sent.length
    tellProgress(done)
    return sent.map(() => true)
  },
  { maxItems: 500 },
)

async function send({ intent_id: id, address, data }: Intent): Promise<void> {
  const body = JSON.stringify({
    to: address,
    from: 'Hospital',
    text: smsText(data.department, data.reference),
    reference: id,
    validitySeconds: 86_400,
  })
  const answer = await provider.request({
    path: '/bare/messages',
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': id },
    body,
  })
  const { reference } = (await answer.body.json()) as { reference: string }
  if (answer.statusCode === 202) await statuses.add({ id, reference })
}

const worker = new Worker<{ ids: string[] }>(
  queueName,
  async ({ data }) => {
    if (release !== null) await pool.query({ ...release, values: [data.ids] })
    const { rows } = await pool.query<Intent>({ ...claim, values: [data.ids] })
    await Promise.all(rows.map(send))
  },
  { connection: redis, prefix: namespace, concurrency: jobsAtOnce },
)
worker.on('error', () => {})
await worker.waitUntilReady()
process.on('disconnect', () => process.exit(0))
tellProgress(0)
