import { expect, test } from 'vitest'
import { expectPromises, openLives } from './src/lives.ts'

/** services/journey dies at every single step in a test of its own; here the others go on beside it. */
test.each([
  { service: 'journey', steps: [2, 10, 18, 26, 36] },
  { service: 'gateway', steps: [1, 2, 3, 4, 5, 6, 8, 10] },
] as const)(
  '$service dies on its way: nothing changes (P1, P2)',
  async ({ service, steps }) => {
    const live = await openLives()
    const { messages, record } = await live(null)
    for (const after of steps) {
      for (const stepDone of [false, true]) {
        const doom = { service, after, stepDone }
        const life = await live(doom)
        expectPromises(life, doom)
        expect({ doom, messages: life.messages, record: life.record }).toEqual({
          doom,
          messages,
          record,
        })
      }
    }
  },
  600_000,
)
