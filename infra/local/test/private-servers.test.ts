import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { startKafka } from '../src/kafka.ts'
import { countBrokers } from '../src/kafka-ping.ts'
import { removePostgresData, startPostgres } from '../src/postgres.ts'
import { startRedis } from '../src/redis.ts'
import { redisAnswers } from '../src/redis-ping.ts'
import { isRunning } from '../src/server-process.ts'
import { testFolder } from './folder.ts'

const servers = inject('servers')

async function query(url: string, statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}

describe('a private PostgreSQL', () => {
  test('keeps its data and its address when it is killed and started again', async () => {
    const directory = await testFolder()
    const first = await startPostgres({ directory, durable: false })
    onTestFinished(first.stop)
    await query(first.url, 'create table kept as select 1 as one')
    await first.kill()
    expect(await isRunning(first.process)).toBe(false)

    const second = await startPostgres({ directory, preferredPort: portOf(first.url) })
    onTestFinished(second.stop)
    expect(second.url).toBe(first.url)
    expect(await query(second.url, 'select one from kept')).toEqual([{ one: 1 }])
  })

  test('waits for the disk unless told otherwise, and takes 200 connections', async () => {
    const directory = await testFolder()
    const server = await startPostgres({ directory })
    onTestFinished(server.stop)
    expect(await query(server.url, 'show fsync')).toEqual([{ fsync: 'on' }])
    expect(await query(server.url, 'show max_connections')).toEqual([{ max_connections: '200' }])
    expect(await query(server.url, `select lower('PATIËNT') as word`)).toEqual([
      { word: 'patiënt' },
    ])
  })

  // PostgreSQL refuses root, and another account may not enter root's home.
  test.skipIf(process.getuid?.() !== 0)(
    'lies outside a folder that its account cannot enter',
    async () => {
      const directory = join(await testFolder({ closed: true }), 'postgres')
      const said: string[] = []
      const server = await startPostgres({
        directory,
        durable: false,
        say: (line) => said.push(line),
      })
      onTestFinished(async () => {
        await server.stop()
        await removePostgresData(directory)
      })
      expect(said.join('\n')).toContain(`cannot enter ${directory}`)
      expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
    },
  )
})

describe.skipIf(servers.redisUrl === '')('a private Redis', () => {
  test('is killed at once and comes back on its address', async () => {
    const directory = await testFolder()
    const first = await startRedis({ directory })
    onTestFinished(first.stop)
    await first.kill()
    expect(await redisAnswers(first.url)).toBe(false)
    const second = await startRedis({ directory, preferredPort: portOf(first.url) })
    onTestFinished(second.stop)
    expect(second.url).toBe(first.url)
  })

  test('replaces one that a killed caller left on the same data', async () => {
    const directory = await testFolder()
    const left = await startRedis({ directory })
    const server = await startRedis({ directory })
    onTestFinished(server.stop)
    expect(await isRunning(left.process)).toBe(false)
  })

  test('never touches a process that was given the pid of an older one', async () => {
    const directory = await testFolder()
    const record = { pid: process.pid, startMark: '1', address: 'redis://127.0.0.1:1' }
    await writeFile(join(directory, 'process.json'), JSON.stringify(record))
    const server = await startRedis({ directory })
    onTestFinished(server.stop)
    expect(await redisAnswers(server.url)).toBe(true)
  })
})

describe.skipIf(servers.kafkaBrokers.length === 0)('a private Kafka', () => {
  test('is killed at once and comes back on its address', async () => {
    const directory = await testFolder()
    const first = await startKafka({ directory })
    onTestFinished(first.stop)
    const address = first.brokers[0] ?? ''
    await first.kill()
    expect(await countBrokers(address)).toBe(0)
    const second = await startKafka({ directory, preferredPort: portOf(address) })
    onTestFinished(second.stop)
    expect(second.brokers).toEqual([address])
    expect(await countBrokers(address)).toBe(1)
  })
})

function portOf(address: string): number {
  return Number(/:(\d+)(\/|$)/.exec(address)?.[1])
}
