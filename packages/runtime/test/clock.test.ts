import { describe, expect, it } from 'vitest'
import { manualClock, systemClock } from '../src/clock.ts'

describe('systemClock', () => {
  it('never goes back, and tells the time in UTC with milliseconds', async () => {
    const before = systemClock.monotonicMs()
    await systemClock.sleep(1)
    expect(systemClock.monotonicMs()).toBeGreaterThan(before)
    expect(systemClock.instant()).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  it('ends a sleep with the reason of the abort', async () => {
    const controller = new AbortController()
    const asleep = systemClock.sleep(3_600_000, controller.signal)
    controller.abort(new Error('enough'))
    await expect(asleep).rejects.toThrow('enough')
    await expect(systemClock.sleep(3_600_000, controller.signal)).rejects.toThrow('enough')
  })
})

describe('manualClock', () => {
  it('stands still until it is told to go on', async () => {
    const clock = manualClock('2026-03-14T08:30:00.000Z')
    expect([clock.monotonicMs(), clock.instant()]).toEqual([0, '2026-03-14T08:30:00.000Z'])
    await clock.advance(1_500)
    expect([clock.monotonicMs(), clock.instant()]).toEqual([1_500, '2026-03-14T08:30:01.500Z'])
  })

  it('wakes sleepers in the order in which they are due, each at its own moment', async () => {
    const clock = manualClock()
    const woken: [string, number][] = []
    const sleeper = async (name: string, ms: number) => {
      await clock.sleep(ms)
      woken.push([name, clock.monotonicMs()])
    }
    void sleeper('late', 300)
    void sleeper('early', 100)
    void sleeper('never', 1_001)
    await clock.advance(1_000)
    expect(woken).toEqual([
      ['early', 100],
      ['late', 300],
    ])
    expect(clock.sleeping()).toBe(1)
  })

  it('lets a woken sleeper sleep again within the same advance', async () => {
    const clock = manualClock()
    const ticks: number[] = []
    const tick = async () => {
      for (;;) {
        await clock.sleep(250)
        ticks.push(clock.monotonicMs())
      }
    }
    void tick()
    await clock.advance(1_000)
    expect(ticks).toEqual([250, 500, 750, 1_000])
  })

  it('forgets a sleeper that was aborted', async () => {
    const clock = manualClock()
    const controller = new AbortController()
    const asleep = clock.sleep(100, controller.signal)
    controller.abort(new Error('enough'))
    await expect(asleep).rejects.toThrow('enough')
    expect(clock.sleeping()).toBe(0)
    await expect(clock.sleep(1, controller.signal)).rejects.toThrow('enough')
  })

  it('lets a test await that somebody sleeps', async () => {
    const clock = manualClock()
    const twoAsleep = clock.untilSleeping(2)
    void clock.sleep(10)
    void clock.sleep(20)
    await twoAsleep
    await clock.untilSleeping()
    expect(clock.sleeping()).toBe(2)
  })
})
