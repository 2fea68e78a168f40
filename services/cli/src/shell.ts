import { type Environment, resolveConfig } from '@wegwijs/runtime/env'
import { exitCodes, fail, isFailure } from '@wegwijs/runtime/failure'
import { createScope } from '@wegwijs/runtime/lifecycle'
import { query } from '@wegwijs/store/transaction'
import { type Command, CommanderError } from 'commander'
import { createOutput, type Output, type Streams } from './output.ts'
import { createSurroundings, type Surroundings } from './surroundings.ts'

/** What surrounds one run of the CLI, so that a test can be what surrounds it. */
export type Shell = {
  environment: Environment
  streams: Streams
  readInput(): AsyncIterable<Buffer>
  signal: AbortSignal
}

/** What a command is given beside its own arguments and options. */
export type Call = {
  environment: Environment
  output: Output
  surroundings: Surroundings
  signal: AbortSignal
  readInput(): AsyncIterable<Buffer>
}

/** Ends a command that has said what is wrong already, such as a check that found something. */
export class Ended extends Error {
  override readonly name = 'Ended'
  readonly exitCode: number

  constructor(exitCode: number) {
    super('the command has said why it ends')
    this.exitCode = exitCode
  }
}

type Work<Options> = (call: Call, options: Options, ...words: string[]) => Promise<void>

/** Lets commander run `work` with what surrounds it, and closes whatever it opened. */
export function runs<Options>(shell: Shell, work: Work<Options>) {
  return async (...given: unknown[]): Promise<void> => {
    const command = given.at(-1) as Command
    const options = command.optsWithGlobals<Options & { json?: boolean; namespace?: string }>()
    const environment = environmentOf(shell.environment, options.namespace)
    const scope = createScope('cli')
    const stop = () => scope.stop(shell.signal.reason)
    shell.signal.addEventListener('abort', stop, { once: true })
    const call: Call = {
      environment,
      output: createOutput(shell.streams, options.json === true),
      surroundings: createSurroundings(environment, scope),
      signal: scope.signal,
      readInput: shell.readInput,
    }
    try {
      await withKnownFailures(() => work(call, options, ...wordsOf(given)))
    } finally {
      shell.signal.removeEventListener('abort', stop)
      await scope.close()
    }
  }
}

/** What PostgreSQL says by a code of its own, in our words. */
export async function withKnownFailures<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await query(work)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (!missingCodes.has(code)) throw error
    throw fail('WEGWIJS_NOT_MIGRATED', { expected: 'the newest migration' }, error)
  }
}

/** undefined_table, undefined_function, invalid_schema_name */
const missingCodes = new Set<unknown>(['42P01', '42883', '3F000'])

/** commander hands over the arguments, a variadic one as an array, then options and command. */
function wordsOf(given: readonly unknown[]): string[] {
  return given
    .slice(0, -2)
    .flatMap((word) => (word === undefined ? [] : (word as string | string[])))
}

function environmentOf(environment: Environment, namespace: string | undefined): Environment {
  if (namespace === undefined) return environment
  const changed = { ...environment, WEGWIJS_NAMESPACE: namespace }
  resolveConfig(changed, ['WEGWIJS_NAMESPACE'])
  return changed
}

/** Runs the program to its end and says how it ended; nothing is thrown, no stack is shown. */
export async function runProgram(
  program: Command,
  words: readonly string[],
  { streams, signal }: Shell,
): Promise<number> {
  try {
    await program.parseAsync([...words], { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof Ended) return error.exitCode
    // commander has said it already, help among it.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage
    if (signal.aborted) return 130
    if (!isFailure(error)) {
      streams.err(`${describeDefect(error)}\n`)
      return exitCodes.internal
    }
    streams.err(`${error.code}: ${error.message}\n  ${error.whatToDo}\n`)
    return error.exitCode
  }
}

/** A defect of ours: where it is, without the values it stumbled over. */
function describeDefect(error: unknown): string {
  const name = error instanceof Error ? error.name : typeof error
  const code = error instanceof Error && 'code' in error ? ` ${String(error.code)}` : ''
  const message = error instanceof Error ? error.message : String(error)
  return `This should not happen (${name}${code}): ${message}\n  Please report it with the command that you gave.`
}
