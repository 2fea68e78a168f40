import { readEnvironment } from '@wegwijs/runtime/env'
import { exitCodes, isFailure } from '@wegwijs/runtime/failure'
import { createScope } from '@wegwijs/runtime/lifecycle'
import { runDemo } from './demo.ts'
import { readOptions } from './options.ts'

const scope = createScope('demo')
const say = (line: string) => {
  process.stdout.write(`${line}\n`)
}

// The first signal ends everything in order; services end with us, so a second one leaves none.
let signalled = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (signalled) process.exit(130)
    signalled = true
    say('\nEnding; again to end at once.')
    scope.stop()
  })
}
// `npm run demo | head` closes our output: that is the end of the work, not a failure.
process.stdout.on('error', () => scope.stop())

process.exit(await run())

/** The whole life of the demo; returns its exit code. */
async function run(): Promise<number> {
  let isTold = false
  try {
    const options = readOptions(process.argv.slice(2), (text) => process.stdout.write(text))
    if (options === null) return 0
    const environment = readEnvironment()
    const isTerminal = process.stdout.isTTY === true
    const { pageUrl } = await runDemo(scope, { options, environment, say, isTerminal })
    isTold = true
    say(`\nThe outbox page: ${pageUrl}`)
    if (options.exit) return 0
    say('Everything stays up until Ctrl-C.')
    await scope.closed
    return signalled ? 0 : tellFailure(scope.failures[0])
  } catch (error) {
    return signalled && !isTold ? 130 : tellFailure(scope.failures[0] ?? error)
  } finally {
    await scope.close()
  }
}

function tellFailure(error: unknown): number {
  if (isFailure(error)) {
    say(`\n${error.message}\n${error.whatToDo}`)
    return error.exitCode
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  say(`\nThis should not happen: ${text}`)
  return exitCodes.internal
}
