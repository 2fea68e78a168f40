import type { Fault } from '../fault.ts'
import { redisFlushed } from './redis-flushed.ts'
import { redisFull } from './redis-full.ts'
import { redisKilled } from './server-killed.ts'
import { redisSilent } from './server-silent.ts'

export const redisFaults: readonly Fault[] = [redisKilled, redisFlushed, redisFull, redisSilent]
