import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Environment } from '@wegwijs/runtime/env'

/** A process that a test started, under its real name and signals. */
export type ServiceProcess = {
  readonly name: string
  readonly pid: number
  /** Resolves when it is gone: its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  readonly isRunning: () => boolean
  signal(signal: NodeJS.Signals): void
  /** SIGKILL, also for one that was stopped; resolves when it is gone. */
  kill(): Promise<void>
  /** Everything that it has written to standard output and standard error. */
  output(): string
  /** What `/readyz` answers; null while nobody listens. */
  readiness(): Promise<({ ready: boolean } & Record<string, boolean>) | null>
  metrics(): Promise<string>
}

const ANSWER_MS = 3_000
const root = fileURLToPath(new URL('../../..', import.meta.url))
const running = new Set<{ kill(): void }>()

// Vitest ends a worker that is told to stop; what it started must not outlive it.
process.once('exit', () => {
  for (const child of running) child.kill()
})

/** Starts `node <program>` with exactly this environment; its output is added to `logFile`. */
export function startProcess(options: {
  name: string
  /** From the root of the project. */
  program: string
  words?: readonly string[]
  environment: Environment
  healthPort: number
  logFile: string
}): ServiceProcess {
  const { name, environment, logFile, healthPort } = options
  const log = openSync(logFile, 'a')
  const child = spawn(process.execPath, [options.program, ...(options.words ?? [])], {
    cwd: root,
    env: { ...environment },
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  const handle = { kill: () => void child.kill('SIGKILL') }
  running.add(handle)
  let isRunning = true
  const ended = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      isRunning = false
      running.delete(handle)
      resolve(signal ?? code ?? 0)
    })
  })
  ended.catch(() => {})
  // One that is paused takes the connection and never answers.
  const ask = (path: string) =>
    fetch(`http://127.0.0.1:${healthPort}${path}`, { signal: AbortSignal.timeout(ANSWER_MS) })
  return {
    name,
    pid: child.pid ?? 0,
    ended,
    isRunning: () => isRunning,
    signal: (signal) => void child.kill(signal),
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
    output: () => readFileSync(logFile, 'utf8'),
    readiness: async () => {
      const answer = await ask('/readyz').catch(() => null)
      return answer === null ? null : ((await answer.json()) as { ready: boolean })
    },
    metrics: async () => (await ask('/metrics')).text(),
  }
}
