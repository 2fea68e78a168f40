import { execFile, spawn } from 'node:child_process'
import { open, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { systemClock } from '@wegwijs/runtime/clock'
import { fail } from '@wegwijs/runtime/failure'

const run = promisify(execFile)
const POLL_MS = 25
const RETRY_MS = 500
const START_TRIES = 5
const LOG_TAIL_LINES = 15
const RECORD = 'process.json'

/**
 * A server's process. `startMark` tells when it started: without it a pid that the system has
 * given to somebody else would be stopped.
 */
export type ServerProcess = { readonly pid: number; readonly startMark: string }

/** What a server's folder remembers of the process that was last started on it. */
export type RecordedServer = ServerProcess & { readonly address: string }

export type ServerCommand = {
  readonly name: string
  readonly command: string
  readonly arguments: readonly string[]
  /** Where clients reach it; kept beside the pid. */
  readonly address: string
  /** The server's own folder. */
  readonly directory: string
  /** File that standard output and standard error are appended to. */
  readonly logFile: string
  /** The system user to run as; only root can choose one. */
  readonly runAs?: { readonly uid: number; readonly gid: number }
}

/**
 * Starts a server that outlives this process (own session, output to a file) and writes it down in
 * its folder. One that still runs there, left by a caller that was killed, is ended first: two
 * servers on the same data ruin it.
 *
 * @throws WEGWIJS_STACK_SERVER_FAILED when the command cannot be started
 */
async function spawnServer(server: ServerCommand): Promise<RecordedServer> {
  const left = await recordedServer(server.directory)
  if (left !== null) await killServer(left)
  const log = await open(server.logFile, 'a')
  try {
    const child = spawn(server.command, server.arguments, {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      // The folder we were called from may be closed to `runAs`, or go away.
      cwd: tmpdir(),
      ...server.runAs,
    })
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('error', (cause) =>
        reject(
          fail(
            'WEGWIJS_STACK_SERVER_FAILED',
            { server: server.name, reason: 'cannot be started', logFile: server.logFile },
            cause,
          ),
        ),
      )
      child.once('spawn', () => resolve(child.pid ?? 0))
    })
    child.unref()
    const record = { pid, startMark: (await startMarkOf(pid)) ?? '', address: server.address }
    // The address of PostgreSQL holds its password.
    await writeFile(join(server.directory, RECORD), JSON.stringify(record), { mode: 0o600 })
    return record
  } finally {
    await log.close()
  }
}

/** The process last started on a server's folder; null when there was none. It may have ended. */
export async function recordedServer(directory: string): Promise<RecordedServer | null> {
  const text = await readFile(join(directory, RECORD), 'utf8').catch(() => null)
  return text === null ? null : (JSON.parse(text) as RecordedServer)
}

/** Tells whether exactly this process still runs: same pid, same start. */
export async function isRunning(server: ServerProcess): Promise<boolean> {
  const mark = await startMarkOf(server.pid)
  return mark !== null && mark === server.startMark
}

/**
 * Asks a server to end with `signal`, and ends it by force when it has not ended in `deadlineMs`.
 * Resolves when it is gone.
 */
export async function endServer(
  server: ServerProcess,
  signal: NodeJS.Signals,
  deadlineMs: number,
): Promise<void> {
  if (!(await isRunning(server))) return
  sendSignal(server.pid, signal)
  if (await isGoneWithin(server, deadlineMs)) return
  await killServer(server)
}

/** Ends a server at once (SIGKILL), as a crash would. Resolves when it is gone. */
export async function killServer(server: ServerProcess): Promise<void> {
  if (!(await isRunning(server))) return
  sendSignal(server.pid, 'SIGKILL')
  await isGoneWithin(server, 10_000)
}

export type ServerStart = ServerCommand & {
  /** Whether the server does its work; asked again and again. */
  readonly answers: () => Promise<boolean>
  readonly deadlineMs: number
}

/**
 * Starts a server and waits until it answers. One that ends while it starts is tried again, with
 * what `prepare` then gives: its port was taken in between, or the children of its killed
 * predecessor still held the data.
 *
 * @throws WEGWIJS_STACK_SERVER_FAILED, with the end of the server's log
 */
export async function startServer(prepare: () => Promise<ServerStart>): Promise<RecordedServer> {
  for (let tries = 1; ; tries += 1) {
    const start = await prepare()
    const server = await spawnServer(start)
    const outcome = await untilAnswering(server, start)
    if (outcome === 'answers') return server
    await killServer(server)
    if (outcome === 'ended' && tries < START_TRIES) {
      await systemClock.sleep(RETRY_MS)
      continue
    }
    const said = outcome === 'ended' ? 'ended while starting' : 'did not answer in time'
    const reason = `${said}; its log ends with:\n${await logTail(start.logFile)}`
    throw fail('WEGWIJS_STACK_SERVER_FAILED', {
      server: start.name,
      reason,
      logFile: start.logFile,
    })
  }
}

async function untilAnswering(
  server: ServerProcess,
  { answers, deadlineMs }: ServerStart,
): Promise<'answers' | 'ended' | 'silent'> {
  const startedMs = systemClock.monotonicMs()
  while (!(await answers())) {
    if (!(await isRunning(server))) return 'ended'
    if (systemClock.monotonicMs() - startedMs > deadlineMs) return 'silent'
    await systemClock.sleep(POLL_MS)
  }
  return 'answers'
}

async function isGoneWithin(server: ServerProcess, deadlineMs: number): Promise<boolean> {
  const startedMs = systemClock.monotonicMs()
  while (await isRunning(server)) {
    if (systemClock.monotonicMs() - startedMs > deadlineMs) return false
    await systemClock.sleep(POLL_MS)
  }
  return true
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It ended between the look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** When a process started, in the system's own words; null when it is gone, or only a zombie. */
async function startMarkOf(pid: number): Promise<string | null> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
    if (stat === null) return null
    // The second field is the program's name in brackets and may itself hold spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? null : (fields[19] ?? null)
  }
  const answer = await run('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]).catch(() => null)
  const line = answer?.stdout.trim() ?? ''
  return line === '' || line.startsWith('Z') ? null : line.slice(line.indexOf(' ')).trim()
}

async function logTail(logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '')
  return text.trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n')
}
