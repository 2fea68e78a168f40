import { expect, test } from 'vitest'
import { expectPromises, type Life, openLives } from './src/lives.ts'

/** Of messages that may be held instead, or be sent once more, everything else stays the same. */
const withoutStates = ({ messages, record }: Life) => ({
  names: messages.map(({ name }) => name),
  record,
})

/** All of the first day, which has every way of sending in it, and some of the days after. */
const nextAfter = (step: number) => step + (step < 20 ? 1 : 4)

test('delivery dies before or after any step: nothing is lost, nothing sent twice unmarked (P1, P2)', async () => {
  const live = await openLives()
  const whole = await live(null)
  expectPromises(whole, null)
  for (let after = 1, died = true; died && after < 60; after = nextAfter(after)) {
    for (const stepDone of [false, true]) {
      const doom = { service: 'delivery', after, stepDone } as const
      const life = await live(doom)
      died = life.died
      expectPromises(life, doom)
      expect({ doom, ...withoutStates(life) }).toEqual({ doom, ...withoutStates(whole) })
    }
  }
}, 600_000)
