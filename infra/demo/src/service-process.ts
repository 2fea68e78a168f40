import { type ChildProcess, spawn } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Clock, systemClock } from '@wegwijs/runtime/clock'
import type { Environment } from '@wegwijs/runtime/env'
import { fail } from '@wegwijs/runtime/failure'

export type ServiceCommand = {
  name: string
  /** Absolute path of its `main.ts`. */
  program: string
  environment: Environment
  /** Where its health server listens on 127.0.0.1. */
  healthPort: number
  /** What it writes goes here; what was there is replaced. */
  logFile: string
  clock?: Clock
}

export type ServiceProcess = {
  readonly pid: number
  /** Resolves once it is ready to work. Rejects when it ends first, or stays unready too long. */
  ready(signal: AbortSignal): Promise<void>
  /** Rejects when it ends without having been told to; never settles otherwise. */
  readonly failed: Promise<never>
  /** Tells it to end, and ends it by force when it has not after `deadlineMs`. */
  end(deadlineMs: number): Promise<void>
}

const guard = new URL('./end-with-parent.ts', import.meta.url).href
const root = fileURLToPath(new URL('../../..', import.meta.url))
const POLL_MS = 50
const READY_MS = 60_000
const LOG_TAIL_LINES = 5

/**
 * Starts a service as a process of its own: in a group of its own, since a terminal sends Ctrl-C to
 * every process of ours and a service takes a second signal as "at once"; and with a channel to us,
 * by which it notices that we are gone.
 *
 * @throws WEGWIJS_DEMO_SERVICE_ENDED
 */
export async function startServiceProcess(command: ServiceCommand): Promise<ServiceProcess> {
  const { name, program, environment, logFile, clock = systemClock } = command
  const log = await open(logFile, 'w')
  const child = spawn(process.execPath, ['--import', guard, program], {
    cwd: root,
    detached: true,
    env: { ...environment },
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
  })
  await log.close()
  let told = false
  const ended = endOf(child)
  const failed = ended.then(async (how): Promise<never> => {
    if (told) return new Promise(() => {})
    const reason = `${how}\n${await lastWords(logFile)}`
    throw fail('WEGWIJS_DEMO_SERVICE_ENDED', { service: name, reason, logFile })
  })
  // Whoever waits for it sees it; until then it must not end the process.
  failed.catch(() => {})

  const untilReady = async (signal: AbortSignal) => {
    const untilMs = clock.monotonicMs() + READY_MS
    while (!(await isReady(command.healthPort))) {
      if (clock.monotonicMs() > untilMs) {
        const reason = `was not ready after ${READY_MS / 1_000} s\n${await lastWords(logFile)}`
        throw fail('WEGWIJS_DEMO_SERVICE_ENDED', { service: name, reason, logFile })
      }
      await clock.sleep(POLL_MS, signal)
    }
  }

  return {
    pid: child.pid ?? 0,
    failed,
    ready: (signal) => Promise.race([untilReady(signal), failed]),
    end: async (deadlineMs) => {
      told = true
      child.kill('SIGTERM')
      const over = new AbortController()
      const late = clock.sleep(deadlineMs, over.signal).then(
        () => child.kill('SIGKILL'),
        () => undefined,
      )
      await ended
      over.abort()
      await late
    },
  }
}

/** Resolves, in words, when the process has ended or could not be started. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`))
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `ended by itself with code ${code}` : `was ended by ${signal}`),
    )
  })
}

async function isReady(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`)
    await answer.arrayBuffer()
    return answer.ok
  } catch {
    return false
  }
}

async function lastWords(logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '')
  return text.trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n')
}
