import { manualClock } from '@wegwijs/runtime/clock'
import { fail } from '@wegwijs/runtime/failure'
import { createReadiness } from '@wegwijs/runtime/health'
import { createScope } from '@wegwijs/runtime/lifecycle'
import { silentLogger } from '@wegwijs/runtime/log'
import { describe, expect, it } from 'vitest'
import { startLoop } from '../src/loop.ts'

/** A loop whose passes end when the test says so. */
function controlledLoop({ restMs = 0, breatherMs = 0 } = {}) {
  const clock = manualClock()
  const scope = createScope('test', { clock })
  const readiness = createReadiness()
  const running: ((more: boolean | Error) => void)[] = []
  let starts = 0
  let atOnce = 0
  const pass = async () => {
    starts += 1
    atOnce += 1
    expect(atOnce).toBe(1)
    try {
      return await new Promise<boolean>((resolve, reject) => {
        running.push((more) => (typeof more === 'boolean' ? resolve(more) : reject(more)))
      })
    } finally {
      atOnce -= 1
    }
  }
  const context = { scope, clock, readiness, log: silentLogger }
  const wake = startLoop({ name: 'work', everyMs: 1_000, restMs, breatherMs, pass }, context)
  const end = async (more: boolean | Error) => {
    running.shift()?.(more)
    await turn()
  }
  return { clock, scope, readiness, wake, end, starts: () => starts }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('a loop', () => {
  it('passes at the start, again while there is more, then sweeps', async () => {
    const { clock, end, starts } = controlledLoop()
    expect(starts()).toBe(1)
    await end(true)
    expect(starts()).toBe(2)
    await end(false)
    expect(starts()).toBe(2)
    await clock.advance(999)
    expect(starts()).toBe(2)
    await clock.advance(1)
    expect(starts()).toBe(3)
  })

  it('that is in no hurry leaves room to others while there is more', async () => {
    const { clock, end, starts } = controlledLoop({ breatherMs: 30 })
    await end(true)
    await clock.advance(29)
    expect(starts()).toBe(1)
    await clock.advance(1)
    expect(starts()).toBe(2)
  })

  it('rests between passes, also when woken meanwhile, and not while there is more', async () => {
    const { clock, end, wake, starts } = controlledLoop({ restMs: 20 })
    await end(true)
    expect(starts()).toBe(2)
    wake()
    await end(false)
    await clock.advance(19)
    expect(starts()).toBe(2)
    await clock.advance(1)
    expect(starts()).toBe(3)
    await end(false)
    await clock.advance(20)
    wake()
    await turn()
    expect(starts()).toBe(4)
  })

  it('passes at once when woken, without any time going by', async () => {
    const { end, wake, starts } = controlledLoop()
    await end(false)
    wake()
    await turn()
    expect(starts()).toBe(2)
  })

  it('passes once more for all the calls during a pass', async () => {
    const { end, wake, starts } = controlledLoop()
    wake()
    wake()
    wake()
    await end(false)
    expect(starts()).toBe(2)
    await end(false)
    expect(starts()).toBe(2)
  })

  it('is not ready while its pass fails, tries again, and is ready again', async () => {
    const { clock, end, readiness, starts } = controlledLoop()
    await end(fail('WEGWIJS_QUEUE_UNAVAILABLE'))
    expect(await readiness.report()).toEqual({ work: false })
    await clock.advance(10_000)
    expect(starts()).toBe(2)
    await end(false)
    expect(await readiness.report()).toEqual({ work: true })
  })

  it('closes the scope on a failure that trying again cannot help', async () => {
    const { scope, end } = controlledLoop()
    const error = fail('WEGWIJS_REDIS_EVICTS', { policy: 'allkeys-lru' })
    await end(error)
    await scope.closed
    expect(scope.failures).toEqual([error])
  })

  it('ends with the scope, after the pass that runs', async () => {
    const { scope, end, starts } = controlledLoop()
    let closed = false
    const closing = scope.close().then(() => {
      closed = true
    })
    await turn()
    expect(closed).toBe(false)
    await end(true)
    await closing
    expect([starts(), scope.failures]).toEqual([1, []])
  })
})
