import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { manualClock } from '../src/clock.ts'
import { fail, isFailure } from '../src/failure.ts'
import { createReadiness } from '../src/health.ts'
import { createScope, waitFor } from '../src/lifecycle.ts'
import { createLogger } from '../src/log.ts'

function recordingLog() {
  const lines: Record<string, unknown>[] = []
  const log = createLogger('test', 'debug', { write: (line) => void lines.push(JSON.parse(line)) })
  return { log, lines, messages: () => lines.map((line) => line.message) }
}

describe('a scope', () => {
  it('closes in reverse order, one part after the other', async () => {
    const scope = createScope('test')
    const said: string[] = []
    for (const part of ['first', 'second', 'third']) {
      scope.onClose(part, async () => {
        said.push(`${part} begins`)
        await new Promise(setImmediate)
        said.push(`${part} ended`)
      })
    }
    await scope.close()
    expect(said).toEqual([
      'third begins',
      'third ended',
      'second begins',
      'second ended',
      'first begins',
      'first ended',
    ])
    expect(scope.failures).toEqual([])
  })

  it('aborts its signal before the first part closes', async () => {
    const scope = createScope('test')
    scope.onClose('part', () => {
      expect(scope.signal.aborted).toBe(true)
    })
    expect(scope.signal.aborted).toBe(false)
    await scope.close()
    expect(scope.failures).toEqual([])
  })

  it('closes once, however often it is told to', async () => {
    const scope = createScope('test')
    let closed = 0
    scope.onClose('part', () => {
      closed += 1
    })
    await Promise.all([scope.close(), scope.close(), scope.closed])
    await scope.close()
    expect(closed).toBe(1)
  })

  it('closes the next part when one throws, and keeps the error', async () => {
    const { log, lines } = recordingLog()
    const scope = createScope('test', { log })
    const said: string[] = []
    scope.onClose('first', () => {
      said.push('first')
    })
    scope.onClose('second', () => {
      throw new Error('at once')
    })
    scope.onClose('third', () => Promise.reject(new Error('later')))
    await scope.close()
    expect(said).toEqual(['first'])
    expect(scope.failures.map(String)).toEqual(['Error: later', 'Error: at once'])
    expect(lines.map((line) => line.phase)).toEqual(['third', 'second'])
  })

  it('leaves a part behind that outlasts its deadline, and the next one gets its turn', async () => {
    const clock = manualClock()
    const scope = createScope('test', { clock })
    const said: string[] = []
    scope.onClose('first', () => {
      said.push(`first at ${clock.monotonicMs()}`)
    })
    scope.onClose('second', () => new Promise(() => {}), 5_000)
    const closed = scope.close()
    await clock.untilSleeping()
    expect(said).toEqual([])
    await clock.advance(4_999)
    expect(said).toEqual([])
    await clock.advance(1)
    await closed
    expect(said).toEqual(['first at 5000'])
    expect(scope.failures.map((error) => isFailure(error, 'WEGWIJS_CLOSE_DEADLINE'))).toEqual([
      true,
    ])
    expect(clock.sleeping()).toBe(0)
  })

  it('survives that a part which was left behind fails later', async () => {
    const clock = manualClock()
    const scope = createScope('test', { clock })
    const late = Promise.withResolvers<void>()
    scope.onClose('part', () => late.promise, 10)
    const closed = scope.close()
    await clock.untilSleeping()
    await clock.advance(10)
    await closed
    late.reject(new Error('nobody listens any more'))
    await new Promise(setImmediate)
    expect(scope.failures).toHaveLength(1)
  })

  it('undoes at once what is opened while it closes, and after', async () => {
    const scope = createScope('test')
    const said: string[] = []
    scope.onClose('first', () => {
      said.push('first')
    })
    scope.onClose('second', async () => {
      scope.onClose('opened meanwhile', () => {
        said.push('meanwhile')
      })
      await new Promise(setImmediate)
      said.push('second')
    })
    await scope.close()
    expect(said).toEqual(['second', 'meanwhile', 'first'])
    scope.onClose('opened too late', () => {
      said.push('too late')
    })
    await new Promise(setImmediate)
    expect(said.at(-1)).toBe('too late')
  })

  it('stops with the error of a part that cannot go on, and keeps later ones for the log', async () => {
    const { log, messages } = recordingLog()
    const scope = createScope('test', { log })
    const error = fail('WEGWIJS_USAGE', { problem: 'x' })
    scope.stop(error)
    scope.stop(new Error('a consequence'))
    await scope.closed
    expect(scope.signal.reason).toBe(error)
    expect(scope.failures).toEqual([error])
    expect(messages()).toEqual(['a part failed while closing'])
  })
})

describe('waitFor', () => {
  const away = () =>
    Promise.reject(fail('WEGWIJS_DATABASE_UNAVAILABLE', { reason: 'ECONNREFUSED' }))

  it('gives the result at once, and says nothing, when all is well', async () => {
    const { log, lines } = recordingLog()
    const readiness = createReadiness(['PostgreSQL'])
    const { signal } = new AbortController()
    const options = { log, clock: manualClock(), signal, readiness }
    expect(await waitFor('PostgreSQL', async () => 42, options)).toBe(42)
    expect(lines).toEqual([])
    expect(await readiness.report()).toEqual({ PostgreSQL: true })
  })

  it('tries until it works, is not ready meanwhile, and tells it every few seconds', async () => {
    const { log, lines } = recordingLog()
    const clock = manualClock()
    const readiness = createReadiness()
    const { signal } = new AbortController()
    let attempts = 0
    let up = false
    const attempt = async () => {
      attempts += 1
      return up ? 'connected' : away()
    }
    const waiting = waitFor('PostgreSQL', attempt, { log, clock, signal, readiness })
    await clock.advance(0)
    expect(await readiness.report()).toEqual({ PostgreSQL: false })
    await clock.advance(60_000)
    expect(lines.length).toBeGreaterThanOrEqual(10)
    expect(lines.length).toBeLessThanOrEqual(16)
    expect(attempts).toBeLessThan(40)
    expect(lines[0]).toMatchObject({
      level: 'warn',
      message: 'waits for',
      dependency: 'PostgreSQL',
      waitedMs: 0,
      error: { code: 'WEGWIJS_DATABASE_UNAVAILABLE' },
    })
    up = true
    await clock.advance(2_000)
    expect(await waiting).toBe('connected')
    expect(lines.at(-1)).toMatchObject({
      level: 'info',
      message: 'answers',
      dependency: 'PostgreSQL',
    })
    expect(await readiness.report()).toEqual({ PostgreSQL: true })
  })

  it('tries again after an error without a code: drivers throw those when a server is away', async () => {
    const { log } = recordingLog()
    const clock = manualClock()
    const { signal } = new AbortController()
    let attempts = 0
    const attempt = async () => {
      attempts += 1
      if (attempts < 3) throw new Error('connect ECONNREFUSED')
      return attempts
    }
    const waiting = waitFor('Redis', attempt, { log, clock, signal })
    await clock.advance(1_000)
    expect(await waiting).toBe(3)
  })

  it('gives up at once on what trying again cannot help', async () => {
    const { log } = recordingLog()
    const readiness = createReadiness()
    const { signal } = new AbortController()
    const attempt = () => Promise.reject(fail('WEGWIJS_REDIS_EVICTS', { policy: 'allkeys-lru' }))
    await expect(
      waitFor('Redis', attempt, { log, clock: manualClock(), signal, readiness }),
    ).rejects.toMatchObject({ code: 'WEGWIJS_REDIS_EVICTS' })
    expect(await readiness.report()).toEqual({ Redis: false })
  })

  it('gives up an attempt that gets no answer, tells it so, and makes another', async () => {
    const { log, lines } = recordingLog()
    const clock = manualClock()
    const { signal } = new AbortController()
    const given: AbortSignal[] = []
    const attempt = (attemptSignal: AbortSignal) => {
      given.push(attemptSignal)
      return given.length === 1 ? new Promise<string>(() => {}) : Promise.resolve('connected')
    }
    const waiting = waitFor('Kafka', attempt, { log, clock, signal, attemptDeadlineMs: 3_000 })
    await clock.advance(4_000)
    expect(await waiting).toBe('connected')
    expect(given.map((one) => one.aborted)).toEqual([true, false])
    expect(lines[0]).toMatchObject({ error: { code: 'WEGWIJS_DEPENDENCY_DEADLINE' } })
    expect(clock.sleeping()).toBe(0)
  })

  it.each(['while it sleeps', 'while an attempt runs', 'before it begins'])(
    'ends when the scope closes %s',
    async (when) => {
      const { log } = recordingLog()
      const clock = manualClock()
      const controller = new AbortController()
      const stop = () => controller.abort(new Error('closing'))
      if (when === 'before it begins') stop()
      const attempt = when === 'while it sleeps' ? away : () => new Promise<never>(() => {})
      const waiting = waitFor('Kafka', attempt, { log, clock, signal: controller.signal })
      if (when !== 'before it begins') void clock.advance(0).then(stop)
      await expect(waiting).rejects.toThrow('closing')
      expect(clock.sleeping()).toBe(0)
    },
  )
})

describe('a service as a process', () => {
  const fixture = fileURLToPath(new URL('fixtures/service.ts', import.meta.url))

  function start(behaviour: string) {
    const child = spawn(process.execPath, [fixture, behaviour], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    let output = ''
    let errors = ''
    const heard: { word: string; resolve: () => void }[] = []
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text
      for (const { word, resolve } of heard) if (output.includes(word)) resolve()
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      errors += text
    })
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
    const lines = () => output.split('\n').filter(Boolean)
    return {
      says: (word: string) =>
        new Promise<void>((resolve, reject) => {
          heard.push({ word, resolve })
          if (output.includes(word)) resolve()
          void ended.then(() => reject(new Error(`ended without "${word}":\n${output}${errors}`)))
        }),
      kill: (signal: NodeJS.Signals) => child.kill(signal),
      end: async () => ({
        exitCode: await ended,
        words: lines().filter((line) => !line.startsWith('{')),
        messages: lines()
          .filter((line) => line.startsWith('{'))
          .map((line) => JSON.parse(line).message as string),
        output,
      }),
    }
  }

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'closes in order on %s and ends with 0',
    async (signal) => {
      const service = start('closes in order')
      await service.says('"runs"')
      service.kill(signal)
      expect(await service.end()).toMatchObject({
        exitCode: 0,
        words: [
          'running',
          'aborted',
          'http begins',
          'http ended',
          'consumer begins',
          'consumer ended',
          'database begins',
          'database ended',
        ],
        messages: ['runs', 'told to stop, closes in order', 'closed'],
      })
    },
  )

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('ends at once on a second signal, %s', async (signal, exitCode) => {
    const service = start('closes for ever')
    await service.says('"runs"')
    service.kill('SIGTERM')
    await service.says('closing')
    service.kill(signal)
    expect(await service.end()).toMatchObject({
      exitCode,
      messages: ['runs', 'told to stop, closes in order', 'told to stop again, ends at once'],
    })
  })

  it('leaves behind a part that hangs, closes the others, and says so with its exit code', async () => {
    const service = start('hangs while closing')
    await service.says('"runs"')
    service.kill('SIGTERM')
    const end = await service.end()
    expect(end).toMatchObject({ exitCode: 70, words: ['running', 'database'] })
    expect(end.output).toContain('WEGWIJS_CLOSE_DEADLINE')
  })

  it('closes the other parts when one throws', async () => {
    const service = start('throws while closing')
    await service.says('"runs"')
    service.kill('SIGTERM')
    expect(await service.end()).toMatchObject({ exitCode: 70, words: ['running', 'database'] })
  })

  it('undoes what it opened when it cannot start, and ends with the code of the failure', async () => {
    const end = await start('cannot start').end()
    expect(end).toMatchObject({
      exitCode: 78,
      words: ['database'],
      messages: ['could not start', 'closed'],
    })
    expect(end.output).toContain('maxmemory-policy allkeys-lru')
  })

  it.each(['starts for ever', 'waits at start'])(
    'ends with 0 when it is told to stop before it runs: %s',
    async (behaviour) => {
      const service = start(behaviour)
      await service.says('running')
      service.kill('SIGTERM')
      const end = await service.end()
      expect(end.exitCode).toBe(0)
      expect(end.messages.at(-1)).toBe('closed')
      expect(end.messages).not.toContain('could not start')
    },
  )

  it('closes when a part cannot go on', async () => {
    expect(await start('loses a part').end()).toMatchObject({ exitCode: 70, words: ['database'] })
  })

  it.each(['throws where nobody catches', 'rejects where nobody catches'])(
    'closes in order when an error %s',
    async (behaviour) => {
      const end = await start(behaviour).end()
      expect(end).toMatchObject({ exitCode: 70, words: ['database'] })
      expect(end.messages).toContain('an error was caught by nobody, closes in order')
    },
  )
})
