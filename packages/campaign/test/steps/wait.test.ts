import type { Step } from '@wegwijs/campaign/steps/step'
import { message } from '@wegwijs/test-support/small-hospital'
import { describe, expect, test } from 'vitest'
import { discharged, messages, monday } from './discharged.ts'

describe('a wait', () => {
  const waits = (wait: object, start: string) =>
    discharged([{ wait } as Step, message('later')], start).timers()[0]?.dueAt

  test.each([
    ['for the next time that clocks show ten', { at: '10:00' }, '2026-03-02T09:00:00.000Z'],
    ['which may be tomorrow', { at: '09:00' }, '2026-03-03T08:00:00.000Z'],
    ['for a weekday', { on: ['thursday'] }, '2026-03-05T09:00:00.000Z'],
    ['for a weekday and a time', { on: ['monday'], at: '09:30' }, '2026-03-09T08:30:00.000Z'],
    [
      'for some time and then a part of the day',
      { for: 'PT10H', between: ['09:00', '17:00'] },
      '2026-03-03T08:00:00.000Z',
    ],
    [
      'into a part of the day of a working day',
      { for: 'P5D', between: ['09:00', '17:00'], on: 'working-day' },
      '2026-03-09T08:00:00.000Z',
    ],
  ])('%s', (_, wait, due) => {
    // A Monday, 10:00 in Amsterdam.
    const start = due === '2026-03-02T09:00:00.000Z' ? '2026-03-02T08:00:00.000Z' : monday
    expect(waits(wait, start)).toBe(due)
  })

  test('for a part of the day in which it is already goes on at once', () => {
    const patient = discharged([
      { wait: { between: ['09:00', '17:00'], on: 'any-day' } },
      message('later'),
    ])
    expect(messages(patient)).toEqual(['later'])
  })

  test('for a time that clocks show twice is for the first, and for one that they skip an hour later', () => {
    expect(waits({ for: 'PT1H', at: '02:30' }, '2026-10-24T18:00:00.000Z')).toBe(
      '2026-10-25T00:30:00.000Z',
    )
    expect(waits({ for: 'PT1H', at: '02:30' }, '2026-03-28T19:00:00.000Z')).toBe(
      '2026-03-29T01:30:00.000Z',
    )
  })

  test('keeps to local time over the night in which clocks go back', () => {
    expect(waits({ for: 'P1D', at: '10:00' }, '2026-10-24T07:00:00.000Z')).toBe(
      '2026-10-25T09:00:00.000Z',
    )
  })
})
