import type { Environment } from '@wegwijs/runtime/env'
import { createProgram } from '../src/program.ts'
import { runProgram, type Shell } from '../src/shell.ts'

export type Ran = { code: number; out: string; err: string; json(): unknown }

/** Runs the CLI in this process, with what surrounds it in the test's hands. */
export async function run(
  words: readonly string[],
  environment: Environment = {},
  input = '',
): Promise<Ran> {
  let out = ''
  let err = ''
  const shell: Shell = {
    environment,
    streams: {
      out: (text) => {
        out += text
      },
      err: (text) => {
        err += text
      },
      isTerminal: false,
    },
    readInput: async function* () {
      yield Buffer.from(input)
    },
    signal: new AbortController().signal,
  }
  const code = await runProgram(createProgram(shell), words, shell)
  return { code, out, err, json: () => JSON.parse(out) as unknown }
}
