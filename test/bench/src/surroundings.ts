import { readFileSync } from 'node:fs'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@wegwijs/runtime/clock'
import { currentCommit } from '@wegwijs/test-support/commit'
import type { Surroundings } from './result.ts'
import type { World } from './world.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const libraries = ['kafkajs', 'bullmq', 'ioredis', 'pg', 'kysely', 'undici', 'nodemailer']
const settingsOfPostgres = [
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'shared_buffers',
  'max_wal_size',
  'shared_preload_libraries',
]

/** On what, with what and of what state of the project a run measured. */
export async function readSurroundings(world: World): Promise<Surroundings> {
  const { rows } = await world.db.query<{ name: string; value: string }>(
    'select name, current_setting(name) as value from unnest($1::text[]) as name',
    [settingsOfPostgres],
  )
  const { rows: versions } = await world.db.query<{ version: string }>(
    "select current_setting('server_version') as version",
  )
  const redis = await world.redis.info('server')
  return {
    at: systemClock.instant(),
    commit: currentCommit(),
    machine: {
      cpu: os.cpus()[0]?.model ?? 'unknown',
      cores: os.availableParallelism(),
      memoryGb: Math.round(os.totalmem() / 2 ** 30),
      system: `${os.type()} ${os.release()}`,
      load: Number((os.loadavg()[0] ?? 0).toFixed(1)),
    },
    versions: {
      node: process.versions.node,
      postgresql: versions[0]?.version ?? '',
      redis: /^redis_version:(\S+)/m.exec(redis)?.[1] ?? '',
      kafka: kafkaVersion(),
      ...Object.fromEntries(libraries.map((name) => [name, versionOf(name)])),
    },
    settings: {
      ...Object.fromEntries(rows.map(({ name, value }) => [`postgresql ${name}`, value])),
      'redis appendonly': await redisSetting(world, 'appendonly'),
      'redis appendfsync': await redisSetting(world, 'appendfsync'),
      kafka: 'one broker, 6 partitions, acks=all',
    },
  }
}

function versionOf(library: string): string {
  const file = new URL(`../node_modules/${library}/package.json`, import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

/** As the local stack brings it. */
function kafkaVersion(): string {
  const project = readFileSync(`${root}infra/local/pom.xml`, 'utf8')
  return /<artifactId>kafka_[^<]*<\/artifactId>\s*<version>([^<]+)/.exec(project)?.[1] ?? ''
}

async function redisSetting(world: World, name: string): Promise<string> {
  const [, value] = (await world.redis.config('GET', name)) as string[]
  return value ?? ''
}
