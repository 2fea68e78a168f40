import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@wegwijs/runtime/clock'
import type { Environment } from '@wegwijs/runtime/env'

/** A process that takes part in a measurement. */
export type Process = {
  /** What its figures are printed under. */
  readonly name: string
  readonly pid: number
  /** The last message that it sent; null as long as there is none. */
  last(): unknown
  /** Resolves with the first message, also one that has come already, that `isIt` says yes to. */
  told<Message>(isIt: (message: Message) => boolean, deadlineMs?: number): Promise<Message>
  tell(message: unknown): void
  signal(signal: NodeJS.Signals): void
  /** SIGKILL, or SIGTERM when it is profiled, for its profile; resolves when it is gone. */
  kill(): Promise<void>
  readonly isRunning: () => boolean
}

const root = fileURLToPath(new URL('../../..', import.meta.url))
const running = new Set<ChildProcess>()
/** Far more than anything here takes: it ends what never comes, and measures nothing. */
const DEADLINE_MS = 120_000

// However the benchmark ends, what it started ends with it.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts `node <program>` from the root of the project with exactly this environment. */
export function startProcess(options: {
  name: string
  program: string
  words?: readonly string[]
  environment?: Environment
  logFile: string
  /** Where it leaves a profile of its work when it ends. */
  profiles?: string | null
}): Process {
  const log = openSync(options.logFile, 'a')
  const { profiles = null } = options
  const profiling =
    profiles === null
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${options.name}.cpuprofile`]
  const child = spawn(process.execPath, [...profiling, options.program, ...(options.words ?? [])], {
    cwd: root,
    env: { ...options.environment },
    stdio: ['ignore', log, log, 'ipc'],
  })
  closeSync(log)
  running.add(child)
  let isRunning = true
  let last: unknown = null
  const listeners = new Set<() => void>()
  const tellAll = () => {
    for (const listener of listeners) listener()
  }
  child.on('message', (message) => {
    last = message
    tellAll()
  })
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      isRunning = false
      running.delete(child)
      tellAll()
      resolve()
    })
    child.once('error', () => resolve())
  })
  return {
    name: options.name,
    pid: child.pid ?? 0,
    last: () => last,
    told: <Message>(isIt: (message: Message) => boolean, deadlineMs = DEADLINE_MS) =>
      new Promise<Message>((resolve, reject) => {
        const end = (settle: () => void) => {
          clearTimeout(timer)
          listeners.delete(listener)
          settle()
        }
        const listener = () => {
          if (last !== null && isIt(last as Message)) end(() => resolve(last as Message))
          else if (!isRunning)
            end(() => reject(new Error(`${options.name} ended: ${options.logFile}`)))
        }
        const timer = setTimeout(
          () =>
            end(() =>
              reject(
                new Error(
                  `${options.name} did not come so far within ${deadlineMs / 1000} s; last ${JSON.stringify(last)}`,
                ),
              ),
            ),
          deadlineMs,
        )
        listeners.add(listener)
        listener()
      }),
    tell: (message) => void child.send(message as object),
    signal: (signal) => void child.kill(signal),
    kill: async () => {
      child.kill(profiles === null ? 'SIGKILL' : 'SIGTERM')
      await ended
    },
    isRunning: () => isRunning,
  }
}

/** Ends what a row that failed has left behind; `kept` go on. */
export function endProcesses(kept: readonly Process[]): void {
  for (const child of running) {
    if (!kept.some(({ pid }) => pid === child.pid)) child.kill('SIGKILL')
  }
}

const POLL_MS = 20

/** Asks again and again until the answer is true. @throws Error when the deadline has passed */
export async function until(
  what: string,
  isThere: () => boolean | Promise<boolean>,
  deadlineMs = DEADLINE_MS,
): Promise<void> {
  const endMs = systemClock.monotonicMs() + deadlineMs
  while (!(await isThere())) {
    if (systemClock.monotonicMs() > endMs) {
      throw new Error(`not within ${deadlineMs / 1000} s: ${what}`)
    }
    await systemClock.sleep(POLL_MS)
  }
}
