import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

const requireHere = createRequire(import.meta.url)

/** The programs that hold the code to its rules, each started on this very Node. */
const programs = {
  biome: '@biomejs/biome/bin/biome',
  depcruise: 'dependency-cruiser/bin/dependency-cruiser.mjs',
  knip: 'knip/bin/knip.js',
  tsc: 'typescript/bin/tsc',
} as const

export type Answer = { readonly code: number; readonly stdout: string; readonly stderr: string }

/** Runs one of the tools of `pnpm verify` and returns all it said. */
export function runTool(
  tool: keyof typeof programs,
  words: readonly string[],
  cwd = root,
): Promise<Answer> {
  const program = `${root}/node_modules/${programs[tool]}`
  return runProgram(process.execPath, [program, ...words], cwd)
}

/** Runs a program to its end; `code` is -1 when it cannot be started. */
function runProgram(command: string, words: readonly string[], cwd = root): Promise<Answer> {
  return new Promise((resolve) => {
    const child = spawn(command, words, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    const said = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text) => {
      said.stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said.stderr += text
    })
    child.once('error', () => resolve({ code: -1, ...said }))
    child.once('close', (code) => resolve({ code: code ?? -1, ...said }))
  })
}

/** The rules of dependency-cruiser's configuration, as data. */
export function importRules(): readonly string[] {
  const { forbidden } = requireHere(`${root}/.dependency-cruiser.cjs`) as {
    forbidden: { name: string }[]
  }
  return forbidden.map(({ name }) => name)
}
