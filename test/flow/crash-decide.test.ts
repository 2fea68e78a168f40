import { expect, test } from 'vitest'
import { expectPromises, openLives } from './src/lives.ts'

/** services/journey dies at every single step in a test of its own; here the others go on beside it. */
test.each([
  { service: 'journey', stride: 5 },
  { service: 'gateway', stride: 1 },
] as const)(
  '$service dies on its way: nothing changes (P1, P2)',
  async ({ service, stride }) => {
    const live = await openLives()
    const { messages, record } = await live(null)
    for (let after = 1, died = true; died; after += stride) {
      for (const stepDone of [false, true]) {
        const doom = { service, after, stepDone }
        const life = await live(doom)
        died = life.died
        expectPromises(life, doom)
        expect({ doom, messages: life.messages, record: life.record }).toEqual({
          doom,
          messages,
          record,
        })
      }
    }
  },
  240_000,
)
