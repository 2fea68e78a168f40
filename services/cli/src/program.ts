import { Command } from 'commander'
import { addDeadLetters } from './commands/dead-letters.ts'
import { addDefinition } from './commands/definition.ts'
import { addEvents } from './commands/events.ts'
import { addExplain } from './commands/explain.ts'
import { addFmt } from './commands/fmt.ts'
import { addGraph } from './commands/graph.ts'
import { addJourneys } from './commands/journeys.ts'
import { addKeys } from './commands/keys.ts'
import { addLedger } from './commands/ledger.ts'
import { addMessages } from './commands/messages.ts'
import { addMigrate } from './commands/migrate.ts'
import { addOutcome } from './commands/outcome.ts'
import { addPositions } from './commands/positions.ts'
import { addReach } from './commands/reach.ts'
import { addRehearse } from './commands/rehearse.ts'
import { addSchemas } from './commands/schemas.ts'
import { addSimulate } from './commands/simulate.ts'
import { addStack } from './commands/stack.ts'
import { addStatus } from './commands/status.ts'
import { addStops } from './commands/stops.ts'
import { addTasks } from './commands/tasks.ts'
import { addTest } from './commands/test.ts'
import type { Shell } from './shell.ts'

/** The whole tree of commands, in the order in which somebody new meets them. */
export function createProgram(shell: Shell): Command {
  const program = new Command('wegwijs')
    .description(
      'Send the right person the right information at the right moment, along the patient journey.',
    )
    .option('--json', 'the answer as one JSON value')
    .option('--namespace <name>', 'instead of WEGWIJS_NAMESPACE')
    .exitOverride()
    .configureOutput({ writeOut: shell.streams.out, writeErr: shell.streams.err })
    .showHelpAfterError('See `wegwijs --help`, or `--help` after the command.')
  const groups = [
    addStack,
    addMigrate,
    addDefinition,
    addGraph,
    addFmt,
    addSchemas,
    addTest,
    addSimulate,
    addJourneys,
    addRehearse,
    addEvents,
    addExplain,
    addOutcome,
    addStatus,
    addStops,
    addReach,
    addMessages,
    addTasks,
    addDeadLetters,
    addPositions,
    addLedger,
    addKeys,
  ]
  for (const add of groups) add(program, shell)
  inherit(program)
  return program
}

/** commander hands settings on only to commands that are made after they were set. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command)
    inherit(child)
  }
}
