import { expect, test } from 'vitest'
import { createGrid } from '../src/steps.ts'

test.each([
  ['PT15M', '2026-03-01T10:00:00.001Z', '2026-03-01T10:15:00.000Z'],
  ['PT15M', '2026-03-01T10:15:00.000Z', '2026-03-01T10:15:00.000Z'],
  ['P1D', '2026-03-01T10:15:00.000Z', '2026-03-02T00:00:00.000Z'],
  ['PT0S', '2026-03-01T10:15:07.123Z', '2026-03-01T10:15:07.123Z'],
])('a step of %s rounds %s up to %s', (step, instant, expected) => {
  expect(createGrid(step).roundUp(instant)).toBe(expected)
})

test.each(['15', 'P1M', '-PT1H', ''])('%s is no step', (step) => {
  expect(() => createGrid(step)).toThrow('is not a step')
})
