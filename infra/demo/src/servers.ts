import { canRunRealServers, type ServerName } from '@wegwijs/local/pieces'
import { type StackAddresses, stackStatus, startStack, stopStack } from '@wegwijs/local/stack'
import { type Environment, resolveConfig } from '@wegwijs/runtime/env'
import { isFailure } from '@wegwijs/runtime/failure'
import type { Scope } from '@wegwijs/runtime/lifecycle'

export type ServerParts = {
  environment: Environment
  /** Where the servers keep their data. */
  directory: string
  /** True: PostgreSQL alone is wanted. */
  embedded: boolean
  say: (line: string) => void
}

const STOP_SERVERS_MS = 60_000

export type Servers = { addresses: StackAddresses; embedded: boolean }

/** The real servers; where they can neither be found nor brought, PostgreSQL alone, and that is said. */
export async function bringServers(scope: Scope, parts: ServerParts): Promise<Servers> {
  const { embedded, say } = parts
  const missing = embedded ? [] : await missingHere(parts)
  if (embedded || missing.length > 0) {
    if (missing.length > 0) say(`Kafka and Redis cannot run here: ${missing.join(', ')}.`)
    return startEmbedding(scope, parts)
  }
  say('Real servers, and a process for each service.')
  try {
    return { addresses: await startServers(scope, parts, realServers), embedded: false }
  } catch (error) {
    if (!isFailure(error) || !unbringable.has(error.code)) throw error
    say(`Kafka and Redis cannot run here: ${error.message}`)
    return startEmbedding(scope, parts)
  }
}

const unbringable: ReadonlySet<string> = new Set([
  'WEGWIJS_STACK_MISSING_PIECE',
  'WEGWIJS_STACK_DOWNLOAD_FAILED',
])

const realServers: readonly ServerName[] = ['kafka', 'postgres', 'redis']

async function startEmbedding(scope: Scope, parts: ServerParts): Promise<Servers> {
  parts.say('Everything in one process, with PostgreSQL as the only server.')
  return { addresses: await startServers(scope, parts, ['postgres']), embedded: true }
}

/** What Kafka and Redis would need, lack and cannot be given; empty where they run already. */
async function missingHere(parts: ServerParts): Promise<readonly string[]> {
  const { directory, environment } = parts
  const given = givenServers(environment)
  const status = await stackStatus({ directory, given, servers: ['kafka', 'redis'] })
  const wanted = status.filter(({ state }) => state !== 'answers').map(({ server }) => server)
  const { ok, missing } = await canRunRealServers(wanted)
  return ok ? [] : missing
}

function givenServers(environment: Environment) {
  return resolveConfig(
    environment,
    [],
    ['WEGWIJS_KAFKA_BROKERS', 'WEGWIJS_DATABASE_URL', 'WEGWIJS_REDIS_URL'],
  )
}

/** What this demo starts it ends; servers that ran before are somebody else's and are left alone. */
async function startServers(
  scope: Scope,
  { directory, environment, say }: ServerParts,
  servers: readonly ServerName[],
): Promise<StackAddresses> {
  const before = await stackStatus({ directory })
  if (before.every(({ pid }) => pid === null)) {
    scope.onClose('servers', () => stopStack({ directory }), STOP_SERVERS_MS)
  }
  scope.signal.throwIfAborted()
  const given = givenServers(environment)
  return startStack({ directory, servers, given, say: (line) => say(`  ${line}`) })
}
