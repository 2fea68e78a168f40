import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import type { System } from './system.ts'

/** Everything that a running system shows to who operates it, by where it is. */
export async function shownBy(system: System): Promise<Map<string, string>> {
  const shown = new Map<string, string>()
  for (const process of system.processes()) {
    shown.set(`log of ${process.name}`, process.output())
    if (!process.isRunning()) continue
    shown.set(`metrics of ${process.name}`, await process.metrics().catch(() => ''))
    for (const file of ['cmdline', 'comm']) {
      shown.set(`${file} of ${process.name}`, readFileSync(`/proc/${process.pid}/${file}`, 'utf8'))
    }
  }
  shown.set('Redis', await everythingIn(system))
  return shown
}

/** Where any of these values is shown, as it is, in base64 or percent-encoded. */
export function leaksIn(shown: ReadonlyMap<string, string>, values: readonly string[]): string[] {
  const forms = values.flatMap((value) => [value, encodeURIComponent(value), inBase64(value)])
  return [...shown].flatMap(([place, text]) =>
    forms
      .filter((form) => text.toLowerCase().includes(form.toLowerCase()))
      .map((form) => `${place}: ${form}`),
  )
}

/** Without the last letters, which hang on what follows. */
function inBase64(value: string): string {
  return Buffer.from(value).toString('base64').slice(0, -4)
}

async function everythingIn({ environment, namespace }: System): Promise<string> {
  const redis = new Redis(environment.WEGWIJS_REDIS_URL ?? '')
  try {
    const keys = await redis.keys(`${namespace}*`)
    const values = await Promise.all(keys.map(async (key) => [key, await readKey(redis, key)]))
    return JSON.stringify(values)
  } finally {
    redis.disconnect()
  }
}

async function readKey(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'hash':
      return redis.hgetall(key)
    case 'list':
      return redis.lrange(key, 0, -1)
    case 'set':
      return redis.smembers(key)
    case 'zset':
      return redis.zrange(key, '0', '-1')
    case 'stream':
      return redis.xrange(key, '-', '+')
    default:
      return redis.get(key)
  }
}
