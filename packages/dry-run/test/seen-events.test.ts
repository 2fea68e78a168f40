import { inboxRetentionDays } from '@wegwijs/wire/event-time'
import { expect, test } from 'vitest'
import { createSeenEvents } from '../src/seen-events.ts'

const dayMs = 86_400_000
const event = (id: string) => ({ source: 'urn:test:ehr', id, subject: 'p1' })

test('an event is new once, among a hundred thousand that look alike', () => {
  const seen = createSeenEvents()
  const ids = Array.from({ length: 100_000 }, (_, index) => `e${index}`)
  expect(ids.filter((id) => !seen.add(event(id), 0))).toEqual([])
  expect(ids.filter((id) => seen.add(event(id), 0))).toEqual([])
})

test('where one part ends and the next begins makes a difference', () => {
  const seen = createSeenEvents()
  expect(seen.add({ source: 'a', id: 'b c', subject: 'd' }, 0)).toBe(true)
  expect(seen.add({ source: 'a b', id: 'c', subject: 'd' }, 0)).toBe(true)
  expect(seen.add({ source: 'a', id: 'b', subject: 'c d' }, 0)).toBe(true)
})

test('an event is remembered for as long as it would be taken in, and no multiple of that', () => {
  const seen = createSeenEvents()
  seen.add(event('first'), 0)
  for (let day = 1; day <= inboxRetentionDays; day += 1) {
    expect(seen.add(event(`of day ${day}`), day * dayMs)).toBe(true)
  }
  expect(seen.add(event('first'), (inboxRetentionDays + 0.9) * dayMs)).toBe(false)
  for (let day = inboxRetentionDays + 1; day <= 3 * inboxRetentionDays; day += 1) {
    seen.add(event(`of day ${day}`), day * dayMs)
    expect(seen.add(event(`of day ${day - inboxRetentionDays}`), day * dayMs)).toBe(false)
  }
  expect(seen.add(event('first'), 3 * inboxRetentionDays * dayMs)).toBe(true)
})
