import { partsOf, stepKinds, stepsSchema } from '@wegwijs/campaign/steps/registry'
import type { Step } from '@wegwijs/campaign/steps/step'
import { triggerKinds } from '@wegwijs/campaign/triggers/registry'
import { campaign, message } from '@wegwijs/test-support/small-hospital'
import { describe, expect, test } from 'vitest'
import { definitionOf } from './given.ts'
import { answered } from './steps/discharged.ts'

describe('every kind of step', () => {
  test('stands under a key of its own and says what it means', () => {
    expect(new Set(stepKinds.map(({ key }) => key)).size).toBe(stepKinds.length)
    for (const { meaning } of stepKinds) expect(meaning).toMatch(/^[A-Z].*\.$/)
  })

  test.each(stepKinds)('shows $key as short as it can be', ({ key, shortest }) => {
    expect(Object.keys(shortest)).toEqual([key])
    expect(stepsSchema.safeParse([shortest]).error).toBeUndefined()
  })
})

test('what a step names is found wherever it stands', () => {
  const inside = message('hello')
  const steps: Step[] = [
    {
      branch: [
        { otherwise: [{ waitFor: { touchpoint: answered, within: 'P1D', otherwise: [inside] } }] },
      ],
    },
  ]
  expect(partsOf(steps[0] as Step).arms?.[0]?.steps).toHaveLength(1)
  expect(definitionOf([campaign({ id: 'aftercare', steps })]).listeners.get(answered)).toEqual(
    new Set(['aftercare']),
  )
})

test('every kind of trigger says what it means', () => {
  expect(new Set(triggerKinds.map(({ key }) => key)).size).toBe(triggerKinds.length)
  for (const { meaning } of triggerKinds) expect(meaning).toMatch(/^[A-Z].*\.$/s)
})
