import { type Clock, systemClock } from './clock.ts'
import { exitCodes, fail, isFailure } from './failure.ts'
import type { Readiness } from './health.ts'
import { createLogger, type Logger, silentLogger } from './log.ts'

/**
 * A scope owns what was opened in it and closes it in reverse order.
 *
 *   open ──────────────► closing ──────────────► closed
 *        stop(), signal          every undo done
 *                                or past its deadline
 *
 * Opening registers an undo for each thing that was opened. Stopping aborts `signal`, so that loops
 * and waits end, and then runs the undos last-in-first-out, each with a deadline of its own: one
 * that hangs is named in the log and left behind, and the next one still gets its turn. Nothing
 * depends on a clean end (P1): after a crash the same work is found again.
 */
export type Scope = {
  readonly name: string
  /** Aborted as soon as closing begins; its reason is the error that stopped the scope, if any. */
  readonly signal: AbortSignal
  /** Registers the undo of what was just opened. On a scope that is closing it runs at once. */
  onClose(phase: string, undo: () => Promise<void> | void, deadlineMs?: number): void
  /** Begins to close, for good; with an error when a part has failed that cannot go on by itself. */
  stop(error?: unknown): void
  /** Stops, and resolves when closed. Never rejects; what went wrong is in `failures`. */
  close(): Promise<void>
  /** Resolves when everything is closed, whoever stopped it. */
  readonly closed: Promise<void>
  /** The error given to `stop`, then one per undo that threw or ran out of time. */
  readonly failures: readonly unknown[]
}

export type ScopeOptions = { log?: Logger; clock?: Clock }

type Phase = { name: string; undo: () => Promise<void> | void; deadlineMs: number }

const CLOSE_DEADLINE_MS = 10_000

/** A scope without a process around it: for the embedded pipe and for tests. */
export function createScope(name: string, options: ScopeOptions = {}): Scope {
  const { log = silentLogger, clock = systemClock } = options
  const phases: Phase[] = []
  const failures: unknown[] = []
  const controller = new AbortController()
  const closed = Promise.withResolvers<void>()

  const undoOne = async (phase: Phase) => {
    try {
      await withDeadline(phase, clock)
    } catch (error) {
      failures.push(error)
      log.error('closing a part failed, the next one follows', { phase: phase.name, error })
    }
  }

  let undoing = false
  const undoAll = async () => {
    if (undoing) return
    undoing = true
    for (let phase = phases.pop(); phase !== undefined; phase = phases.pop()) await undoOne(phase)
    undoing = false
    closed.resolve()
  }

  const stop = (error?: unknown) => {
    if (controller.signal.aborted) {
      if (error !== undefined) log.warn('a part failed while closing', { error })
      return
    }
    if (error !== undefined) failures.push(error)
    controller.abort(error)
    void undoAll()
  }

  return {
    name,
    signal: controller.signal,
    onClose: (phase, undo, deadlineMs = CLOSE_DEADLINE_MS) => {
      phases.push({ name: phase, undo, deadlineMs })
      if (controller.signal.aborted) void undoAll()
    },
    stop,
    close: () => {
      stop()
      return closed.promise
    },
    closed: closed.promise,
    failures,
  }
}

async function withDeadline(phase: Phase, clock: Clock): Promise<void> {
  const undo = async () => phase.undo()
  await beforeDeadline(undo(), phase.deadlineMs, clock, () =>
    fail('WEGWIJS_CLOSE_DEADLINE', { phase: phase.name, deadlineMs: phase.deadlineMs }),
  )
}

/** What `work` gives, or the error of `tooLate` when it has not ended after `deadlineMs`. */
async function beforeDeadline<Result>(
  work: Promise<Result>,
  deadlineMs: number,
  clock: Clock,
  tooLate: () => Error,
): Promise<Result> {
  const over = new AbortController()
  const late = clock.sleep(deadlineMs, over.signal).then(() => {
    throw tooLate()
  })
  try {
    return await Promise.race([work, late])
  } finally {
    over.abort()
  }
}

const exitCodeOfSignal = { SIGINT: 130, SIGTERM: 143 } as const
const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const

/**
 * Runs a service until it is told to stop. SIGTERM or SIGINT closes the scope gracefully, a second
 * one ends the process at once with 128 + the signal's number. An error out of `open`, given to
 * `scope.stop`, or caught by nobody closes the scope too, and the process ends with its exit code.
 *
 * `open` registers what it opens and returns once the service runs.
 */
export async function openService(
  name: string,
  open: (scope: Scope) => Promise<void>,
  options: ScopeOptions = {},
): Promise<never> {
  const log = options.log ?? createLogger(name)
  const scope = createScope(name, { ...options, log })
  stopOnSignals(scope, log)
  process.on('uncaughtException', (error) => {
    log.error('an error was caught by nobody, closes in order', { error })
    scope.stop(error)
  })
  // An opening that ignores the signal must not keep alive what is closed already.
  await Promise.race([openInto(scope, open, log), scope.closed])
  await scope.closed
  const exitCode = exitCodeOf(scope.failures[0])
  log.info('closed', { exitCode })
  process.exit(exitCode)
}

function stopOnSignals(scope: Scope, log: Logger): void {
  let told = false
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      if (told) {
        log.warn('told to stop again, ends at once', { signal })
        process.exit(exitCodeOfSignal[signal])
      }
      told = true
      log.info('told to stop, closes in order', { signal })
      scope.stop()
    })
  }
}

async function openInto(
  scope: Scope,
  open: (scope: Scope) => Promise<void>,
  log: Logger,
): Promise<void> {
  try {
    await open(scope)
    if (!scope.signal.aborted) log.info('runs')
  } catch (error) {
    // A wait that ends because the service was told to stop is no failure of the service.
    if (scope.signal.aborted) return log.info('stopped before it ran', { error })
    log.error('could not start', { error })
    scope.stop(error)
  }
}

function exitCodeOf(error: unknown): number {
  if (error === undefined) return 0
  return isFailure(error) ? error.exitCode : exitCodes.internal
}

export type WaitOptions = {
  log: Logger
  signal: AbortSignal
  clock: Clock
  /** Set to false under `name` while waiting, and to true once the attempt has worked. */
  readiness?: Pick<Readiness, 'set'>
  /** After this long without an answer an attempt counts as failed and the next one begins. */
  attemptDeadlineMs?: number
}

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2_000
const TELL_EVERY_MS = 4_000
const ATTEMPT_DEADLINE_MS = 10_000

/**
 * Tries `attempt` until it works, with a line in the log every few seconds: at the start, and in
 * between whenever a dependency went away. `name` is said in the log: lower-case words, or the name
 * of a server such as 'PostgreSQL'. The signal that an attempt gets is aborted when the scope closes
 * and when the attempt has taken too long; it then drops what it opened.
 *
 * @throws what `attempt` threw, when that is a WegwijsError which trying again cannot help
 * @throws the signal's reason, when the scope is closing
 */
export async function waitFor<Result>(
  name: string,
  attempt: (signal: AbortSignal) => Promise<Result>,
  options: WaitOptions,
): Promise<Result> {
  const { signal, clock } = options
  const wait = narrateWait(name, options)
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    signal.throwIfAborted()
    try {
      const result = await attemptOnce(name, attempt, options)
      wait.answered()
      return result
    } catch (error) {
      signal.throwIfAborted()
      wait.failed(error)
      if (isFailure(error) && !error.retryable) throw error
    }
    await clock.sleep(pauseMs, signal)
  }
}

/** Tells the log and the readiness how a wait goes, the log not more often than is of use. */
function narrateWait(name: string, { log, clock, readiness }: WaitOptions) {
  const beganMs = clock.monotonicMs()
  let toldMs: number | undefined
  return {
    failed: (error: unknown) => {
      readiness?.set(name, false)
      const nowMs = clock.monotonicMs()
      if (toldMs !== undefined && nowMs - toldMs < TELL_EVERY_MS) return
      log.warn('waits for', { dependency: name, waitedMs: nowMs - beganMs, error })
      toldMs = nowMs
    },
    answered: () => {
      readiness?.set(name, true)
      if (toldMs !== undefined) log.info('answers', { dependency: name })
    },
  }
}

async function attemptOnce<Result>(
  name: string,
  attempt: (signal: AbortSignal) => Promise<Result>,
  { signal, clock, attemptDeadlineMs = ATTEMPT_DEADLINE_MS }: WaitOptions,
): Promise<Result> {
  const given = new AbortController()
  const both = AbortSignal.any([signal, given.signal])
  const aborted = new Promise<never>((_, reject) => {
    both.addEventListener('abort', () => reject(both.reason), { once: true })
  })
  return beforeDeadline(Promise.race([attempt(both), aborted]), attemptDeadlineMs, clock, () => {
    const tooLate = fail('WEGWIJS_DEPENDENCY_DEADLINE', {
      dependency: name,
      deadlineMs: attemptDeadlineMs,
    })
    given.abort(tooLate)
    return tooLate
  })
}
