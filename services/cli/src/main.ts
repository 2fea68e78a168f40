import { readEnvironment } from '@wegwijs/runtime/env'
import { processStreams } from './output.ts'
import { createProgram } from './program.ts'
import { runProgram, type Shell } from './shell.ts'

const controller = new AbortController()
let signalled = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (signalled) process.exit(130)
    signalled = true
    controller.abort(new Error('told to stop'))
  })
}
// `wegwijs … | head` closes our output: that is the end of the work, not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
})

const shell: Shell = {
  environment: readEnvironment(),
  streams: processStreams,
  readInput: () => process.stdin,
  signal: controller.signal,
}
process.exitCode = await runProgram(createProgram(shell), process.argv.slice(2), shell)
// Whatever is still open has had its time to close; a command that has answered does not hang.
setTimeout(() => process.exit(), 5_000).unref()
