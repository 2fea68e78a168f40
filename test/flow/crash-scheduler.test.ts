import { expect, test } from 'vitest'
import { expectPromises, openLives } from './src/lives.ts'

test('the scheduler dies before or after any of its first steps: nothing changes (P1, P2)', async () => {
  const live = await openLives()
  const { messages, record } = await live(null)
  const steps = Array.from({ length: 16 }, (_, index) => index + 1)
  for (const after of steps) {
    for (const stepDone of [false, true]) {
      const doom = { service: 'scheduler', after, stepDone } as const
      const life = await live(doom)
      expectPromises(life, doom)
      expect({ doom, messages: life.messages, record: life.record }).toEqual({
        doom,
        messages,
        record,
      })
    }
  }
}, 600_000)
