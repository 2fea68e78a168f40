import { describe, expect, it } from 'vitest'
import { checkTime } from '../src/event-time.ts'

const now = '2026-03-14T08:30:00.000Z'
const classOf = (time: string) => checkTime({ time }, now, 30)?.errorClass

describe('checkTime', () => {
  it.each([
    ['2026-03-14T08:35:00.001Z', 'time_in_future'],
    ['2026-03-14T08:35:00.000Z', undefined],
    ['2026-03-14T08:30:00.000Z', undefined],
    ['2026-02-12T08:30:00.000Z', undefined],
    ['2026-02-12T08:29:59.999Z', 'older_than_inbox'],
    ['9999-12-31T23:59:59.999Z', 'time_in_future'],
    ['0001-01-01T00:00:00.000Z', 'older_than_inbox'],
  ])('%s is %s when 5 minutes ahead and 30 days back are taken', (time, errorClass) => {
    expect(classOf(time)).toBe(errorClass)
  })

  it('says how long the inbox remembers, and where the fault is', () => {
    expect(checkTime({ time: '2020-01-01T00:00:00.000Z' }, now, 30)).toEqual({
      errorClass: 'older_than_inbox',
      reason: 'the time is more than 30 days ago, longer than seen events are remembered',
      path: 'time',
    })
  })
})
