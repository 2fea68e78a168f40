import {
  resetStack,
  type StackOptions,
  stackStatus,
  startStack,
  stopStack,
} from '@wegwijs/local/stack'
import { type Environment, resolveConfig } from '@wegwijs/runtime/env'
import type { Command } from 'commander'
import { table } from '../output.ts'
import { type Call, runs, type Shell } from '../shell.ts'
import { stackDirectory } from '../surroundings.ts'

/** `wegwijs stack`: Kafka, PostgreSQL and Redis on this machine. */
export function addStack(program: Command, shell: Shell): void {
  const stack = program
    .command('stack')
    .description('The servers of this machine: Kafka, PostgreSQL and Redis, on ports of their own.')
  stack
    .command('up')
    .description('Start what does not run yet, and print where it is.')
    .action(runs(shell, up))
  stack
    .command('down')
    .description('End the servers; their data stays.')
    .action(runs(shell, (call) => stopStack(optionsOf(call))))
  stack
    .command('status')
    .description('What runs, where, and whether it answers.')
    .action(runs(shell, status))
  stack
    .command('reset')
    .description('End the servers and remove their data.')
    .action(runs(shell, (call) => resetStack(optionsOf(call))))
}

async function up(call: Call): Promise<void> {
  const addresses = await startStack(optionsOf(call))
  call.output.data(addresses, () => [
    `WEGWIJS_KAFKA_BROKERS=${addresses.kafkaBrokers.join(',')}`,
    `WEGWIJS_DATABASE_URL=${addresses.databaseUrl}`,
    `WEGWIJS_REDIS_URL=${addresses.redisUrl}`,
  ])
}

async function status(call: Call): Promise<void> {
  const servers = await stackStatus(optionsOf(call))
  call.output.data(servers, () =>
    table(
      ['SERVER', 'STATE', 'ADDRESS', 'PID', 'FROM'],
      servers.map((server) => [
        server.server,
        server.state,
        server.address,
        server.pid === null ? null : String(server.pid),
        server.origin,
      ]),
    ),
  )
}

function optionsOf({ environment, output }: Call): StackOptions {
  return { directory: stackDirectory, given: givenServers(environment), say: output.say }
}

function givenServers(environment: Environment) {
  return resolveConfig(
    environment,
    [],
    ['WEGWIJS_KAFKA_BROKERS', 'WEGWIJS_DATABASE_URL', 'WEGWIJS_REDIS_URL'],
  )
}
