import { createGroupCommit } from '@wegwijs/runtime/group-commit'
import { Worker } from 'bullmq'
import { Redis } from 'ioredis'
import pg from 'pg'
import { Pool } from 'undici'
import { queueName, readSettings, smsText, tellProgress } from './bare.ts'

const jobsAtOnce = 4
/** As many as Wegwijs has in flight in one lane. */
const connections = 50

const { databaseUrl, redisUrl, namespace, providerUrl } = readSettings()
const pool = new pg.Pool({ connectionString: databaseUrl, max: 4 })
const provider = new Pool(providerUrl, { connections, pipelining: 1 })
const redis = new Redis(redisUrl, { maxRetriesPerRequest: null })

type Intent = {
  intent_id: string
  address: string
  data: { department: string; reference: string }
}

const select = {
  name: 'select intents',
  text: `select intent_id, address, data from ${namespace}.intent where intent_id = any($1::uuid[])`,
}
const update = {
  name: 'update intents',
  text: `update ${namespace}.intent i set state = 'sent', reference = sent.reference, sent_at = clock_timestamp()
    from unnest($1::uuid[], $2::text[]) as sent (intent_id, reference) where i.intent_id = sent.intent_id`,
}

let done = 0

/** What has gathered is written as soon as the last write has returned. */
const statuses = createGroupCommit<{ id: string; reference: string }, true>(
  async (sent) => {
    await pool.query({
      ...update,
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
    const { rows } = await pool.query<Intent>({ ...select, values: [data.ids] })
    await Promise.all(rows.map(send))
  },
  { connection: redis, prefix: namespace, concurrency: jobsAtOnce },
)
worker.on('error', () => {})
await worker.waitUntilReady()
process.on('disconnect', () => process.exit(0))
tellProgress(0)
