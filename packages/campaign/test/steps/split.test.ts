import type { Step } from '@wegwijs/campaign/steps/step'
import { campaign, message } from '@wegwijs/test-support/small-hospital'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { definitionOf, person } from '../given.ts'
import { discharge, discharged, messages, monday } from './discharged.ts'

describe('a split', () => {
  const split = (weights: readonly number[]): Step => ({
    split: {
      id: 'tone',
      arms: weights.map((weight, index) => ({
        name: `arm${index}`,
        weight,
        ...(index === 0 ? {} : { steps: [message('hello', { id: `hello-${index}` })] }),
      })),
    },
  })

  test('puts the same person into the same arm, every time', () => {
    const subjects = Array.from({ length: 50 }, (_, index) => `person-${index}`)
    const arms = () =>
      subjects.map((subject) => messages(discharged([split([1, 1])], monday, subject)))
    expect(arms()).toEqual(arms())
    expect(new Set(arms().map(String)).size).toBe(2)
  })

  test('keeps to its weights, within what chance allows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(1_000), (weight, salt) => {
        const people = 1_000
        const definition = definitionOf([
          campaign({ id: 'aftercare', steps: [split([10 - weight, weight])] }),
        ])
        let taken = 0
        for (let index = 0; index < people; index += 1) {
          const patient = person(definition, monday, `p${salt}-${index}`)
          patient.happens(discharge)
          taken += patient.intents().length
        }
        const expected = (people * weight) / 10
        // Six times the deviation of a fair draw: once in some hundred million properties.
        const most = 6 * Math.sqrt((people * weight * (10 - weight)) / 100)
        expect(Math.abs(taken - expected)).toBeLessThan(most)
      }),
      { numRuns: 20 },
    )
  })

  test('can be asked for later', () => {
    const steps: Step[] = [
      split([1, 1]),
      {
        branch: [
          {
            when: { field: 'enrolment.tone.arm', op: 'eq', value: 'arm1' },
            steps: [message('later')],
          },
        ],
      },
    ]
    for (let index = 0; index < 20; index += 1) {
      const sent = messages(discharged(steps, monday, `p-${index}`))
      expect(sent).toEqual(sent.length === 0 ? [] : ['hello-1', 'later'])
    }
  })
})
