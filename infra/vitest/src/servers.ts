import { fileURLToPath } from 'node:url'
import { canRunRealServers, type ServerName } from '@wegwijs/local/pieces'
import { startStack } from '@wegwijs/local/stack'
import { type Environment, readEnvironment, resolveConfig } from '@wegwijs/runtime/env'
import type { TestProject } from 'vitest/node'

/** Where the servers of a test run keep their data. */
export const testStackDirectory = fileURLToPath(new URL('../../../.wegwijs/test', import.meta.url))

/**
 * Vitest's global setup: brings real servers up, one set for the whole run, and hands their
 * addresses to the tests as `inject('servers')`. Servers named by WEGWIJS_KAFKA_BROKERS,
 * WEGWIJS_DATABASE_URL and WEGWIJS_REDIS_URL are used instead.
 *
 * Where Kafka and Redis can neither be found nor installed, their addresses are empty and the
 * tests that need them skip, saying so; under CI that is a failure, not a skip.
 *
 * The servers are left running: two runs at once share them. `npm test` ends what it started.
 */
export async function setup(project: TestProject): Promise<void> {
  const environment = readEnvironment()
  const say = (line: string) => project.vitest.logger.log(`[servers] ${line}`)
  const given = resolveConfig(
    environment,
    [],
    ['WEGWIJS_KAFKA_BROKERS', 'WEGWIJS_DATABASE_URL', 'WEGWIJS_REDIS_URL'],
  )
  const servers = await serversToStart(environment, say)
  const options = {
    directory: testStackDirectory,
    durable: false,
    fresh: true,
    given,
    servers,
    say,
  }
  project.provide('servers', await startStack(options))
}

async function serversToStart(
  environment: Environment,
  say: (line: string) => void,
): Promise<readonly ServerName[]> {
  const all: readonly ServerName[] = ['kafka', 'postgres', 'redis']
  const { ok, missing } = await canRunRealServers(all)
  // Under CI the missing pieces are then named by the failure itself.
  if (ok || environment.CI === 'true') return all
  say(`tests that need Kafka or Redis are skipped; missing: ${missing.join(', ')}`)
  const given: Partial<Record<ServerName, string | undefined>> = {
    kafka: environment.WEGWIJS_KAFKA_BROKERS,
    redis: environment.WEGWIJS_REDIS_URL,
  }
  return all.filter((server) => server === 'postgres' || given[server])
}
